//! Occupants: what others have in an object that a stack is about to delete, so that AWS does not delete it.

use crate::id::ObjectId;

/// Something that does not belong to the stack and keeps AWS from deleting something that does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occupant {
    /// The stack's object that it keeps from being deleted.
    pub of: ObjectId,
    /// What it is.
    pub sort: Occupation,
    /// Its id, or its name for a load balancer.
    pub id: String,
    /// Its `Name` tag, or its description of itself.
    pub name: Option<String>,
}

/// Makes the sorts of occupants, each with its words.
macro_rules! occupations {
    ($($(#[doc = $doc:literal])+ $sort:ident = $word:literal;)+) => {
        /// What sort of thing an occupant is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Occupation {
            $($(#[doc = $doc])+ $sort,)+
        }

        impl Occupation {
            /// What it is called in a sentence.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$sort => $word,)+ }
            }
        }
    };
}

occupations! {
    /// An instance, with an interface in a subnet or in a security group.
    Instance = "instance";
    /// An instance of one of the stack's own Auto Scaling groups, which stays: it was started in a security group that its
    /// launch template does not name any more.
    Member = "instance";
    /// An interface that nothing is attached to, or one of another account with which a subnet is shared.
    NetworkInterface = "network interface";
    /// A load balancer, with interfaces in a subnet or in a security group.
    LoadBalancer = "load balancer";
    /// A subnet of a VPC.
    Subnet = "subnet";
    /// A security group of a VPC, or one with a rule that names another.
    SecurityGroup = "security group";
    /// A route table of a VPC that is not its main one.
    RouteTable = "route table";
    /// The internet gateway of a VPC.
    InternetGateway = "internet gateway";
    /// A mirror session with a filter or a target.
    MirrorSession = "mirror session";
}
