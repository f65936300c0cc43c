//! The blocks that are no resources, and the attributes that every resource block has.
//!
//! The kinds of resources describe themselves ([`crate::resource::object_type`]); this is the rest
//! of what a stack file can say.

use crate::attribute::{Object, ObjectType};
use crate::stack::Sources;

/// A block of the stack file that is no resource.
#[derive(Clone, Copy, Debug)]
pub struct BlockType {
    /// The word it begins with.
    pub word: &'static str,
    /// What stands between the word and the brace: `"NAME"`, or nothing.
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

/// What a `sources` block may hold, from the table that it is read by.
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
        "`primary` or `all`; `primary` where it is left out",
        "strings by name; `{ mirror = \"false\" }` where it is left out",
        "a range such as \"4..200\" or \"4..\"; any number where it is left out",
        "`exact` or `count`; `exact` where it is left out",
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

/// Every such block, in the order in which a file has them.
pub const BLOCKS: &[BlockType] = &[
    BlockType {
        word: "stack",
        label: "\"NAME\"",
        doc: "What the file describes, and where it must be. Every file has exactly one. The name \
              is unique in an account and Region: it is written on every object as a tag.",
        attributes: &[
            attribute(
                "region",
                "a Region, such as eu-west-1",
                "Where the stack is; that of the \
                      credentials' configuration where it is left out.",
            ),
            attribute(
                "account",
                "twelve digits in quotes",
                "The account that the stack is in. \
                      Credentials of another one are refused; any do where it is left out.",
            ),
            attribute("tags", "strings by name", "Tags of every resource; its own win."),
            attribute(
                "coordination",
                "a place in S3, such as s3://bucket/prefix",
                "Where the runs of a team meet: the lease and the journal of the stack are kept \
                      there. The bucket must be there. Where it is left out, runs on one machine \
                      are kept apart, and those of other machines are not.",
            ),
            attribute(
                "allow",
                "list: a code and the reason, such as MP1018: one zone is enough for a laboratory",
                "Findings that are accepted: those of these codes are not shown, and forbid nothing.",
            ),
        ],
    },
    BlockType {
        word: "variable",
        label: "\"NAME\"",
        doc: "A value from outside, `var.NAME`. Its own default is the weakest source, then come \
              the environment (`MIRROR_VAR_NAME`), files of values in order, and `-var` in order.",
        attributes: &[
            attribute(
                "type",
                "a type",
                "`string`, `number`, `bool`, `list(T)`, `map(T)`, \
                      `object({ name = T, ... })` or `any`. A member of an object may be \
                      `optional(T)` or `optional(T, default)`. Values are converted as in \
                      Terraform. Any type where it is left out.",
            ),
            attribute(
                "default",
                "a constant",
                "The value where none is given. Without it one \
                      must be.",
            ),
            attribute("description", "a string", "What it is for."),
            attribute("one_of", "a list of constants", "The only values that it can have."),
            attribute(
                "nullable",
                "true or false",
                "Whether it can be null; true where it is \
                      left out. Where it cannot, null stands for the default.",
            ),
            attribute(
                "sensitive",
                "true or false",
                "Whether the value, and everything made of it, is shown as its hash only. It can \
                      go into `user_data` and into outputs that are sensitive themselves.",
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
        doc: "Another account, and the credentials by which it is reached; `aws.NAME` names it. A VPC of it is looked \
              for there, and the stack's own VPC can be connected with that by a `vpc_peering`. The stack's own \
              account needs no such block. The account is asked when the stack is planned and uses it, and when it \
              accepts; a `destroy` does not need it.",
        attributes: &[
            attribute(
                "profile",
                "a string",
                "A profile of the AWS configuration files, whatever credentials the environment holds. Either this \
                 or `role`.",
            ),
            attribute(
                "role",
                "the ARN of a role",
                "A role of that account, of any partition, which the stack's own credentials assume: \
                 `arn:aws:iam::444455556666:role/NAME`. It says the account.",
            ),
            attribute(
                "external_id",
                "a string",
                "What the trust policy of the role asks for (`sts:ExternalId`).",
            ),
            attribute(
                "account",
                "twelve digits in quotes",
                "With `profile`: the account. Credentials of another one are refused; where it is left out, AWS is \
                 asked whose they are.",
            ),
        ],
    },
    BlockType {
        word: "existing",
        label: "\"KIND\" \"NAME\"",
        doc: "An object that is there without the stack: a VPC, its subnets, the instances to be \
              mirrored. `KIND` is the word of a resource block, and the object is referred to in the same \
              way, `KIND.NAME`. All that is given must hold, and exactly one object be left. It is \
              looked up when the stack is planned and never changed or tagged.",
        attributes: &[
            attribute("id", "its id in quotes", "Its id, or its ARN if it has no other."),
            attribute(
                "name",
                "a string",
                "The tag `Name`; for what has a name beside its tags, that: load balancers, target groups, Auto Scaling groups and resource shares.",
            ),
            attribute(
                "tags",
                "strings by name",
                "Tags that it carries, with exactly these values. It may carry others too.",
            ),
            attribute(
                "owner",
                "an account id in quotes",
                "The account that owns it, if it is another one that shares it: of a mirror target, to which \
                 packets leave the stack's account. It is recognized by its `id`.",
            ),
            attribute(
                "aws",
                "an `aws` block, such as aws.sensors",
                "The account in which it is looked for, with that account's credentials, if it is another one: of a \
                 VPC, which can be the `accepter` of a `vpc_peering`.",
            ),
        ],
    },
    BlockType {
        word: "sources",
        label: "\"NAME\"",
        doc: "Network interfaces to be mirrored, as they come and go. A `mirror_session` with \
              `source = sources.NAME`, or with a list of such, is a session for each of them: \
              `mirror_session.detect[\"eni-...\"]`. Which they are is found out when the stack is \
              planned. All that is given must hold. Left out are, besides what `except` says, interfaces \
              of instances that AWS does not mirror, mirror targets, receivers, and the stack's own instances.",
        attributes: &SOURCES,
    },
    BlockType {
        word: "moved",
        label: "",
        doc: "Says that a resource has another address than it had, so that its object is tagged anew \
              and not made anew. Between two blocks it is about all resources of them. `from` is not \
              declared any more. The block may stay when it has been applied: then it does nothing.",
        attributes: &[
            attribute(
                "from",
                "an address",
                "What it was called: `mirror_session.old`, `instance.web[0]`, \
                      `mirror_session.detect[\"eni-...\"]`.",
            ),
            attribute("to", "an address", "What it is called now, of the same kind."),
        ],
    },
    BlockType {
        word: "output",
        label: "\"NAME\"",
        doc: "A value for people and other programs, printed after an apply and by \
              `mirror output`.",
        attributes: &[
            attribute("value", "any value but a whole resource", "The value. It must be there."),
            attribute("description", "a string", "What it is."),
            attribute(
                "sensitive",
                "true or false",
                "Whether it is shown as its hash only. It must be where the value is made of \
                      something sensitive.",
            ),
        ],
    },
];

/// The attributes that every resource block has besides its kind's own.
pub const META_ATTRIBUTES: &[BlockAttribute] = &[
    attribute(
        "count",
        "a whole number from 0 to 100000",
        "How many resources the block stands \
              for. They are `KIND.NAME[0]`, `KIND.NAME[1]`, and so on, all of them \
              `KIND.NAME[*]`; in the block `count.index` is the number. It must be known when \
              planning.",
    ),
    attribute(
        "when",
        "true or false",
        "Whether the block counts at all; where it is false, \
              nothing may refer to it. It must be known when planning.",
    ),
];
