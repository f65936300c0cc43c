//! The fixed lines that programs look for in Terraform's texts.

/// Whose fixed lines a text has.
///
/// Programs that post plans, such as tfcmt and Atlantis, orient themselves by a few whole lines of Terraform's
/// text. Most of ours are the same; this selects the others. It also selects whether sessions over sources are
/// shown one by one and whether moves are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// Our own name, blocks as the stack file has them, diagnostics that show the file.
    #[default]
    Mirror,
    /// `Terraform will perform the following actions:`, blocks that begin with `resource`,
    /// diagnostics that begin with `Error: ` or `Warning: `.
    Terraform,
}

impl Wording {
    /// The name of the program that will perform the actions.
    pub(super) const fn program(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Terraform => "Terraform",
        }
    }
}
