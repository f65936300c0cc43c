//! The fixed lines that programs look for in the texts of Terraform.

/// Whose fixed lines a text has.
///
/// Programs that post plans, such as tfcmt and Atlantis, find their way by a few whole lines of
/// Terraform's text. Most of ours are the same; the others are chosen by this, and with them that sessions
/// over sources are shown one by one and that moves are not counted.
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
