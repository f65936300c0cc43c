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
    /// The text is not HCL. Nothing after the place can be read, so other mistakes may be hidden
    /// behind this one.
    SYNTAX = "MP0001", "syntax error";
    /// The word is not the name of a block that a stack file has, or the block stands where it may not.
    UNKNOWN_BLOCK = "MP0002", "unknown block";
    /// A block needs exactly the labels that its kind asks for: one name for a resource, none for `locals`.
    BLOCK_LABELS = "MP0003", "wrong block labels";
    /// The block has no attribute of that name.
    UNKNOWN_ATTRIBUTE = "MP0004", "unknown attribute";
    /// The block needs an attribute that is not there.
    MISSING_ATTRIBUTE = "MP0005", "missing attribute";
    /// The attribute holds another type than it should.
    WRONG_TYPE = "MP0006", "wrong type";
    /// The type is right but AWS, or this tool, takes no such value.
    WRONG_VALUE = "MP0007", "value out of range";
    /// Two blocks have one name, or one attribute is given twice.
    DUPLICATE = "MP0008", "declared twice";
    /// A stack file has exactly one `stack` block.
    STACK_BLOCK = "MP0009", "no stack block, or several";
    /// The expression names something that does not exist.
    UNKNOWN_NAME = "MP0101", "unknown name";
    /// The expression cannot be evaluated: an operator on the wrong types, an index out of range.
    EVALUATION = "MP0102", "cannot be evaluated";
    /// A function was called with arguments it does not take.
    FUNCTION = "MP0103", "function call failed";
    /// The value must be known when planning, and depends on what apply makes.
    UNKNOWN_VALUE = "MP0104", "value not known when planning";
    /// Values refer to each other in a circle, so none of them can be first.
    CYCLE = "MP0105", "reference cycle";
    /// A whole resource stands where text is wanted; one of its attributes is meant.
    RESOURCE_AS_TEXT = "MP0106", "resource used as text";
    /// A value of a variable with `sensitive = true`, or something made of one, stands where plans and AWS
    /// show it: in a tag, a name, a description, a range. Only `user_data` and outputs with
    /// `sensitive = true` take such values, and both are shown as their hash. `nonsensitive(...)` says
    /// that a value may be shown after all.
    SENSITIVE = "MP0107", "sensitive value where it would be shown";
    /// A variable has no value: it has no default and none was given.
    VARIABLE_MISSING = "MP0201", "variable without value";
    /// A value was given for a variable that is not declared.
    VARIABLE_UNDECLARED = "MP0202", "undeclared variable";
    /// The value of a variable has another type than the variable declares, or is not one of its `one_of`.
    VARIABLE_VALUE = "MP0203", "wrong variable value";
    /// A reference leads to a resource that the stack does not declare.
    NO_SUCH_RESOURCE = "MP0301", "no such resource";
    /// Exactly one of several attributes must be given.
    EXACTLY_ONE = "MP0302", "exactly one of several attributes";
    /// Attributes contradict each other.
    CONTRADICTION = "MP0304", "attributes contradict each other";
    /// A rule of a security group's `ingress` admits more addresses than any network of one's own has, such
    /// as 0.0.0.0/0. Name the ranges or the groups that need it. Where the whole world is meant, the block
    /// says so: `open_to_world = true`.
    OPEN_TO_WORLD = "MP0305", "a security group open to the world";
    /// A `moved` block says that a resource has another address than it had. What it moves from must not be
    /// declared any more, what it moves to must be, both are of one kind, and no two moves begin or end at
    /// one address.
    MOVED = "MP0306", "a move that leads nowhere";
    /// The resource must be replaced, but AWS takes no second object with its name, and the name is
    /// fixed in the stack file. Leave `name` out, or change it together with what forces the replacement.
    NAME_IN_THE_WAY = "MP0401", "a fixed name prevents replacement";
    /// Two objects carry the ownership tags of one address and generation. A person must say which
    /// one is right by removing the tag `mirror-plan:stack` from the other.
    TWO_OWNED = "MP0402", "two objects claim one address";
    /// An object carries ownership tags that cannot be read.
    FOREIGN_TAGS = "MP0403", "unreadable ownership tags";
    /// The account or Region is not the one that the stack declares.
    WRONG_PLACE = "MP0404", "wrong account or Region";
    /// `--target` or `--replace` names no resource of the stack.
    NO_SUCH_TARGET = "MP0405", "no such address";
    /// An object of the stack has something that no stack file can say, such as a security group rule
    /// with a prefix list. It is neither shown nor changed.
    UNTOLD = "MP0407", "seen, but not shown";
    /// An `existing` block says how to recognize an object that is there without the stack. Exactly one
    /// must be recognized: none or several are listed, and nothing is planned. Objects that the stack
    /// itself has made do not count.
    NOT_ONE = "MP0408", "not exactly one existing object";
    /// A `sources` block selects fewer or more interfaces than its `expect` says. Nothing was done. A tag that
    /// was renamed would otherwise end the mirroring of a whole estate, and one that is used elsewhere too
    /// would begin it there. If the count is right, change `expect`.
    SOURCES_COUNT = "MP0409", "not as many sources as expected";
    /// The interfaces of a `sources` block were not looked for, or others were: the inventory is of
    /// another stack, or of this one as it was before. Plan against the account, or write the inventory anew.
    SOURCES_UNSEEN = "MP0410", "sources that were not looked for";
    /// Sessions over sources get their `number` or `vni` from a range that is too small, or two of
    /// them have one number on one interface, which AWS refuses.
    NUMBERS = "MP0411", "numbers that do not suffice or clash";
    /// Only sessions over sources were to be made or removed, and they need something of the stack that is
    /// not there yet. Apply the whole stack once.
    TOO_EARLY = "MP0412", "the rest of the stack is not there yet";
    /// The object cannot be that resource of the stack: it is not there, it is of another kind, some stack
    /// owns it, or the resource is not declared or is another object already. Nothing was tagged.
    NOT_ADOPTED = "MP0413", "cannot be adopted";
    /// A mirror target belongs to another account than the stack says. Who shares a target gets all that is
    /// mirrored to it, so a stack names the owner: `owner` in the `existing` block of the target. Nothing was
    /// done. If you do not know the account, do not mirror to it. A `resource_share` shares targets of its own
    /// account and no others.
    FOREIGN_TARGET = "MP0414", "a mirror target of another account";
    /// A VPC of another account, which the stack looks for with an `aws` block, is used as if it were of the stack's own.
    /// It can be the `accepter` of a `vpc_peering` and nothing else: whoever makes something owns it, and what a stack
    /// makes is of its own account. So the stack's own VPC asks for a connection, and what is to be in the other
    /// VPC is declared in a stack of that account. The same code says that a connection is to be accepted and nobody
    /// named here can do that, and that an `aws` block leads to the stack's own account.
    OTHER_ACCOUNT = "MP0415", "something of another account";
    /// The account of an `aws` block could not be asked: there is no such profile, its credentials are of no use,
    /// the role may not be assumed, or it may not look for the VPC. Nothing was done. The plan asks that account who it is
    /// and for the VPCs that are looked for there; `mirror iam --apply --as NAME` prints what it has to allow. A
    /// `destroy` does not need it.
    UNREACHED_ACCOUNT = "MP0416", "another account cannot be reached";
    /// Sessions over sources have a target for each Availability Zone, and some of the sources are in a zone that
    /// has none, or nobody has seen in which zone they are. Nothing was done. Give that zone a target, which may be
    /// that of another zone, or leave it out of the sources by their `subnets`. An inventory that an earlier version
    /// has written does not say in which zones interfaces are: write it anew.
    NO_TARGET_IN_ZONE = "MP0417", "sources in a zone without a target";
    /// Two resources claim what AWS lets one have: the addresses of a subnet, a name, the place of an internet gateway. One of
    /// them goes, but only after the other one has come. Nothing was done. Most often it is one resource whose block has
    /// another name now, and a `moved` block says that: the object stays as it is. Otherwise take it in two steps. In a plan of
    /// a part of the stack (`--target`) something outside of it may have the thing: have that in the plan, too.
    GIVE_WAY = "MP0418", "two claim what one can have";
    /// Something is to go, and something that stays has it, so that AWS would refuse to remove it: the security group of an
    /// instance whose block names none any more, which AWS keeps in that case; the subnet of an instance that is in no
    /// plan of a part of the stack (`--target`); an internet gateway, as long as there are public addresses in its VPC. Nothing
    /// was done.
    STILL_HELD = "MP0419", "what goes is still held";
    /// Something that the plan saw has changed since. Nothing was done; plan again.
    STALE_PLAN = "MP0501", "the plan is stale";
    /// AWS refused or failed a call. The message is AWS's own.
    CALL_FAILED = "MP0502", "a call to AWS failed";
    /// Another run of the same stack is under way. It is named with its user, machine and process. On
    /// one machine the lock is the operating system's and ends with that process; in a bucket it is a
    /// lease, which ends by itself half a minute after that process.
    LOCKED = "MP0503", "another run is at work";
    /// The journal, or the lock beside it, cannot be read or written. Without it nothing is begun,
    /// since a call that makes something could not be written down first.
    JOURNAL = "MP0504", "the journal cannot be used";
    /// What was approved, as a snapshot (`--approved`) or a digest (`--expect`), is not what would be done
    /// now: the stack, the account or both have changed since. Nothing was done. Review the plan as it is now.
    NOT_APPROVED_PLAN = "MP0505", "the plan is not the approved one";
    /// A saved plan holds the SHA-256 of user data and not the user data. It is taken from the stack file
    /// and its variables once more when the plan is applied, and must be the same. Nothing was done.
    SECRET_MISSING = "MP0506", "user data is not what was planned";
    /// The plan file is not as `mirror plan --out` wrote it: a byte of it has changed. Nothing was done.
    /// To change a plan, change the stack and plan again.
    CHANGED_PLAN = "MP0507", "the plan file has been changed";
    /// `mirror plan --check-permissions` asked AWS of each call of the plan whether the caller may make it,
    /// and AWS denies this one. It is told with AWS's own words, with the details that it encodes if the caller
    /// may decode them (`sts:DecodeAuthorizationMessage`), and with the statement that would allow it. The
    /// answer is about the credentials that asked: ask with those that the apply will have. A plan with
    /// a denied call is not saved.
    DENIED = "MP0508", "a call of the plan is denied";
    /// Another run has taken over the stack while this one was at work. That happens when a run does
    /// not renew its lease for half a minute: its machine slept, or could not reach the bucket. What
    /// was done is done, and what is left is the other run's; nothing more was begun. Run again once
    /// it has ended.
    LEASE_LOST = "MP0511", "another run has taken over";
    /// The store that the stack names as `coordination` writes an object although the condition of the
    /// call does not hold. Two runs could not be kept apart there, so nothing was begun. Amazon S3
    /// honours `If-None-Match` and `If-Match`; of other stores, recent versions of many do.
    NO_CONDITIONAL_WRITES = "MP0512", "the store ignores conditions";
    /// A file could not be read or written.
    FILE = "MP0601", "file error";
    /// No stack file was found, or several, and none was named.
    NO_STACK_FILE = "MP0602", "which stack file?";
    /// No usable credentials or Region were found.
    CREDENTIALS = "MP0603", "no credentials or Region";
    /// An apply is approved by a typed `yes`, by `--auto-approve`, or by applying a plan that was saved.
    /// Here there was nobody to type and none of the others, so nothing was begun.
    NOT_APPROVED = "MP0604", "nobody can approve";
    /// A saved plan is applied as it is. Options that change what is planned belong to `mirror plan`, and
    /// what is said of a plan cannot be said of a stack alone.
    SAVED_PLAN_OPTIONS = "MP0605", "options that a saved plan does not take, or only a plan does";
    /// A variable of the environment that `mirror` reads has a value it cannot have.
    SETTING = "MP0606", "unreadable setting";
    /// The stack has findings that are errors, or warnings with `--deny warnings`. Nothing was done. What is right
    /// for this stack is accepted in its `stack` block, with a reason:
    /// `allow = ["MP1018: one zone is enough for a laboratory"]`.
    FINDINGS = "MP0607", "findings forbid it";
    /// What is to be imported cannot be read, or nothing of it is there.
    IMPORT = "MP0608", "nothing to import";
    /// A trace is about the interfaces that the stack mirrors or makes. None of them has an address of the
    /// packet, or the address is not known: of an interface that the stack names by its id, and of an
    /// instance that is not there yet. `--eni INTERFACE=ADDRESS` says it.
    NO_INTERFACE = "MP0611", "no interface to trace";
    /// A session uses a mirror filter that the stack only names by its id, so that nobody can say what it
    /// mirrors. Declare the filter in the stack, or in an `existing` block.
    UNTRACEABLE = "MP0612", "a filter that is not known";
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
