//! VPC peering connections through the real SDK: requested, accepted, and left alone if they belong to others.

use mirror_plan::address::Address;
use mirror_plan::aws::ActError;
use mirror_plan::resource::route_table::Route;
use mirror_plan::resource::{Resource, RouteTable, Vpc, VpcPeering};

use crate::aws_bench::Bench;
use crate::aws_samples::{named, to, vpc};

fn peering(requester: &Address, accepter: &Address) -> VpcPeering {
    VpcPeering {
        requester: to(requester),
        accepter: to(accepter),
        accepter_owner: None,
        auto_accept: true,
        accept_as: None,
        tags: named("over"),
    }
}

/// Two VPCs.
async fn sides(bench: &mut Bench) -> (Address, Address) {
    let one = bench.make("vpc.one", vpc()).await;
    let cidr = "10.7.0.0/16".parse().expect("a range");
    let other = bench.make("vpc.other", Vpc { cidr, ..vpc() }).await;
    (one, other)
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_asked_for_accepted_routed_over_and_removed() {
    let mut bench = Bench::new();
    let (one, other) = sides(&mut bench).await;
    let asked = VpcPeering { auto_accept: false, ..peering(&one, &other) };
    let over = bench.make("vpc_peering.over", asked.clone()).await;
    assert_eq!(bench.change(&over, peering(&one, &other)).await, ["AcceptVpcPeeringConnection"]);
    // A stack that leaves the acceptance to somebody else has nothing to change in an accepted connection.
    assert_eq!(bench.change(&over, asked).await, [] as [&str; 0]);
    let table = RouteTable {
        vpc: to(&one),
        routes: vec![Route {
            destination: "10.7.0.0/16".parse().unwrap(),
            internet_gateway: None,
            vpc_peering: Some(to(&over)),
            transit_gateway: None,
            target: None,
        }],
        subnets: Vec::new(),
        tags: named("out"),
    };
    let table = bench.make("route_table.out", table).await;
    for address in [table, over, one, other] {
        bench.remove(&address).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_there_is_named_and_not_taken() {
    for turned in [false, true] {
        let mut bench = Bench::new();
        let (one, other) = sides(&mut bench).await;
        let id = |address: &Address| {
            let known = bench.known.get(&crate::aws_samples::id_of(address)).flatten();
            known.unwrap().to_owned()
        };
        let (requester, accepter) =
            if turned { (id(&other), id(&one)) } else { (id(&one), id(&other)) };
        let ec2 = aws_sdk_ec2::Client::new(&mirror_tests::config(&bench.cloud));
        let ask = ec2.create_vpc_peering_connection();
        let made = ask.vpc_id(requester).peer_vpc_id(accepter).send().await.unwrap();
        let theirs = made.vpc_peering_connection.unwrap().vpc_peering_connection_id.unwrap();

        let address: Address = "vpc_peering.over".parse().unwrap();
        let declared: Resource = peering(&one, &other).into();
        let create = bench.creation(&address, &declared).remove(0);
        match bench.act(&create).await {
            Err(ActError::Foreign(id)) => assert_eq!(id.as_str(), theirs),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fails_says_so_in_awss_words() {
    let mut bench = Bench::new();
    let one = bench.make("vpc.one", vpc()).await;
    let same = bench.make("vpc.same", vpc()).await;
    let address: Address = "vpc_peering.over".parse().unwrap();
    let declared: Resource = peering(&one, &same).into();
    let create = bench.creation(&address, &declared).remove(0);
    let error = bench.act(&create).await.unwrap_err().to_string();
    let (id, rest) = error.split_once(' ').unwrap();
    assert!(id.starts_with("pcx-"), "{error}");
    insta::assert_snapshot!(rest, @"is failed: Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range");
    let observed = bench.observe().await.observed.owned;
    assert!(!observed.contains_key(&address), "one that has failed is none");
}
