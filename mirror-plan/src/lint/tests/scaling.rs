//! Receivers that scale: the example has no findings, and each edit introduces one mistake.

use insta::assert_snapshot;

use super::{check, file};
use crate::render::Palette;
use crate::render::diagnostic::human;

const SCALING: &str = include_str!("../../../../examples/receivers-that-scale.mirror.hcl");

/// The findings of the example with these edits.
fn found(edits: &[(&str, &str)]) -> String {
    let mut text = SCALING.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    human(&check(&file(text)), Palette::plain())
}

#[test]
fn receivers_that_scale_have_no_finding() {
    assert_eq!(found(&[]), "");
}

#[test]
fn the_groups_of_the_template_must_admit_what_comes() {
    let sources = ("port = 4789, cidrs = [vpc.lab.cidr]", "port = 4789, cidrs = [subnet.b.cidr]");
    assert_snapshot!(found(&[sources]), @r#"
    error[MP1006]: `autoscaling_group.sensors` admits no mirrored packet (udp 4789) from `instance.application`
      --> lab.mirror.hcl:47:13
       |
    47 |     ingress = [
       |  _____________^
    48 | |     { protocol = "udp", port = 4789, cidrs = [subnet.b.cidr] },
    49 | |     { protocol = "tcp", port = 8080, cidrs = [subnet.a.cidr, subnet.b.cidr] }, # health checks
    50 | |   ]
       | |___^
    ...
    55 |     security_groups = [security_group.sensors]
       |                       ------------------------
       |
       = note: packets that a security group does not admit are lost without an error
    help: admit it in `security_group.sensors`: `{ protocol = "udp", port = 4789, cidrs = [subnet.a.cidr] }`
       |
    47 ~   ingress = [
    48 +     { protocol = "udp", port = 4789, cidrs = [subnet.a.cidr] },
       |
    "#);
    let health = (
        "port = 8080, cidrs = [subnet.a.cidr, subnet.b.cidr]",
        "port = 8081, cidrs = [subnet.a.cidr, subnet.b.cidr]",
    );
    assert_snapshot!(found(&[health]), @r#"
    error[MP1005]: `autoscaling_group.sensors` admits no health check (tcp 8080) of `load_balancer.sensors`
      --> lab.mirror.hcl:47:13
       |
    47 |     ingress = [
       |  _____________^
    48 | |     { protocol = "udp", port = 4789, cidrs = [vpc.lab.cidr] },
    49 | |     { protocol = "tcp", port = 8081, cidrs = [subnet.a.cidr, subnet.b.cidr] }, # health checks
    50 | |   ]
       | |___^
    ...
    55 |     security_groups = [security_group.sensors]
       |                       ------------------------
       |
       = note: packets that a security group does not admit are lost without an error
    help: admit it in `security_group.sensors`: `{ protocol = "tcp", port = 8080, cidrs = [subnet.a.cidr, subnet.b.cidr] }`
       |
    47 ~   ingress = [
    48 +     { protocol = "tcp", port = 8080, cidrs = [subnet.a.cidr, subnet.b.cidr] },
       |
    "#);
}

#[test]
fn a_zone_without_a_receiver_is_found() {
    let own_zone = ("  cross_zone = true\n", "");
    assert_eq!(found(&[own_zone]), "");
    let one_subnet =
        ("subnets         = [subnet.a, subnet.b]\n  min", "subnets         = [subnet.a]\n  min");
    assert_eq!(found(&[one_subnet]), "");
    assert_snapshot!(found(&[own_zone, one_subnet]), @r#"
    warning[MP1018]: `load_balancer.sensors` has no receiver in eu-west-1b, and `cross_zone` is off
      --> lab.mirror.hcl:91:16
       |
    91 |   subnets    = [subnet.a, subnet.b]
       |                ^^^^^^^^^^^^^^^^^^^^
       |
       = note: its node there has no receiver to send to
    help: let its nodes send to every zone, or put a receiver into that zone
       |
    92 ~   listeners  = [{ protocol = "udp", port = 4789, target_group = target_group.sensors }]
    93 +   cross_zone = true
       |
    "#);
    // The one receiver may be in either zone.
    let one_receiver = ("min             = 2", "min             = 1");
    assert_eq!(found(&[own_zone, one_receiver]), "");
    let one_node = (
        "  subnets    = [subnet.a, subnet.b]\n  cross_zone = true\n",
        "  subnets    = [subnet.a]\n",
    );
    assert_snapshot!(found(&[one_node]), @r#"
    warning[MP1018]: `autoscaling_group.sensors` is in eu-west-1b, where `load_balancer.sensors` has no subnet, and `cross_zone` is off
      --> lab.mirror.hcl:91:16
       |
    83 |   subnets         = [subnet.a, subnet.b]
       |                     -------------------- in eu-west-1b
    ...
    91 |   subnets    = [subnet.a]
       |                ^^^^^^^^^^
       |
       = note: without `cross_zone`, nothing is sent to a zone without a node
    help: let its nodes send to every zone, or give it a subnet in that zone
       |
    92 ~   listeners  = [{ protocol = "udp", port = 4789, target_group = target_group.sensors }]
    93 +   cross_zone = true
       |
    "#);
}

#[test]
fn a_group_that_may_be_empty_is_found() {
    assert_snapshot!(found(&[("min             = 2", "min             = 0")]), @r#"
    warning[MP1035]: `target_group.sensors` has no targets, and `mirror_target.sensors` sends to it
      --> lab.mirror.hcl:75:1
       |
    75 | target_group "sensors" {
       | ^^^^^^^^^^^^^^^^^^^^^^
       |
       = note: a load balancer without targets drops what it gets, without an error
       = help: name the receivers: `targets = [instance.NAME]`
       = help: or have a group of them register: `target_groups = [target_group.sensors]` in an `autoscaling_group` with a `min` of 1 or more
    "#);
    let with_some = ("min             = 2", "min             = 0\n  desired = 1");
    assert_eq!(found(&[with_some]), "");
}

#[test]
fn room_is_counted_for_as_many_as_there_may_be() {
    let small = ("cidrsubnet(vpc.lab.cidr, 8, 2)", "cidrsubnet(vpc.lab.cidr, 12, 32)");
    assert_eq!(found(&[small, ("max             = 6", "max             = 4")]), "");
    assert_snapshot!(found(&[small, ("max             = 6", "max             = 12")]), @"
    error[MP1028]: `load_balancer.sensors` needs 8 free addresses, and `subnet.b` has 5
      --> lab.mirror.hcl:91:27
       |
    38 |   cidr                = cidrsubnet(vpc.lab.cidr, 12, 32)
       |                         --------------------------------
    ...
    91 |   subnets    = [subnet.a, subnet.b]
       |                           ^^^^^^^^
       |
       = help: make the subnet larger: /27 fits one load balancer and 16 instances
    ");
}
