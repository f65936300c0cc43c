//! Sessions over sources with a target for each Availability Zone.

use insta::assert_snapshot;

use crate::attribute::Ref;
use crate::reach::{Network, Reach};
use crate::render::graph::{Diagram, Mermaid};
use crate::resource::Tags;
use crate::scalar::{Allotment, SessionNumber};
use crate::stack::{FanOut, SessionTarget, Sources, Stack};

/// Two zones have one target, a third has another.
fn stack() -> Stack {
    let mut stack = Stack::builder("sensors".parse().unwrap());
    let tags = Tags::from([("mirror".to_owned(), "true".to_owned())]);
    let source = stack.sources("web".parse().unwrap(), Sources::tagged(tags));
    let zones = [
        ("eu-west-1a", "tmt-0000000a"),
        ("eu-west-1b", "tmt-0000000a"),
        ("eu-west-1c", "tmt-0000000c"),
    ];
    let targets = zones.map(|(zone, id)| (zone.parse().unwrap(), Ref::Id(id.parse().unwrap())));
    let detect = FanOut {
        source,
        target: SessionTarget::ByZone(targets.into()),
        filter: Ref::Id("tmf-0000000a".parse().unwrap()),
        number: Allotment::Same(SessionNumber::MIN),
        packet_length: None,
        vni: None,
        description: None,
        tags: Tags::new(),
    };
    stack.fan_out("detect".parse().unwrap(), detect);
    stack.build().unwrap().0
}

#[test]
fn packets_part_behind_the_filter_by_their_zones() {
    assert_snapshot!(Mermaid(&Diagram::packet_path(&stack())), @r#"
    flowchart LR
      subgraph g0["Sources"]
        n1["sources.web"]
      end
      subgraph g1["Mirror"]
        n0["mirror_session.detect[*]<br/>number 1"]
        n2["traffic mirror filter<br/>tmf-0000000a"]
        n3["traffic mirror target<br/>tmt-0000000a"]
        n4["traffic mirror target<br/>tmt-0000000c"]
      end
      n0 --> n2
      n1 --> n0
      n2 -.->|"eu-west-1a, eu-west-1b"| n3
      n2 -.->|"eu-west-1c"| n4
    "#);
}

#[test]
fn each_target_of_sources_has_a_way_of_its_own() {
    let stack = stack();
    let reach = Reach::over(Network::of_stack(&stack));
    let ways = reach.ways();
    let ways: Vec<String> =
        ways.iter().map(|way| format!("{} to {}", way.session(), way.target())).collect();
    assert_eq!(
        ways,
        ["mirror_session.detect to tmt-0000000a", "mirror_session.detect to tmt-0000000c"]
    );
}
