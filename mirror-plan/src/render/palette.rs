//! Colors, by what they mean. Every text is complete without colors.

use anstyle::{AnsiColor, Style};

/// The styles of everything that can have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    pub(super) create: Style,
    pub(super) update: Style,
    pub(super) delete: Style,
    /// The word that states that something is deleted.
    pub(super) destroyed: Style,
    /// What the eye should find first.
    pub(super) strong: Style,
    /// What may be skipped.
    pub(super) faint: Style,
}

impl Palette {
    /// No styles: the same text without any.
    #[must_use]
    pub const fn plain() -> Self {
        let none = Style::new();
        Self {
            create: none,
            update: none,
            delete: none,
            destroyed: none,
            strong: none,
            faint: none,
        }
    }

    /// The terminal's own green, yellow and red.
    #[must_use]
    pub const fn colored() -> Self {
        Self {
            create: AnsiColor::Green.on_default(),
            update: AnsiColor::Yellow.on_default(),
            delete: AnsiColor::Red.on_default(),
            destroyed: AnsiColor::Red.on_default().bold(),
            strong: Style::new().bold(),
            faint: AnsiColor::BrightBlack.on_default(),
        }
    }
}
