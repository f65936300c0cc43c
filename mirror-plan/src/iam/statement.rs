//! Statements: what is allowed, on what, and under which conditions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::Grant;
use crate::resource::tag;
use crate::stack::{Moved, Placed};

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    sid: String,
    effect: Effect,
    action: Texts,
    resource: Texts,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Conditions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Effect {
    Allow,
    Deny,
}

/// By operator and key: the values.
pub(super) type Conditions = BTreeMap<&'static str, BTreeMap<String, Texts>>;

/// Texts; one alone is written without a list around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Texts(Vec<String>);

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            several => several.serialize(serializer),
        }
    }
}

impl From<&str> for Texts {
    fn from(one: &str) -> Self {
        Self(vec![one.to_owned()])
    }
}

impl From<BTreeSet<String>> for Texts {
    fn from(texts: BTreeSet<String>) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl Statement {
    /// Returns the statement that allows a grant.
    pub(super) fn allow(sid: impl Into<String>, grant: Grant) -> Self {
        let Grant { actions, resources } = grant;
        Self {
            sid: sid.into(),
            effect: Effect::Allow,
            action: actions.into(),
            resource: resources.into(),
            condition: Conditions::new(),
        }
    }

    /// Returns the same statement under conditions.
    pub(super) fn only_if(self, condition: Conditions) -> Self {
        Self { condition, ..self }
    }

    /// Returns the statements that keep the holder of the policy from changing the ownership tags of anything, whatever
    /// else allows it: by naming these tags, or by naming no tag, which removes all. If an object of the stack has
    /// `moved`, its address may be set, but still not removed.
    pub(super) fn keeping_ownership(moved: &[Placed<Moved>]) -> Vec<Self> {
        use conditions::{
            ADD_TAGS, CREATE_TAGS, DELETE_GROUP_TAGS, DELETE_TAGS, REMOVE_TAGS, SET_GROUP_TAGS,
            UNTAG_SHARE,
        };
        let setting = [CREATE_TAGS, ADD_TAGS, SET_GROUP_TAGS];
        let removing = [DELETE_TAGS, REMOVE_TAGS, DELETE_GROUP_TAGS, UNTAG_SHARE];
        let named = [&setting[..], &removing].concat();
        let any = "mirror-plan:*";
        let mut kept = if moved.is_empty() {
            vec![Self::deny("KeepOwnership", &named, conditions::names(any))]
        } else {
            vec![
                Self::deny("KeepOwnership", &setting, conditions::names(fixed())),
                Self::deny("KeepAddress", &removing, conditions::names(any)),
            ]
        };
        kept.push(Self::deny("KeepTags", &[DELETE_TAGS], conditions::names_no_tag()));
        kept
    }

    /// Does the same for setting the ownership tags of resource shares. IAM has no key that shows whether a share is
    /// being created, so these tags may be set together with the name of the stack, on shares that no other stack owns:
    /// a share without an owner can be made the stack's.
    ///
    /// Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Resource Access
    /// Manager".
    pub(super) fn keeping_shares(stack: &str, moved: &[Placed<Moved>]) -> [Self; 2] {
        use conditions::{TAG_SHARE, names_of_another, requested_for_another};
        let keys = if moved.is_empty() { "mirror-plan:*".into() } else { Texts::from(fixed()) };
        let given_away = requested_for_another(keys, stack);
        let taken = names_of_another("mirror-plan:*", stack);
        [
            Self::deny("KeepShares", &[TAG_SHARE], given_away),
            Self::deny("LeaveShares", &[TAG_SHARE], taken),
        ]
    }

    fn deny(sid: &str, actions: &[&str], condition: Conditions) -> Self {
        Self {
            sid: sid.to_owned(),
            effect: Effect::Deny,
            action: Texts(actions.iter().map(|&action| action.to_owned()).collect()),
            resource: "*".into(),
            condition,
        }
    }

    /// Returns whether the statement allows an action on anything.
    pub(super) fn allows(&self, action: &str) -> bool {
        self.effect == Effect::Allow && self.action.0.iter().any(|allowed| allowed == action)
    }

    /// Returns the same statement for only one of its actions.
    pub(super) fn only(self, action: &str) -> Self {
        Self { action: action.into(), ..self }
    }

    /// Returns the actions that the statement is about.
    #[cfg(test)]
    pub(super) fn actions(&self) -> &[String] {
        &self.action.0
    }

    /// Returns whether the statement is about no action.
    pub(super) fn is_empty(&self) -> bool {
        self.action.0.is_empty()
    }

    /// Returns the statement; if it does not fit, returns as many statements as are needed to state the same.
    pub(super) fn pieces(self, fits: &impl Fn(&Self) -> bool) -> Vec<Self> {
        let (actions, resources) = (self.action.0.len(), self.resource.0.len());
        if fits(&self) || (actions <= 1 && resources <= 1) {
            return vec![self];
        }
        // Each action is checked on each resource separately, so the halves together allow the same.
        let (mut left, mut right) = (self.clone(), self);
        if resources > 1 {
            right.resource.0 = left.resource.0.split_off(resources / 2);
        } else {
            right.action.0 = left.action.0.split_off(actions / 2);
        }
        left.sid.push('A');
        right.sid.push('B');
        left.pieces(fits).into_iter().chain(right.pieces(fits)).collect()
    }
}

/// Returns the ownership tags that stay as they are when something moves.
fn fixed() -> BTreeSet<String> {
    BTreeSet::from([tag::STACK, tag::GENERATION].map(str::to_owned))
}

/// The conditions of statements, and the actions that tag.
pub(super) mod conditions {
    use super::{BTreeMap, BTreeSet, Conditions, Texts};
    use crate::iam::arn::ServiceRole;
    use crate::resource::access::Service;
    use crate::resource::tag;

    pub(in crate::iam) const CREATE_TAGS: &str = "ec2:CreateTags";
    pub(in crate::iam) const DELETE_TAGS: &str = "ec2:DeleteTags";
    pub(in crate::iam) const ADD_TAGS: &str = "elasticloadbalancing:AddTags";
    pub(in crate::iam) const REMOVE_TAGS: &str = "elasticloadbalancing:RemoveTags";
    pub(in crate::iam) const SET_GROUP_TAGS: &str = "autoscaling:CreateOrUpdateTags";
    pub(in crate::iam) const DELETE_GROUP_TAGS: &str = "autoscaling:DeleteTags";

    pub(in crate::iam) const TAG_SHARE: &str = "ram:TagResource";
    pub(in crate::iam) const UNTAG_SHARE: &str = "ram:UntagResource";

    const EQUALS: &str = "StringEquals";
    const DIFFERS: &str = "StringNotEquals";
    const ANY_LIKE: &str = "ForAnyValue:StringLike";

    /// In this Region.
    pub(in crate::iam) fn in_region(region: &str) -> Conditions {
        one(EQUALS, "aws:RequestedRegion", region)
    }

    /// If the request tags the object as the stack's.
    pub(in crate::iam) fn requested_for(stack: &str) -> Conditions {
        one(EQUALS, &format!("aws:RequestTag/{}", tag::STACK), stack)
    }

    /// If the request tags the object as the stack's, and asks one of these VPCs for a connection.
    ///
    /// Source: VPC Peering guide, "Identity and access management for VPC peering": the VPC that the call is checked on
    /// is always the requester; the accepter is in this key.
    pub(in crate::iam) fn asking_of(stack: &str, accepters: BTreeSet<String>) -> Conditions {
        let mut all = requested_for(stack);
        all.extend(one("ArnLike", "ec2:AccepterVpc", accepters));
        all
    }

    /// For connections that one of these VPCs requests.
    pub(in crate::iam) fn asked_by(requesters: BTreeSet<String>) -> Conditions {
        one("ArnLike", "ec2:RequesterVpc", requesters)
    }

    /// For objects that are tagged as the stack's.
    pub(in crate::iam) fn owned_by(stack: &str) -> Conditions {
        one(EQUALS, &format!("aws:ResourceTag/{}", tag::STACK), stack)
    }

    /// While one of these calls creates the object.
    pub(in crate::iam) fn created_by(service: Service, actions: BTreeSet<String>) -> Conditions {
        one(EQUALS, &create_action(service), actions)
    }

    /// For the role of a service.
    pub(in crate::iam) fn for_service(role: ServiceRole) -> Conditions {
        one(EQUALS, "iam:AWSServiceName", role.service())
    }

    /// For everything that a launch template of the account is used for. Which templates may be used is stated for the
    /// templates themselves.
    pub(in crate::iam) fn from_template(template: &str) -> Conditions {
        one("ArnLike", "ec2:LaunchTemplate", template)
    }

    /// If the request names a tag like these, and creates nothing.
    pub(super) fn names(tags: impl Into<Texts>) -> Conditions {
        let is_no_creation = [Service::Ec2, Service::LoadBalancing]
            .map(|service| (create_action(service), Texts::from("true")));
        let mut all = one(ANY_LIKE, "aws:TagKeys", tags);
        all.insert("Null", is_no_creation.into());
        all
    }

    /// If the request names a tag like these, and does not name this stack as the owner.
    pub(super) fn requested_for_another(tags: impl Into<Texts>, stack: &str) -> Conditions {
        let mut all = one(ANY_LIKE, "aws:TagKeys", tags);
        all.extend(one(DIFFERS, &format!("aws:RequestTag/{}", tag::STACK), stack));
        all
    }

    /// If the request names a tag like these, on an object whose owner is not this stack.
    pub(super) fn names_of_another(tags: impl Into<Texts>, stack: &str) -> Conditions {
        let owner = format!("aws:ResourceTag/{}", tag::STACK);
        let mut all = one(ANY_LIKE, "aws:TagKeys", tags);
        all.extend(one("Null", &owner, "false"));
        all.extend(one(DIFFERS, &owner, stack));
        all
    }

    /// If the request names no tag.
    pub(super) fn names_no_tag() -> Conditions {
        one("Null", "aws:TagKeys", "true")
    }

    fn create_action(service: Service) -> String {
        format!("{}:CreateAction", service.prefix())
    }

    fn one(operator: &'static str, key: &str, values: impl Into<Texts>) -> Conditions {
        BTreeMap::from([(operator, BTreeMap::from([(key.to_owned(), values.into())]))])
    }
}
