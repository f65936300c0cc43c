//! Mirror targets of other accounts.

use super::*;
use crate::diagnostic::Diagnostics;
use crate::render::text::Text;
use crate::scalar::AccountId;
use crate::stack::{Existing, Selector};

const TARGET: &str = "tmt-0a1b2c3d4e5f67890";
const HERE: &str = "123456789012";
const THERE: &str = "222233334444";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

/// A stack with two sessions to one target.
fn sending() -> Stack {
    let session = |source: &str| json!({ "source": source, "target": TARGET, "filter": "@mirror_filter.all", "number": 1 });
    stack(json!({
        "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept", "protocol": "tcp" }] },
        "mirror_session.api": session("eni-0a1b2c3d4e5f67890"),
        "mirror_session.web": session("eni-0a1b2c3d4e5f67891"),
    }))
}

/// The same stack, with the target in a block that may name its owner.
fn declaring(owner: Option<&str>) -> Stack {
    let mut stack = sending();
    let id = Some(serde_json::from_value(json!(TARGET)).unwrap());
    let selector = Selector { id, owner: owner.map(account), ..Selector::default() };
    stack.existing.insert(central(), Existing { selector, place: None });
    stack
}

fn central() -> Address {
    "mirror_target.central".parse().unwrap()
}

/// An account that sees the target, which `owner` owns.
fn seeing(owner: &str) -> Observed {
    let mut observed = nothing();
    let declared =
        stack(json!({ "mirror_target.central": { "network_interface": "eni-0a1b2c3d4e5f67892" } }));
    let resource = declared.resources[&central()].resource.clone();
    let found = Found {
        id: serde_json::from_value(json!(TARGET)).unwrap(),
        ..found(&central(), 0, resource)
    };
    observed.existing.insert(central(), found);
    if owner != HERE {
        observed.foreign_targets.insert(TARGET.parse().unwrap(), account(owner));
    }
    observed
}

fn planned(stack: &Stack, owner: &str) -> Result<Plan, Diagnostics> {
    plan(stack, &seeing(owner), &Request::default())
}

#[test]
fn who_gets_the_packets_is_said_in_words_or_nothing_is_planned() {
    let wrong = |stack: &Stack, owner| planned(stack, owner).unwrap_err().to_string();
    assert_snapshot!(wrong(&declaring(None), THERE), @"mirror_target.central: error MP0414: `mirror_target.central` belongs to account 222233334444, but the stack does not say so");
    assert_snapshot!(wrong(&declaring(Some("333344445555")), THERE), @"mirror_target.central: error MP0414: `mirror_target.central` belongs to account 222233334444, not to 333344445555");
    assert_snapshot!(wrong(&declaring(Some(THERE)), HERE), @"mirror_target.central: error MP0414: `mirror_target.central` belongs to account 123456789012, not to 222233334444");
    planned(&declaring(None), HERE).unwrap();
    planned(&declaring(Some(HERE)), HERE).unwrap();
}

#[test]
fn a_target_that_is_only_an_id_is_looked_at_too() {
    let mut observed = seeing(THERE);
    observed.existing.clear();
    let wrong = plan(&sending(), &observed, &Request::default()).unwrap_err();
    assert_snapshot!(wrong, @"mirror_session.api: error MP0414: `mirror_session.api` sends to tmt-0a1b2c3d4e5f67890, which belongs to account 222233334444, but the stack does not say so");
    observed.foreign_targets.clear();
    plan(&sending(), &observed, &Request::default()).unwrap();
}

#[test]
fn a_plan_says_that_packets_leave_the_account() {
    let plan = planned(&declaring(Some(THERE)), THERE).unwrap();
    assert_snapshot!(plan, @r#"
    mirror plan 1
    stack lab
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    create 3
    update 0
    replace 0
    delete 0
    use mirror_target.central tmt-0a1b2c3d4e5f67890

    create mirror_filter.all
        amazon_dns = false
        rules[egress 1].action = "accept"
        rules[egress 1].destination = "0.0.0.0/0"
        rules[egress 1].protocol = "tcp"
        rules[egress 1].source = "0.0.0.0/0"
        rules[ingress 1].action = "accept"
        rules[ingress 1].destination = "0.0.0.0/0"
        rules[ingress 1].protocol = "tcp"
        rules[ingress 1].source = "0.0.0.0/0"
        tags["Name"] = "all"

    create mirror_session.api
        capture begins
        packets leave for account 222233334444
        filter = mirror_filter.all.id
        number = 1
        source = "eni-0a1b2c3d4e5f67890"
        tags["Name"] = "api"
        target = "tmt-0a1b2c3d4e5f67890"
        vni = (chosen by AWS)

    create mirror_session.web
        capture begins
        packets leave for account 222233334444
        filter = mirror_filter.all.id
        number = 1
        source = "eni-0a1b2c3d4e5f67891"
        tags["Name"] = "web"
        target = "tmt-0a1b2c3d4e5f67890"
        vni = (chosen by AWS)
    "#);
    let text = Text::new(&plan).to_string();
    let told = text.lines().filter(|line| line.contains(THERE));
    let expected = format!("  # packets leave for account {THERE}");
    assert_eq!(told.collect::<Vec<_>>(), [&*expected, &*expected]);
    // A destroy needs nobody's permission.
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    super::plan(&declaring(None), &seeing(THERE), &request).unwrap();
}
