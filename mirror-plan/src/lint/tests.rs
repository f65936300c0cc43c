//! Each lint on a stack that trips it and on its nearest innocent neighbour.

mod account;
mod corpus;
mod gateway;
mod networks;
mod scaling;
mod zones;

use insta::assert_snapshot;

use super::*;
use crate::address::Kind;
use crate::diagnostic::Source;
use crate::hcl::{Inputs, StackFile};
use crate::render::Palette;

/// A stack without findings; the cases below edit it.
const LAB: &str = include_str!("tests/lab.mirror.hcl");

/// The end of the lab's target group: as it is, with a second receiver in another zone, and with one in the same zone.
const RECEIVERS: &str = "[instance.receiver]\n  health_check = { port = 80 }\n}\n";
const TWO_ZONES_OF_RECEIVERS: &str = "[instance.receiver, instance.second]\n  health_check = { port = 80 }\n}\ninstance \"second\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.zone\n  security_groups = [security_group.receiver]\n}\n";
const ONE_ZONE_OF_RECEIVERS: &str = "[instance.receiver, instance.second]\n  health_check = { port = 80 }\n}\ninstance \"second\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.source\n  security_groups = [security_group.receiver]\n}\n";

/// A code, a piece of the lab, a replacement that trips the lint, and one that nearly does.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("MP1001", "port = 4789, target_group", "port = 4790, target_group", "target_group"),
    (
        "MP1002",
        "  protocol     = \"udp\"\n",
        "  protocol     = \"tcp\"\n",
        "  protocol     = \"tcp_udp\"\n",
    ),
    (
        "MP1004",
        "health_check = { port = 80 }",
        "",
        "health_check = { port = 4789, protocol = \"http\" }",
    ),
    (
        "MP1005",
        "port = 80, cidrs = [\"10.0.2.0/24\"]",
        "port = 81, cidrs = [\"10.0.2.0/24\"]",
        "port = \"80-81\", security_groups = [security_group.balancer]",
    ),
    (
        "MP1006",
        "cidrs = [\"10.0.1.0/24\", \"10.1.0.0/16\"]",
        "cidrs = [\"10.0.2.0/24\"]",
        "security_groups = [security_group.balancer]",
    ),
    (
        "MP1007",
        "cidrs = [\"10.0.0.0/8\"]",
        "cidrs = [\"10.2.0.0/16\"]",
        "cidrs = [\"10.0.1.0/24\", \"10.1.1.0/24\"]",
    ),
    (
        "MP1007",
        "protocol = \"all\", cidrs",
        "protocol = \"tcp\", cidrs",
        "protocol = \"all\", description = \"all\", cidrs",
    ),
    (
        "MP1007",
        "{ protocol = \"all\", cidrs",
        "{ protocol = \"udp\", cidrs",
        "{ protocol = \"tcp\", port = 80, cidrs = [\"10.0.2.0/24\"] }, { protocol = \"udp\", cidrs",
    ),
    (
        "MP1008",
        "action = \"accept\", protocol = \"udp\", port = 80",
        "action = \"reject\", protocol = \"udp\", port = 80",
        "action = \"accept\", protocol = \"udp\", port = 81",
    ),
    (
        "MP1008",
        "action = \"accept\", protocol = \"udp\", port = 80",
        "action = \"accept\", protocol = \"udp\", direction = \"ingress\"",
        "action = \"accept\", protocol = \"udp\", peer = \"10.9.0.0/16\"",
    ),
    (
        "MP1009",
        "number = 10, action = \"reject\"",
        "number = 30, action = \"reject\"",
        "number = 19, action = \"reject\"",
    ),
    (
        "MP1011",
        "  vni           = 7\n",
        "  vni           = 7\n  count         = 4\n",
        "  vni           = 7\n  count         = 1\n",
    ),
    ("MP1012", "number        = 2", "number        = 1", "number        = 3"),
    ("MP1013", "packet_length = 128", "packet_length = 34", "packet_length = 35"),
    ("MP1014", "vni    = 8", "vni    = 7", "vni    = 9"),
    (
        "MP1015",
        "instance_type   = \"t3.micro\"",
        "instance_type   = \"t2.micro\"",
        "instance_type   = \"t4g.micro\"",
    ),
    (
        "MP1015",
        "instance_type   = \"t3.micro\"",
        "instance_type   = \"m6i.metal\"",
        "instance_type   = \"m5.metal\"",
    ),
    (
        "MP1015",
        "instance_type   = \"t3.micro\"",
        "instance_type   = \"z9.large\"",
        "instance_type   = \"m7i-flex.large\"",
    ),
    (
        "MP1016",
        "network_interface = instance.sensor",
        "network_interface = instance.source",
        "network_interface = instance.receiver",
    ),
    (
        "MP1016",
        "network_interface = instance.sensor",
        "load_balancer = load_balancer.sensors",
        "network_interface = \"eni-0a1b2c3d\"",
    ),
    (
        "MP1017",
        "internet_gateway = internet_gateway.out",
        "target = \"nat-0a1b2c3d\"",
        "internet_gateway = \"igw-0a1b2c3d\"",
    ),
    (
        "MP1017",
        "internet_gateway \"out\" { vpc = vpc.lab }",
        "internet_gateway \"out\" { vpc = vpc.far }",
        "internet_gateway \"out\" {\n  vpc = vpc.lab\n}",
    ),
    (
        "MP1018",
        "[subnet.target]\n  security_groups = [security_group.balancer]",
        "[subnet.target, subnet.zone]\n  security_groups = [security_group.balancer]",
        "[subnet.target, subnet.zone]\n  cross_zone = true\n  security_groups = [security_group.balancer]",
    ),
    ("MP1018", RECEIVERS, TWO_ZONES_OF_RECEIVERS, ONE_ZONE_OF_RECEIVERS),
    (
        "MP1018",
        "\"10.0.1.0/24\"\n  availability_zone = \"eu-west-1a\"",
        "\"10.0.1.0/24\"\n  availability_zone = \"eu-west-1b\"",
        "\"10.0.1.0/24\"\n  availability_zone = null",
    ),
    (
        "MP1018",
        "\"10.0.3.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\n",
        "\"10.0.3.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\ninstance \"apart\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.zone\n}\nmirror_session \"apart\" {\n  source = instance.apart\n  target = mirror_target.balanced\n  filter = mirror_filter.tcp\n  number = 1\n}\n",
        "\"10.0.3.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\ninstance \"apart\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.zone\n}\nmirror_session \"apart\" {\n  source = instance.apart\n  target = mirror_target.direct\n  filter = mirror_filter.tcp\n  number = 1\n}\n",
    ),
    (
        "MP1019",
        "subnet          = subnet.target",
        "subnet          = subnet.far",
        "subnet          = subnet.source",
    ),
    (
        "MP1019",
        "  security_groups = [security_group.far]",
        "  security_groups = [security_group.sensor]",
        "  security_groups = [\"sg-0a1b2c3d4e5f67890\"]",
    ),
    (
        "MP1020",
        "destination = \"10.0.0.0/16\"",
        "destination = \"10.2.0.0/16\"",
        "destination = \"10.0.2.0/24\"",
    ),
    (
        "MP1023",
        "filter        = mirror_filter.udp",
        "filter        = mirror_filter.tcp",
        "filter        = mirror_filter.udp # another",
    ),
    (
        "MP1024",
        "protocol = \"udp\", port = 80",
        "protocol = \"udp\", peer_port = 53",
        "protocol = \"udp\", peer_port = 54",
    ),
    (
        "MP1026",
        "subnet \"target\" {",
        "# network ACL of subnet.target: 100 allow udp 4790 10.0.0.0/8\nsubnet \"target\" {",
        "# network ACL of subnet.target: 100 allow udp 4789 10.0.0.0/8\nsubnet \"target\" {",
    ),
    (
        "MP1028",
        "cidr              = \"10.0.2.0/24\"",
        "cidr              = \"10.0.2.0/28\"",
        "cidr              = \"10.0.2.0/27\"",
    ),
    (
        "MP1028",
        "vpc \"far\" {",
        "load_balancer \"far\" {\n  scheme = \"internet-facing\"\n  subnets = [subnet.far]\n}\nvpc \"far\" {",
        "load_balancer \"far\" {\n  scheme = \"internal\"\n  subnets = [subnet.far]\n}\nvpc \"far\" {",
    ),
    (
        "MP1029",
        "source = instance.far\n  target = mirror_target.balanced\n  filter = mirror_filter.tcp",
        "source = instance.receiver\n  target = mirror_target.balanced\n  filter = mirror_filter.everything",
        "source = instance.receiver\n  target = mirror_target.balanced\n  filter = mirror_filter.tcp",
    ),
    (
        "MP1021",
        "vpc_peering = \"pcx-0a1b2c3d\"",
        "transit_gateway = \"tgw-0a1b2c3d\"",
        "vpc_peering = \"pcx-0a1b2c3e\"",
    ),
    ("MP1032", "\"10.0.3.0/24\"", "\"10.0.2.128/25\"", "\"10.0.3.0/25\""),
    ("MP1032", "\"10.0.3.0/24\"", "\"10.1.3.0/24\"", "\"10.0.255.0/24\""),
    (
        "MP1032",
        "vpc \"far\" {",
        "vpc \"twin\" { cidr = \"10.0.128.0/17\" }\nvpc_peering \"twins\" {\n  requester = vpc.twin\n  accepter = vpc.lab\n}\nvpc \"far\" {",
        "vpc \"twin\" { cidr = \"10.9.128.0/17\" }\nvpc_peering \"twins\" {\n  requester = vpc.twin\n  accepter = vpc.lab\n}\nvpc \"far\" {",
    ),
    (
        "MP1033",
        "mirror_target \"direct\"",
        "target_group \"spare\" {\n  count = 2\n  vpc = vpc.lab\n  name = \"spare\"\n}\nmirror_target \"direct\"",
        "target_group \"spare\" {\n  count = 1\n  vpc = vpc.lab\n  name = \"spare\"\n}\nmirror_target \"direct\"",
    ),
    (
        "MP1033",
        "mirror_target \"direct\"",
        "target_group \"spare\" {\n  count = 1\n  vpc = vpc.lab\n}\ntarget_group \"spare-0\" { vpc = vpc.lab }\nmirror_target \"direct\"",
        "target_group \"spare\" {\n  count = 1\n  vpc = vpc.lab\n}\ntarget_group \"spare-1\" { vpc = vpc.lab }\nmirror_target \"direct\"",
    ),
    (
        "MP1034",
        "vpc \"far\" {",
        "vpc \"more\" {\n  count = 4\n  cidr = \"10.9.0.0/16\"\n}\nvpc \"far\" {",
        "vpc \"more\" {\n  count = 3\n  cidr = \"10.9.0.0/16\"\n}\nvpc \"far\" {",
    ),
    ("MP1035", "[instance.receiver]\n", "[]\n", "[\"i-0a1b2c3d4e5f67890\"]\n"),
    (
        "MP1036",
        "vpc \"far\" {",
        "gateway_load_balancer \"far\" { subnets = [subnet.target] }\nendpoint_service \"far\" { gateway_load_balancers = [gateway_load_balancer.far] }\ngateway_load_balancer_endpoint \"far\" {\n  vpc = vpc.lab\n  subnet = subnet.zone\n  service = endpoint_service.far\n}\nvpc \"far\" {",
        "gateway_load_balancer \"far\" { subnets = [subnet.target] }\nendpoint_service \"far\" { gateway_load_balancers = [gateway_load_balancer.far] }\ngateway_load_balancer_endpoint \"far\" {\n  vpc = vpc.lab\n  subnet = subnet.source\n  service = endpoint_service.far\n}\nvpc \"far\" {",
    ),
    (
        "MP1037",
        "\"10.0.3.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\n",
        "\"10.0.3.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\ninstance \"apart\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.zone\n}\nmirror_session \"apart\" {\n  source = instance.apart\n  target = mirror_target.direct\n  filter = mirror_filter.tcp\n  number = 1\n}\n",
        "\"10.0.3.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\ninstance \"apart\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.target\n}\nmirror_session \"apart\" {\n  source = instance.apart\n  target = mirror_target.direct\n  filter = mirror_filter.tcp\n  number = 1\n}\n",
    ),
    (
        "MP1038",
        "[subnet.target]\n  security_groups = [security_group.balancer]",
        "[subnet.target, subnet.source]\n  security_groups = [security_group.balancer]",
        "[subnet.target, subnet.target]\n  security_groups = [security_group.balancer]",
    ),
    (
        "MP1039",
        "vpc \"far\" {",
        "# there is no key pair gone\ninstance \"keyed\" {\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.target\n  security_groups = [security_group.receiver]\n  key_name        = \"gone\"\n}\nvpc \"far\" {",
        "# there is no key pair gone\ninstance \"keyed\" {\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.target\n  security_groups = [security_group.receiver]\n  key_name        = \"kept\"\n}\nvpc \"far\" {",
    ),
    (
        "MP1040",
        "internet_gateway \"out\" { vpc = vpc.lab }\n",
        "internet_gateway \"out\" { vpc = vpc.lab }\ninternet_gateway \"more\" { vpc = vpc.lab }\n",
        "internet_gateway \"out\" { vpc = vpc.lab }\ninternet_gateway \"more\" { vpc = vpc.far }\n",
    ),
];

fn file(text: String) -> Stack {
    let source = Source { name: "lab.mirror.hcl".to_owned(), text };
    let file = StackFile::parse(source).expect("the text is HCL");
    file.stack(&Inputs::new()).expect("the stack is in order").0
}

fn edited(from: &str, to: &str) -> Stack {
    assert_eq!(LAB.matches(from).count(), 1, "{from}");
    file(LAB.replace(from, to))
}

fn codes(stack: &Stack) -> Vec<&'static str> {
    let mut codes: Vec<_> = account::check(stack).iter().map(|finding| finding.code.0).collect();
    codes.dedup();
    codes
}

#[test]
fn nothing_is_found_in_a_stack_that_works() {
    assert_eq!(check(&file(LAB.to_owned())).to_string(), "");
    let lab = include_str!("../../../examples/lab.mirror.hcl");
    assert_eq!(check(&file(lab.to_owned())).to_string(), "");
}

#[test]
fn each_lint_finds_its_mistake_and_not_its_neighbour() {
    for (code, from, trip, miss) in CASES {
        let found = codes(&edited(from, trip));
        assert!(found.contains(code), "{code} is not found with {trip}: {found:?}");
        let found = account::check(&edited(from, miss));
        assert!(!found.iter().any(|f| f.code.0 == *code), "{miss}:\n{found}");
    }
}

#[test]
fn every_lint_has_a_case() {
    for Lint { code, .. } in ALL {
        assert!(CASES.iter().any(|(case, ..)| *case == code.0), "{code}");
    }
}

#[test]
fn a_finding_is_never_worse_than_its_entry_says() {
    for (_, from, trip, _) in CASES {
        for finding in &account::check(&edited(from, trip)) {
            let entry = code::explain(finding.code.0).unwrap();
            assert!(entry.finding.unwrap().severity <= finding.severity, "{finding}");
        }
    }
}

#[test]
fn a_finding_shows_its_place_the_reason_and_the_edit() {
    let stack = edited(
        "protocol = \"udp\", port = 4789, target_group",
        "protocol = \"tcp\", port = 4789, target_group",
    );
    assert_snapshot!(crate::render::diagnostic::human(&check(&stack), Palette::plain()), @r#"
    error[MP1001]: `load_balancer.sensors` has no UDP listener on port 4789, and `mirror_target.balanced` sends to it
       --> lab.mirror.hcl:110:35
        |
    110 |   listeners       = [{ protocol = "tcp", port = 4789, target_group = target_group.receivers }]
        |                                   ^^^^^ this one is tcp on port 4789
        |
        = note: AWS accepts such a target, and every mirrored packet is lost without an error
    help: mirrored packets are VXLAN, which is UDP
        |
    110 -   listeners       = [{ protocol = "tcp", port = 4789, target_group = target_group.receivers }]
    110 +   listeners       = [{ protocol = "udp", port = 4789, target_group = target_group.receivers }]
        |
    "#);
}

#[test]
fn what_exists_already_is_not_held_against_the_stack() {
    let by_id = edited(
        "security_groups = [security_group.receiver]",
        "security_groups = [\"sg-0a1b2c3d\"]",
    );
    assert_eq!(check(&by_id).to_string(), "");
}

#[test]
fn eleven_sources_are_too_many_for_an_interface_and_a_hundred_for_the_largest() {
    let sources = |size: &str, count: usize| {
        let sensor = "instance_type = \"m5.large\"\n  subnet        = subnet.target";
        assert_eq!(LAB.matches(sensor).count(), 1);
        let text = LAB.replace(sensor, &sensor.replace("m5.large", size));
        file(format!(
            "{text}\ninstance \"many\" {{\n  count = {count}\n  instance_type = \"m5.large\"\n  \
             subnet = subnet.source\n}}\nmirror_session \"many\" {{\n  count = {count}\n  \
             source = instance.many[count.index]\n  target = mirror_target.direct\n  \
             filter = mirror_filter.udp\n  number = 1\n}}\n"
        ))
    };
    // One session of the lab already sends to that interface.
    for (size, most) in [("m5.large", 9), ("m5.24xlarge", 99)] {
        assert_eq!(codes(&sources(size, most)), [""; 0], "{size}");
        assert_eq!(codes(&sources(size, most + 1)), ["MP1011"], "{size}");
    }
}

#[test]
fn the_headers_of_ipv6_are_longer() {
    let found = |range: &str, length: u16| {
        let text = format!(
            "stack \"small\" {{}}\nmirror_filter \"f\" {{\n  rules = [{{ number = 1, action = \"accept\", \
             direction = \"egress\", source = \"{range}\", destination = \"{range}\" }}]\n}}\n\
             mirror_session \"s\" {{\n  source = \"eni-0a1b2c3d\"\n  target = \"tmt-0a1b2c3d\"\n  \
             filter = mirror_filter.f\n  number = 1\n  packet_length = {length}\n}}\n"
        );
        codes(&file(text)).contains(&"MP1013")
    };
    for (range, least) in [("0.0.0.0/0", 35), ("::/0", 55)] {
        assert!(found(range, least - 1), "{range}");
        assert!(!found(range, least), "{range}");
    }
}

#[test]
fn zones_that_are_left_out_are_named_with_who_stands_there() {
    let source = "\"10.0.1.0/24\"\n  availability_zone = \"eu-west-1a\"";
    assert_eq!(LAB.matches(source).count(), 1);
    let text = LAB.replace(RECEIVERS, TWO_ZONES_OF_RECEIVERS);
    let found = check(&file(text.replace(source, &source.replace("1a", "1b"))));
    let zones: Diagnostics =
        found.into_iter().filter(|found| found.code == code::ZONE_LEFT_OUT).collect();
    assert_snapshot!(crate::render::diagnostic::human(&zones, Palette::plain()), @r#"
    warning[MP1018]: `instance.second` is in eu-west-1b, where `load_balancer.sensors` has no subnet, and `cross_zone` is off
       --> lab.mirror.hcl:113:21
        |
    108 |   subnet = subnet.zone
        |            ----------- in eu-west-1b
    ...
    113 |   subnets         = [subnet.target]
        |                     ^^^^^^^^^^^^^^^
        |
        = note: without `cross_zone`, nothing is sent to a zone without a node
    help: let its nodes send to every zone, or give it a subnet in that zone
        |
    115 ~   listeners       = [{ protocol = "udp", port = 4789, target_group = target_group.receivers }]
    116 +   cross_zone = true
        |

    warning[MP1018]: `load_balancer.sensors` is in eu-west-1a only, and `instance.source` is mirrored to it from elsewhere
       --> lab.mirror.hcl:113:21
        |
     70 |   subnet          = subnet.source
        |                     ------------- in eu-west-1b
    ...
    113 |   subnets         = [subnet.target]
        |                     ^^^^^^^^^^^^^^^
        |
        = note: no source is mirrored when that zone fails, and traffic between zones is charged
        = help: give it a subnet and a receiver in a second zone, and `cross_zone = true`
    "#);
}

#[test]
fn a_network_acl_is_named_with_the_rule_that_refuses() {
    let found = |rule: &str| {
        let target = "subnet \"target\" {";
        let edit = format!("# network ACL of subnet.target: {rule}\n{target}");
        let found = account::check(&edited(target, &edit));
        crate::render::diagnostic::human(&found, Palette::plain())
    };
    assert_eq!(found("100 allow udp 4789 10.0.0.0/8"), "");
    assert_snapshot!(found("90 deny udp 4789 10.0.1.0/24"), @r#"
    warning[MP1026]: the network ACL acl-0a1b2c3d4e5f67890 of subnet.target refuses udp 4789 from subnet.source (rule 90 denies it)
       --> lab.mirror.hcl:130:12
        |
    130 |   target = mirror_target.balanced
        |            ^^^^^^^^^^^^^^^^^^^^^^
        |
        = note: packets that a network ACL refuses are lost without an error
        = help: allow it in a rule with a lower number, or give the subnet another network ACL

    warning[MP1026]: the network ACL acl-0a1b2c3d4e5f67890 of subnet.target refuses udp 4789 from subnet.far (no rule allows it)
       --> lab.mirror.hcl:146:12
        |
    146 |   target = mirror_target.balanced
        |            ^^^^^^^^^^^^^^^^^^^^^^
        |
        = note: packets that a network ACL refuses are lost without an error
        = help: allow it in a rule with a lower number, or give the subnet another network ACL
    "#);
    // The rule allows some of the source's possible addresses: its address is not known, so there is no finding.
    assert_snapshot!(found("90 allow udp 4789 10.0.1.0/25"), @r#"
    warning[MP1026]: the network ACL acl-0a1b2c3d4e5f67890 of subnet.target refuses udp 4789 from subnet.far (no rule allows it)
       --> lab.mirror.hcl:146:12
        |
    146 |   target = mirror_target.balanced
        |            ^^^^^^^^^^^^^^^^^^^^^^
        |
        = note: packets that a network ACL refuses are lost without an error
        = help: allow it in a rule with a lower number, or give the subnet another network ACL
    "#);
}

#[test]
fn what_others_have_counts_for_what_an_account_takes() {
    let stack = file(LAB.to_owned());
    let observed = Observed::nothing(
        "123456789012".parse().expect("an account"),
        "eu-west-1".parse().expect("a Region"),
    );
    let found = |kind: Kind, others: usize| {
        let strangers =
            Strangers { counts: [(kind, others)].into_iter().collect(), ..Strangers::default() };
        let around = Around { observed: &observed, strangers: &strangers };
        let found = check_planned(&stack, around, &Request::default());
        found.iter().map(|found| found.title.clone()).collect::<Vec<_>>()
    };
    // The lab has two targets, and three sessions and filters.
    for (kind, own, what) in [
        (Kind::MirrorSession, 3, "mirror sessions"),
        (Kind::MirrorTarget, 2, "mirror targets"),
        (Kind::MirrorFilter, 3, "mirror filters"),
    ] {
        assert_eq!(found(kind, 10_000 - own), [""; 0], "{what}");
        let others = 10_001 - own;
        assert_eq!(
            found(kind, others),
            [format!(
                "the stack has {own} {what} and there are {others} others, and AWS allows 10000 in an account and Region"
            )]
        );
    }
}
