//! A corpus: stacks of many shapes that work, and each of the mistakes below in them, alone and in pairs.
//!
//! The expected findings follow from what was done to the stack, and from nothing in the lints.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::FoundBy;
use crate::diagnostic::{Diagnostics, Source};
use crate::hcl::{Inputs, StackFile};
use crate::reach::{Network, Reach, Verdict};

/// The parts of a stack, by the names that the template has for them.
type Parts = BTreeMap<&'static str, String>;

/// A mistake: what it does to a stack, and what must be found then.
struct Mistake {
    name: &'static str,
    code: &'static str,
    /// Other codes that it causes, or may cause.
    also: &'static [&'static str],
    /// The parts to which it gives another value.
    parts: &'static [(&'static str, &'static str)],
    /// What it adds at the end.
    more: &'static str,
}

const fn edit(
    name: &'static str,
    code: &'static str,
    parts: &'static [(&'static str, &'static str)],
) -> Mistake {
    Mistake { name, code, also: &[], parts, more: "" }
}

impl Mistake {
    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }
}

/// A source in another VPC; the way to the receivers must lead out of that VPC.
const FAR: &str = r#"
vpc "far" { cidr = "10.1.0.0/16" }
subnet "far" {
  vpc  = vpc.far
  cidr = "10.1.1.0/24"
}
route_table "far" {
  vpc     = vpc.far
  routes  = [{ destination = "<far_destination>", <far_way> }]
  subnets = [subnet.far]
}
security_group "far" { vpc = vpc.far }
instance "far" {
  instance_type   = "c5.large"
  subnet          = subnet.far
  security_groups = [security_group.far]
}
mirror_session "far" {
  source        = instance.far
  target        = mirror_target.probe
  filter        = mirror_filter.first
  number        = 1
  packet_length = 8500
}
"#;

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    edit("a TCP listener", "MP1001", &[("listener_protocol", "tcp")]),
    edit("a listener elsewhere", "MP1001", &[("listener_port", "4790")]),
    edit("a TCP group", "MP1002", &[("group_protocol", "tcp")]),
    edit("health over UDP", "MP1003", &[("health_check", "{ protocol = \"udp\", port = 80 }")]),
    edit("health over TLS", "MP1003", &[("health_check", "{ protocol = \"tls\", port = 80 }")]),
    edit("health left alone", "MP1004", &[("health_check", "{}")]).also(&["MP1005", "MP1007"]),
    edit("health on the port of VXLAN", "MP1004", &[("health_check", "{ port = 4789 }")]).also(&["MP1005", "MP1007"]),
    edit("no health rule", "MP1005", &[("receiver_health", "")]),
    edit("a health rule for others", "MP1005", &[("receiver_health", "{ protocol = \"tcp\", cidrs = [\"10.0.200.0/24\"] }")]),
    edit("no UDP rule", "MP1006", &[("receiver_udp", "")]),
    edit("UDP for the load balancer only", "MP1006", &[("receiver_udp", "{ protocol = \"udp\", port = 4789, cidrs = [subnet.receiver.cidr] }, ")]),
    edit("UDP on another port", "MP1006", &[("receiver_udp", "{ protocol = \"udp\", port = 4790, cidrs = [\"10.0.0.0/8\"] }, ")]),
    edit("a shut load balancer", "MP1007", &[("balancer_groups", "security_group.balancer"), ("balancer_in", "")]),
    edit("a load balancer for others", "MP1007", &[("balancer_groups", "security_group.balancer"), ("balancer_in", "{ protocol = \"udp\", port = 4789, cidrs = [\"10.0.200.0/24\"] }")]),
    edit("nothing out of it", "MP1007", &[("balancer_groups", "security_group.balancer"), ("balancer_out", "{ protocol = \"tcp\", port = 443, cidrs = [\"10.0.0.0/16\"] }")]),
    edit("no rules", "MP1008", &[("dns", "false"), ("first_rules", "")]),
    edit("only rejects", "MP1008", &[("dns", "false"), ("first_rules", "{ number = 10, action = \"reject\" }")]),
    edit("one direction", "MP1008", &[("first_rules", "{ number = 10, action = \"accept\", direction = \"egress\" }")]).also(&["MP1023"]),
    edit("a late reject", "MP1009", &[("first_rules", "{ number = 10, action = \"accept\", protocol = \"tcp\" }, { number = 20, action = \"reject\", protocol = \"tcp\", port = 22 }")]),
    edit("two halves that take a whole", "MP1009", &[("first_rules", "{ number = 10, action = \"accept\", peer = \"0.0.0.0/1\", protocol = \"tcp\" }, { number = 20, action = \"accept\", peer = \"128.0.0.0/1\", protocol = \"tcp\" }, { number = 30, action = \"accept\", protocol = \"tcp\", port = 80 }")]),
    edit("two families", "MP1010", &[("second_rules", "{ number = 1, action = \"accept\", direction = \"ingress\", source = \"::/0\", destination = \"10.0.0.0/8\" }, { number = 10, action = \"accept\", protocol = \"udp\" }")]),
    edit("ports of ICMP", "MP1010", &[("second_rules", "{ number = 1, action = \"accept\", protocol = \"icmp\", port = 80 }, { number = 10, action = \"accept\", protocol = \"udp\" }")]),
    edit("ports backwards", "MP1010", &[("second_rules", "{ number = 1, action = \"reject\", protocol = \"udp\", port = \"90-80\" }, { number = 10, action = \"accept\", protocol = \"udp\" }")]),
    edit("a number twice", "MP1010", &[("second_rules", "{ number = 10, action = \"accept\", protocol = \"udp\" }, { number = 10, action = \"accept\", protocol = \"udp\", port = 1 }")]).also(&["MP1009"]),
    edit("eleven rules", "MP1011", &[("second_rules", "{ number = 1, action = \"accept\", protocol = \"udp\", port = 1 }, { number = 2, action = \"accept\", protocol = \"udp\", port = 2 }, { number = 3, action = \"accept\", protocol = \"udp\", port = 3 }, { number = 4, action = \"accept\", protocol = \"udp\", port = 4 }, { number = 5, action = \"accept\", protocol = \"udp\", port = 5 }, { number = 6, action = \"accept\", protocol = \"udp\", port = 6 }")]),
    edit("four sessions", "MP1011", &[]).more("mirror_filter \"icmp\" { rules = [{ number = 1, action = \"accept\", protocol = \"icmp\" }] }\nmirror_filter \"gre\" { rules = [{ number = 1, action = \"accept\", protocol = \"47\" }] }\nmirror_session \"third\" {\n  source = instance.web[0]\n  target = mirror_target.probe\n  filter = mirror_filter.icmp\n  number = 101\n}\nmirror_session \"fourth\" {\n  source = instance.web[0]\n  target = mirror_target.probe\n  filter = mirror_filter.gre\n  number = 102\n}\n").also(&["MP1023"]),
    edit("eleven sources", "MP1011", &[]).more("instance \"many\" {\n  count           = 11\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.source\n  security_groups = [security_group.web]\n}\nmirror_session \"many\" {\n  count  = 11\n  source = instance.many[count.index]\n  target = mirror_target.probe\n  filter = mirror_filter.second\n  number = 1\n}\n"),
    edit("a number taken", "MP1012", &[("first_number", "7"), ("second_number", "7")]),
    edit("a number of none", "MP1012", &[("second_number", "0")]),
    edit("too long", "MP1013", &[("packet_length", "65535")]),
    edit("only headers", "MP1013", &[("packet_length", "20")]),
    edit("a VNI twice", "MP1014", &[("vni", "77")]).more("mirror_session \"vni\" {\n  source = \"eni-0a1b2c3d4e5f67890\"\n  target = mirror_target.probe\n  filter = mirror_filter.second\n  number = 1\n  vni    = 77\n}\n"),
    edit("a VNI of 25 bits", "MP1014", &[("vni", "16777216")]),
    edit("T2", "MP1015", &[("source_type", "t2.micro")]),
    edit("a newer family", "MP1015", &[("source_type", "m8g.large")]),
    edit("metal", "MP1015", &[("source_type", "m6i.metal")]),
    edit("nobody knows", "MP1015", &[("source_type", "q1.large")]),
    edit("a source that is a target", "MP1016", &[]).more("mirror_session \"probe\" {\n  source = instance.probe\n  target = mirror_target.sensors\n  filter = mirror_filter.tcp\n  number = 1\n}\nmirror_filter \"tcp\" { rules = [{ number = 1, action = \"accept\", protocol = \"tcp\" }] }\n").also(&["MP1006", "MP1007"]),
    edit("two targets for one", "MP1016", &[]).more("mirror_target \"again\" { load_balancer = load_balancer.sensors }\n"),
    edit("no way out", "MP1017", &[("public", "true"), ("public_subnets", "")]),
    edit("a way to elsewhere", "MP1017", &[("public", "true"), ("routes", "{ destination = \"10.9.0.0/16\", internet_gateway = internet_gateway.out }")]),
    edit("an empty zone", "MP1018", &[("balancer_subnets", "subnet.receiver, subnet.spare"), ("cross_zone", "false")]),
    edit("a zone without a node", "MP1018", &[("targets", "instance.receiver[0], instance.beyond"), ("cross_zone", "false"), ("balancer_groups", "")]).more("instance \"beyond\" {\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.spare\n  security_groups = [security_group.receiver]\n}\n"),
    edit("one zone for all", "MP1018", &[("source_zone", "\"eu-west-1b\"")]).also(&["MP1037"]),
    edit("a receiver elsewhere", "MP1019", &[("targets", "instance.receiver[0], instance.elsewhere")]).more("vpc \"elsewhere\" { cidr = \"10.3.0.0/16\" }\nsubnet \"elsewhere\" {\n  vpc               = vpc.elsewhere\n  cidr              = \"10.3.1.0/24\"\n  availability_zone = \"eu-west-1a\"\n}\nsecurity_group \"elsewhere\" {\n  vpc     = vpc.elsewhere\n  ingress = [{ protocol = \"all\", cidrs = [\"10.0.0.0/8\"] }]\n}\ninstance \"elsewhere\" {\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.elsewhere\n  security_groups = [security_group.elsewhere]\n}\n").also(&["MP1007"]),
    edit("a group elsewhere", "MP1019", &[("source_groups", "security_group.web, security_group.elsewhere")]).more("vpc \"elsewhere\" { cidr = \"10.4.0.0/16\" }\nsecurity_group \"elsewhere\" { vpc = vpc.elsewhere }\n"),
    edit("no route", "MP1020", &[("far_destination", "10.7.0.0/16"), ("far_way", "vpc_peering = \"pcx-0a1b2c3d\"")]).more(FAR),
    edit("a narrow way", "MP1021", &[("far_destination", "10.0.0.0/16"), ("far_way", "transit_gateway = \"tgw-0a1b2c3d4e5f67890\"")]).more(FAR),
    edit("nothing left", "MP1023", &[("second_rules", "{ number = 1, action = \"accept\", protocol = \"tcp\", port = 8080 }"), ("first_rules", "{ number = 1, action = \"accept\", protocol = \"tcp\" }"), ("first_number", "1"), ("second_number", "2")]),
    edit("DNS by a rule", "MP1024", &[]).more("mirror_filter \"dns\" { rules = [{ number = 1, action = \"accept\", protocol = \"udp\", peer_port = 53 }] }\nmirror_session \"dns\" {\n  source = \"eni-0a1b2c3d4e5f67891\"\n  target = mirror_target.probe\n  filter = mirror_filter.dns\n  number = 1\n}\n"),
    edit("a closed network ACL", "MP1026", &[]).more("# network ACL of subnet.receiver: 100 allow tcp 80 0.0.0.0/0\n"),
    edit("a network ACL that denies", "MP1026", &[]).more("# network ACL of subnet.receiver: 90 deny udp 4789 10.0.0.0/8\n"),
    edit("a small subnet", "MP1028", &[("receiver_cidr", "10.0.2.0/28"), ("receivers", "4")]),
    edit("a name that AWS keeps", "MP1028", &[("balancer_name", "name = \"internal-sensors\"")]),
    edit("a long name", "MP1028", &[("balancer_name", "name = \"sensors-of-the-laboratory-behind-the-house\"")]),
    edit("the mirror in the mirror", "MP1029", &[("receiver_type", "c7i.2xlarge")]).more("mirror_filter \"all\" { rules = [{ number = 1, action = \"accept\" }] }\nmirror_session \"loop\" {\n  source = instance.receiver[0]\n  target = mirror_target.probe\n  filter = mirror_filter.all\n  number = 1\n}\n"),
    edit("an instance as target", "MP1031", &[("probe", "instance = instance.probe")]),
    edit("outside the VPC", "MP1032", &[("spare_cidr", "10.9.3.0/24")]),
    edit("one over the other", "MP1032", &[("spare_cidr", "10.0.1.128/25")]),
    edit("peers of one range", "MP1032", &[]).more("vpc \"twin\" { cidr = \"10.0.128.0/17\" }\nvpc_peering \"twins\" {\n  requester = vpc.twin\n  accepter  = vpc.main\n}\n"),
    edit("one name for two", "MP1033", &[]).more("target_group \"spare\" {\n  count = 2\n  vpc   = vpc.main\n  name  = \"spare\"\n}\n"),
    edit("one name for two types", "MP1033", &[("balancer_name", "")]).more("gateway_load_balancer \"sensors\" { subnets = [subnet.receiver] }\n"),
    edit("nobody behind it", "MP1035", &[]).more("target_group \"empty\" {\n  vpc          = vpc.main\n  health_check = { port = 80 }\n}\nload_balancer \"empty\" {\n  subnets   = [subnet.spare]\n  listeners = [{ target_group = target_group.empty }]\n}\nmirror_target \"empty\" { load_balancer = load_balancer.empty }\n"),
    edit("an endpoint elsewhere", "MP1036", &[]).more("gateway_load_balancer \"far\" { subnets = [subnet.receiver] }\nendpoint_service \"far\" { gateway_load_balancers = [gateway_load_balancer.far] }\ngateway_load_balancer_endpoint \"far\" {\n  vpc     = vpc.main\n  subnet  = subnet.spare\n  service = endpoint_service.far\n}\n"),
    edit("an interface in another zone", "MP1037", &[]).more("subnet \"apart\" {\n  vpc               = vpc.main\n  cidr              = \"10.0.177.0/24\"\n  availability_zone = \"eu-west-1c\"\n}\ninstance \"apart\" {\n  instance_type   = \"c5.large\"\n  subnet          = subnet.apart\n  security_groups = [security_group.web]\n}\nmirror_session \"apart\" {\n  source = instance.apart\n  target = mirror_target.probe\n  filter = mirror_filter.first\n  number = 1\n}\n"),
    edit("two nodes in a zone", "MP1038", &[]).more("subnet \"twin\" {\n  vpc               = vpc.main\n  cidr              = \"10.0.178.0/24\"\n  availability_zone = \"eu-west-1a\"\n}\nsubnet \"other\" {\n  vpc               = vpc.main\n  cidr              = \"10.0.179.0/24\"\n  availability_zone = \"eu-west-1a\"\n}\ngateway_load_balancer \"twin\" { subnets = [subnet.twin, subnet.other] }\n"),
    edit("the internet without a gateway", "MP1028", &[]).more("vpc \"shut\" { cidr = \"10.8.0.0/16\" }\nsubnet \"shut\" {\n  vpc  = vpc.shut\n  cidr = \"10.8.1.0/24\"\n}\nload_balancer \"shut\" {\n  scheme  = \"internet-facing\"\n  subnets = [subnet.shut]\n}\n"),
    edit("a key pair that is gone", "MP1039", &[]).more("# there is no key pair gone\ninstance \"keyed\" {\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.spare\n  security_groups = [security_group.web]\n  key_name        = \"gone\"\n}\n"),
    edit("six groups", "MP1034", &[]).more("security_group \"many\" {\n  count = 6\n  vpc   = vpc.main\n}\ninstance \"groups\" {\n  instance_type   = \"t3.micro\"\n  subnet          = subnet.source\n  security_groups = [for n in [0, 1, 2, 3, 4, 5] : security_group.many[n]]\n}\n"),
    edit("a second gateway", "MP1040", &[]).more("internet_gateway \"second\" { vpc = vpc.main }\n"),
    edit("a route to where one is", "MP1032", &[]).more("route_table \"inside\" {\n  vpc    = vpc.main\n  routes = [{ destination = \"10.0.9.0/24\", internet_gateway = internet_gateway.out }]\n}\n"),
];

/// What each part may be in a stack that works.
#[rustfmt::skip]
const CHOICES: &[(&str, &[&str])] = &[
    ("receiver_cidr", &["10.0.2.0/24", "10.0.2.0/26", "10.0.2.64/26"]),
    ("spare_cidr", &["10.0.3.0/24", "10.0.64.0/18"]),
    ("routes", &[r#"{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.out }"#]),
    ("public_subnets", &["subnet.source", "subnet.source, subnet.receiver"]),
    ("public", &["true", "false"]),
    ("sources", &["1", "2", "5"]),
    ("receivers", &["1", "2", "4"]),
    ("source_type", &["t3.micro", "m5.large", "c6gn.16xlarge", "m5.metal", "t4g.nano"]),
    ("receiver_type", &["t2.micro", "m8g.large", "c7i.2xlarge"]),
    ("source_groups", &["security_group.web", "security_group.web, \"sg-0a1b2c3d\""]),
    ("receiver_udp", &[
            r#"{ protocol = "udp", port = 4789, cidrs = [subnet.source.cidr, "10.1.0.0/16"] }, "#,
            r#"{ protocol = "udp", port = "4000-5000", cidrs = ["10.0.0.0/8"] }, "#,
            r#"{ protocol = "udp", cidrs = ["10.0.0.0/15"] }, "#,
            r#"{ protocol = "udp", port = 4789, security_groups = [security_group.web] }, "#,
        ]),
    ("receiver_health", &[
            r#"{ protocol = "tcp", port = 80, cidrs = ["10.0.2.0/24", "10.0.3.0/24"] }"#,
            r#"{ protocol = "tcp", port = "1-1024", cidrs = ["10.0.0.0/16"] }"#,
            r#"{ protocol = "tcp", cidrs = [subnet.receiver.cidr] }"#,
        ]),
    ("balancer_groups", &["", "security_group.balancer"]),
    ("balancer_in", &[
            r#"{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/8"] }"#,
            r#"{ protocol = "udp", port = 4789, security_groups = [security_group.web] }"#,
        ]),
    ("balancer_out", &[
            r#"{ protocol = "all", cidrs = ["10.0.0.0/8"] }"#,
            r#"{ protocol = "udp", port = 4789, security_groups = [security_group.receiver] }, { protocol = "tcp", port = 80, cidrs = [subnet.receiver.cidr] }"#,
        ]),
    ("balancer_name", &["", "name = \"sensors\""]),
    ("balancer_subnets", &["subnet.receiver"]),
    ("cross_zone", &["true", "false"]),
    ("listener_protocol", &["udp"]),
    ("listener_port", &["4789"]),
    ("group_protocol", &["udp", "tcp_udp"]),
    ("health_check", &[
            r#"{ protocol = "tcp", port = 80 }"#,
            r#"{ protocol = "http", port = 80, path = "/health" }"#,
        ]),
    ("probe", &["network_interface = instance.probe"]),
    ("dns", &["true", "false"]),
    ("first_rules", &[
            r#"{ number = 10, action = "reject", protocol = "tcp", port = 22 }, { number = 20, action = "accept", protocol = "tcp" }"#,
            r#"{ number = 10, action = "accept", protocol = "tcp", port = 443 }, { number = 20, action = "accept", protocol = "tcp", port = 80 }"#,
            r#"{ number = 5, action = "accept", direction = "ingress", protocol = "tcp", destination = "10.0.0.0/16" }, { number = 5, action = "accept", direction = "egress", protocol = "tcp", source = "10.0.0.0/16" }"#,
        ]),
    ("second_rules", &[
            r#"{ number = 10, action = "accept", protocol = "udp" }"#,
            r#"{ number = 1, action = "reject", protocol = "udp", peer_port = 123 }, { number = 10, action = "accept", protocol = "udp" }"#,
        ]),
    ("first_number", &["1", "10"]),
    ("second_number", &["2", "32766"]),
    ("packet_length", &["null", "128", "8500", "35"]),
    ("vni", &["null", "1", "16777215"]),
    ("far_destination", &["10.0.0.0/16", "10.0.2.0/24", "0.0.0.0/0"]),
    ("far_way", &["vpc_peering = \"pcx-0a1b2c3d\""]),
    ("source_zone", &["\"eu-west-1a\"", "null"]),
];

/// The parts of a stack that works, in one of many shapes.
fn working(seed: u64) -> Parts {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut parts = Parts::new();
    for (name, choices) in CHOICES {
        parts.insert(name, choices[random.below(choices.len())].to_owned());
    }
    let receivers: usize = parts["receivers"].parse().expect("a number");
    let targets: Vec<String> = (0..receivers).map(|n| format!("instance.receiver[{n}]")).collect();
    parts.insert("targets", targets.join(", "));
    parts
}

/// The text of a stack with these mistakes in it.
fn text(mut parts: Parts, mistakes: &[&Mistake], shape: u64) -> String {
    let mut text = include_str!("template.mirror.hcl").to_owned();
    if shape.is_multiple_of(3) {
        text.push_str(FAR);
    }
    for mistake in mistakes {
        parts.extend(mistake.parts.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if !text.contains(mistake.more) {
            text.push_str(mistake.more);
        }
    }
    for (name, value) in &parts {
        text = text.replace(&format!("<{name}>"), value);
    }
    assert!(!text[text.find('\n').expect("a line")..].contains('<'), "{text}");
    text
}

/// The codes of what is found in a text.
fn found(text: String) -> BTreeSet<&'static str> {
    diagnostics(text).iter().map(|found| found.code.0).collect()
}

/// What is found in a text, as `mirror validate` finds it; where the text describes the account, as `mirror plan`
/// finds it.
fn diagnostics(text: String) -> Diagnostics {
    let source = Source { name: "corpus.mirror.hcl".to_owned(), text };
    let file = StackFile::parse(source).expect("the text is HCL");
    let (stack, mut found) = file.stack_in_part(&Inputs::new());
    found.extend(stack.iter().flat_map(super::account::check));
    found
}

/// Small numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        // Marsaglia, "Xorshift RNGs", 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("less than a usize")
    }
}

/// Whether both change the same part, so that one would undo the other.
fn collide(a: &Mistake, b: &Mistake) -> bool {
    let same_part = a.parts.iter().any(|(name, _)| b.parts.iter().any(|(other, _)| name == other));
    // A text can describe only one network ACL of the account.
    let same_code = a.code == "MP1026" && b.code == "MP1026";
    same_part || same_code || !a.more.is_empty() && a.more == b.more
}

#[test]
fn nothing_is_found_in_300_stacks_that_work() {
    let wrong: Vec<String> = (0..300)
        .filter_map(|seed| {
            let found = found(text(working(seed), &[], seed));
            (!found.is_empty()).then(|| format!("{seed}: {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_mistake_is_found_alone_and_nothing_else_with_it() {
    let mut wrong = Vec::new();
    for mistake in MISTAKES {
        for seed in 0..4 {
            let found = found(text(working(seed), &[mistake], seed));
            let extra =
                found.iter().any(|code| *code != mistake.code && !mistake.also.contains(code));
            if !found.contains(mistake.code) || extra {
                wrong.push(format!("{} ({}), {seed}: {found:?}", mistake.name, mistake.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The codes of what stops packets on their way.
const STOPS: [&str; 10] = [
    "MP1001", "MP1002", "MP1005", "MP1006", "MP1007", "MP1008", "MP1018", "MP1019", "MP1020",
    "MP1026",
];

/// The mistakes with such a code that stop nothing.
const NO_STOPS: [&str; 5] = [
    "one direction",
    "a receiver elsewhere",
    "a group elsewhere",
    "a zone without a node",
    "one zone for all",
];

#[test]
fn a_session_is_stopped_where_a_finding_says_so_and_nowhere_else() {
    let mut wrong = Vec::new();
    let mut stopped = 0;
    let sound: Vec<(u64, Vec<&Mistake>)> = (0..60).map(|seed| (seed, Vec::new())).collect();
    let mistaken = MISTAKES.iter().flat_map(|it| (0..2).map(move |seed| (seed, vec![it])));
    for (seed, mistakes) in sound.into_iter().chain(mistaken) {
        let source = Source {
            name: "corpus.mirror.hcl".to_owned(),
            text: text(working(seed), &mistakes, seed),
        };
        let file = StackFile::parse(source).expect("the text is HCL");
        let (Some(stack), _) = file.stack_in_part(&Inputs::new()) else { continue };
        let found = super::account::check(&stack);
        let found: BTreeSet<&str> = found.iter().map(|it| it.code.0).collect();
        let is_found = STOPS.iter().any(|code| found.contains(code));
        let (seen, network) = (super::account::seen(&stack), Network::of_stack(&stack));
        let reach = Reach::over(match &seen {
            Some(observed) => network.using(observed),
            None => network,
        });
        let is_stopped =
            reach.ways().iter().any(|way| matches!(way.verdict(), Verdict::Stopped(_)));
        stopped += usize::from(is_stopped);
        // A warning about one direction has the code of an empty filter, and one about sources in other zones has
        // that of an empty zone. A receiver that counts as unhealthy or is left out gets nothing, but others do.
        let is_no_stop = |it: &&Mistake| NO_STOPS.contains(&it.name);
        if is_stopped != is_found && !mistakes.iter().any(is_no_stop) {
            wrong.push((seed, mistakes.first().map(|it| it.name), found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(stopped > 30, "{stopped}");
}

#[test]
fn every_pair_of_mistakes_is_found() {
    // All pairs take a while; every third one is enough for daily runs.
    let step = 3;
    let mut wrong = Vec::new();
    let (mut pairs, mut tried) = (0_u64, 0);
    for (at, first) in MISTAKES.iter().enumerate() {
        for second in MISTAKES[at + 1..].iter().filter(|second| !collide(first, second)) {
            pairs += 1;
            if !pairs.is_multiple_of(step) {
                continue;
            }
            tried += 1;
            let found = found(text(working(pairs), &[first, second], pairs));
            let wanted = [first.code, second.code];
            let is_known = |code: &&'static str| {
                wanted.contains(code) || first.also.contains(code) || second.also.contains(code)
            };
            let (missing, extra) =
                (wanted.iter().any(|code| !found.contains(code)), !found.iter().all(is_known));
            if missing || extra {
                wrong.push(format!("{} and {}, {pairs}: {found:?}", first.name, second.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}: {wrong:#?}", wrong.len());
    assert!(tried > 800, "{tried}");
}

#[test]
fn every_code_that_is_looked_for_is_in_the_corpus() {
    let codes: BTreeSet<&str> = MISTAKES.iter().map(|mistake| mistake.code).collect();
    let looked_for: BTreeSet<&str> = crate::code::all()
        .filter(|entry| entry.finding.is_some_and(|it| it.found_by != FoundBy::Removal))
        .map(|entry| entry.code.0)
        .collect();
    assert_eq!(codes, looked_for);
}

#[test]
fn every_edit_that_is_proposed_mends_what_it_is_proposed_for() {
    let mut mended = BTreeSet::new();
    for mistake in MISTAKES {
        let mut text = text(working(1), &[mistake], 1);
        let before = diagnostics(text.clone());
        let has_edit = before.iter().filter(|found| found.code.0 == mistake.code);
        if has_edit.flat_map(|found| &found.help).all(|help| help.patch.is_none()) {
            continue;
        }
        for _ in 0..4 {
            let Some(better) = crate::lint::mended(&diagnostics(text.clone()), "corpus.mirror.hcl")
            else {
                break;
            };
            text = better.text;
        }
        let after = found(text.clone());
        assert!(after.is_empty(), "{}: {after:?} in\n{text}", mistake.name);
        mended.insert(mistake.code);
    }
    let codes = [
        "MP1001", "MP1002", "MP1003", "MP1004", "MP1005", "MP1006", "MP1009", "MP1013", "MP1015",
        "MP1017", "MP1018", "MP1021", "MP1024", "MP1028", "MP1031",
    ];
    assert_eq!(mended.into_iter().collect::<Vec<_>>(), codes);
}
