//! Gateway Load Balancers: the example has no findings, and each edit introduces one mistake.

use insta::assert_snapshot;

use super::{check, file};
use crate::render::Palette;
use crate::render::diagnostic::human;

const CHAIN: &str = include_str!("../../../../examples/gateway-load-balancer.mirror.hcl");

/// The findings of the example with these edits.
fn found(edits: &[(&str, &str)]) -> String {
    let mut text = CHAIN.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    human(&check(&file(text)), Palette::plain())
}

#[test]
fn a_chain_that_works_has_no_finding() {
    assert_eq!(found(&[]), "");
}

#[test]
fn receivers_must_admit_the_nodes() {
    let of_sources = (
        "port = 6081, cidrs = [subnet.sensors.cidr]",
        "port = 6081, cidrs = [subnet.application.cidr]",
    );
    assert_snapshot!(found(&[of_sources]), @r#"
    error[MP1006]: `instance.sensor` admits no mirrored packet (udp 6081) from `gateway_load_balancer.sensors`
      --> lab.mirror.hcl:24:13
       |
    24 |     ingress = [
       |  _____________^
    25 | |     # All comes from the load balancer, whose nodes have addresses of their subnets.
    26 | |     { protocol = "udp", port = 6081, cidrs = [subnet.application.cidr] },
    27 | |     { protocol = "tcp", port = 80, cidrs = [subnet.sensors.cidr] },
    28 | |   ]
       | |___^
    ...
    40 |     security_groups = [security_group.sensor]
       |                       -----------------------
       |
       = note: packets that a security group does not admit are lost without an error
    help: admit it in `security_group.sensor`: `{ protocol = "udp", port = 6081, cidrs = [subnet.sensors.cidr] }`
       |
    24 ~   ingress = [
    25 +     { protocol = "udp", port = 6081, cidrs = [subnet.sensors.cidr] },
       |
    "#);
    let health = (
        "port = 80, cidrs = [subnet.sensors.cidr]",
        "port = 80, cidrs = [subnet.application.cidr]",
    );
    assert_snapshot!(found(&[health]), @r#"
    error[MP1005]: `instance.sensor` admits no health check (tcp 80) of `gateway_load_balancer.sensors`
      --> lab.mirror.hcl:24:13
       |
    24 |     ingress = [
       |  _____________^
    25 | |     # All comes from the load balancer, whose nodes have addresses of their subnets.
    26 | |     { protocol = "udp", port = 6081, cidrs = [subnet.sensors.cidr] },
    27 | |     { protocol = "tcp", port = 80, cidrs = [subnet.application.cidr] },
    28 | |   ]
       | |___^
    ...
    40 |     security_groups = [security_group.sensor]
       |                       -----------------------
       |
       = note: packets that a security group does not admit are lost without an error
    help: admit it in `security_group.sensor`: `{ protocol = "tcp", port = 80, cidrs = [subnet.sensors.cidr] }`
       |
    24 ~   ingress = [
    25 +     { protocol = "tcp", port = 80, cidrs = [subnet.sensors.cidr] },
       |
    "#);
}

#[test]
fn a_group_behind_a_gateway_is_of_geneve() {
    let udp = [("\"geneve\"\n  port         = 6081", "\"udp\"\n  port         = 4789")];
    assert_snapshot!(found(&udp), @r#"
    error[MP1006]: `instance.sensor` admits no mirrored packet (udp 4789) from `gateway_load_balancer.sensors`
      --> lab.mirror.hcl:24:13
       |
    24 |     ingress = [
       |  _____________^
    25 | |     # All comes from the load balancer, whose nodes have addresses of their subnets.
    26 | |     { protocol = "udp", port = 6081, cidrs = [subnet.sensors.cidr] },
    27 | |     { protocol = "tcp", port = 80, cidrs = [subnet.sensors.cidr] },
    28 | |   ]
       | |___^
    ...
    40 |     security_groups = [security_group.sensor]
       |                       -----------------------
       |
       = note: packets that a security group does not admit are lost without an error
    help: admit it in `security_group.sensor`: `{ protocol = "udp", port = 4789, cidrs = [subnet.sensors.cidr] }`
       |
    24 ~   ingress = [
    25 +     { protocol = "udp", port = 4789, cidrs = [subnet.sensors.cidr] },
       |

    error[MP1002]: `gateway_load_balancer.sensors` forwards geneve to `target_group.sensors`, which is udp
      --> lab.mirror.hcl:46:18
       |
    46 |   protocol     = "udp"
       |                  ^^^^^ udp here
    ...
    54 |   target_group = target_group.sensors
       |                  --------------------
       |
    help: a group behind this listener needs protocol `geneve`
       |
    46 -   protocol     = "udp"
    46 +   protocol     = "geneve"
       |
    "#);
}
