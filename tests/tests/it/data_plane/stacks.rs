//! Stacks with mirroring of every sort, made from a seed.

use std::fmt::Write as _;

/// The sides of a packet that rules of these stacks look at: hosts, the resolver, those outside, and any.
const RANGES: [&str; 7] = [
    "10.0.0.0/16",
    "10.0.1.0/24",
    "10.0.2.0/25",
    "192.0.2.0/24",
    "198.51.100.128/25",
    "10.0.0.2/32",
    "0.0.0.0/0",
];
const PORTS: [&str; 7] = ["22", "53", "443", "5432", "1-1023", "32768-65535", "443-5432"];

/// A stack file with up to three mirrored instances, each with up to three sessions.
pub(crate) fn mirrored_stack(seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = String::from(
        "stack \"mirrored\" { region = \"eu-west-1\" }\n\
         vpc \"v\" { cidr = \"10.0.0.0/16\" }\n\
         subnet \"a\" {\n  vpc = vpc.v\n  cidr = \"10.0.1.0/24\"\n  availability_zone = \"eu-west-1a\"\n}\n\
         subnet \"b\" {\n  vpc = vpc.v\n  cidr = \"10.0.2.0/24\"\n  availability_zone = \"eu-west-1b\"\n}\n\
         security_group \"target\" {\n  vpc = vpc.v\n  ingress = [{ protocol = \"all\", cidrs = [\"10.0.0.0/16\"] }]\n}\n",
    );
    let sources = random.usize(1..=3);
    for source in 0..sources {
        instance(&mut text, source, &mut random);
    }
    targets(&mut text, &mut random);
    let filters = random.usize(1..=3);
    for filter in 0..filters {
        let rules = rules(&mut random);
        let dns = random.bool();
        writeln!(
            text,
            "mirror_filter \"f{filter}\" {{\n  amazon_dns = {dns}\n  rules = [{rules}]\n}}"
        )
        .unwrap();
    }
    for source in 0..sources {
        let mut numbers: Vec<u16> = (1..=9).collect();
        random.shuffle(&mut numbers);
        for (session, number) in numbers.iter().take(random.usize(0..=3)).enumerate() {
            let target = ["balanced", "direct"][random.usize(0..2)];
            let filter = random.usize(0..filters);
            let length = match random.u8(0..3) {
                0 => format!("\n  packet_length = {}", random.u16(1..=8500)),
                _ => String::new(),
            };
            writeln!(
                text,
                "mirror_session \"i{source}s{session}\" {{\n  source = instance.i{source}\n  \
                 target = mirror_target.{target}\n  filter = mirror_filter.f{filter}\n  \
                 number = {number}{length}\n}}"
            )
            .unwrap();
        }
    }
    text
}

/// A mirrored instance whose security groups let in all, some, or none.
fn instance(text: &mut String, source: usize, random: &mut fastrand::Rng) {
    let all = "{ protocol = \"all\", cidrs = [\"0.0.0.0/0\"] }";
    let web = "{ protocol = \"tcp\", port = 443, cidrs = [\"192.0.2.0/24\"] }";
    let friends =
        "{ protocol = \"tcp\", port = \"22-5432\", security_groups = [security_group.i0] }";
    let ingress = [all, all, web, friends, ""][random.usize(0..5)];
    let egress =
        ["", "", "\n  egress = [{ protocol = \"tcp\", port = 443, cidrs = [\"0.0.0.0/0\"] }]"];
    let egress = egress[random.usize(0..3)];
    let subnet = ["a", "b"][random.usize(0..2)];
    let open = if ingress == all { "\n  open_to_world = true" } else { "" };
    writeln!(
        text,
        "security_group \"i{source}\" {{\n  vpc = vpc.v{open}\n  ingress = [{ingress}]{egress}\n}}\n\
         instance \"i{source}\" {{\n  instance_type = \"t3.micro\"\n  subnet = subnet.{subnet}\n  \
         security_groups = [security_group.i{source}]\n}}"
    )
    .unwrap();
}

/// A mirror target with a load balancer, and one without.
fn targets(text: &mut String, random: &mut fastrand::Rng) {
    for target in ["t0", "t1"] {
        let subnet = ["a", "b"][random.usize(0..2)];
        writeln!(
            text,
            "instance \"{target}\" {{\n  instance_type = \"t3.micro\"\n  subnet = subnet.{subnet}\n  \
             security_groups = [security_group.target]\n}}"
        )
        .unwrap();
    }
    let cross_zone = random.bool();
    writeln!(
        text,
        "target_group \"t\" {{\n  vpc = vpc.v\n  health_check = {{ protocol = \"tcp\", port = 80 }}\n  \
         targets = [instance.t0, instance.t1]\n}}\n\
         load_balancer \"l\" {{\n  subnets = [subnet.a, subnet.b]\n  cross_zone = {cross_zone}\n  \
         listeners = [{{ port = 4789, target_group = target_group.t }}]\n}}\n\
         mirror_target \"balanced\" {{ load_balancer = load_balancer.l }}\n\
         mirror_target \"direct\" {{ network_interface = instance.t0 }}"
    )
    .unwrap();
}

/// Up to five rules; one without a direction counts as two for AWS.
fn rules(random: &mut fastrand::Rng) -> String {
    let count = random.usize(0..=5);
    let rules: Vec<String> = (0..count)
        .map(|rule| {
            let number = 10 * rule + random.usize(1..=9);
            let action = if random.u8(0..3) > 0 { "accept" } else { "reject" };
            let mut text = format!("{{ number = {number}, action = \"{action}\"");
            let direction = ["", ", direction = \"ingress\"", ", direction = \"egress\""];
            text += direction[random.usize(0..3)];
            text += match random.u8(0..6) {
                0 | 1 => ", protocol = \"tcp\"",
                2 => ", protocol = \"udp\"",
                3 => ", protocol = \"icmp\"",
                4 => ", protocol = \"47\"",
                _ => "",
            };
            if text.contains("tcp") || text.contains("udp") {
                match random.u8(0..3) {
                    0 => write!(text, ", port = \"{}\"", PORTS[random.usize(0..7)]).unwrap(),
                    1 => write!(text, ", peer_port = \"{}\"", PORTS[random.usize(0..7)]).unwrap(),
                    _ => {}
                }
            }
            if random.u8(0..3) == 0 {
                write!(text, ", peer = \"{}\"", RANGES[random.usize(0..7)]).unwrap();
            }
            text + " }"
        })
        .collect();
    rules.join(", ")
}
