//! How AWS's answers are interpreted, tested without AWS.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::address::Kind;
use crate::diagnostic::Diagnostics;
use crate::hcl::{Inputs, StackFile};
use crate::iam::Location;
use crate::render::permission::{Asked, json};
use crate::render::{Palette, diagnostic};
use crate::resource::calls;
use crate::stack::Stack;

/// A message from EC2, as AWS's guides and its users quote it.
const SAID: &str = "You are not authorized to perform this operation. User: \
                    arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: \
                    ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no \
                    identity-based policy allows the ec2:CreateVpc action.";

/// A decoded message in the form of the example in the AWS CLI command reference.
fn decoded(denials: &[&str], action: &str) -> String {
    let matched = denials.iter().map(|sid| json!({ "statementId": sid, "effect": "DENY" }));
    let matched: Vec<serde_json::Value> = matched.collect();
    json!({
        "allowed": false,
        "explicitDeny": !denials.is_empty(),
        "matchedStatements": { "items": matched },
        "failures": { "items": [] },
        "context": {
            "principal": {
                "id": "AROA123456789EXAMPLE:run",
                "arn": "arn:aws:sts::123456789012:assumed-role/ci/run",
            },
            "action": action,
            "resource": "arn:aws:ec2:eu-west-1:123456789012:vpc/*",
            "conditions": { "items": [
                { "key": "ec2:Region", "values": { "items": [{ "value": "eu-west-1" }] } },
                { "key": "aws:TagKeys", "values": { "items": [{ "value": "a" }, { "value": "b" }] } },
            ] },
        },
    })
    .to_string()
}

#[test]
fn an_answer_is_taken_as_it_is_said() {
    let said = |code| match Verdict::of(code, "words") {
        Some(Verdict::Allowed) => "allowed",
        None => "denied",
        Some(Verdict::NotChecked(Unchecked::OtherAnswer { code: of, message })) => {
            assert_eq!((&*of, &*message), (code, "words"));
            "not checked"
        }
        Some(other) => panic!("{other:?}"),
    };
    for (code, expected) in [
        ("DryRunOperation", "allowed"),
        ("UnauthorizedOperation", "denied"),
        // No other code means either, however similar it looks.
        ("AccessDenied", "not checked"),
        ("AuthFailure", "not checked"),
        ("Client.DryRunOperation", "not checked"),
        ("DependencyViolation", "not checked"),
        ("ExpiredToken", "not checked"),
        ("InternalError", "not checked"),
        ("InvalidParameterValue", "not checked"),
        ("InvalidVpcID.NotFound", "not checked"),
        ("RequestLimitExceeded", "not checked"),
        ("UnknownParameter", "not checked"),
        ("VpcLimitExceeded", "not checked"),
        ("", "not checked"),
    ] {
        assert_eq!(said(code), expected, "{code}");
    }
}

#[test]
fn a_denial_is_read_in_whatever_form_it_comes() {
    let whole = format!("{SAID} Encoded authorization failure message: 8sJ2-k_Q");
    let denial = Denial::read(&whole);
    assert_eq!((&*denial.message, denial.encoded.as_deref()), (SAID, Some("8sJ2-k_Q")));
    assert_eq!(denial.lacking(), Some("ec2:CreateVpc"));
    assert!(!denial.is_explicit());
    let policy = "User: a is not authorized to perform: ec2:RunInstances on resource: b with an explicit \
                  deny in a service control policy.";
    let denial = Denial::read(policy);
    assert_eq!((denial.lacking(), denial.encoded.as_deref()), (Some("ec2:RunInstances"), None));
    assert!(denial.is_explicit());
    assert_eq!(denial.detail, Detail::None);
    // The form used before 2023, and an empty message.
    let short = Denial::read("You are not authorized to perform this operation.");
    assert_eq!((short.lacking(), short.encoded.as_deref()), (None, None));
    assert_eq!(Denial::read("").lacking(), None);
}

#[test]
fn a_decision_is_read_as_far_as_it_is_known() {
    let decision = Decision::read(&decoded(&[], "ec2:CreateVpc"));
    assert_snapshot!(decision, @"no statement allows ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/* to arn:aws:sts::123456789012:assumed-role/ci/run");
    assert_eq!(decision.conditions["aws:TagKeys"], ["a", "b"]);
    let decision = Decision::read(&decoded(&["NoVpc"], "CreateVpc"));
    assert_snapshot!(decision, @"the statement `NoVpc` denies ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/* to arn:aws:sts::123456789012:assumed-role/ci/run");
    for text in ["<xml/>", "[]", "{}", "{\"context\": 7}", ""] {
        let decision = Decision::read(text);
        assert_eq!((decision.action.as_deref(), decision.is_explicit), (None, false), "{text}");
    }
    assert_snapshot!(Decision::read("<xml/>"), @r#""<xml/>""#);
}

fn access(kind: Kind, action: &str) -> &'static Access {
    calls(kind).iter().find(|access| access.action == action).unwrap()
}

fn call(address: &str, action: &str, verdict: Verdict) -> Checked {
    let address: Address = address.parse().unwrap();
    Checked { access: access(address.kind, action), address, verdict }
}

fn denied(detail: Detail, encoded: Option<&str>) -> Verdict {
    let encoded = encoded.map(str::to_owned);
    Verdict::Denied(Denial { message: SAID.to_owned(), encoded, detail })
}

fn by(decoded: &str) -> Detail {
    Detail::Decoded(Box::new(Decision::read(decoded)))
}

fn not(why: Unchecked) -> Verdict {
    Verdict::NotChecked(why)
}

fn after(addresses: &[&str]) -> Verdict {
    not(Unchecked::AfterApply(addresses.iter().map(|text| text.parse().unwrap()).collect()))
}

/// One of everything that can be reported.
fn everything() -> Permissions {
    let other = Unchecked::OtherAnswer {
        code: "RequestLimitExceeded".to_owned(),
        message: "Request limit exceeded.".to_owned(),
    };
    let calls = vec![
        call("vpc.a", "CreateVpc", denied(by(&decoded(&[], "ec2:CreateVpc")), Some("8sJ2"))),
        call("vpc.b", "CreateVpc", denied(by(&decoded(&[], "ec2:CreateVpc")), Some("Zx9k"))),
        call("vpc.c", "CreateVpc", denied(by(&decoded(&[], "ec2:CreateTags")), Some("Qp0"))),
        call("internet_gateway.a", "CreateInternetGateway", Verdict::Allowed),
        call("subnet.a", "CreateSubnet", after(&["vpc.a"])),
        call("subnet.b", "CreateSubnet", after(&["vpc.b", "vpc.c", "vpc.d", "vpc.e", "vpc.f"])),
        call("vpc.a", "ModifyVpcAttribute", not(Unchecked::NoDryRun)),
        call("mirror_filter.a", "DeleteTrafficMirrorFilter", not(other)),
        call("mirror_filter.b", "DeleteTrafficMirrorFilter", Verdict::Allowed),
        call("mirror_filter.c", "DeleteTrafficMirrorFilter", Verdict::Allowed),
    ];
    Permissions { calls }
}

#[test]
fn each_call_has_a_line_with_its_count() {
    assert_snapshot!(Asked(&everything()), @"
    Permissions: 3 calls are allowed, 3 are denied, 4 are not checked.
      denied       3  ec2:CreateVpc
      allowed      1  ec2:CreateInternetGateway
      allowed      2  ec2:DeleteTrafficMirrorFilter
      not checked  2  ec2:CreateSubnet: known after apply: vpc.a, vpc.b, vpc.c, vpc.d and 2 more
      not checked  1  ec2:ModifyVpcAttribute: AWS has no dry run for it
      not checked  1  ec2:DeleteTrafficMirrorFilter: AWS answered RequestLimitExceeded: Request limit exceeded.
    ");
    assert_snapshot!(Asked(&Permissions::default()), @"Permissions: 0 calls are allowed, 0 are denied, 0 are not checked.");
}

#[test]
fn programs_get_every_call() {
    let mut all = json(&everything());
    let calls = all["calls"].as_array_mut().unwrap();
    assert_eq!(calls.len(), 10);
    calls[0]["denial"]["decoded"] = "...".into();
    let shown = [&calls[0], &calls[3], &calls[4], &calls[7]].map(ToString::to_string).join("\n");
    assert_snapshot!(shown, @r#"
    {"action":"ec2:CreateVpc","denial":{"decoded":"...","encoded":"8sJ2","explicit":false,"lacking":"ec2:CreateVpc","message":"You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.","not_decoded_because":null},"resource":"vpc.a","verdict":"denied"}
    {"action":"ec2:CreateInternetGateway","resource":"internet_gateway.a","verdict":"allowed"}
    {"action":"ec2:CreateSubnet","not_checked":{"resources":["vpc.a"],"sort":"known_after_apply","why":"known after apply: vpc.a"},"resource":"subnet.a","verdict":"not_checked"}
    {"action":"ec2:DeleteTrafficMirrorFilter","not_checked":{"code":"RequestLimitExceeded","sort":"other_answer","why":"AWS answered RequestLimitExceeded: Request limit exceeded."},"resource":"mirror_filter.a","verdict":"not_checked"}
    "#);
    assert_eq!(all["denied"], 3);
}

fn small() -> (Stack, Location) {
    let text = "stack \"small\" { region = \"eu-west-1\" }\nvpc \"a\" { cidr = \"10.0.0.0/16\" }\n\
                vpc \"b\" { cidr = \"10.1.0.0/16\" }\nvpc \"c\" { cidr = \"10.2.0.0/16\" }\n";
    let source = crate::diagnostic::Source { name: "small.mirror.hcl".into(), text: text.into() };
    let (stack, _) = StackFile::parse(source).unwrap().stack(&Inputs::new()).unwrap();
    let account = "123456789012".parse().unwrap();
    (stack, Location { account, region: "eu-west-1".parse().unwrap() })
}

fn shown(found: &Diagnostics) -> String {
    diagnostic::human(found, Palette::plain())
}

#[test]
fn a_denial_is_told_in_full_with_what_would_allow_it() {
    let (stack, location) = small();
    assert_snapshot!(shown(&findings(&everything(), &stack, &location)), @r#"
    error[MP0508]: ec2:CreateVpc is denied
     |
     = note: for 2 resources: vpc.a, vpc.b
     = note: AWS: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.
     = note: decoded: no statement allows ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/* to arn:aws:sts::123456789012:assumed-role/ci/run
     = note: the request had: aws:TagKeys = a, b; ec2:Region = eu-west-1
     = help: allow it, as `mirror iam --apply` does: {"Sid":"Make","Effect":"Allow","Action":"ec2:CreateVpc","Resource":"arn:aws:ec2:eu-west-1:123456789012:vpc/*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"small"}}}

    error[MP0508]: ec2:CreateVpc is denied: it needs ec2:CreateTags
     --> small.mirror.hcl:4:1
      |
    4 | vpc "c" { cidr = "10.2.0.0/16" }
      | ^^^^^^^ for this
      |
      = note: AWS: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.
      = note: decoded: no statement allows ec2:CreateTags on arn:aws:ec2:eu-west-1:123456789012:vpc/* to arn:aws:sts::123456789012:assumed-role/ci/run
      = note: the request had: aws:TagKeys = a, b; ec2:Region = eu-west-1
      = help: allow it, as `mirror iam --apply` does: {"Sid":"Tag","Effect":"Allow","Action":"ec2:CreateTags","Resource":"arn:aws:ec2:eu-west-1:123456789012:*/*","Condition":{"StringEquals":{"ec2:CreateAction":"CreateVpc"}}}
    "#);
}

#[test]
fn what_is_not_decoded_can_be_decoded_by_others_and_what_is_forbidden_cannot_be_allowed() {
    let (stack, location) = small();
    let undecoded =
        Detail::Undecoded("DecodeAuthorizationMessage was refused: AccessDenied".to_owned());
    let calls = vec![
        call("vpc.a", "CreateVpc", denied(undecoded, Some("8sJ2"))),
        call("vpc.b", "CreateVpc", denied(by(&decoded(&["NoVpc"], "ec2:CreateVpc")), Some("Zx9k"))),
        call("vpc.c", "CreateVpc", denied(Detail::None, None)),
    ];
    assert_snapshot!(shown(&findings(&Permissions { calls }, &stack, &location)), @r#"
    error[MP0508]: ec2:CreateVpc is denied
     --> small.mirror.hcl:2:1
      |
    2 | vpc "a" { cidr = "10.0.0.0/16" }
      | ^^^^^^^ for this
      |
      = note: AWS: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.
      = note: AWS says more, but it could not be decoded: DecodeAuthorizationMessage was refused: AccessDenied
      = help: whoever has sts:DecodeAuthorizationMessage can read it: aws sts decode-authorization-message --encoded-message 8sJ2
      = help: allow it, as `mirror iam --apply` does: {"Sid":"Make","Effect":"Allow","Action":"ec2:CreateVpc","Resource":"arn:aws:ec2:eu-west-1:123456789012:vpc/*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"small"}}}

    error[MP0508]: ec2:CreateVpc is denied
     --> small.mirror.hcl:3:1
      |
    3 | vpc "b" { cidr = "10.1.0.0/16" }
      | ^^^^^^^ for this
      |
      = note: AWS: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.
      = note: decoded: the statement `NoVpc` denies ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/* to arn:aws:sts::123456789012:assumed-role/ci/run
      = note: the request had: aws:TagKeys = a, b; ec2:Region = eu-west-1
      = help: no other policy can allow what one denies: look for the statement in the policies of the caller, its permissions boundary and its organization

    error[MP0508]: ec2:CreateVpc is denied
     --> small.mirror.hcl:4:1
      |
    4 | vpc "c" { cidr = "10.2.0.0/16" }
      | ^^^^^^^ for this
      |
      = note: AWS: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.
      = note: AWS gives no details
      = help: allow it, as `mirror iam --apply` does: {"Sid":"Make","Effect":"Allow","Action":"ec2:CreateVpc","Resource":"arn:aws:ec2:eu-west-1:123456789012:vpc/*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"small"}}}
    "#);
}

#[test]
fn of_very_many_denials_some_are_told() {
    let (stack, location) = small();
    let calls = (0..1_000).map(|number| {
        let resource = decoded(&[], "ec2:CreateVpc").replace("vpc/*", &format!("vpc/{number}"));
        call(&format!("vpc.many[{number}]"), "CreateVpc", denied(by(&resource), None))
    });
    let found = findings(&Permissions { calls: calls.collect() }, &stack, &location);
    let titles: Vec<&str> = found.iter().map(|found| &*found.title).collect();
    assert_snapshot!(titles.join("\n"), @"
    ec2:CreateVpc is denied
    ec2:CreateVpc is denied
    ec2:CreateVpc is denied
    ec2:CreateVpc is denied
    ec2:CreateVpc is denied
    995 more denials of CreateVpc
    ");
}

#[test]
fn a_plan_is_refused_for_its_denials_alone() {
    let mut permissions = everything();
    assert_snapshot!(shown(&refuse(&permissions).unwrap_err()), @"
    error[MP0508]: 3 calls of this plan are denied
     |
     = note: an apply with these credentials would stop half-way
     = help: grant what is missing: `mirror iam --apply` prints all that the stack needs
     = help: or ask with the credentials that the apply will use
    ");
    permissions.calls.retain(|call| call.verdict.denial().is_none());
    assert!(refuse(&permissions).is_ok());
}
