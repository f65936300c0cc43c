//! Stacks made from a seed: stack files of every shape that AWS would accept.

use std::fmt::Write as _;

/// A stack file for `seed`; equal seeds give equal files. `edit` 0 is the first version, every other
/// number an edited one.
pub(crate) fn stack_file(seed: u64, edit: u64) -> String {
    let mut shape = fastrand::Rng::with_seed(seed);
    let mut file = File {
        text: String::from("stack \"generated\" {\n  region = \"eu-west-1\"\n}\n"),
        detail: fastrand::Rng::with_seed(seed ^ (edit << 32) ^ edit),
        edit,
    };
    let vpcs = shape.usize(1..=2);
    for vpc in 0..vpcs {
        file.vpc(vpc, &mut shape);
    }
    if vpcs == 2 && shape.bool() {
        file.peering();
    }
    if shape.bool() {
        file.endpoint(vpcs - 1);
    }
    file.share();
    file.text
}

struct File {
    text: String,
    /// What differs from one edit to the next.
    detail: fastrand::Rng,
    edit: u64,
}

impl File {
    fn block(&mut self, head: &str, attributes: &[(&str, String)]) {
        writeln!(self.text, "{head} {{").expect("a string takes text");
        for (name, value) in attributes {
            writeln!(self.text, "  {name} = {value}").expect("a string takes text");
        }
        self.text.push_str("}\n");
    }

    fn flag(&mut self) -> String {
        self.detail.bool().to_string()
    }

    /// A VPC with what is in it. `shape` decides what exists in every edit alike, except for what
    /// edits add or remove.
    fn vpc(&mut self, vpc: usize, shape: &mut fastrand::Rng) {
        let hostnames = self.flag();
        self.block(
            &format!("vpc \"v{vpc}\""),
            &[("cidr", format!("\"10.{vpc}.0.0/16\"")), ("dns_hostnames", hostnames)],
        );
        let subnets = shape.usize(1..=3);
        let moved = self.detail.u8(0..8) == 0;
        for subnet in 0..subnets {
            let third = if moved { subnet + 100 } else { subnet };
            let public = self.flag();
            self.block(
                &format!("subnet \"v{vpc}s{subnet}\""),
                &[
                    ("vpc", format!("vpc.v{vpc}")),
                    ("cidr", format!("\"10.{vpc}.{third}.0/24\"")),
                    ("availability_zone", format!("\"eu-west-1{}\"", ["a", "b", "c"][subnet])),
                    ("public_ip_on_launch", public),
                ],
            );
        }
        let scheme = if shape.bool() {
            self.gateway(vpc, subnets);
            ["internal", "internal", "internal", "internet-facing"][self.detail.usize(0..4)]
        } else {
            "internal" // AWS refuses the other scheme in a VPC without a gateway
        };
        let groups = shape.usize(1..=3);
        (0..groups).for_each(|group| self.security_group(vpc, group, groups));
        let instances = shape.usize(0..=4);
        (0..instances).for_each(|i| self.instance(vpc, i, i % subnets, i % groups));
        if instances > 0 {
            self.mirror(vpc, instances, scheme, shape);
        }
    }

    fn gateway(&mut self, vpc: usize, subnets: usize) {
        self.block(&format!("internet_gateway \"v{vpc}\""), &[("vpc", format!("vpc.v{vpc}"))]);
        let destination = if self.detail.bool() { "0.0.0.0/0" } else { "198.51.100.0/24" };
        let used = self.detail.usize(0..=subnets);
        let used: Vec<String> = (0..used).map(|s| format!("subnet.v{vpc}s{s}")).collect();
        self.block(
            &format!("route_table \"v{vpc}\""),
            &[
                ("vpc", format!("vpc.v{vpc}")),
                (
                    "routes",
                    format!(
                        "[{{ destination = \"{destination}\", \
                         internet_gateway = internet_gateway.v{vpc} }}]"
                    ),
                ),
                ("subnets", format!("[{}]", used.join(", "))),
            ],
        );
    }

    /// A connection between both VPCs, which edits add, remove and turn around, and routes over it.
    fn peering(&mut self) {
        if self.detail.u8(0..4) == 0 {
            return;
        }
        let mut sides = ["v0", "v1"];
        if self.detail.bool() {
            sides.reverse();
        }
        let [requester, accepter] = sides.map(|vpc| format!("vpc.{vpc}"));
        let sides = [("requester", requester), ("accepter", accepter)];
        self.block("vpc_peering \"between\"", &sides);
        for (vpc, other) in [(0, 1), (1, 0)] {
            let third = self.detail.u8(0..2);
            let route = format!(
                "[{{ destination = \"10.{other}.{third}.0/24\", vpc_peering = vpc_peering.between }}]"
            );
            let attributes = [("vpc", format!("vpc.v{vpc}")), ("routes", route)];
            self.block(&format!("route_table \"v{vpc}over\""), &attributes);
        }
    }

    /// An endpoint in a VPC, and behind it a load balancer in the first VPC; edits add and remove both.
    fn endpoint(&mut self, vpc: usize) {
        if self.detail.u8(0..4) == 0 {
            return;
        }
        let health = "{ protocol = \"tcp\", port = 80 }".to_owned();
        let group = [
            ("vpc", "vpc.v0".to_owned()),
            ("protocol", "\"geneve\"".to_owned()),
            ("port", "6081".to_owned()),
            ("health_check", health),
        ];
        self.block("target_group \"behind\"", &group);
        let cross_zone = self.flag();
        let mut balancer =
            vec![("subnets", "[subnet.v0s0]".to_owned()), ("cross_zone", cross_zone)];
        if self.detail.bool() {
            balancer.push(("target_group", "target_group.behind".to_owned()));
        }
        self.block("gateway_load_balancer \"behind\"", &balancer);
        let balancers = "[gateway_load_balancer.behind]".to_owned();
        self.block("endpoint_service \"behind\"", &[("gateway_load_balancers", balancers)]);
        let endpoint = [
            ("vpc", format!("vpc.v{vpc}")),
            ("subnet", format!("subnet.v{vpc}s0")),
            ("service", "endpoint_service.behind".to_owned()),
        ];
        self.block("gateway_load_balancer_endpoint \"front\"", &endpoint);
        let front = "gateway_load_balancer_endpoint.front".to_owned();
        self.block("mirror_target \"front\"", &[("gateway_load_balancer_endpoint", front)]);
    }

    /// A share of some of the mirror targets; edits add it, remove it, and change what is in it.
    fn share(&mut self) {
        let heads = self.text.lines().filter_map(|line| line.strip_prefix("mirror_target \""));
        let targets: Vec<String> = heads
            .filter_map(|head| head.split_once('"'))
            .map(|(name, _)| format!("mirror_target.{name}"))
            .collect();
        if targets.is_empty() || self.detail.u8(0..4) == 0 {
            return;
        }
        let first = self.detail.usize(0..targets.len());
        let accounts = ["\"222233334444\"", "\"333344445555\"", "\"444455556666\""];
        let account = self.detail.usize(0..accounts.len());
        let mut attributes = vec![
            ("mirror_targets", format!("[{}]", targets[first..].join(", "))),
            ("principals", format!("[{}]", accounts[account..].join(", "))),
        ];
        if self.detail.bool() {
            attributes.push(("name", format!("\"targets of edit {}\"", self.edit)));
        }
        self.block("resource_share \"targets\"", &attributes);
    }

    fn security_group(&mut self, vpc: usize, group: usize, groups: usize) {
        let mut rules = vec![
            "{ protocol = \"udp\", port = 4789, cidrs = [\"10.0.0.0/8\"] }".to_owned(),
            format!(
                "{{ protocol = \"tcp\", port = 80, security_groups = [security_group.v{vpc}g{}] }}",
                (group + 1) % groups
            ),
        ];
        if self.detail.bool() {
            let port = self.detail.u16(1..=65000);
            let note = self.detail.u8(..);
            rules.push(format!(
                "{{ protocol = \"tcp\", port = \"{port}-65535\", cidrs = [\"192.0.2.0/24\"], \
                 description = \"rule {note}\" }}"
            ));
        }
        let mut attributes =
            vec![("vpc", format!("vpc.v{vpc}")), ("ingress", format!("[{}]", rules.join(", ")))];
        if self.detail.u8(0..4) == 0 {
            attributes.push(("description", format!("\"group of edit {}\"", self.edit)));
        }
        if self.detail.u8(0..4) == 0 {
            attributes.push((
                "egress",
                "[{ protocol = \"tcp\", port = 443, cidrs = [\"0.0.0.0/0\"] }]".to_owned(),
            ));
        }
        self.block(&format!("security_group \"v{vpc}g{group}\""), &attributes);
    }

    fn instance(&mut self, vpc: usize, instance: usize, subnet: usize, group: usize) {
        let size = ["micro", "small", "medium"][self.detail.usize(0..3)];
        let checked = self.flag();
        let mut attributes = vec![
            ("instance_type", format!("\"t3.{size}\"")),
            ("subnet", format!("subnet.v{vpc}s{subnet}")),
            ("security_groups", format!("[security_group.v{vpc}g{group}]")),
            ("source_dest_check", checked),
        ];
        if self.detail.bool() {
            let number = self.detail.u8(0..3);
            attributes.push(("user_data", format!("\"#!/bin/sh\\necho {number}\\n\"")));
        }
        if self.detail.bool() {
            let team = self.detail.u8(0..3);
            attributes.push(("tags", format!("{{ team = \"t{team}\" }}")));
        }
        self.block(&format!("instance \"v{vpc}i{instance}\""), &attributes);
    }

    /// The last instance receives, directly or behind a load balancer; the others are mirrored.
    fn mirror(&mut self, vpc: usize, instances: usize, scheme: &str, shape: &mut fastrand::Rng) {
        let receiver = format!("instance.v{vpc}i{}", instances - 1);
        let destination = if shape.bool() {
            self.load_balancer(vpc, scheme, &receiver);
            ("load_balancer", format!("load_balancer.v{vpc}"))
        } else {
            ("network_interface", receiver)
        };
        let mut attributes = vec![destination];
        if self.detail.u8(0..4) == 0 {
            attributes.push(("description", format!("\"target of edit {}\"", self.edit)));
        }
        self.block(&format!("mirror_target \"v{vpc}\""), &attributes);
        let rules = self.rules();
        let dns = self.flag();
        self.block(&format!("mirror_filter \"v{vpc}\""), &[("rules", rules), ("amazon_dns", dns)]);
        for source in 0..instances - 1 {
            self.session(vpc, source);
        }
    }

    fn load_balancer(&mut self, vpc: usize, scheme: &str, receiver: &str) {
        let path = if self.detail.bool() { ", path = \"/health\"" } else { "" };
        let protocol = if path.is_empty() { "tcp" } else { "http" };
        let delay = self.detail.u16(0..=600);
        self.block(
            &format!("target_group \"v{vpc}\""),
            &[
                ("vpc", format!("vpc.v{vpc}")),
                ("health_check", format!("{{ protocol = \"{protocol}\", port = 80{path} }}")),
                ("targets", format!("[{receiver}]")),
                ("deregistration_delay", delay.to_string()),
            ],
        );
        if self.detail.bool() {
            self.receivers(vpc);
        }
        let cross_zone = self.flag();
        let port = if self.detail.u8(0..4) == 0 { 4790 } else { 4789 };
        self.block(
            &format!("load_balancer \"v{vpc}\""),
            &[
                ("subnets", format!("[subnet.v{vpc}s0]")),
                ("scheme", format!("\"{scheme}\"")),
                ("cross_zone", cross_zone),
                ("listeners", format!("[{{ port = {port}, target_group = target_group.v{vpc} }}]")),
            ],
        );
    }

    /// Receivers that scale, beside the one that does not; edits add and remove them.
    fn receivers(&mut self, vpc: usize) {
        let size = ["large", "xlarge"][self.detail.usize(0..2)];
        let mut template = vec![
            ("instance_type", format!("\"c6i.{size}\"")),
            ("security_groups", format!("[security_group.v{vpc}g0]")),
        ];
        if self.detail.bool() {
            let number = self.detail.u8(0..3);
            template.push(("user_data", format!("\"#!/bin/sh\\necho {number}\\n\"")));
        }
        self.block(&format!("launch_template \"v{vpc}\""), &template);
        let min = self.detail.u8(0..=2);
        let max = min + self.detail.u8(0..=2);
        let mut group = vec![
            ("launch_template", format!("launch_template.v{vpc}")),
            ("subnets", format!("[subnet.v{vpc}s0]")),
            ("min", min.to_string()),
            ("max", max.to_string()),
        ];
        if self.detail.bool() {
            group.push(("desired", max.to_string()));
        }
        if self.detail.u8(0..4) > 0 {
            group.push(("target_groups", format!("[target_group.v{vpc}]")));
        }
        if self.detail.bool() {
            let team = self.detail.u8(0..3);
            group.push(("tags", format!("{{ team = \"t{team}\" }}")));
        }
        self.block(&format!("autoscaling_group \"v{vpc}\""), &group);
    }

    /// Up to ten rules as AWS counts them.
    fn rules(&mut self) -> String {
        let count = self.detail.usize(0..=5);
        let rules: Vec<String> = (0..count)
            .map(|rule| {
                let number = rule * 10 + self.detail.usize(1..=9);
                let action = if self.detail.bool() { "accept" } else { "reject" };
                let ports = match self.detail.u8(0..3) {
                    0 => String::new(),
                    1 => format!(", protocol = \"tcp\", port = {}", self.detail.u16(1..)),
                    _ => ", protocol = \"udp\", peer = \"203.0.113.0/24\"".to_owned(),
                };
                let direction = match self.detail.u8(0..3) {
                    0 => ", direction = \"ingress\"",
                    1 => ", direction = \"egress\"",
                    _ => "",
                };
                format!("{{ number = {number}, action = \"{action}\"{ports}{direction} }}")
            })
            .collect();
        format!("[{}]", rules.join(", "))
    }

    fn session(&mut self, vpc: usize, source: usize) {
        let number = self.detail.u16(1..=32766);
        let mut attributes = vec![
            ("source", format!("instance.v{vpc}i{source}")),
            ("target", format!("mirror_target.v{vpc}")),
            ("filter", format!("mirror_filter.v{vpc}")),
            ("number", number.to_string()),
        ];
        if self.detail.bool() {
            attributes.push(("packet_length", self.detail.u16(1..=8500).to_string()));
        }
        if self.detail.bool() {
            attributes.push(("vni", self.detail.u32(1..=16_777_215).to_string()));
        }
        if self.detail.bool() {
            attributes.push(("description", format!("\"session {number}\"")));
        }
        // Edits add and remove the sessions of some sources.
        if self.detail.u8(0..6) > 0 {
            self.block(&format!("mirror_session \"v{vpc}i{source}\""), &attributes);
        }
    }
}
