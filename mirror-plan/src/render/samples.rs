//! Changes and plans made by hand, for the tests of the renderers.

use std::collections::BTreeMap;

use serde_json::json;

use crate::address::Address;
use crate::attribute::Ref;
use crate::plan::{Action, Call, Capture, Change, Difference, Mode, Phase, Plan, Reason, Step};
use crate::resource::{Operation, vpc};
use crate::value::{Origin, Unknown, Value};

pub(super) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A change from one object of JSON to another; `null` for none.
pub(super) fn change(
    at: &str,
    action: Action,
    before: serde_json::Value,
    after: serde_json::Value,
) -> Change {
    let object = |json: serde_json::Value| match Value::from(json) {
        Value::Null => None,
        value => Some(value),
    };
    let id = (!before.is_null()).then(|| {
        let id = json!("vpc-0a1b2c3d4e5f67890");
        serde_json::from_value(id).unwrap()
    });
    Change {
        address: address(at),
        deposed: None,
        action,
        reasons: Vec::new(),
        id,
        before: object(before),
        after: object(after),
        differences: Vec::new(),
        capture: None,
        moved_from: None,
    }
}

impl Change {
    pub(super) fn because(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    pub(super) fn forced_by(mut self, attribute: &str) -> Self {
        let attribute = attribute.to_owned();
        self.differences.push(Difference { attribute, forces_replacement: true });
        self
    }

    pub(super) fn with_capture(self, capture: Capture) -> Self {
        Self { capture: Some(capture), ..self }
    }

    /// With an attribute of the new object that waits for another resource.
    pub(super) fn awaiting(mut self, attribute: &str, of: &str, its: &str) -> Self {
        let origin = Origin { address: address(of), attribute: its.to_owned() };
        if let Some(Value::Object(members)) = &mut self.after {
            let unknown = Value::Unknown(Unknown::attribute(origin));
            members.insert(attribute.to_owned(), unknown);
        }
        self
    }
}

pub(super) fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
    let step = Step {
        address: address("vpc.lab"),
        phase: Phase::Delete,
        generation: 1,
        call: Call::Operation(Operation::Vpc(vpc::Operation::Delete {
            vpc: Ref::Id("vpc-0a1b2c3d4e5f67890".parse().unwrap()),
        })),
        expects: None,
        needs: Vec::new(),
    };
    Plan { steps: vec![step], changes: changes.into_iter().collect(), ..empty_plan() }
}

pub(super) fn empty_plan() -> Plan {
    Plan {
        format: Plan::FORMAT,
        stack: "lab".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        mode: Mode::Apply,
        coordination: None,
        targeted: false,
        accounts: BTreeMap::new(),
        existing: BTreeMap::new(),
        uses: BTreeMap::new(),
        sources: BTreeMap::new(),
        fan_outs: BTreeMap::new(),
        foreign_targets: BTreeMap::new(),
        network_acls: BTreeMap::new(),
        saw: BTreeMap::new(),
        changes: Vec::new(),
        steps: Vec::new(),
        outputs: BTreeMap::new(),
        variables: BTreeMap::new(),
    }
}
