//! Pictures of stacks that are built by hand.

mod zones;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::address::Key;
use crate::attribute::Ref;
use crate::plan::tests::{applied, nothing, stack};
use crate::plan::{Request, Step, plan};
use crate::resource::{MirrorFilter, MirrorSession, MirrorTarget};
use crate::stack::Declared;

fn lab() -> Stack {
    stack(lab_as_json())
}

fn lab_as_json() -> serde_json::Value {
    let machine = json!({ "instance_type": "t3.micro", "subnet": "@subnet.a" });
    let sensor = json!({
        "instance_type": "t3.micro", "subnet": "@subnet.a", "security_groups": ["@security_group.all"],
    });
    let all = json!([{ "cidrs": ["10.0.0.0/16"] }]);
    json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24" },
        "security_group.all": { "vpc": "@vpc.lab", "ingress": all },
        "instance.web": machine,
        "instance.sensor[0]": sensor,
        "instance.sensor[1]": sensor,
        "target_group.sensors": {
            "vpc": "@vpc.lab", "targets": ["@instance.sensor[0]", "@instance.sensor[1]"] },
        "load_balancer.sensors": {
            "subnets": ["@subnet.a"], "listeners": [{ "target_group": "@target_group.sensors" }] },
        "mirror_target.nlb": { "load_balancer": "@load_balancer.sensors" },
        "mirror_filter.web": { "amazon_dns": true, "rules": [
            { "number": 10, "action": "reject", "protocol": "tcp", "port": "22" },
            { "number": 100, "action": "accept", "direction": "ingress" },
        ] },
        "mirror_session.web": {
            "source": "@instance.web", "target": "@mirror_target.nlb",
            "filter": "@mirror_filter.web", "number": 1, "vni": 7 },
    })
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
fn an_arrow_says_whether_packets_go_along_it_and_a_box_why_not() {
    let mut lab = lab_as_json();
    let health_only = json!([{ "protocol": "tcp", "cidrs": ["10.0.0.0/16"] }]);
    lab["security_group.all"]["ingress"] = health_only;
    lab["instance.sensor[0]"]["security_groups"] = json!(["sg-0a1b2c3d"]);
    assert_snapshot!(Mermaid(&Diagram::packet_path(&stack(lab))), @r#"
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
        n8["stopped<br/>no rule of security_group.all admits udp<br/>4789 from subnet.a"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 -->|"VXLAN"| n4
      n4 -->|"udp 4789"| n5
      n5 -.->|"udp 4789"| n6
      n5 -.-x|"udp 4789"| n7
      n5 --> n8
      classDef stopped fill:#ffebe9,stroke:#cf222e,color:#1f2328
      class n8 stopped
    "#);
}

#[test]
fn the_references_of_the_lab() {
    assert_snapshot!(Mermaid(&Diagram::references(&lab())), @r#"
    flowchart LR
      n0["vpc.lab"]
      n1["subnet.a"]
      n2["security_group.all"]
      n3["instance.sensor[0]"]
      n4["instance.sensor[1]"]
      n5["instance.web"]
      n6["target_group.sensors"]
      n7["load_balancer.sensors"]
      n8["mirror_target.nlb"]
      n9["mirror_filter.web"]
      n10["mirror_session.web"]
      n1 --> n0
      n2 --> n0
      n3 --> n1
      n3 --> n2
      n4 --> n1
      n4 --> n2
      n5 --> n1
      n6 --> n0
      n6 --> n3
      n6 --> n4
      n7 --> n1
      n7 --> n6
      n8 --> n7
      n10 --> n5
      n10 --> n8
      n10 --> n9
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
    let delete = |kind: &str, of: &str| json!({ "operation": { kind: { "delete": { kind: { "id": format!("{of}-{id}") } } } } });
    let plan = Plan {
        format: Plan::FORMAT,
        stack: "lab".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        coordination: None,
        mode: crate::plan::Mode::Destroy,
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
      classDef destroy fill:#ffebe9,stroke:#cf222e,color:#1f2328
      class n0,n1,n2 destroy
    "#);
}

#[test]
fn a_plan_is_drawn_as_its_stack_before_it_is_applied_and_after() {
    let stack = lab();
    let drawn = Diagram::packet_path(&stack);
    for observed in [nothing(), applied(&stack)] {
        let plan = plan(&stack, &observed, &Request::default()).unwrap();
        let mut planned = Diagram::planned_packet_path(&plan);
        let new = observed == nothing();
        assert!(planned.nodes.iter().all(|node| node.mark.is_some() == new));
        planned.nodes.iter_mut().for_each(|node| node.mark = None);
        assert_eq!(planned, drawn);
    }
}

/// A plan that creates, changes, replaces and removes.
fn busy() -> Plan {
    let session = |source: &str, number: u8| {
        json!({ "source": source, "target": "@mirror_target.nlb", "filter": "@mirror_filter.web",
                "number": number })
    };
    let (mut before, mut after) = (lab_as_json(), lab_as_json());
    before["mirror_session.old"] = session("eni-0a1b2c3d4e5f67890", 1);
    after["mirror_session.new"] = session("eni-0a1b2c3d4e5f67891", 1);
    after["mirror_filter.web"]["rules"][0]["action"] = "accept".into();
    let mut observed = applied(&stack(before));
    observed.owned.remove(&"instance.sensor[1]".parse().unwrap());
    let replace = ["instance.web".parse().unwrap()].into();
    plan(&stack(after), &observed, &Request { replace, ..Request::default() }).unwrap()
}

#[test]
fn what_happens_is_a_word_and_a_color() {
    let diagram = Diagram::planned_packet_path(&busy());
    assert_snapshot!(Mermaid(&diagram), @r#"
    flowchart LR
      subgraph g0["Sources"]
        n0["network interface<br/>eni-0a1b2c3d4e5f67891"]
        n8["network interface<br/>eni-0a1b2c3d4e5f67890"]
        n10["replace<br/>instance.web"]
      end
      subgraph g1["Mirror"]
        n1["create<br/>mirror_session.new<br/>number 1"]
        n2["update<br/>mirror_filter.web<br/>3 accept, 0 reject, Amazon DNS"]
        n3["mirror_target.nlb"]
        n9["destroy<br/>mirror_session.old<br/>number 1<br/>VNI 4242"]
        n11["replace<br/>mirror_session.web<br/>number 1<br/>VNI 7"]
      end
      subgraph g2["Receivers"]
        n4["load_balancer.sensors"]
        n5["update<br/>target_group.sensors"]
        n6["instance.sensor[0]"]
        n7["create<br/>instance.sensor[1]"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 -->|"VXLAN"| n4
      n4 -->|"udp 4789"| n5
      n5 -->|"udp 4789"| n6
      n5 -->|"udp 4789"| n7
      n8 --> n9
      n9 --> n2
      n10 --> n11
      n11 --> n2
      classDef create fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      class n1,n7 create
      classDef update fill:#fff8c5,stroke:#9a6700,color:#1f2328
      class n2,n5 update
      classDef replace fill:#fbefff,stroke:#8250df,color:#1f2328
      class n10,n11 replace
      classDef destroy fill:#ffebe9,stroke:#cf222e,color:#1f2328
      class n9 destroy
    "#);
}

#[test]
fn graphviz_has_the_colors_too() {
    let diagram = Diagram::planned_packet_path(&busy());
    assert_snapshot!(Dot(&diagram), @r##"
    digraph {
      rankdir=LR
      node [shape=box, style=rounded, fontname="sans-serif"]
      edge [fontname="sans-serif", fontsize=10]
      subgraph cluster_0 {
        label="Sources"
        n0 [label="network interface\neni-0a1b2c3d4e5f67891"]
        n8 [label="network interface\neni-0a1b2c3d4e5f67890"]
        n10 [label="replace\ninstance.web", style="rounded,filled", fillcolor="#fbefff", color="#8250df"]
      }
      subgraph cluster_1 {
        label="Mirror"
        n1 [label="create\nmirror_session.new\nnumber 1", style="rounded,filled", fillcolor="#dafbe1", color="#1a7f37"]
        n2 [label="update\nmirror_filter.web\n3 accept, 0 reject, Amazon DNS", style="rounded,filled", fillcolor="#fff8c5", color="#9a6700"]
        n3 [label="mirror_target.nlb"]
        n9 [label="destroy\nmirror_session.old\nnumber 1\nVNI 4242", style="rounded,filled", fillcolor="#ffebe9", color="#cf222e"]
        n11 [label="replace\nmirror_session.web\nnumber 1\nVNI 7", style="rounded,filled", fillcolor="#fbefff", color="#8250df"]
      }
      subgraph cluster_2 {
        label="Receivers"
        n4 [label="load_balancer.sensors"]
        n5 [label="update\ntarget_group.sensors", style="rounded,filled", fillcolor="#fff8c5", color="#9a6700"]
        n6 [label="instance.sensor[0]"]
        n7 [label="create\ninstance.sensor[1]", style="rounded,filled", fillcolor="#dafbe1", color="#1a7f37"]
      }
      n0 -> n1
      n1 -> n2
      n2 -> n3
      n3 -> n4 [label="VXLAN"]
      n4 -> n5 [label="udp 4789"]
      n5 -> n6 [label="udp 4789"]
      n5 -> n7 [label="udp 4789"]
      n8 -> n9
      n9 -> n2
      n10 -> n11
      n11 -> n2
    }
    "##);
}

#[test]
fn a_picture_needs_no_other_program() {
    let svg = Svg(&Diagram::planned_packet_path(&busy())).to_string();
    let (head, rest) = svg.split_once("<style>").unwrap();
    let (style, drawn) = rest.split_once("</style>").unwrap();
    assert_eq!(style.trim(), include_str!("svg.css").trim());
    assert_snapshot!(format!("{head}...{drawn}"), @r#"
    <svg xmlns="http://www.w3.org/2000/svg" class="mirror-diagram" role="img" viewBox="0 0 1692 335" width="1692" height="335">
    ...
    <defs><marker id="mirror-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>
    <rect class="paper" width="1692" height="335"/>
    <g class="frame"><rect x="16" y="16" width="206" height="303" rx="6"/><text x="26" y="37">Sources</text></g>
    <g class="frame"><rect x="262" y="16" width="680" height="303" rx="6"/><text x="272" y="37">Mirror</text></g>
    <g class="frame"><rect x="988" y="16" width="688" height="303" rx="6"/><text x="998" y="37">Receivers</text></g>
    <path class="arrow" d="M206 81C242 81 242 81 278 81"/>
    <path class="arrow" d="M430 81C458 81 458 172 486 172"/>
    <path class="arrow" d="M725 172C753 172 753 172 781 172"/>
    <path class="arrow" d="M926 172C965 172 965 172 1004 172"/>
    <path class="arrow" d="M1178 172C1219 172 1219 172 1260 172"/>
    <path class="arrow" d="M1426 172C1467 172 1467 145 1508 145"/>
    <path class="arrow" d="M1426 172C1467 172 1467 198 1508 198"/>
    <path class="arrow" d="M206 168C242 168 242 168 278 168"/>
    <path class="arrow" d="M430 168C458 168 458 172 486 172"/>
    <path class="arrow" d="M173 264C225 264 226 264 278 264"/>
    <path class="arrow" d="M430 264C458 264 458 172 486 172"/>
    <g class="box same"><rect x="32" y="59" width="174" height="44" rx="6"/><text class="name" x="42" y="76">network interface</text><text x="42" y="93">eni-0a1b2c3d4e5f67891</text></g>
    <g class="box create"><rect x="278" y="51" width="152" height="61" rx="6"/><text class="mark" x="288" y="68">create</text><text class="name" x="288" y="85">mirror_session.new</text><text x="288" y="102">number 1</text></g>
    <g class="box update"><rect x="486" y="142" width="239" height="61" rx="6"/><text class="mark" x="496" y="159">update</text><text class="name" x="496" y="176">mirror_filter.web</text><text x="496" y="193">3 accept, 0 reject, Amazon DNS</text></g>
    <g class="box same"><rect x="781" y="159" width="145" height="27" rx="6"/><text class="name" x="791" y="176">mirror_target.nlb</text></g>
    <g class="box same"><rect x="1004" y="159" width="174" height="27" rx="6"/><text class="name" x="1014" y="176">load_balancer.sensors</text></g>
    <g class="box update"><rect x="1260" y="150" width="166" height="44" rx="6"/><text class="mark" x="1270" y="167">update</text><text class="name" x="1270" y="184">target_group.sensors</text></g>
    <g class="box same"><rect x="1508" y="132" width="152" height="27" rx="6"/><text class="name" x="1518" y="149">instance.sensor[0]</text></g>
    <g class="box create"><rect x="1508" y="176" width="152" height="44" rx="6"/><text class="mark" x="1518" y="193">create</text><text class="name" x="1518" y="210">instance.sensor[1]</text></g>
    <g class="box same"><rect x="32" y="146" width="174" height="44" rx="6"/><text class="name" x="42" y="163">network interface</text><text x="42" y="180">eni-0a1b2c3d4e5f67890</text></g>
    <g class="box destroy"><rect x="278" y="129" width="152" height="78" rx="6"/><text class="mark" x="288" y="146">destroy</text><text class="name" x="288" y="163">mirror_session.old</text><text x="288" y="180">number 1</text><text x="288" y="197">VNI 4242</text></g>
    <g class="box replace"><rect x="65" y="242" width="108" height="44" rx="6"/><text class="mark" x="75" y="259">replace</text><text class="name" x="75" y="276">instance.web</text></g>
    <g class="box replace"><rect x="278" y="225" width="152" height="78" rx="6"/><text class="mark" x="288" y="242">replace</text><text class="name" x="288" y="259">mirror_session.web</text><text x="288" y="276">number 1</text><text x="288" y="293">VNI 7</text></g>
    <text class="label" x="965" y="176">VXLAN</text>
    <text class="label" x="1219" y="176">udp 4789</text>
    <text class="label" x="1467" y="162">udp 4789</text>
    <text class="label" x="1467" y="189">udp 4789</text>
    </svg>
    "#);
}

/// A stack of `count` sessions of different sources, which all belong to one block if `address` says so.
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
      n2 -.-> n3
    "#);
}

#[test]
fn twelve_of_a_block_are_shown_and_of_thirteen_their_number() {
    let block: Address = "mirror_session.detect".parse().unwrap();
    let boxes = |count| {
        let stack = sessions(count, |index| block.clone().with_key(Key::Index(index)));
        Diagram::packet_path(&stack).nodes.len()
    };
    assert_eq!(boxes(12), 12 + 12 + 2);
    assert_eq!(boxes(13), 1 + 1 + 2);
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
      n2 -.-> n3
    "#);
}

#[test]
fn labels_break_out_of_nothing() {
    let node = |text: &str| Node {
        lines: vec![text.to_owned()],
        mark: None,
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

/// A text with escapes for invisible characters.
fn visible(text: &str) -> String {
    let is_hidden = |c: char| c.is_control() && c != '\n' || crate::value::is_invisible(c);
    let shown = text.chars().map(|c| match c {
        c if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => c.escape_unicode().to_string(),
        c => c.to_string(),
    });
    shown.collect()
}

/// Any boxes and arrows, with or without frames, and with cycles too.
fn diagrams() -> impl Strategy<Value = Diagram> {
    let mark = proptest::option::of(proptest::sample::select(Mark::ALL.to_vec()));
    let node = (proptest::collection::vec(any::<String>(), 1..4), mark, 0..3_usize, 0..9_u8);
    let nodes = proptest::collection::vec(node, 1..40);
    let edges = proptest::collection::vec((any::<usize>(), any::<usize>(), any::<String>()), 0..80);
    (nodes, edges, any::<bool>()).prop_map(|(nodes, edges, framed)| {
        let nodes: Vec<Node> = nodes
            .into_iter()
            .map(|(lines, mark, group, sort)| {
                let sort = Sort { kind: format!("k{}", sort % 3), block: format!("b{sort}") };
                Node { lines, mark, group: framed.then_some(group), sort }
            })
            .collect();
        let groups = if framed { vec!["One", "Two", "Three"] } else { Vec::new() };
        let mut diagram = Diagram { nodes, edges: BTreeSet::new(), groups };
        for (from, to, label) in edges {
            let count = diagram.nodes.len();
            diagram.arrow(from % count, to % count, &label);
        }
        diagram
    })
}

proptest! {
    #[test]
    fn boxes_stand_apart_and_within_the_picture(diagram in diagrams()) {
        let layout = layout::Layout::of(&diagram);
        let ends = |rect: &layout::Rect| (rect.x + rect.width, rect.y + rect.height);
        for (position, rect) in layout.boxes.iter().enumerate() {
            let (right, bottom) = ends(rect);
            prop_assert!(rect.x >= 0 && rect.y >= 0, "{rect:?}");
            prop_assert!(right <= layout.width && bottom <= layout.height, "{rect:?}");
            for other in &layout.boxes[..position] {
                let (other_right, other_bottom) = ends(other);
                let beside = right < other.x || other_right < rect.x;
                let above = bottom < other.y || other_bottom < rect.y;
                prop_assert!(beside || above, "{rect:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_is_written_in_a_picture_is_text_and_nothing_else(diagram in diagrams()) {
        let svg = Svg(&diagram).to_string();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: BTreeSet<&str> =
            document.descendants().filter_map(|node| node.text()).collect();
        for node in &diagram.nodes {
            let line = visible(&layout::shown(&node.lines[0]));
            prop_assert!(line.is_empty() || texts.contains(line.as_str()), "{line:?}");
        }
        let known = ["svg", "style", "defs", "marker", "path", "rect", "g", "text", "title"];
        for element in document.descendants().filter(|node| node.is_element()) {
            prop_assert!(known.contains(&element.tag_name().name()));
        }
        let boxes = document.descendants().filter(|n| {
            n.attribute("class").is_some_and(|class| class.starts_with("box "))
        });
        prop_assert_eq!(boxes.count(), diagram.nodes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn github_draws_every_diagram(
        diagram in diagrams(),
        times in 1..60_usize,
        label in "[a-z]{0,40}",
    ) {
        let nodes = diagram.nodes.iter().cycle().take(diagram.nodes.len() * times).cloned();
        let mut large = Diagram { nodes: nodes.collect(), ..diagram };
        for node in 1..large.nodes.len() {
            large.arrow(node / 2, node, &format!("{label}{node}"));
        }
        let text = Mermaid(&large).to_string();
        prop_assert!(text.chars().count() <= 50_000);
        prop_assert!(text.matches(" -->").count() <= 500);
    }
}
