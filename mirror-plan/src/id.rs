//! AWS identifiers: one type per kind of object, so that a subnet's id cannot stand for a VPC's.
//!
//! An id is parsed where it enters (the stack file, an AWS response, a plan file) and is known to
//! be valid from there on. A truncated response therefore cannot become a truncated id: `tms-0` is
//! refused.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an [`Id`] identifies.
///
/// Implemented by the resource types and by the markers of this module; there is no reason to
/// implement it elsewhere.
pub trait Identified {
    /// The name shown to people: `VPC`.
    const TITLE: &'static str;
    /// The form of its ids.
    const FORM: IdForm;
}

/// The form of the ids of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// A prefix and 8 or 17 hexadecimal digits: `vpc-0a1b2c3d4e5f67890`.
    ///
    /// Source: Amazon EC2 user guide, "Resource IDs": 8 digits before 2018, 17 since.
    Prefixed(&'static str),
    /// An ARN of a service whose resource part starts with a text.
    Arn {
        /// The service, as ARNs name it.
        service: &'static str,
        /// What the resource part starts with.
        resource: &'static str,
    },
}

impl IdForm {
    /// An ARN of Elastic Load Balancing whose resource part starts with this text.
    #[must_use]
    pub const fn balancing(resource: &'static str) -> Self {
        Self::Arn { service: "elasticloadbalancing", resource }
    }

    fn admits(self, text: &str) -> bool {
        match self {
            Self::Prefixed(prefix) => text.strip_prefix(prefix).is_some_and(|digits| {
                matches!(digits.len(), 8 | 17)
                    && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            }),
            Self::Arn { service: _, resource } => {
                let mut parts = text.splitn(6, ':');
                parts.next() == Some("arn")
                    && parts.by_ref().take(4).all(|part| {
                        !part.is_empty()
                            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    })
                    && parts.next().is_some_and(|rest| {
                        rest.strip_prefix(resource).is_some_and(|name| {
                            !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic())
                        })
                    })
            }
        }
    }
}

impl fmt::Display for IdForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefixed(prefix) => write!(f, "{prefix} and 17 hexadecimal digits"),
            Self::Arn { service, resource } => {
                write!(f, "arn:aws:{service}:REGION:ACCOUNT:{resource}...")
            }
        }
    }
}

/// The identifier that AWS gave an object of kind `T`.
///
/// An id of one kind is not accepted in place of another:
///
/// ```compile_fail
/// use mirror_plan::id::{ImageId, NetworkInterfaceId};
/// fn mirrored(_: NetworkInterfaceId) {}
/// mirrored("ami-0a1b2c3d4e5f67890".parse::<ImageId>().unwrap());
/// ```
pub struct Id<T> {
    text: String,
    of: PhantomData<fn() -> T>,
}

impl<T: Identified> Id<T> {
    /// The text AWS knows it by.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same identifier, for places where something else determines the kind.
    #[must_use]
    pub fn erase(&self) -> ObjectId {
        ObjectId(self.text.clone())
    }
}

impl<T: Identified> FromStr for Id<T> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if T::FORM.admits(text) {
            Ok(Self { text: text.to_owned(), of: PhantomData })
        } else {
            Err(IdError { text: text.to_owned(), title: T::TITLE, form: T::FORM })
        }
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// Implemented by hand: a derive would require the same of `T`, which is only a name.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), of: PhantomData }
    }
}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de, T: Identified> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An identifier whose kind follows from its place: beside an [`Address`](crate::address::Address),
/// or as the id of a part such as a filter rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(String);

impl ObjectId {
    /// The text AWS knows it by.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as one of kind `T`.
    ///
    /// # Errors
    /// If it does not have the form of such an id.
    pub fn of<T: Identified>(&self) -> Result<Id<T>, IdError> {
        self.0.parse()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is not an identifier of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {title} id: expected {form}")]
pub struct IdError {
    text: String,
    title: &'static str,
    form: IdForm,
}

/// Declares objects that AWS identifies but that this library does not manage as resources of their
/// own.
macro_rules! identified {
    ($($(#[doc = $doc:literal])* $name:ident, $alias:ident: $title:literal, $form:expr;)+) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {}
        impl Identified for $name {
            const TITLE: &'static str = $title;
            const FORM: IdForm = $form;
        }
        #[doc = concat!("The id of a ", $title, ".")]
        pub type $alias = Id<$name>;
    )+};
}

identified! {
    /// An elastic network interface.
    NetworkInterface, NetworkInterfaceId: "network interface", IdForm::Prefixed("eni-");
    /// An Amazon Machine Image.
    Image, ImageId: "machine image", IdForm::Prefixed("ami-");
    /// The association of a route table with a subnet.
    RouteTableAssociation, RouteTableAssociationId: "route table association", IdForm::Prefixed("rtbassoc-");
    /// A network ACL.
    NetworkAcl, NetworkAclId: "network ACL", IdForm::Prefixed("acl-");
    /// A rule of a traffic mirror filter.
    MirrorFilterRule, MirrorFilterRuleId: "traffic mirror filter rule", IdForm::Prefixed("tmfr-");
    /// A listener of a Network Load Balancer.
    Listener, ListenerArn: "listener", IdForm::balancing("listener/net/");
    /// The listener of a Gateway Load Balancer.
    GatewayListener, GatewayListenerArn: "listener", IdForm::balancing("listener/gwy/");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_whole_or_refused() {
        assert!("eni-0a1b2c3d4e5f67890".parse::<NetworkInterfaceId>().is_ok());
        assert!("eni-0a1b2c3d".parse::<NetworkInterfaceId>().is_ok());
        for wrong in ["eni-0", "", "eni-", "vpc-0a1b2c3d4e5f67890", "eni-0A1B2C3D4E5F67890"] {
            assert!(wrong.parse::<NetworkInterfaceId>().is_err(), "{wrong}");
        }
        let listener = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/a/b/c";
        assert!(listener.parse::<ListenerArn>().is_ok());
        assert!(listener[..60].parse::<ListenerArn>().is_err());
        assert_eq!(
            "eni-0".parse::<NetworkInterfaceId>().unwrap_err().to_string(),
            "`eni-0` is not a valid network interface id: expected eni- and 17 hexadecimal digits"
        );
    }
}
