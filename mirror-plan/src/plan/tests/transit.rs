//! Transit gateways: routes name the gateway, and wait for the attachment of their VPC.

use insta::assert_snapshot;
use serde_json::json;

use super::{applied, nothing, stack};
use crate::observed::Observed;
use crate::plan::{Call, Request, plan};
use crate::stack::Stack;

const ONE: &str = "tgw-0a1b2c3d4e5f67890";
const OTHER: &str = "tgw-0a1b2c3d4e5f67891";

/// A VPC that is attached to a gateway, with a route through it.
fn on(gateway: &str, subnet: &str) -> Stack {
    stack(json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "subnet.lab": { "vpc": "@vpc.lab", "cidr": subnet },
        "transit_gateway_attachment.lab": {
            "vpc": "@vpc.lab", "transit_gateway": gateway, "subnets": ["@subnet.lab"],
        },
        "route_table.lab": {
            "vpc": "@vpc.lab",
            "routes": [{ "destination": "10.1.0.0/16", "transit_gateway": gateway }],
        },
    }))
}

/// The calls of a plan, each with the positions of the calls that it waits for.
fn steps(stack: &Stack, observed: &Observed) -> String {
    let plan = plan(stack, observed, &Request::default()).unwrap();
    let steps = plan.steps.iter().map(|step| match &step.call {
        Call::Operation(operation) => format!("{} after {:?}", operation.call(), step.needs),
        Call::Retag { .. } => unreachable!("no tag has changed"),
    });
    steps.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_route_waits_until_its_vpc_is_attached() {
    assert_snapshot!(steps(&on(ONE, "10.0.1.0/24"), &nothing()), @r#"
    CreateVpc after []
    CreateSubnet after [0]
    CreateRouteTable after [0]
    CreateTransitGatewayVpcAttachment after [0, 1]
    CreateRoute after [2, 3]
    "#);
}

#[test]
fn a_vpc_stays_on_its_gateway_until_the_route_leads_over_another() {
    let before = applied(&on(ONE, "10.0.1.0/24"));
    assert_snapshot!(steps(&on(OTHER, "10.0.1.0/24"), &before), @r#"
    CreateTransitGatewayVpcAttachment after []
    ReplaceRoute after [0]
    DeleteTransitGatewayVpcAttachment after [0, 1]
    "#);
}

#[test]
fn an_attachment_goes_with_its_subnet_and_its_route_stays() {
    let before = applied(&on(ONE, "10.0.1.0/24"));
    assert_snapshot!(steps(&on(ONE, "10.0.2.0/24"), &before), @r#"
    DeleteTransitGatewayVpcAttachment after []
    DeleteSubnet after [0]
    CreateSubnet after [1]
    CreateTransitGatewayVpcAttachment after [0, 2]
    "#);
}

/// The subnet must be deleted first, and so must the attachment: the better order is given up.
#[test]
fn another_gateway_and_another_subnet_close_no_circle() {
    let before = applied(&on(ONE, "10.0.1.0/24"));
    assert_snapshot!(steps(&on(OTHER, "10.0.2.0/24"), &before), @r#"
    DeleteTransitGatewayVpcAttachment after []
    DeleteSubnet after [0]
    CreateSubnet after [1]
    CreateTransitGatewayVpcAttachment after [0, 2]
    ReplaceRoute after [3]
    "#);
}
