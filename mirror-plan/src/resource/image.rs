//! Images: which resources start instances from one.

use super::Resource;
use crate::scalar::Ami;

impl Resource {
    /// Returns the image that it starts instances from, if it starts any.
    #[must_use]
    pub fn image(&self) -> Option<&Option<Ami>> {
        match self {
            Self::Instance(instance) => Some(&instance.ami),
            Self::LaunchTemplate(template) => Some(&template.ami),
            _ => None,
        }
    }

    /// Returns the same, mutably.
    pub(crate) fn image_mut(&mut self) -> Option<&mut Option<Ami>> {
        match self {
            Self::Instance(instance) => Some(&mut instance.ami),
            Self::LaunchTemplate(template) => Some(&mut template.ami),
            _ => None,
        }
    }
}
