//! A mirror target of another account: whose it is has to be said, and then it is used like any other.

use aws_sdk_ec2::config::Credentials;
use mirror_local::{ACCOUNT, Cloud};
use mirror_plan::aws::{Aws, Pace};
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::plan::{Request, plan};
use mirror_tests::{REGION, Rig, config, stack};
use serde_json::{Value as Json, json};

/// Who has the target.
const OWNER: &str = "222233334444";

const SENSOR: &str = r#"
stack "sensor" { region = "eu-west-1" }
vpc "own" { cidr = "10.9.0.0/16" }
subnet "own" {
  vpc  = vpc.own
  cidr = "10.9.1.0/24"
}
instance "sensor" {
  subnet        = subnet.own
  instance_type = "t3.micro"
}
mirror_target "sensor" { network_interface = instance.sensor }
"#;

/// A stack that mirrors to a target as it has it.
fn tap(existing: &str, target: &str) -> String {
    format!(
        r#"
stack "tap" {{ region = "eu-west-1" }}
{existing}
vpc "own" {{ cidr = "10.0.0.0/16" }}
subnet "own" {{
  vpc  = vpc.own
  cidr = "10.0.1.0/24"
}}
instance "web" {{
  subnet        = subnet.own
  instance_type = "t3.micro"
}}
mirror_filter "all" {{ rules = [{{ number = 1, action = "accept", protocol = "tcp" }}] }}
mirror_session "web" {{
  source = instance.web
  target = {target}
  filter = mirror_filter.all
  number = 1
}}
"#
    )
}

/// Calls Resource Access Manager for an account.
fn ram(cloud: &Cloud, account: &str, call: &str, body: &Json) -> Json {
    let scope = format!("AWS4-HMAC-SHA256 Credential={account}/20260102/{REGION}/ram/aws4_request");
    let request = http::Request::post(call).header("authorization", scope).body(()).unwrap();
    let reply = cloud.call(&request.into_parts().0, body.to_string().as_bytes());
    let response = reply.response.unwrap();
    assert_eq!(response.error, None, "{}", response.body);
    serde_json::from_str(&response.body).unwrap()
}

/// An account with which another one shares a mirror target, and the id of that.
async fn shared() -> (Rig, String) {
    let rig = Rig::instant();
    let keys = Credentials::from_keys(OWNER, "local", None);
    let config = config(&rig.cloud).into_builder();
    let config =
        config.credentials_provider(aws_sdk_ec2::config::SharedCredentialsProvider::new(keys));
    let owner = Rig { aws: Aws::new(&config.build(), Pace::Local).unwrap(), ..rig.clone() };
    let sensor = stack(SENSOR);
    owner.converge(&sensor).await;
    let observed = owner.observe(&sensor).await;
    let target = observed.current(&"mirror_target.sensor".parse().unwrap()).unwrap().id.to_string();
    let arn = format!("arn:aws:ec2:{REGION}:{OWNER}:traffic-mirror-target/{target}");
    let share = json!({ "name": "sensor", "resourceArns": [arn], "principals": [ACCOUNT] });
    ram(&rig.cloud, OWNER, "/createresourceshare", &share);
    let invited = ram(&rig.cloud, ACCOUNT, "/getresourceshareinvitations", &json!({}));
    let invitation = &invited["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    let invitation = json!({ "resourceShareInvitationArn": invitation });
    ram(&rig.cloud, ACCOUNT, "/acceptresourceshareinvitation", &invitation);
    (rig, target)
}

#[tokio::test]
async fn a_shared_target_is_used_by_who_says_whose_it_is() {
    let (rig, target) = shared().await;
    let block = |more: &str| {
        format!("existing \"mirror_target\" \"sensor\" {{\n  id = \"{target}\"\n{more}\n}}")
    };
    let silent = tap(&block(""), "mirror_target.sensor");
    let by_id = tap("", &format!("\"{target}\""));
    for text in [silent, by_id] {
        let stack = stack(&text);
        let observed = rig.observe(&stack).await;
        let refused = plan(&stack, &observed, &Request::default()).unwrap_err();
        let codes: Vec<String> = refused.iter().map(|found| found.code.to_string()).collect();
        assert_eq!(codes, ["MP0414"], "{refused}");
    }
    let stack = stack(&tap(&block(&format!("  owner = \"{OWNER}\"")), "mirror_target.sensor"));
    let planned = rig.plan(&stack).await.to_string();
    assert!(planned.contains(&format!("packets leave for account {OWNER}")), "{planned}");
    let location = Location { account: ACCOUNT.parse().unwrap(), region: REGION.parse().unwrap() };
    let observed = rig.observe(&stack).await;
    let with_ids = stack.using(&observed).unwrap();
    let printed = policies(&with_ids, &location, [Purpose::Apply, Purpose::Destroy]);
    rig.cloud.set_policies(printed.iter().map(|it| it.to_string().parse().unwrap()).collect());
    rig.converge(&stack).await;
    rig.destroy(&stack).await;
}
