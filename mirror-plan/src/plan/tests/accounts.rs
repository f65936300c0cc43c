//! Peering with a VPC of another account: who is asked, who accepts, and what a plan says about it.

use super::*;
use crate::diagnostic::Diagnostics;
use crate::render::text::Text;
use crate::resource::{Vpc, VpcPeering};
use crate::scalar::{AccountId, AccountName};
use crate::stack::{Account, Selector, Stack};

const HERE: &str = "123456789012";
const THERE: &str = "444455556666";
const SENSORS: &str = "vpc-0a1b2c3d4e5f67890";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn name() -> AccountName {
    "aws.sensors".parse().unwrap()
}

fn sensors() -> Address {
    "vpc.sensors".parse().unwrap()
}

/// Access through a role of the other account.
fn role() -> Account {
    let role = format!("arn:aws:iam::{THERE}:role/mirror-accepter").parse().unwrap();
    Account::Role { role, external_id: None }
}

/// Access through a profile that does not state its account.
fn profile() -> Account {
    Account::Profile { profile: "sensors".to_owned(), account: None }
}

/// A stack whose VPC requests a peering with that of another account; `edit` changes the peering.
fn peering(by: Account, edit: impl Fn(&mut VpcPeering)) -> Stack {
    let mut builder = Stack::builder("lab".parse().unwrap());
    let there = builder.other_account("sensors".parse().unwrap(), by);
    let id = Some(serde_json::from_value(json!(SENSORS)).unwrap());
    let selector = Selector { id, account: Some(there), ..Selector::default() };
    let accepter = builder.existing::<Vpc>("sensors".parse().unwrap(), selector);
    let (dns_support, dns_hostnames, tags) = (true, true, BTreeMap::new());
    let cidr = "10.0.0.0/16".parse().unwrap();
    let requester = builder
        .add("lab".parse().unwrap(), Vpc { cidr, dns_support, dns_hostnames, tags: tags.clone() });
    let (accepter_owner, auto_accept, accept_as) = (None, true, None);
    let mut peering =
        VpcPeering { requester, accepter, accepter_owner, auto_accept, accept_as, tags };
    edit(&mut peering);
    builder.add("out".parse().unwrap(), peering);
    builder.build().unwrap().0
}

/// Adds the VPC in the other account, `there`, to what was observed.
fn seeing(mut observed: Observed, there: &str) -> Observed {
    let vpc = stack(json!({ "vpc.sensors": { "cidr": "10.9.0.0/16" } }));
    let resource = vpc.resources[&sensors()].resource.clone();
    let id = serde_json::from_value(json!(SENSORS)).unwrap();
    let computed = BTreeMap::from([("id".to_owned(), Some(SENSORS.to_owned()))]);
    observed.existing.insert(sensors(), Found { id, computed, ..found(&sensors(), 0, resource) });
    observed.accounts.insert(name(), account(there));
    observed
}

fn planned(stack: &Stack, observed: &Observed) -> Result<Plan, Diagnostics> {
    plan(stack, observed, &Request::default())
}

/// What the other account has answered.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Nothing,
    Accepted,
}

/// The peering as AWS shows it after it was requested.
fn asked(stack: &Stack, answer: Answer) -> Observed {
    let filled = stack.using(&seeing(nothing(), THERE)).unwrap().into_owned();
    let mut observed = seeing(applied(&filled), THERE);
    for found in observed.owned.values_mut().flatten() {
        if let Resource::VpcPeering(peering) = &mut found.resource {
            (peering.auto_accept, peering.accept_as) = (answer == Answer::Accepted, None);
        }
    }
    observed
}

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn the_other_account_is_asked_and_accepts_and_the_plan_says_so() {
    let made = planned(&peering(role(), |_| {}), &seeing(nothing(), THERE)).unwrap();
    assert_snapshot!(shown(&made), @"
    Create vpc.lab: there is no such object yet
    Create vpc_peering.out: there is no such object yet
     0 CreateVpc vpc.lab#1
     1 ModifyVpcAttribute vpc.lab#1 after 0
     2 CreateVpcPeeringConnection vpc_peering.out#1 after 0
     3 AcceptVpcPeeringConnection vpc_peering.out#1 after 2
    ");
    assert_snapshot!(Text::new(&made), @r#"
    Plan for stack lab in account 123456789012, Region eu-west-1.
    It reaches these accounts:
        aws.sensors = 444455556666, with the role arn:aws:iam::444455556666:role/mirror-accepter
    It uses these, and leaves them as they are:
        vpc.sensors = vpc-0a1b2c3d4e5f67890
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # vpc.lab will be created
      + vpc "lab" {
          + id            = (known after apply)
          + cidr          = "10.0.0.0/16"
          + dns_support   = true
          + dns_hostnames = true
          + tags          = {
              + "Name" = "lab"
            }
        }

      # vpc_peering.out will be created
      # it is requested from account 444455556666, and aws.sensors accepts it there
      + vpc_peering "out" {
          + id             = (known after apply)
          + requester      = (known after apply: vpc.lab.id)
          + accepter       = "vpc-0a1b2c3d4e5f67890"
          + accepter_owner = "444455556666"
          + auto_accept    = true
          + accept_as      = "aws.sensors"
          + tags           = {
              + "Name" = "out"
            }
        }

    Plan: 2 to add, 0 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:275f54def49d768be100bcb81aa88e969e5110bafda50cad69c5b2b6d10effdf
    "#);
    assert_snapshot!(made, @r#"
    mirror plan 1
    stack lab
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    create 2
    update 0
    replace 0
    delete 0
    reach aws.sensors 444455556666, with the role arn:aws:iam::444455556666:role/mirror-accepter
    use vpc.sensors vpc-0a1b2c3d4e5f67890

    create vpc.lab
        cidr = "10.0.0.0/16"
        dns_hostnames = true
        dns_support = true
        tags["Name"] = "lab"

    create vpc_peering.out
        it is requested from account 444455556666, and aws.sensors accepts it there
        accept_as = "aws.sensors"
        accepter = "vpc-0a1b2c3d4e5f67890"
        accepter_owner = "444455556666"
        auto_accept = true
        requester = vpc.lab.id
        tags["Name"] = "out"
    "#);
}

#[test]
fn whose_a_profile_is_the_observation_says() {
    let made = planned(&peering(profile(), |_| {}), &seeing(nothing(), THERE)).unwrap();
    let by_role = planned(&peering(role(), |_| {}), &seeing(nothing(), THERE)).unwrap();
    assert_eq!(made.steps, by_role.steps);
    assert_ne!(made.digest(), by_role.digest(), "by what an account is reached is of the plan");
    assert_snapshot!(serde_json::to_string_pretty(&made.accounts).unwrap(), @r#"
    {
      "aws.sensors": {
        "profile": {
          "profile": "sensors",
          "account": "444455556666"
        }
      }
    }
    "#);
    let read: Plan = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
    assert_eq!(read, made);
}

#[test]
fn what_is_accepted_is_as_it_should_be_and_what_is_not_is_accepted() {
    for by in [role(), profile()] {
        let stack = peering(by, |_| {});
        assert_eq!(super::planned(&stack, &asked(&stack, Answer::Accepted)), "");
        let left = planned(&stack, &asked(&stack, Answer::Nothing)).unwrap();
        assert_eq!(
            shown(&left),
            "Update vpc_peering.out: `auto_accept` differs; `accept_as` differs\n 0 AcceptVpcPeeringConnection \
             vpc_peering.out#1\n"
        );
        let text = Text::new(&left).to_string();
        assert!(text.contains("# aws.sensors accepts it in account 444455556666"), "{text}");
    }
    let by_hand = peering(role(), |it| it.auto_accept = false);
    assert_eq!(super::planned(&by_hand, &asked(&by_hand, Answer::Nothing)), "");
    assert_eq!(super::planned(&by_hand, &asked(&by_hand, Answer::Accepted)), "");
    let made = planned(&by_hand, &seeing(nothing(), THERE)).unwrap();
    assert_snapshot!(Text::new(&made).to_string().lines().find(|it| it.contains("seven")).unwrap(), @"  # it is requested from account 444455556666, which has seven days to accept: until it does, nothing passes");
}

#[test]
fn another_owner_is_asked_anew() {
    let stack = peering(profile(), |_| {});
    let observed = seeing(asked(&stack, Answer::Accepted), "222233334444");
    let anew = planned(&stack, &observed).unwrap();
    assert_snapshot!(shown(&anew), @"
Replace(DeleteThenCreate) vpc_peering.out: `accepter_owner` differs, which AWS cannot change on an existing object
 0 DeleteVpcPeeringConnection vpc_peering.out#1
 1 CreateVpcPeeringConnection vpc_peering.out#2 after 0
 2 AcceptVpcPeeringConnection vpc_peering.out#2 after 1
");
}

#[test]
fn what_goes_needs_nothing_of_the_other_account() {
    let stack = peering(role(), |_| {});
    let mut observed = asked(&stack, Answer::Accepted);
    (observed.accounts, observed.existing) = (BTreeMap::new(), BTreeMap::new());
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let gone = plan(&stack, &observed, &request).unwrap();
    assert_snapshot!(shown(&gone), @"
    Delete vpc.lab: the stack is being destroyed
    Delete vpc_peering.out: the stack is being destroyed
     0 DeleteVpcPeeringConnection vpc_peering.out#1
     1 DeleteVpc vpc.lab#1 after 0
    ");
    let text = Text::new(&gone).to_string();
    assert!(text.contains("# account 444455556666 loses the connection too"), "{text}");
    assert_eq!(gone.accounts, BTreeMap::new());
}

#[test]
fn an_account_that_is_not_the_other_one_is_refused() {
    let wrong =
        |stack: &Stack, observed: &Observed| planned(stack, observed).unwrap_err().to_string();
    let (by_profile, seen) = (peering(profile(), |_| {}), seeing(nothing(), THERE));
    assert_snapshot!(wrong(&by_profile, &seeing(nothing(), HERE)), @"error MP0415: `aws.sensors` is account 123456789012, the stack's own account");
    let said = peering(profile(), |it| it.accepter_owner = Some(account("222233334444")));
    assert_snapshot!(wrong(&said, &seen), @"vpc_peering.out: error MP0304: the accepter of `vpc_peering.out` belongs to account 222233334444, but `aws.sensors` is account 444455556666");
    let unasked = Observed { accounts: BTreeMap::new(), ..seen };
    assert_snapshot!(wrong(&by_profile, &unasked), @"error MP0416: the account of `aws.sensors` was not looked up");
}

#[test]
fn in_one_account_there_are_no_others() {
    let stack = peering(role(), |_| {}).in_one_account();
    assert_eq!(stack.accounts_in_use().len(), 0);
    let observed = seeing(nothing(), THERE).in_one_account();
    let made = planned(&stack, &observed).unwrap();
    let text = Text::new(&made).to_string();
    assert!(!text.contains(THERE) && !text.contains("accept_as"), "{text}");
}

#[test]
fn the_range_of_the_other_vpc_is_known_and_one_that_clashes_is_found() {
    use crate::lint::{Around, check_planned};
    use crate::observed::Strangers;
    let stack = peering(role(), |_| {});
    let found = |range: &str| {
        let mut observed = seeing(nothing(), THERE);
        if let Resource::Vpc(vpc) = &mut observed.existing.get_mut(&sensors()).unwrap().resource {
            vpc.cidr = range.parse().unwrap();
        }
        let around = Around { observed: &observed, strangers: &Strangers::default() };
        check_planned(&stack, around, &Request::default()).to_string()
    };
    assert_snapshot!(found("10.0.128.0/17"), @"vpc_peering.out: error MP1032: `vpc_peering.out` connects `vpc.lab` (10.0.0.0/16) and `vpc.sensors` (10.0.128.0/17), whose ranges overlap");
    assert_eq!(found("10.9.0.0/16"), "");
}
