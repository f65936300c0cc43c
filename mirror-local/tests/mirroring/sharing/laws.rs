//! Laws of sharing: an account sees what both it and the owner have agreed to, whatever the order.

use super::*;
use mirror_local::{Durations, Service, Settings, action_names};
use proptest::prelude::*;

const INVITED: [&str; 2] = [CONSUMER, STRANGER];

/// What an account does; a number is the position of an account among those that are invited.
#[derive(Debug, Clone, Copy)]
enum Step {
    Invite(usize),
    Dismiss(usize),
    Accept(usize),
    Reject(usize),
    PutIn,
    TakeOut,
}

/// The relation of an account to the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Out,
    Asked,
    In,
    Declined,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..2_usize).prop_map(Step::Invite),
        (0..2_usize).prop_map(Step::Dismiss),
        (0..2_usize).prop_map(Step::Accept),
        (0..2_usize).prop_map(Step::Reject),
        Just(Step::PutIn),
        Just(Step::TakeOut),
    ]
}

/// A share whose transitions take no time, and what is expected of it.
struct Model {
    accounts: Accounts,
    share: String,
    standing: [Standing; 2],
    is_in: bool,
}

impl Model {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        let accounts = Accounts::of(Client::with_settings(settings));
        let made = accounts.ok(ACCOUNT, "CreateResourceShare", json!({ "name": "lab" }));
        let share = text(&made["resourceShare"]["resourceShareArn"]);
        Self { accounts, share, standing: [Standing::Out; 2], is_in: false }
    }

    /// Makes a call as the owner; returns whether it succeeds.
    fn owner(&self, action: &str, (list, what): (&str, &str)) -> bool {
        let body = json!({ "resourceShareArn": self.share, list: [what] });
        self.accounts.ram(ACCOUNT, action, &body).error.is_none()
    }

    /// The pending invitation of an account, if there is one.
    fn pending(&self, account: &str) -> Option<Value> {
        let found = self.accounts.ok(account, "GetResourceShareInvitations", json!({}));
        let mut all = found["resourceShareInvitations"].as_array().into_iter().flatten();
        let pending = all.find(|it| it["status"] == "PENDING")?;
        Some(json!({ "resourceShareInvitationArn": pending["resourceShareInvitationArn"] }))
    }

    fn answer(&mut self, at: usize, action: &str, then: Standing) {
        let pending = self.pending(INVITED[at]);
        assert_eq!(pending.is_some(), self.standing[at] == Standing::Asked);
        if let Some(invitation) = pending {
            self.accounts.ok(INVITED[at], action, invitation);
            self.standing[at] = then;
        }
    }

    fn take(&mut self, step: Step) {
        let target = self.accounts.target_arn();
        match step {
            Step::Invite(at) => {
                assert!(self.owner("AssociateResourceShare", ("principals", INVITED[at])));
                if matches!(self.standing[at], Standing::Out | Standing::Declined) {
                    self.standing[at] = Standing::Asked;
                }
            }
            Step::Dismiss(at) => {
                let stands = matches!(self.standing[at], Standing::Asked | Standing::In);
                let is_done = self.owner("DisassociateResourceShare", ("principals", INVITED[at]));
                assert_eq!(is_done, stands);
                if stands {
                    self.standing[at] = Standing::Out;
                }
            }
            Step::Accept(at) => self.answer(at, "AcceptResourceShareInvitation", Standing::In),
            Step::Reject(at) => {
                self.answer(at, "RejectResourceShareInvitation", Standing::Declined);
            }
            Step::PutIn => {
                assert!(self.owner("AssociateResourceShare", ("resourceArns", &target)));
                self.is_in = true;
            }
            Step::TakeOut => {
                let is_in = std::mem::take(&mut self.is_in);
                let is_done = self.owner("DisassociateResourceShare", ("resourceArns", &target));
                assert_eq!(is_done, is_in);
            }
        }
    }

    fn check(&self) {
        for (account, standing) in INVITED.into_iter().zip(self.standing) {
            let listed = self.accounts.ec2(account, "DescribeTrafficMirrorTargets");
            let ids = listed.texts("trafficMirrorTargetId");
            let is_seen = self.is_in && standing == Standing::In;
            assert_eq!(ids.contains(&self.accounts.target), is_seen, "{account}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_shared_is_what_both_have_said(steps in prop::collection::vec(step(), 0..24)) {
        let mut model = Model::new();
        for step in steps {
            model.take(step);
            model.check();
        }
    }

    #[test]
    fn no_body_makes_a_call_panic(
        action in prop::sample::select(action_names(Service::Sharing)),
        name in "(resourceShareArns?|resourceArns?|principals?|tags|tagKeys|tagFilters|nextToken|maxResults|name)",
        body in "(\"[a-zA-Z0-9:/-]{0,24}\"|[0-9]{1,9}|\\[\\]|\\[\"[0-9]{12}\"\\]|\\[\\{\"key\":\"[a-z:]{0,6}\"\\}\\]|\\{|null)",
    ) {
        let accounts = Accounts::new();
        let before = accounts.client.cloud.inventory("us-east-1").unwrap();
        let given = format!("{{\"resourceOwner\":\"SELF\",\"associationType\":\"PRINCIPAL\",\"{name}\":{body}}}");
        let path = format!("/{}", action.to_ascii_lowercase());
        let response = accounts.call((ACCOUNT, "ram"), Request::post(path), &given);
        prop_assert!(response.status < 500, "{}", response.body);
        if response.error.is_some() {
            prop_assert_eq!(accounts.client.cloud.inventory("us-east-1").unwrap(), before);
        }
    }
}
