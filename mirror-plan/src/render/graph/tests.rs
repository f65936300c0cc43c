//! Pictures of stacks that are built by hand.

use insta::assert_snapshot;

use super::*;
use crate::address::Key;
use crate::attribute::{Problems, Ref};
use crate::plan::Step;
use crate::resource::{MirrorFilter, MirrorSession, MirrorTarget, Resource};
use crate::stack::Declared;
use crate::value::Value;

fn declare(
    stack: &mut crate::stack::StackBuilder,
    address: Address,
    attributes: serde_json::Value,
) {
    let mut problems = Problems::default();
    let read = Resource::read(address.kind, &revived(attributes), &mut problems);
    let resource = read.unwrap_or_else(|| panic!("{address}: {:?}", problems.into_inner()));
    stack.declare(address, Declared { resource, place: None });
}

/// JSON in which `@vpc.lab` is a reference.
fn revived(json: serde_json::Value) -> Value {
    match Value::from(json) {
        Value::String(text) => match text.strip_prefix('@') {
            Some(address) => Value::Resource(address.parse().unwrap()),
            None => Value::String(text),
        },
        Value::List(items) => {
            Value::List(items.iter().map(|item| revived(item.to_json())).collect())
        }
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(name, value)| (name, revived(value.to_json()))).collect(),
        ),
        other => other,
    }
}

fn lab() -> Stack {
    let mut stack = Stack::builder("lab".parse().unwrap());
    for (address, attributes) in [
        ("vpc.lab", serde_json::json!({ "cidr": "10.0.0.0/16" })),
        ("subnet.a", serde_json::json!({ "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" })),
        ("instance.web", serde_json::json!({ "instance_type": "t3.micro", "subnet": "@subnet.a" })),
        (
            "instance.sensor[0]",
            serde_json::json!({ "instance_type": "t3.micro", "subnet": "@subnet.a" }),
        ),
        (
            "instance.sensor[1]",
            serde_json::json!({ "instance_type": "t3.micro", "subnet": "@subnet.a" }),
        ),
        (
            "target_group.sensors",
            serde_json::json!({
            "vpc": "@vpc.lab", "targets": ["@instance.sensor[0]", "@instance.sensor[1]"] }),
        ),
        (
            "load_balancer.sensors",
            serde_json::json!({
            "subnets": ["@subnet.a"], "listeners": [{ "target_group": "@target_group.sensors" }] }),
        ),
        ("mirror_target.nlb", serde_json::json!({ "load_balancer": "@load_balancer.sensors" })),
        (
            "mirror_filter.web",
            serde_json::json!({ "amazon_dns": true, "rules": [
            { "number": 10, "action": "reject", "protocol": "tcp", "port": "22" },
            { "number": 100, "action": "accept", "direction": "ingress" },
        ] }),
        ),
        (
            "mirror_session.web",
            serde_json::json!({
            "source": "@instance.web", "target": "@mirror_target.nlb",
            "filter": "@mirror_filter.web", "number": 1, "vni": 7 }),
        ),
    ] {
        declare(&mut stack, address.parse().unwrap(), attributes);
    }
    stack.build().unwrap().0
}

#[test]
fn the_packet_path_of_the_lab() {
    let diagram = Diagram::packet_path(&lab());
    assert_snapshot!(Dot(&diagram), @r#"
    digraph {
      rankdir=LR
      node [shape=box, style=rounded, fontname="sans-serif"]
      edge [fontname="sans-serif", fontsize=10]
      subgraph cluster_0 {
        label="Sources"
        n0 [label="instance.web"]
      }
      subgraph cluster_1 {
        label="Mirror"
        n1 [label="mirror_session.web\nnumber 1\nVNI 7"]
        n2 [label="mirror_filter.web\n1 accept, 2 reject, Amazon DNS"]
        n3 [label="mirror_target.nlb"]
      }
      subgraph cluster_2 {
        label="Receivers"
        n4 [label="load_balancer.sensors"]
        n5 [label="target_group.sensors"]
        n6 [label="instance.sensor[0]"]
        n7 [label="instance.sensor[1]"]
      }
      n0 -> n1
      n1 -> n2
      n2 -> n3
      n3 -> n4 [label="VXLAN"]
      n4 -> n5 [label="udp 4789"]
      n5 -> n6 [label="udp 4789"]
      n5 -> n7 [label="udp 4789"]
    }
    "#);
    assert_snapshot!(Mermaid(&diagram), @r#"
    flowchart LR
      subgraph g0["Sources"]
        n0["instance.web"]
      end
      subgraph g1["Mirror"]
        n1["mirror_session.web<br/>number 1<br/>VNI 7"]
        n2["mirror_filter.web<br/>1 accept, 2 reject, Amazon DNS"]
        n3["mirror_target.nlb"]
      end
      subgraph g2["Receivers"]
        n4["load_balancer.sensors"]
        n5["target_group.sensors"]
        n6["instance.sensor[0]"]
        n7["instance.sensor[1]"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 -->|"VXLAN"| n4
      n4 -->|"udp 4789"| n5
      n5 -->|"udp 4789"| n6
      n5 -->|"udp 4789"| n7
    "#);
}

#[test]
fn the_references_of_the_lab() {
    assert_snapshot!(Mermaid(&Diagram::references(&lab())), @r#"
    flowchart LR
      n0["vpc.lab"]
      n1["subnet.a"]
      n2["instance.sensor[0]"]
      n3["instance.sensor[1]"]
      n4["instance.web"]
      n5["target_group.sensors"]
      n6["load_balancer.sensors"]
      n7["mirror_target.nlb"]
      n8["mirror_filter.web"]
      n9["mirror_session.web"]
      n1 --> n0
      n2 --> n1
      n3 --> n1
      n4 --> n1
      n5 --> n0
      n5 --> n2
      n5 --> n3
      n6 --> n1
      n6 --> n5
      n7 --> n6
      n9 --> n4
      n9 --> n7
      n9 --> n8
    "#);
}

#[test]
fn the_order_of_a_plan() {
    let step = |address: &str, phase, call: serde_json::Value, needs: &[usize]| Step {
        address: address.parse().unwrap(),
        phase,
        generation: 1,
        call: serde_json::from_value(call).unwrap(),
        expects: None,
        needs: needs.to_vec(),
    };
    let id = "0a1b2c3d4e5f67890";
    let delete = |kind: &str, of: &str| serde_json::json!({ "operation": { kind: { "delete": { kind: { "id": format!("{of}-{id}") } } } } });
    let plan = Plan {
        format: Plan::FORMAT,
        stack: "lab".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        coordination: None,
        mode: crate::plan::Mode::Destroy,
        targeted: false,
        existing: BTreeMap::new(),
        saw: BTreeMap::new(),
        changes: Vec::new(),
        steps: vec![
            step("subnet.a", Phase::Delete, delete("subnet", "subnet"), &[]),
            step("subnet.b", Phase::Delete, delete("subnet", "subnet"), &[]),
            step("vpc.lab", Phase::Delete, delete("vpc", "vpc"), &[0, 1]),
        ],
        outputs: BTreeMap::new(),
        variables: BTreeMap::new(),
    };
    assert_snapshot!(Mermaid(&Diagram::apply_order(&plan)), @r#"
    flowchart LR
      n0["destroy<br/>subnet.a"]
      n1["destroy<br/>subnet.b"]
      n2["destroy<br/>vpc.lab"]
      n0 --> n2
      n1 --> n2
    "#);
}

/// A stack of `count` sessions that have nothing in common, or are all of one block.
fn sessions(count: u32, address: impl Fn(u32) -> Address) -> Stack {
    let mut stack = Stack::builder("many".parse().unwrap());
    let one = |kind: &str| format!("{kind}-0a1b2c3d4e5f67890");
    for index in 0..count {
        let session = MirrorSession {
            source: Ref::Id(format!("eni-{index:017x}").parse().unwrap()),
            target: Ref::<MirrorTarget>::Id(one("tmt").parse().unwrap()),
            filter: Ref::<MirrorFilter>::Id(one("tmf").parse().unwrap()),
            number: 1.try_into().unwrap(),
            packet_length: None,
            vni: None,
            description: None,
            tags: crate::resource::Tags::new(),
        };
        stack.declare(address(index), Declared { resource: session.into(), place: None });
    }
    stack.build().unwrap().0
}

#[test]
fn many_sessions_of_a_block_are_one_box() {
    let block: Address = "mirror_session.detect".parse().unwrap();
    let stack = sessions(10_000, |index| block.clone().with_key(Key::Index(index)));
    assert_snapshot!(Mermaid(&Diagram::packet_path(&stack)), @r#"
    flowchart LR
      subgraph g0["Sources"]
        n0["network interface<br/>10000 of them"]
      end
      subgraph g1["Mirror"]
        n1["mirror_session.detect<br/>10000 of them"]
        n2["traffic mirror filter<br/>tmf-0a1b2c3d4e5f67890"]
        n3["traffic mirror target<br/>tmt-0a1b2c3d4e5f67890"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
    "#);
}

#[test]
fn many_blocks_are_folded_as_far_as_github_demands() {
    let stack = sessions(1_000, |index| format!("mirror_session.s{index}").parse().unwrap());
    assert_snapshot!(Mermaid(&Diagram::packet_path(&stack)), @r#"
    flowchart LR
      subgraph g0["Sources"]
        n0["network interface<br/>1000 of them"]
      end
      subgraph g1["Mirror"]
        n1["mirror_session<br/>1000 of them"]
        n2["traffic mirror filter<br/>tmf-0a1b2c3d4e5f67890"]
        n3["traffic mirror target<br/>tmt-0a1b2c3d4e5f67890"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
    "#);
}

#[test]
fn labels_break_out_of_nothing() {
    let node = |text: &str| Node {
        lines: vec![text.to_owned()],
        group: None,
        sort: Sort { kind: String::new(), block: String::new() },
    };
    let mut diagram = Diagram {
        nodes: vec![node("a\"]; click n0 \"javascript:alert(1)\"\n"), node("<b>\\&`#\u{1b}")],
        ..Diagram::default()
    };
    diagram.arrow(0, 1, "x\"|y");
    assert_snapshot!(Mermaid(&diagram), @r##"
    flowchart LR
      n0["a#34;]#59; click n0 #34;javascript:alert(1)#34;<br/>"]
      n1["#60;b#62;#92;#38;#96;#35; "]
      n0 -->|"x#34;#124;y"| n1
    "##);
    assert_snapshot!(Dot(&diagram), @r#"
    digraph {
      rankdir=LR
      node [shape=box, style=rounded, fontname="sans-serif"]
      edge [fontname="sans-serif", fontsize=10]
      n0 [label="a\"]; click n0 \"javascript:alert(1)\"\n"]
      n1 [label="<b>\\&`# "]
      n0 -> n1 [label="x\"|y"]
    }
    "#);
}
