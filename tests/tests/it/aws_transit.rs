//! Transit gateway attachments through the real SDK: created, changed, routed over and removed, and left alone if
//! they belong to others.

use mirror_plan::address::Address;
use mirror_plan::attribute::Ref;
use mirror_plan::aws::ActError;
use mirror_plan::resource::route_table::Route;
use mirror_plan::resource::{Resource, RouteTable, Subnet, TransitGatewayAttachment};
use mirror_tests::{Rig, transit, transit_gateway};

use crate::aws_bench::Bench;
use crate::aws_samples::{id_of, named, to, vpc};

const IN_A: &str = "eu-west-1a";
const IN_B: &str = "eu-west-1b";

fn subnet(of: &Address, cidr: &str, zone: &str) -> Subnet {
    Subnet {
        vpc: to(of),
        cidr: cidr.parse().unwrap(),
        availability_zone: Some(zone.parse().unwrap()),
        public_ip_on_launch: false,
        tags: named("in"),
    }
}

fn attachment(of: &Address, gateway: &str, subnets: &[&Address]) -> TransitGatewayAttachment {
    TransitGatewayAttachment {
        vpc: to(of),
        transit_gateway: gateway.parse().unwrap(),
        subnets: subnets.iter().map(|subnet| to(subnet)).collect(),
        appliance_mode: false,
        dns_support: true,
        tags: named("on"),
    }
}

fn table(of: &Address, gateway: &str) -> RouteTable {
    let route = Route {
        destination: "10.7.0.0/16".parse().unwrap(),
        internet_gateway: None,
        vpc_peering: None,
        transit_gateway: Some(gateway.parse().unwrap()),
        target: None,
    };
    RouteTable { vpc: to(of), routes: vec![route], subnets: Vec::new(), tags: named("out") }
}

/// A gateway, and a VPC with two subnets in two zones.
async fn estate(bench: &mut Bench) -> (String, Address, Address, Address) {
    let gateway = transit_gateway(&bench.cloud).await;
    let net = bench.make("vpc.net", vpc()).await;
    let a = bench.make("subnet.a", subnet(&net, "10.0.1.0/24", IN_A)).await;
    let b = bench.make("subnet.b", subnet(&net, "10.0.2.0/24", IN_B)).await;
    (gateway, net, a, b)
}

#[tokio::test]
async fn a_vpc_is_attached_changed_in_place_routed_over_and_detached() {
    let mut bench = Bench::new();
    let (gateway, net, a, b) = estate(&mut bench).await;
    let on = bench.make("transit_gateway_attachment.on", attachment(&net, &gateway, &[&a])).await;
    let modify = ["ModifyTransitGatewayVpcAttachment"];
    let id = |address: &Address| bench.known.get(&id_of(address)).flatten().unwrap().to_owned();
    let (in_a, in_b) = (id(&a), id(&b));
    // A plan compares ids.
    let with = |subnets: &[&str]| TransitGatewayAttachment {
        subnets: subnets.iter().map(|subnet| Ref::Id(subnet.parse().unwrap())).collect(),
        ..attachment(&net, &gateway, &[])
    };
    for subnets in [&[&*in_a, &in_b][..], &[&in_b], &[&in_a]] {
        assert_eq!(bench.change(&on, with(subnets)).await, modify);
    }
    let switched =
        TransitGatewayAttachment { appliance_mode: true, dns_support: false, ..with(&[&in_a]) };
    assert_eq!(bench.change(&on, switched.clone()).await, modify);
    assert_eq!(bench.change(&on, switched).await, [] as [&str; 0]);
    let table = bench.make("route_table.out", table(&net, &gateway)).await;
    for address in [table, on, a, b, net] {
        bench.remove(&address).await;
    }
}

#[tokio::test]
async fn an_attachment_that_is_there_is_named_and_not_taken() {
    let mut bench = Bench::new();
    let (gateway, net, a, _) = estate(&mut bench).await;
    let id = |address: &Address| bench.known.get(&id_of(address)).flatten().unwrap().to_owned();
    let ec2 = aws_sdk_ec2::Client::new(&mirror_tests::config(&bench.cloud));
    let attach = ec2.create_transit_gateway_vpc_attachment().transit_gateway_id(&gateway);
    let made = attach.vpc_id(id(&net)).subnet_ids(id(&a)).send().await.unwrap();
    let theirs = made.transit_gateway_vpc_attachment.unwrap();

    let address: Address = "transit_gateway_attachment.on".parse().unwrap();
    let declared: Resource = attachment(&net, &gateway, &[&a]).into();
    let create = bench.creation(&address, &declared).remove(0);
    match bench.act(&create).await {
        Err(ActError::Foreign(id)) => {
            assert_eq!(Some(id.as_str()), theirs.transit_gateway_attachment_id());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_refused_at_once() {
    let mut bench = Bench::new();
    let net = bench.make("vpc.net", vpc()).await;
    let a = bench.make("subnet.a", subnet(&net, "10.0.1.0/24", IN_A)).await;
    let address: Address = "transit_gateway_attachment.on".parse().unwrap();
    let declared: Resource = attachment(&net, "tgw-0a1b2c3d4e5f67890", &[&a]).into();
    let create = bench.creation(&address, &declared).remove(0);
    let error = bench.act(&create).await.unwrap_err().to_string();
    let (error, _request) = error.split_once(" (request").unwrap();
    insta::assert_snapshot!(error, @"CreateTransitGatewayVpcAttachment was refused: InvalidTransitGatewayID.NotFound: The transitGateway ID 'tgw-0a1b2c3d4e5f67890' does not exist");
    assert!(bench.waits.lock().unwrap().is_empty(), "nothing would come of waiting");
}

#[tokio::test(start_paused = true)]
async fn the_example_converges_is_changed_and_goes() {
    let rig = Rig::in_time_of_runtime();
    let gateway = transit_gateway(&rig.cloud).await;
    let other = transit_gateway(&rig.cloud).await;
    rig.converge(&transit(&gateway)).await;
    // The attachments are recreated, and the route is moved to them without a gap.
    rig.converge(&transit(&other)).await;
    rig.destroy(&transit(&other)).await;
}
