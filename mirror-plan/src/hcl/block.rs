//! The blocks that are not resources, and the attributes that every resource block has.
//!
//! The kinds of resources describe themselves ([`crate::resource::object_type`]); this is the rest
//! of what a stack file can contain.

use crate::attribute::{Object, ObjectType};
use crate::stack::Sources;

/// A block of the stack file that is not a resource.
#[derive(Clone, Copy, Debug)]
pub struct BlockType {
    /// The word it begins with.
    pub word: &'static str,
    /// What is between the word and the brace: `"NAME"`, or nothing.
    pub label: &'static str,
    /// What it is for; Markdown.
    pub doc: &'static str,
    /// What it may hold.
    pub attributes: &'static [BlockAttribute],
}

/// An attribute of a [`BlockType`].
#[derive(Clone, Copy, Debug)]
pub struct BlockAttribute {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in a few words.
    pub holds: &'static str,
    /// What it means; Markdown.
    pub doc: &'static str,
}

impl BlockType {
    /// The names of its attributes.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.attributes.iter().map(|attribute| attribute.name).collect()
    }
}

/// The names of the attributes of the block with this word; none for other words.
pub(super) fn attribute_names(word: &str) -> Vec<&'static str> {
    BLOCKS.iter().find(|block| block.word == word).map(BlockType::names).unwrap_or_default()
}

const fn attribute(name: &'static str, holds: &'static str, doc: &'static str) -> BlockAttribute {
    BlockAttribute { name, holds, doc }
}

/// What a `sources` block may hold, from the table with which it is read.
const SOURCES: [BlockAttribute; 11] = documented(
    &<Sources as Object>::OBJECT,
    [
        "strings by name",
        "a reference to an existing `vpc`, or its id in quotes",
        "a list of existing `subnet`s, or their ids",
        "a list of existing `security_group`s, or their ids",
        "a list of names",
        "a list of existing `instance`s, or their ids",
        "a list of ids, or of existing `instance`s",
        "`primary` or `all`; `primary` if left out",
        "strings by name; `{ mirror = \"false\" }` if left out",
        "a range such as \"4..200\" or \"4..\"; any number if left out",
        "`exact` or `count`; `exact` if left out",
    ],
);

/// The attributes of a table, with what each holds in words.
const fn documented<const N: usize>(
    object: &ObjectType,
    holds: [&'static str; N],
) -> [BlockAttribute; N] {
    let mut documented = [attribute("", "", ""); N];
    assert!(object.attributes.len() == N, "a text for each attribute");
    let mut at = 0;
    while at < N {
        let of = object.attributes[at];
        documented[at] = attribute(of.name, holds[at], of.doc);
        at += 1;
    }
    documented
}

/// Every such block, in the order in which files usually have them.
pub const BLOCKS: &[BlockType] = &[
    BlockType {
        word: "stack",
        label: "\"NAME\"",
        doc: "What the file describes, and where it must be. Every file has exactly one `stack` block. \
              The name is unique in an account and Region: every object carries it as a tag.",
        attributes: &[
            attribute(
                "region",
                "a Region, such as eu-west-1",
                "The Region that the stack is in; if left out, that of the credentials' \
                 configuration.",
            ),
            attribute(
                "account",
                "twelve digits in quotes",
                "The account that the stack is in. Credentials of another account are refused; if left \
                 out, any account is accepted.",
            ),
            attribute(
                "tags",
                "strings by name",
                "Tags of every resource; a resource's own tags take precedence.",
            ),
            attribute(
                "coordination",
                "a place in S3, such as s3://bucket/prefix",
                "Where the runs of a team coordinate: the lease and the journal of the stack are kept \
                 there. The bucket must exist. If left out, runs on one machine are kept apart, but \
                 runs on different machines are not.",
            ),
            attribute(
                "allow",
                "list: a code and the reason, such as MP1018: one zone is enough for a laboratory",
                "Accepted findings: findings with these codes are not shown and forbid nothing.",
            ),
        ],
    },
    BlockType {
        word: "variable",
        label: "\"NAME\"",
        doc: "A value from outside, `var.NAME`. Later sources override earlier ones: the default, the \
              environment (`MIRROR_VAR_NAME`), files of values in order, and `-var` in order.",
        attributes: &[
            attribute(
                "type",
                "a type",
                "`string`, `number`, `bool`, `list(T)`, `map(T)`, \
                      `object({ name = T, ... })` or `any`. A member of an object may be \
                      `optional(T)` or `optional(T, default)`. Values are converted as in \
                      Terraform. If left out, any type.",
            ),
            attribute(
                "default",
                "a constant",
                "The value if none is given. Without a default, a value must be given.",
            ),
            attribute("description", "a string", "What it is for."),
            attribute("one_of", "a list of constants", "The only values that it can have."),
            attribute(
                "nullable",
                "true or false",
                "Whether the value can be null; true if left out. If it cannot, null stands for the \
                 default.",
            ),
            attribute(
                "sensitive",
                "true or false",
                "Whether the value, and everything derived from it, is shown only as its hash. It can \
                 be used in `user_data` and in outputs that are sensitive themselves.",
            ),
        ],
    },
    BlockType {
        word: "locals",
        label: "",
        doc: "Names for values, `local.NAME`. A file may have several such blocks.",
        attributes: &[],
    },
    BlockType {
        word: "aws",
        label: "\"NAME\"",
        doc: "Another account and the credentials by which it is reached; `aws.NAME` refers to it. A VPC of that \
              account is looked up there, and a `vpc_peering` can connect it with the stack's own VPC. The stack's \
              own account needs no such block. The account is asked when a stack that uses it is planned, and when \
              the account accepts a connection; a `destroy` does not need it.",
        attributes: &[
            attribute(
                "profile",
                "a string",
                "A profile of the AWS configuration files, whatever credentials the environment holds. Give either \
                 this or `role`.",
            ),
            attribute(
                "role",
                "the ARN of a role",
                "A role of that account, of any partition, which the stack's own credentials assume: \
                 `arn:aws:iam::444455556666:role/NAME`. The ARN contains the account.",
            ),
            attribute(
                "external_id",
                "a string",
                "The external id that the trust policy of the role requires (`sts:ExternalId`).",
            ),
            attribute(
                "account",
                "twelve digits in quotes",
                "With `profile`: the account. Credentials of another account are refused; if left out, AWS is asked \
                 which account they belong to.",
            ),
        ],
    },
    BlockType {
        word: "existing",
        label: "\"KIND\" \"NAME\"",
        doc: "An object that exists outside the stack: a VPC, its subnets, the instances to be mirrored. \
              `KIND` is the word of a resource block, and you refer to the object in the same way, \
              `KIND.NAME`. The object must match everything that is given, and exactly one object must \
              match. The object is looked up when the stack is planned, and is never changed or tagged.",
        attributes: &[
            attribute("id", "its id in quotes", "Its id, or its ARN if it has no other."),
            attribute(
                "name",
                "a string",
                "The tag `Name`; for objects that have a name besides their tags, that name: load balancers, target \
                 groups, Auto Scaling groups and resource shares.",
            ),
            attribute(
                "tags",
                "strings by name",
                "Tags that it carries, with exactly these values. It may carry others, too.",
            ),
            attribute(
                "owner",
                "an account id in quotes",
                "For a mirror target that another account shares: the account that owns it. Packets to it leave the \
                 stack's account. Such a target is recognized by its `id`.",
            ),
            attribute(
                "aws",
                "an `aws` block, such as aws.sensors",
                "For a VPC of another account: the account in which it is looked up, with that account's \
                 credentials. The VPC can be the `accepter` of a `vpc_peering`.",
            ),
        ],
    },
    BlockType {
        word: "sources",
        label: "\"NAME\"",
        doc: "A changing set of network interfaces to be mirrored. A `mirror_session` \
              with `source = sources.NAME`, or with a list of such sources, is a session for each of the \
              interfaces: `mirror_session.detect[\"eni-...\"]`. They are looked up when the stack is planned, \
              and must match everything that is given. Besides what `except` names, these are excluded: \
              interfaces of instances that AWS does not mirror, mirror targets, receivers, and the stack's \
              own instances.",
        attributes: &SOURCES,
    },
    BlockType {
        word: "moved",
        label: "",
        doc: "Says that the address of a resource has changed, so that its object gets new tags instead of \
              being replaced. Between two blocks, it applies to all of their resources. `from` must no \
              longer be declared. The block may stay after it has been applied: it then does nothing.",
        attributes: &[
            attribute(
                "from",
                "an address",
                "The old address: `mirror_session.old`, `instance.web[0]`, \
                      `mirror_session.detect[\"eni-...\"]`.",
            ),
            attribute("to", "an address", "The new address, of the same kind."),
        ],
    },
    BlockType {
        word: "output",
        label: "\"NAME\"",
        doc: "A value for people and other programs, printed after an apply and by \
              `mirror output`.",
        attributes: &[
            attribute("value", "any value but a whole resource", "The value. It must be given."),
            attribute("description", "a string", "What it is."),
            attribute(
                "sensitive",
                "true or false",
                "Whether the value is shown only as its hash. Must be true if the value is derived from \
                 something sensitive.",
            ),
        ],
    },
];

/// The attributes that every resource block has in addition to those of its kind.
pub const META_ATTRIBUTES: &[BlockAttribute] = &[
    attribute(
        "count",
        "a whole number from 0 to 100000",
        "How many resources the block stands for. They are `KIND.NAME[0]`, `KIND.NAME[1]`, and so on, \
         and together `KIND.NAME[*]`; inside the block, `count.index` is the number of each. `count` \
         must be known when planning.",
    ),
    attribute(
        "when",
        "true or false",
        "Whether the block counts at all; if it is false, nothing may refer to the block. It must be \
         known when planning.",
    ),
];
