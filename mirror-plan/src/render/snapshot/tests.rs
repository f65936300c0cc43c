//! Whole snapshots of plans made by hand, and the laws that hold for every one.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::render::samples::{change, empty_plan, plan};
use crate::value::{Origin, Part, Template, Unknown};

fn origin(text: &str) -> Origin {
    let (address, attribute) = text.rsplit_once('.').unwrap();
    Origin { address: address.parse().unwrap(), attribute: attribute.to_owned() }
}

fn unknown(text: &str) -> Value {
    Value::Unknown(Unknown::attribute(origin(text)))
}

/// A value such as `a${vpc.lab.id}b`, which is joined once the hole is known.
fn template(parts: Vec<Part>) -> Value {
    let template = Template(parts);
    Value::Unknown(Unknown {
        origins: template.origins().cloned().collect(),
        template: Some(template),
    })
}

fn with(mut change: Change, attribute: &str, value: Value) -> Change {
    if let Some(Value::Object(members)) = &mut change.after {
        members.insert(attribute.to_owned(), value);
    }
    change
}

/// The blocks of a plan of these changes, with the laws that hold for every snapshot.
fn blocks(changes: impl IntoIterator<Item = Change>) -> String {
    let text = plan(changes).to_string();
    for line in text.lines() {
        assert_eq!(line.trim_end(), line, "no trailing blanks");
        assert!(!line.chars().any(|c| c != '\t' && crate::value::is_invisible(c)), "{line:?}");
    }
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
    text.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn what_is_made() {
    let session = change(
        "mirror_session.web[\"eni-0aa\"]",
        Action::Create,
        json!(null),
        json!({ "number": 1, "vni": null, "packet_length": null, "tags": { "Name": "web" } }),
    );
    let session = with(session, "source", unknown("instance.web.network_interface"));
    let session = with(session, "filter", unknown("mirror_filter.web.id"));
    let session = Change { capture: Some(Capture::Begins), ..session };
    let instance = change(
        "instance.sensor[10]",
        Action::Create,
        json!(null),
        json!({
            "instance_type": "t3.micro", "security_groups": ["sg-0a1b2c3d"], "source_dest_check": true,
            "user_data": "#!/bin/sh\n\nexec mirror-vxlan \n", "tags": { "Name": "sensor-0" },
        }),
    );
    let filter = change(
        "mirror_filter.web",
        Action::Create,
        json!(null),
        json!({
            "amazon_dns": false, "description": null, "tags": {},
            "rules": [{
                "number": 100, "action": "accept", "direction": "ingress", "protocol": "tcp",
                "source": "0.0.0.0/0", "destination": "0.0.0.0/0", "destination_port": 443,
                "source_port": null, "description": null,
            }],
        }),
    );
    let group = change(
        "security_group.web",
        Action::Create,
        json!(null),
        json!({ "ingress": [{ "protocol": "udp", "port": 4789, "cidrs": ["10.0.0.0/16"] }] }),
    );
    let second = change("instance.sensor[2]", Action::Create, json!(null), json!({}));
    let mut plan = plan([session, instance, filter, group, second]);
    let after = Some(unknown("vpc.lab.id"));
    plan.outputs.insert("vpc".to_owned(), OutputChange { before: None, after });
    let (before, after) = (Some(Value::integer(5)), Some(Value::Null));
    plan.outputs.insert("a b".to_owned(), OutputChange { before, after });
    assert_snapshot!(plan, @r#"
    mirror plan 1
    stack lab
    account 123456789012
    region us-east-1
    purpose apply
    scope the whole stack
    create 5
    update 0
    replace 0
    delete 0

    create instance.sensor[2]
        ami = (chosen by AWS)
        private_ip = (chosen by AWS)
        public = (chosen by AWS)

    create instance.sensor[10]
        ami = (chosen by AWS)
        instance_type = "t3.micro"
        private_ip = (chosen by AWS)
        public = (chosen by AWS)
        security_groups has "sg-0a1b2c3d"
        source_dest_check = true
        tags["Name"] = "sensor-0"
        user_data = text
            | #!/bin/sh
            |
            | exec mirror-vxlan\u{20}

    create mirror_filter.web
        amazon_dns = false
        rules[ingress 100].action = "accept"
        rules[ingress 100].destination = "0.0.0.0/0"
        rules[ingress 100].destination_port = 443
        rules[ingress 100].protocol = "tcp"
        rules[ingress 100].source = "0.0.0.0/0"

    create mirror_session.web["eni-0aa"]
        capture begins
        filter = mirror_filter.web.id
        number = 1
        source = instance.web.network_interface
        tags["Name"] = "web"
        vni = (chosen by AWS)

    create security_group.web
        description = (chosen by AWS)
        ingress has { cidrs = ["10.0.0.0/16"], port = 4789, protocol = "udp" }
        name = (chosen by AWS)

    output "a b" = 5 -> (none)
    output vpc = vpc.lab.id
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one output is read in one piece")]
fn what_is_changed_replaced_and_removed() {
    let rule = |number: u32, port: u32| {
        json!({
            "number": number, "action": "accept", "direction": "ingress", "protocol": "tcp",
            "destination_port": port,
        })
    };
    let filter = change(
        "mirror_filter.web",
        Action::Update,
        json!({ "rules": [rule(100, 443), rule(101, 8080), rule(102, 1)], "tags": { "a b": "1" } }),
        json!({ "rules": [rule(100, 443), rule(101, 8443), rule(103, 2)], "tags": { "a b": "2" } }),
    );
    let lines = |changed: &str| {
        let numbers: Vec<String> =
            (0..12).map(|n| if n == 6 { changed.into() } else { n.to_string() }).collect();
        numbers.join("\n")
    };
    let instance = change(
        "instance.web",
        Action::Update,
        json!({ "user_data": lines("old"), "security_groups": ["sg-0a1b2c3d", "sg-1a1b2c3d"] }),
        json!({ "user_data": lines("new") + "\n", "security_groups": ["sg-1a1b2c3d", "sg-2a1b2c3d"] }),
    );
    let vpc = Change {
        reasons: vec![Reason::Forced { attribute: "cidr".to_owned() }, Reason::Requested],
        ..change(
            "vpc.lab",
            Action::Replace(ReplaceOrder::CreateThenDelete),
            json!({ "cidr": "10.0.0.0/16", "dns_support": true }),
            json!({ "cidr": "10.1.0.0/16", "dns_support": true }),
        )
        .forced_by("cidr")
    };
    let reasons = [
        Reason::NotInStack,
        Reason::Destroy,
        Reason::LeftOver,
        Reason::ServesReplaced { load_balancer: "load_balancer.a".parse().unwrap() },
        Reason::GoesWith { address: "subnet.a".parse().unwrap() },
        Reason::DestinationTaken,
    ];
    let subnet = Change {
        deposed: Some(3),
        reasons: reasons.into(),
        ..change("subnet.a", Action::Delete, json!({ "cidr": "10.0.0.0/24" }), json!(null))
    };
    let subnet_made = change(
        "subnet.b",
        Action::Replace(ReplaceOrder::DeleteThenCreate),
        json!({ "availability_zone": "eu-west-1a", "cidr": "10.0.0.0/24" }),
        json!({ "availability_zone": null, "cidr": "10.0.1.0/24" }),
    )
    .forced_by("cidr");
    let session = Change {
        capture: Some(Capture::Gap),
        ..change(
            "mirror_session.web",
            Action::Update,
            json!({ "vni": 7, "description": "a" }),
            json!({ "vni": 8, "description": null }),
        )
    };
    let nothing = change("vpc.other", Action::NoOp, json!({}), json!({}));
    assert_snapshot!(blocks([filter, instance, vpc, subnet, subnet_made, session, nothing]), @r#"
    update instance.web
        id = "vpc-0a1b2c3d4e5f67890"
        security_groups loses "sg-0a1b2c3d"
        security_groups gains "sg-2a1b2c3d"
        user_data = text, changed
                | 3
                | 4
                | 5
            was | old
            now | new
                | 7
                | 8
                | 9
                | 10
            was | 11
            (no newline at the end)
            now | 11

    update mirror_filter.web
        id = "vpc-0a1b2c3d4e5f67890"
        rules[ingress 101].destination_port = 8080 -> 8443
        rules[ingress 102].action = "accept" -> (none)
        rules[ingress 102].destination_port = 1 -> (none)
        rules[ingress 102].protocol = "tcp" -> (none)
        rules[ingress 103].action = (none) -> "accept"
        rules[ingress 103].destination_port = (none) -> 2
        rules[ingress 103].protocol = (none) -> "tcp"
        tags["a b"] = "1" -> "2"

    update mirror_session.web
        capture stops with the old session and begins again with the new one
        id = "vpc-0a1b2c3d4e5f67890"
        description = "a" -> (none)
        vni = 7 -> 8

    delete subnet.a generation 3
        because it is not in the stack
        because the stack is being destroyed
        because it is left over from an unfinished replacement
        because load_balancer.a is replaced, and a target group serves only one load balancer
        because it cannot exist without subnet.a, which is deleted before its replacement is created
        because AWS allows one mirror target for each load balancer or interface, so the old one is deleted first
        id = "vpc-0a1b2c3d4e5f67890"

    replace subnet.b
        the old one goes before the new one is made
        id = "vpc-0a1b2c3d4e5f67890"
        availability_zone = "eu-west-1a" -> (chosen by AWS)
        cidr = "10.0.0.0/24" -> "10.0.1.0/24" (takes a new object)

    replace vpc.lab
        the new one is made before the old one goes
        because its replacement was requested
        id = "vpc-0a1b2c3d4e5f67890"
        cidr = "10.0.0.0/16" -> "10.1.0.0/16" (takes a new object)
    "#);
}

#[test]
fn nothing_to_do_is_a_head() {
    assert_snapshot!(Plan { mode: Mode::Destroy, targeted: true, ..empty_plan() }, @"
    mirror plan 1
    stack lab
    account 123456789012
    region us-east-1
    purpose destroy
    scope a part of the stack
    create 0
    update 0
    replace 0
    delete 0
    ");
}

#[test]
fn texts_of_others_break_out_of_nothing() {
    let hostile = "a\"} \u{1b}[31m\u{202e}\r\\${x}";
    let vpc = change(
        "vpc.lab",
        Action::Create,
        json!(null),
        json!({ "cidr": hostile, "tags": { hostile: hostile } }),
    );
    let instance = change(
        "instance.lab",
        Action::Create,
        json!(null),
        json!({ "instance_type": "t3.micro", "user_data": "\u{1b}[2J\n\ncreate vpc.lab\r\n\ttab \t\n\\n\u{200b}${x}" }),
    );
    assert_snapshot!(blocks([vpc, instance]), @r#"
    create instance.lab
        ami = (chosen by AWS)
        instance_type = "t3.micro"
        private_ip = (chosen by AWS)
        public = (chosen by AWS)
        user_data = text
            | \u{1b}[2J
            |
            | create vpc.lab\r
            | 	tab\u{20}\t
            | \\n\u{200b}$${x}
            (no newline at the end)

    create vpc.lab
        cidr = "a\"} \u001b[31m\u202e\r\\$${x}"
        tags["a\"} \u001b[31m\u202e\r\\$${x}"] = "a\"} \u001b[31m\u202e\r\\$${x}"
    "#);
}

#[test]
fn a_version_is_told_by_the_first_line() {
    assert_eq!(version(&empty_plan().to_string()), Some(VERSION));
    assert_eq!(version("mirror plan 12\nstack lab\n"), Some(12));
    assert_eq!(version(""), None);
    assert_eq!(version("Plan for stack lab\nmirror plan 1\n"), None);
}

#[test]
fn a_review_shows_what_is_different() {
    let rules = |port: u32| json!({ "rules": [{ "number": 100, "direction": "ingress", "destination_port": port }] });
    let text = |port| {
        plan([change("mirror_filter.web", Action::Create, json!(null), rules(port))]).to_string()
    };
    let (reviewed, now) = (text(443), text(8443));
    assert!(Review { reviewed: &reviewed, now: &reviewed }.holds());
    let review = Review { reviewed: &reviewed, now: &now };
    assert!(!review.holds());
    assert_snapshot!(review, @"
    --- reviewed
    +++ now
    @@ -10,4 +10,4 @@
     delete 0
     
     create mirror_filter.web
    -    rules[ingress 100].destination_port = 443
    +    rules[ingress 100].destination_port = 8443
    ");
}

/// The pieces of a user data script: text with everything that has a special meaning, or a hole.
fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        "[$\\\\{}\"nu \t\n\u{200b}a]{0,6}".prop_map(Part::Text),
        Just(Part::Attribute(origin("vpc.a.id"))),
    ];
    proptest::collection::vec(part, 1..5).prop_map(|parts| crate::value::joined(parts).0)
}

fn value(parts: &[Part]) -> Value {
    match parts {
        [] => Value::String(String::new()),
        [Part::Text(text)] => Value::String(text.clone()),
        parts => template(parts.to_vec()),
    }
}

fn one(value: Value) -> String {
    blocks([with(change("instance.a", Action::Create, json!(null), json!({})), "user_data", value)])
}

proptest! {
    #[test]
    fn what_is_not_the_same_does_not_read_the_same(a in parts(), b in parts()) {
        prop_assert_eq!(a == b, one(value(&a)) == one(value(&b)));
    }

    #[test]
    fn the_order_of_changes_does_not_show(
        mut names in proptest::collection::btree_set("[a-z]{1,3}", 0..8).prop_map(Vec::from_iter),
        seed in any::<u64>(),
    ) {
        let made = |name: &String| change(&format!("vpc.{name}"), Action::Create, json!(null), json!({}));
        let sorted = plan(names.iter().map(made)).to_string();
        let by = usize::try_from(seed % 7).unwrap();
        let count = names.len();
        names.rotate_left(if count == 0 { 0 } else { by % count });
        prop_assert_eq!(plan(names.iter().map(made)).to_string(), sorted);
    }
}
