//! `mirror graph --paths`: where the packets of each session get to.

use super::{Folder, assert_shown};

const LAB: &str = include_str!("../../../examples/lab.mirror.hcl");
const TRANSIT: &str = include_str!("../../../examples/transit-gateway.mirror.hcl");
const PEERING: &str = include_str!("../../../examples/peering.mirror.hcl");

#[test]
fn packets_get_to_the_receivers_of_the_lab_and_say_what_stops_them() {
    let folder = Folder::with(LAB);
    assert_shown!(folder.mirror("graph --paths"), @"
    exit code: 0
    ----- stdout -----
    mirror_session.my-traffic-mirror-session: carries: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -> instance.target-instance-1, instance.target-instance-2
    ----- stderr -----
    ");
    folder.done("plan --no-cost --no-time --out saved.plan");
    assert_shown!(folder.mirror("graph --paths saved.plan"), @"
    exit code: 0
    ----- stdout -----
    mirror_session.my-traffic-mirror-session: carries: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -> instance.target-instance-1, instance.target-instance-2
    ----- stderr -----
    ");

    let shut = LAB.replace("port = 4789, cidrs", "port = 4790, cidrs");
    assert_shown!(Folder::with(&shut).mirror("graph --paths"), @"
    exit code: 0
    ----- stdout -----
    mirror_session.my-traffic-mirror-session: stopped: instance.source-instance -> load_balancer.my-traffic-mirroring-nlb -> target_group.targets -| no rule of security_group.target admits udp 4789 from subnet.source-subnet
    ----- stderr -----
    ");
}

#[test]
fn packets_cross_a_peering_connection_by_a_route_over_it() {
    assert_shown!(Folder::with(PEERING).mirror("graph --paths"), @"
    exit code: 0
    ----- stdout -----
    mirror_session.application: carries: instance.application -> load_balancer.sensors -> target_group.sensors -> instance.sensor
    ----- stderr -----
    ");
    let accepted_by_hand = PEERING.replace("  accepter  =", "  auto_accept = false\n  accepter  =");
    assert_shown!(Folder::with(&accepted_by_hand).mirror("graph --paths"), @"
    exit code: 0
    ----- stdout -----
    mirror_session.application: not known: instance.application -? whether vpc_peering.sensors has been accepted is not known
    ----- stderr -----
    ");
    let no_route =
        PEERING.replace("destination = vpc.security.cidr", "destination = \"10.9.0.0/16\"");
    assert_shown!(Folder::with(&no_route).mirror("graph --paths"), @"
    exit code: 0
    ----- stdout -----
    mirror_session.application: stopped: instance.application -| route_table.application has no route to subnet.sensors, which is in another VPC
    ----- stderr -----
    ");
}

#[test]
fn packets_come_to_a_transit_gateway_and_what_that_does_is_not_known() {
    assert_shown!(Folder::with(TRANSIT).mirror("graph --paths"), @r#"
    exit code: 0
    ----- stdout -----
    mirror_session.application: not known: instance.application -? the route tables of tgw-0a1b2c3d4e5f67890 are not known
    ----- stderr -----
    "#);
    let zoned = TRANSIT
        .replace("cidr = cidrsubnet(vpc.application.cidr, 8, 1)", "cidr = cidrsubnet(vpc.application.cidr, 8, 1)\n  availability_zone = \"eu-west-1b\"")
        .replace("[subnet.application]\n}\n\ntransit", "[subnet.other]\n}\n\nsubnet \"other\" {\n  vpc = vpc.application\n  cidr = \"10.1.9.0/24\"\n  availability_zone = \"eu-west-1a\"\n}\n\ntransit");
    assert_shown!(Folder::with(&zoned).mirror("graph --paths"), @r#"
    exit code: 0
    ----- stdout -----
    mirror_session.application: stopped: instance.application -| transit_gateway_attachment.application has no subnet in eu-west-1b, so tgw-0a1b2c3d4e5f67890 accepts nothing from subnet.application
    ----- stderr -----
    "#);
    let alone = TRANSIT.replace(
        "vpc             = vpc.application",
        "vpc             = \"vpc-0a1b2c3d4e5f67890\"",
    );
    assert_shown!(Folder::with(&alone).mirror("graph --paths"), @r#"
    exit code: 0
    ----- stdout -----
    mirror_session.application: not known: instance.application -? whether vpc.application is attached to tgw-0a1b2c3d4e5f67890 is not known
    ----- stderr -----
    "#);
}

#[test]
fn a_drawing_and_lines_are_two_things() {
    assert_shown!(Folder::with(LAB).mirror("graph --paths --deps"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: the argument '--paths' cannot be used with '--deps'

    Usage: mirror graph --paths [STACK|PLANFILE]

    For more information, try '--help'.
    ");
}
