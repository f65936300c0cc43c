//! The codes of all diagnostics, in one table, with the long text that `mirror explain` prints.

use crate::diagnostic::Code;

mod finding;

pub use finding::*;

/// A code and what there is to say about it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// What it means, in a few words.
    pub title: &'static str,
    /// What happened, why it matters and what to do; Markdown.
    pub text: &'static str,
    /// What AWS has to do with it, if it is that of a finding.
    pub finding: Option<Finding>,
}

/// Declares constants and the table at once.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $title:literal;)+) => {
        $(
            #[doc = $title]
            #[doc = ""]
            $(#[doc = $doc])+
            pub const $name: Code = Code($code);
        )+

        /// Every code that is not that of a finding, in order.
        const PLAIN: &[Entry] = &[
            $(Entry { code: $name, title: $title, text: concat!($($doc, "\n"),+), finding: None },)+
        ];
    };
}

codes! {
    /// The text is not valid HCL. Other blocks are checked anyway, as if nothing were known of this one.
    SYNTAX = "MP0001", "syntax error";
    /// A stack file has no block of this name, or the block is not allowed in this place.
    UNKNOWN_BLOCK = "MP0002", "unknown block";
    /// A block must have exactly the labels that its kind requires: one name for a resource, none for
    /// `locals`.
    BLOCK_LABELS = "MP0003", "wrong block labels";
    /// The block has no attribute of that name.
    UNKNOWN_ATTRIBUTE = "MP0004", "unknown attribute";
    /// A required attribute of the block is missing.
    MISSING_ATTRIBUTE = "MP0005", "missing attribute";
    /// The attribute holds a value of the wrong type.
    WRONG_TYPE = "MP0006", "wrong type";
    /// The type is right, but AWS or this tool does not accept the value.
    WRONG_VALUE = "MP0007", "value out of range";
    /// Two blocks have the same name, or an attribute is given twice.
    DUPLICATE = "MP0008", "declared twice";
    /// A stack file must have exactly one `stack` block.
    STACK_BLOCK = "MP0009", "no stack block, or several";
    /// The expression names something that does not exist.
    UNKNOWN_NAME = "MP0101", "unknown name";
    /// The expression cannot be evaluated, for example because of an operator on the wrong types or an
    /// index out of range.
    EVALUATION = "MP0102", "cannot be evaluated";
    /// A function was called with arguments that it does not accept.
    FUNCTION = "MP0103", "function call failed";
    /// The value must be known when planning, but it depends on something that only an apply creates.
    UNKNOWN_VALUE = "MP0104", "value not known when planning";
    /// Values refer to each other in a circle, so none of them can be evaluated first.
    CYCLE = "MP0105", "reference cycle";
    /// A whole resource is used where text is expected. Use one of its attributes.
    RESOURCE_AS_TEXT = "MP0106", "resource used as text";
    /// A value of a variable with `sensitive = true`, or a value derived from one, is used where plans and
    /// AWS would show it: in a tag, a name, a description, a range. Only `user_data` and outputs with
    /// `sensitive = true` accept such values, and both are shown as their hash. `nonsensitive(...)`
    /// declares that a value may be shown after all.
    SENSITIVE = "MP0107", "sensitive value where it would be shown";
    /// A variable has no value: it has no default and none was given.
    VARIABLE_MISSING = "MP0201", "variable without value";
    /// A value was given for a variable that is not declared.
    VARIABLE_UNDECLARED = "MP0202", "undeclared variable";
    /// The value of a variable is not of the type that the variable declares, or is not one of its
    /// `one_of`.
    VARIABLE_VALUE = "MP0203", "wrong variable value";
    /// A reference leads to a resource that the stack does not declare.
    NO_SUCH_RESOURCE = "MP0301", "no such resource";
    /// Exactly one of several attributes must be given.
    EXACTLY_ONE = "MP0302", "exactly one of several attributes";
    /// Attributes contradict each other.
    CONTRADICTION = "MP0304", "attributes contradict each other";
    /// A rule of a security group's `ingress` admits more addresses than any private network has, such as
    /// 0.0.0.0/0. Name the ranges or the groups that need access. If you mean the whole world, say so in
    /// the block: `open_to_world = true`.
    OPEN_TO_WORLD = "MP0305", "a security group open to the world";
    /// A `moved` block says that the address of a resource has changed. Its `from` must no longer be
    /// declared, both addresses must be of the same kind, no two moves may begin or end at the same address,
    /// and moves must not form a circle. A `to` that is not declared is MP0301.
    MOVED = "MP0306", "invalid move";
    /// The resource must be replaced, but AWS does not allow a second object with its name, and the stack
    /// file fixes the name. Leave `name` out, or change it together with what forces the replacement.
    NAME_IN_THE_WAY = "MP0401", "a fixed name prevents replacement";
    /// Two objects carry the ownership tags of the same address and generation. Decide which one is right,
    /// and remove the tag `mirror-plan:stack` from the other.
    TWO_OWNED = "MP0402", "two objects claim one address";
    /// An object carries ownership tags that cannot be read.
    FOREIGN_TAGS = "MP0403", "unreadable ownership tags";
    /// The account or Region is not the one that the stack declares.
    WRONG_PLACE = "MP0404", "wrong account or Region";
    /// `--target` or `--replace` names no resource of the stack.
    NO_SUCH_TARGET = "MP0405", "no such address";
    /// An object of the stack has something that a stack file cannot express, such as a security group rule
    /// with a prefix list. It is neither shown nor changed.
    UNTOLD = "MP0407", "seen, but not shown";
    /// An `existing` block says how to recognize an object that exists outside the stack, and must match
    /// exactly one. If none or several match, nothing is planned; several are listed. Objects that the
    /// stack itself created do not count. In an inventory, only what was looked up when it was written can
    /// match.
    NOT_ONE = "MP0408", "not exactly one existing object";
    /// A `sources` block selects fewer or more interfaces than its `expect` allows. Nothing was done.
    /// Without this check, a renamed tag would end the mirroring of a whole estate, and a tag that is also
    /// used elsewhere would begin it there. If the count is right, change `expect`.
    SOURCES_COUNT = "MP0409", "not as many sources as expected";
    /// The interfaces of a `sources` block were not looked up, or other interfaces were: the inventory is
    /// of another stack, or of this stack as it was before. Plan against the account, or write a new
    /// inventory.
    SOURCES_UNSEEN = "MP0410", "sources that were not looked up";
    /// Sessions over sources get their `number` or `vni` from a range that is too small, or two sessions
    /// have the same number on one interface.
    NUMBERS = "MP0411", "too few numbers, or numbers that clash";
    /// Only sessions over sources were to be created or deleted, but they need something of the stack that
    /// does not exist yet. Apply the whole stack once.
    TOO_EARLY = "MP0412", "the rest of the stack does not exist yet";
    /// The object cannot become that resource of the stack: the object does not exist, is of another kind
    /// or is owned by a stack, or the resource is not declared or already is another object. Nothing was
    /// tagged.
    NOT_ADOPTED = "MP0413", "cannot be adopted";
    /// A mirror target belongs to another account than the stack says. The account that shares a target
    /// gets everything that is mirrored to it, so a stack names the owner: `owner` in the `existing` block
    /// of the target; a session that names such a target by its id is refused. Nothing was done. If you do
    /// not know the account, do not mirror to it. A `resource_share` can share only targets of its own
    /// account.
    FOREIGN_TARGET = "MP0414", "a mirror target of another account";
    /// A VPC of another account, which the stack looks up with an `aws` block, is used as if it belonged to
    /// the stack's own account. It can be the `accepter` of a `vpc_peering` and nothing else: whoever
    /// creates something owns it, and what a stack creates belongs to its own account. So the stack's own
    /// VPC must request the connection, and what belongs in the other VPC is declared in a stack of that
    /// account. The same code is reported if a connection is to be accepted and no credentials named here
    /// can do that, and if an `aws` block leads to the stack's own account.
    OTHER_ACCOUNT = "MP0415", "a VPC of another account";
    /// The account of an `aws` block could not be asked: there is no such profile, its credentials do not
    /// work, the role may not be assumed, or the credentials may not look up the VPC. Nothing was done. The
    /// plan asks which account it is, and for the VPCs that are looked up there;
    /// `mirror iam --apply --as NAME` prints what the account must allow. A `destroy` does not need the
    /// account.
    UNREACHED_ACCOUNT = "MP0416", "another account cannot be reached";
    /// Sessions over sources have a target for each Availability Zone, but some of the sources are in a
    /// zone without a target, or their zone is not known. Nothing was done. Give that zone a target, which
    /// may be the target of another zone, or exclude the zone from the sources by their `subnets`. An
    /// inventory that an earlier version wrote does not say in which zones interfaces are: write a new one.
    NO_TARGET_IN_ZONE = "MP0417", "sources in a zone without a target";
    /// Two resources claim something that AWS lets only one have: the addresses of a subnet, a name, the
    /// place of a VPC's internet gateway. One of them gives it up, but only after the other has taken it.
    /// Nothing was done. Most often they are one resource whose block has a new name. Declare that in a
    /// `moved` block, and the object stays as it is. Otherwise make the change in two steps. In a plan of a
    /// part of the stack (`--target`), something outside that part may have what is claimed: include it in
    /// the plan, too.
    GIVE_WAY = "MP0418", "two resources claim what only one can have";
    /// Something is to be removed, but something that is kept still uses it, so AWS would refuse to remove
    /// it: the security group of an instance whose block no longer names any, since AWS then leaves the
    /// group on the instance; the subnet of an instance that a plan of a part of the stack (`--target`)
    /// leaves out; an internet gateway, as long as there are public addresses in its VPC. Nothing was done.
    STILL_HELD = "MP0419", "what is to be removed is still in use";
    /// Something that the plan saw has changed since. Nothing was done; plan again.
    STALE_PLAN = "MP0501", "the plan is stale";
    /// AWS refused a call, or the call failed. The message is AWS's own.
    CALL_FAILED = "MP0502", "a call to AWS failed";
    /// Another run of the same stack is in progress. The error names its user, machine and process. On one
    /// machine the lock is the operating system's and ends with that process. In a bucket it is a lease,
    /// which expires half a minute after that process ends.
    LOCKED = "MP0503", "another run is at work";
    /// The journal, or the lock beside it, cannot be read or written. Nothing is begun without it, since a
    /// call that creates something could not be recorded first.
    JOURNAL = "MP0504", "the journal cannot be used";
    /// What was approved, as a snapshot (`--approved`) or a digest (`--expect`), is not what would be done
    /// now: the stack, the account or both have changed since. Nothing was done. Review the current plan.
    NOT_APPROVED_PLAN = "MP0505", "the plan is not the approved one";
    /// A saved plan holds the SHA-256 of user data, not the user data itself. When the plan is applied, the
    /// user data is read again from the stack file and its variables, and must be the same. Nothing was
    /// done.
    SECRET_MISSING = "MP0506", "user data is not what was planned";
    /// The plan file is not as `mirror plan --out` wrote it: a byte of it has changed. Nothing was done.
    /// To change a plan, change the stack and plan again.
    CHANGED_PLAN = "MP0507", "the plan file has been changed";
    /// `mirror plan --check-permissions` asked AWS for each call of the plan whether the caller may make
    /// it, and AWS denies this one. The error quotes AWS, with the details that AWS encodes if the caller
    /// may decode them (`sts:DecodeAuthorizationMessage`), and gives the statement that would allow the
    /// call, unless a statement denies it: then it names that one. The answer is about the credentials that asked: ask with those that the apply will have. A
    /// plan with a denied call is not saved.
    DENIED = "MP0508", "a call of the plan is denied";
    /// Another run took over the stack while this one was in progress. That happens when a run does not
    /// renew its lease for half a minute, because its machine slept or could not reach the bucket. What was
    /// done stays done, and the rest is left to the other run; this one began nothing more. Run again once
    /// the other run has ended.
    LEASE_LOST = "MP0511", "another run has taken over";
    /// The store that the stack names as `coordination` writes an object even if the condition of the call
    /// does not hold. It could not keep two runs apart, so nothing was begun. Amazon S3 honors
    /// `If-None-Match` and `If-Match`, and so do recent versions of many other stores.
    NO_CONDITIONAL_WRITES = "MP0512", "the store ignores conditions";
    /// A file could not be read or written.
    FILE = "MP0601", "file error";
    /// No stack file was named, and none or several were found.
    NO_STACK_FILE = "MP0602", "no stack file, or several";
    /// No usable credentials or Region were found.
    CREDENTIALS = "MP0603", "no credentials or Region";
    /// An apply is approved by a typed `yes`, by `--auto-approve`, or by applying a saved plan. Here there
    /// was nobody to type and neither of the others was given, so nothing was begun.
    NOT_APPROVED = "MP0604", "nobody can approve";
    /// A saved plan is applied as it is. Options that change what is planned belong to `mirror plan`, and
    /// output that describes a plan needs a plan, not only a stack.
    SAVED_PLAN_OPTIONS = "MP0605", "options that a saved plan does not take, or that only a plan takes";
    /// An environment variable that `mirror` reads has an invalid value.
    SETTING = "MP0606", "unreadable setting";
    /// The stack has findings that are errors, or warnings with `--deny warnings`. Nothing was done. If
    /// what was found is right for this stack, accept it in the `stack` block, with a reason:
    /// `allow = ["MP1018: one zone is enough for a laboratory"]`.
    FINDINGS = "MP0607", "blocked by findings";
    /// What you want to import cannot be read, or nothing in it can be imported.
    IMPORT = "MP0608", "nothing to import";
    /// A trace or a rehearsal is about the interfaces that the stack mirrors or creates. There are none, or
    /// none of them has an address of the packets, or the address is not known, as for an interface that
    /// the stack names by its id and an instance that does not exist yet. Give it with
    /// `--eni INTERFACE=ADDRESS`.
    NO_INTERFACE = "MP0611", "no interface to trace";
    /// A session uses a mirror filter that the stack names only by its id, so it is not known what the
    /// session mirrors. Declare the filter in the stack, or in an `existing` block.
    UNTRACEABLE = "MP0612", "a filter whose rules are not known";
}

/// Every code, in order.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    PLAIN.iter().chain(CATALOGUE)
}

/// What there is to say about a code: `MP0102`, in any case.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.code.0.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(super::all().is_sorted_by(|a, b| a.code < b.code));
    }
}
