//! Enums whose variants are counters: one table gives each variant its label and its meaning.

#![forbid(unsafe_code)]

/// Defines an enum of things to count, with a label and a description for each.
///
/// The label is its name in metrics, summaries and JSON; the description is also its doc comment.
macro_rules! labels {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $label:literal $description:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $description] $variant,)+
        }

        impl $name {
            /// Each of them, in the order of their indices.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Returns the place of its counter among those of [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }

            /// Returns what metrics and summaries call it.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }

            /// Returns what it means, in one sentence.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)+
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.label())
            }
        }
    };
}

pub(crate) use labels;
