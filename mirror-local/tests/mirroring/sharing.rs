//! Mirror targets that one account lets another use.

mod calls;
mod laws;
mod policies;
mod targets;

use crate::client::{Answer, Client, new_session};
use http::{Method, Request};
use mirror_local::{ACCOUNT, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The account that is invited.
const CONSUMER: &str = "222233334444";
/// An account that has nothing to do with the share.
const STRANGER: &str = "555566667777";

/// Two accounts of one cloud, and a mirror target of the first one.
struct Accounts {
    client: Client,
    target: String,
}

impl Accounts {
    fn new() -> Self {
        Self::of(Client::new())
    }

    fn of(client: Client) -> Self {
        let interface = client.interface();
        let target = client.target_on(&interface);
        Self { client, target }
    }

    /// The ARN of the mirror target.
    fn target_arn(&self) -> String {
        format!("arn:aws:ec2:us-east-1:{ACCOUNT}:traffic-mirror-target/{}", self.target)
    }

    fn call(
        &self,
        (key, service): (&str, &str),
        request: http::request::Builder,
        body: &str,
    ) -> Response {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential={key}/20260102/us-east-1/{service}/aws4_request");
        let request = request.header("authorization", scope).body(()).expect("it is a request");
        let reply = self.client.cloud.call(&request.into_parts().0, body.as_bytes());
        reply.response.expect("nothing drops the connection")
    }

    /// Calls Resource Access Manager.
    fn ram(&self, account: &str, action: &str, body: &Value) -> Response {
        let path = action.to_ascii_lowercase();
        let request = if action == "DeleteResourceShare" {
            let query = body.as_object().into_iter().flatten();
            let query = query.map(|(name, value)| (name, value.as_str().unwrap_or_default()));
            let query =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            Request::builder().method(Method::DELETE).uri(format!("/{path}?{query}"))
        } else {
            Request::post(format!("/{path}"))
        };
        self.call((account, "ram"), request, &body.to_string())
    }

    /// Calls Resource Access Manager; the call must succeed.
    #[track_caller]
    fn ok(&self, account: &str, action: &str, body: Value) -> Value {
        let response = self.ram(account, action, &body);
        assert_eq!((response.status, response.error), (200, None), "{}", response.body);
        assert_eq!(response.content_type, "application/json");
        serde_json::from_str(&response.body).expect("the answer is JSON")
    }

    /// Calls Resource Access Manager; the call must be refused. Returns the code.
    #[track_caller]
    fn refused(&self, account: &str, action: &str, body: Value) -> String {
        let response = self.ram(account, action, &body);
        let code = response.error.unwrap_or_else(|| panic!("{action} {body}: {}", response.body));
        let told = response.headers.iter().find(|(name, _)| *name == "x-amzn-errortype");
        assert_eq!(told.map(|(_, code)| code.clone()), Some(code.clone()));
        code
    }

    /// Calls EC2; the call must succeed.
    #[track_caller]
    fn ec2(&self, account: &str, call: impl AsRef<str>) -> Answer {
        self.try_ec2(account, call).expect("it is to succeed")
    }

    /// Calls EC2; the call must be refused. Returns the error code.
    #[track_caller]
    fn ec2_refused(&self, account: &str, call: impl AsRef<str>) -> String {
        self.try_ec2(account, call).expect_err("it is to be refused")
    }

    fn try_ec2(&self, account: &str, call: impl AsRef<str>) -> Result<Answer, String> {
        let body = format!("Version=2016-11-15&Action={}", call.as_ref());
        let response = self.call((account, "ec2"), Request::post("/"), &body);
        response.error.map_or(Ok(Answer(response.body)), Err)
    }

    /// Makes an interface and a filter of the consumer; returns the call that makes a session from them to the
    /// target.
    fn new_session(&self) -> String {
        let subnet = self.ec2(CONSUMER, "DescribeSubnets").text("subnetId");
        let made = self.ec2(CONSUMER, format!("CreateNetworkInterface&SubnetId={subnet}"));
        let source = made.text("networkInterfaceId");
        let filter = self.ec2(CONSUMER, "CreateTrafficMirrorFilter").text("trafficMirrorFilterId");
        let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber=1&VirtualNetworkId=7");
        new_session(&source, &self.target, &rest)
    }

    /// Makes a share of the target with the consumer; returns its ARN.
    fn share(&self) -> String {
        let body = json!({
            "name": "lab", "resourceArns": [self.target_arn()], "principals": [CONSUMER],
        });
        let made = self.ok(ACCOUNT, "CreateResourceShare", body);
        text(&made["resourceShare"]["resourceShareArn"])
    }

    /// The invitation that the consumer has.
    fn invitation(&self) -> String {
        let found = self.ok(CONSUMER, "GetResourceShareInvitations", json!({}));
        let [invitation] =
            found["resourceShareInvitations"].as_array().expect("it is a list").as_slice()
        else {
            panic!("there is not one invitation: {found}")
        };
        text(&invitation["resourceShareInvitationArn"])
    }

    /// Makes a share that the consumer has joined; returns its ARN.
    fn joined(&self) -> String {
        let share = self.share();
        self.accept();
        share
    }

    fn accept(&self) {
        let invitation = json!({ "resourceShareInvitationArn": self.invitation() });
        self.ok(CONSUMER, "AcceptResourceShareInvitation", invitation);
        self.client.wait(Duration::from_secs(1));
    }

    /// The states of the associations of a kind, in the order of the associated entities.
    fn states(&self, kind: &str) -> Vec<String> {
        let body = json!({ "associationType": kind });
        let found = self.ok(ACCOUNT, "GetResourceShareAssociations", body);
        let all = found["resourceShareAssociations"].as_array().expect("it is a list").iter();
        all.map(|it| text(&it["status"])).collect()
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// An answer as lines, with names in place of ids.
fn shown(value: &Value, names: &[(&str, &str)]) -> String {
    let text = serde_json::to_string_pretty(value).expect("it is JSON");
    let names: BTreeMap<&str, &str> = names.iter().copied().collect();
    names.iter().fold(text, |text, (id, name)| text.replace(id, name))
}
