//! Each kind of resource through the real SDK: created, seen, changed and removed.

use mirror_plan::address::Address;
use mirror_plan::attribute::{Input, Ref};
use mirror_plan::aws::{ActError, ErrorKind, retag};
use mirror_plan::id::NetworkInterface;
use mirror_plan::resource::mirror_filter::Rule as FilterRule;
use mirror_plan::resource::route_table::Route;
use mirror_plan::resource::security_group::{Peer, Rule, Rules};
use mirror_plan::resource::{
    Instance, InternetGateway, LoadBalancer, MirrorFilter, MirrorSession, MirrorTarget, Resource,
    Retag, RouteTable, SecurityGroup, Subnet, Tags, TargetGroup, Vpc,
};
use mirror_plan::scalar::{
    Direction, HealthPort, HopLimit, PacketLength, Port, PortRange, Protocol, SessionNumber, Vni,
};
use mirror_plan::value::{Origin, Part, Template};

use crate::aws_bench::Bench;
use crate::aws_samples::{
    filter, filter_rule, group, health, id_of, instance, listener, load_balancer, named, network,
    subnet, target_group, to, udp_4789, vpc,
};

#[tokio::test(start_paused = true)]
async fn a_network_is_made_changed_and_removed() {
    let mut bench = Bench::new();
    let lab = bench.make("vpc.lab", vpc()).await;
    let a = bench.make("subnet.a", subnet(&lab, "10.0.1.0/24")).await;
    let b = bench.make("subnet.b", subnet(&lab, "10.0.2.0/24")).await;
    let gateway = InternetGateway { vpc: Some(to(&lab)), tags: named("way out") };
    let gateway = bench.make("internet_gateway.out", gateway).await;
    let route = |destination: &str| Route {
        destination: destination.parse().unwrap(),
        internet_gateway: Some(to(&gateway)),
        vpc_peering: None,
        transit_gateway: None,
        target: None,
    };
    let table = |routes: Vec<Route>, subnets: Vec<Ref<Subnet>>| RouteTable {
        vpc: to(&lab),
        routes,
        subnets,
        tags: named("public"),
    };
    let routes = vec![route("0.0.0.0/0"), route("192.0.2.0/24")];
    let public = bench.make("route_table.public", table(routes, vec![to(&a), to(&b)])).await;

    let without = bench.change(&lab, Vpc { dns_hostnames: false, ..vpc() }).await;
    assert_eq!(without, ["ModifyVpcAttribute"]);
    let private = Subnet { public_ip_on_launch: false, ..subnet(&lab, "10.0.1.0/24") };
    assert_eq!(bench.change(&a, private).await, ["ModifySubnetAttribute"]);
    let observed = bench.found(&public).await;
    assert_eq!(observed.parts.len(), 2, "one association for each subnet");
    let found = |address: &Address| bench.known.get(&id_of(address)).flatten().unwrap().to_owned();
    let (a_id, gateway_id) = (found(&a), found(&gateway));
    let fewer = RouteTable {
        vpc: Ref::Id(found(&lab).parse().unwrap()),
        routes: vec![Route {
            internet_gateway: Some(Ref::Id(gateway_id.parse().unwrap())),
            ..route("0.0.0.0/0")
        }],
        subnets: vec![Ref::Id(a_id.parse().unwrap())],
        tags: named("public"),
    };
    assert_eq!(bench.change(&public, fewer).await, ["DeleteRoute", "DisassociateRouteTable"]);

    for address in [public, gateway, a, b, lab] {
        bench.remove(&address).await;
    }
    assert_eq!(bench.observe().await.observed.owned.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_security_group_keeps_exactly_its_rules() {
    let mut bench = Bench::new();
    let vpc = bench.make("vpc.lab", vpc()).await;
    let any = Peer::Range("0.0.0.0/0".parse().unwrap());
    let v6 = Peer::Range("2001:db8::/32".parse().unwrap());
    let rules = vec![
        udp_4789(any.clone(), Some("mirror")),
        udp_4789(v6.clone(), None),
        Rule { protocol: Protocol::TCP, port: None, peer: any.clone(), description: None },
        Rule {
            protocol: "icmp".parse().unwrap(),
            port: None,
            peer: any.clone(),
            description: None,
        },
        Rule { protocol: Protocol::Number(50), port: None, peer: v6, description: None },
    ];
    let other = bench.make("security_group.other", group(&vpc, rules)).await;
    let from_other = udp_4789(Peer::Group(to(&other)), None);
    let all = Rule { protocol: Protocol::All, ..from_other.clone() };
    let main = SecurityGroup {
        name: Some("main".to_owned()),
        description: Some("What mirrors".to_owned()),
        egress: Rules::default(),
        ..group(&vpc, vec![Rule { port: None, ..all }, from_other])
    };
    let main = bench.make("security_group.main", main).await;

    let vpc_id = bench.known.get(&id_of(&vpc)).flatten().unwrap().parse().unwrap();
    let changed = SecurityGroup { vpc: Ref::Id(vpc_id), ..group(&vpc, Vec::new()) };
    let changed = SecurityGroup {
        name: Some("main".to_owned()),
        description: Some("What mirrors".to_owned()),
        open_to_world: Some(true),
        ingress: Rules(vec![udp_4789(any, Some("all of it"))]),
        ..changed
    };
    assert_eq!(
        bench.change(&main, changed.clone()).await,
        [
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupIngress",
            "RevokeSecurityGroupIngress",
            "AuthorizeSecurityGroupEgress"
        ]
    );
    let mut noted = changed;
    noted.ingress.0[0].description = None;
    assert_eq!(bench.change(&main, noted).await, ["UpdateSecurityGroupRuleDescriptionsIngress"]);
    for address in [main, other, vpc] {
        bench.remove(&address).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_runs_is_changed_and_terminated() {
    let mut bench = Bench::new();
    let (vpc, subnet, group) = network(&mut bench).await;
    let web = bench.make("instance.web", instance(&subnet, &group)).await;
    let found = bench.found(&web).await;
    for attribute in ["network_interface", "private_ip", "public_ip", "availability_zone"] {
        let seen = found.computed[attribute].as_deref();
        assert!(seen.is_some(), "{attribute}");
        let origin = Origin { address: web.clone(), attribute: attribute.to_owned() };
        assert_eq!(bench.known.get(&origin), Some(seen), "act and observe agree on {attribute}");
    }

    let observed = match found.resource {
        Resource::Instance(instance) => instance,
        other => panic!("{other:?}"),
    };
    let changed = Instance { source_dest_check: true, ..observed.clone() };
    assert_eq!(bench.change(&web, changed.clone()).await, ["ModifyInstanceAttribute"]);
    let changed =
        Instance { imdsv2_required: false, imds_hop_limit: HopLimit::new(2).unwrap(), ..changed };
    assert_eq!(bench.change(&web, changed.clone()).await, ["ModifyInstanceMetadataOptions"]);
    let bigger = Instance { instance_type: "t3.small".parse().unwrap(), ..changed };
    let bigger = Instance { user_data: Some(Input::Known("echo".into())), ..bigger };
    assert_eq!(
        bench.change(&web, bigger).await,
        ["StopInstances", "ModifyInstanceAttribute", "ModifyInstanceAttribute", "StartInstances"]
    );
    for address in [web, group, subnet, vpc] {
        bench.remove(&address).await;
    }
    assert_eq!(bench.count("RunInstances"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let (vpc, subnet, group) = network(&mut bench).await;
    let web = bench.make("instance.web", instance(&subnet, &group)).await;
    let sensors = bench.make("target_group.sensors", target_group(&vpc, vec![to(&web)])).await;
    let spare = bench.make("target_group.spare", target_group(&vpc, Vec::new())).await;
    let balancer = load_balancer(&subnet, &group, vec![listener(4789, &sensors)]);
    let balancer = bench.make("load_balancer.sensors", balancer).await;
    let found = bench.found(&balancer).await;
    assert!(found.computed["dns_name"].is_some());
    assert_eq!(found.parts.keys().collect::<Vec<_>>(), ["4789"]);

    let Resource::LoadBalancer(observed) = found.resource else { panic!("a load balancer") };
    let spare_arn = bench.known.get(&id_of(&spare)).flatten().unwrap().parse().unwrap();
    let mut moved = observed.listeners[0].clone();
    moved.port = Port::new(4790).unwrap();
    moved.target_group = Ref::Id(spare_arn);
    let changed = LoadBalancer { cross_zone: false, listeners: vec![moved], ..observed };
    assert_eq!(
        bench.change(&balancer, changed).await,
        ["ModifyLoadBalancerAttributes", "CreateListener", "DeleteListener"]
    );
    let Resource::TargetGroup(observed) = bench.found(&sensors).await.resource else {
        panic!("a target group")
    };
    let changed = TargetGroup {
        health_check: health(HealthPort::Traffic),
        stickiness: false,
        targets: Vec::new(),
        ..observed
    };
    assert_eq!(
        bench.change(&sensors, changed).await,
        ["ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeregisterTargets"]
    );
    for address in [balancer, sensors, spare, web, group, subnet, vpc] {
        bench.remove(&address).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_somebody_elses_is_refused() {
    let mut bench = Bench::new();
    let (vpc, ..) = network(&mut bench).await;
    let ours = bench.make("target_group.sensors", target_group(&vpc, Vec::new())).await;
    let name = match bench.found(&ours).await.resource {
        Resource::TargetGroup(group) => group.name,
        other => panic!("{other:?}"),
    };
    // The same name and settings, so that AWS answers with the existing group.
    let twin: Resource = TargetGroup { name, ..target_group(&vpc, Vec::new()) }.into();
    let creation = bench.creation(&"target_group.twin".parse().unwrap(), &twin);
    match bench.act(&creation[0]).await {
        Err(ActError::Foreign(id)) => assert_eq!(id, bench.found(&ours).await.id),
        Err(ActError::Call(error)) => assert_eq!(error.kind, ErrorKind::AlreadyThere, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_rule_is_changed_field_by_field() {
    let mut bench = Bench::new();
    let ingress = filter_rule(Direction::Ingress, 100);
    let egress = filter_rule(Direction::Egress, 100);
    let rules = vec![ingress.clone(), egress.clone()];
    let web = bench.make("mirror_filter.web", filter(rules)).await;
    assert_eq!(
        bench.found(&web).await.parts.keys().collect::<Vec<_>>(),
        ["egress 100", "ingress 100"]
    );

    // Everything that can be left out is removed, and then set again.
    let bare = FilterRule {
        protocol: Protocol::All,
        destination_port: None,
        description: None,
        ..ingress.clone()
    };
    let changed = bench.change(&web, filter(vec![bare, egress.clone()])).await;
    assert_eq!(changed, ["ModifyTrafficMirrorFilterRule"]);
    let both = FilterRule { source_port: PortRange::new(1024, 65535), ..ingress };
    let changed = bench.change(&web, filter(vec![both, egress])).await;
    assert_eq!(changed, ["ModifyTrafficMirrorFilterRule"]);
    let quiet = MirrorFilter { amazon_dns: false, ..filter(Vec::new()) };
    assert_eq!(
        bench.change(&web, quiet).await,
        [
            "ModifyTrafficMirrorFilterNetworkServices",
            "DeleteTrafficMirrorFilterRule",
            "DeleteTrafficMirrorFilterRule"
        ]
    );
    bench.remove(&web).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_re_pointed_without_a_gap() {
    let mut bench = Bench::new();
    let (vpc, subnet, group) = network(&mut bench).await;
    let source = bench.make("instance.source", instance(&subnet, &group)).await;
    let receiver = Instance { private_ip: None, ..instance(&subnet, &group) };
    let receiver = bench.make("instance.receiver", receiver).await;
    let balancer = load_balancer(&subnet, &group, Vec::new());
    let balancer = bench.make("load_balancer.sensors", balancer).await;
    let target = |load_balancer, network_interface: Option<Ref<NetworkInterface>>| MirrorTarget {
        load_balancer,
        network_interface,
        gateway_load_balancer_endpoint: None,
        description: Some(Input::Later(Template(vec![
            Part::Text("in ".to_owned()),
            Part::Attribute(id_of(&subnet)),
        ]))),
        tags: named("target"),
    };
    let first = bench.make("mirror_target.nlb", target(Some(to(&balancer)), None)).await;
    let second = bench.make("mirror_target.eni", target(None, Some(to(&receiver)))).await;
    let web = filter(vec![filter_rule(Direction::Ingress, 1)]);
    let web = bench.make("mirror_filter.web", web).await;
    let session = MirrorSession {
        source: to(&source),
        target: to(&first),
        filter: to(&web),
        number: SessionNumber::new(1).unwrap(),
        packet_length: None,
        vni: None,
        description: Some(Input::Known("all of it".to_owned())),
        tags: named("session"),
    };
    let detect = bench.make("mirror_session.detect", session).await;
    let Resource::MirrorSession(observed) = bench.found(&detect).await.resource else {
        panic!("a session")
    };
    let vni = Origin { address: detect.clone(), attribute: "vni".to_owned() };
    assert_eq!(bench.known.get(&vni).flatten(), observed.vni.map(|vni| vni.to_string()).as_deref());

    let second_id = bench.known.get(&id_of(&second)).flatten().unwrap().parse().unwrap();
    let changed = MirrorSession {
        target: Ref::Id(second_id),
        number: SessionNumber::new(7).unwrap(),
        packet_length: Some(PacketLength::new(128).unwrap()),
        vni: Some(Vni::new(42).unwrap()),
        description: None,
        ..observed
    };
    let calls = bench.change(&detect, changed.clone()).await;
    assert_eq!(calls, ["ModifyTrafficMirrorSession"]);
    let whole = MirrorSession { packet_length: None, ..changed };
    assert_eq!(bench.change(&detect, whole).await, ["ModifyTrafficMirrorSession"]);

    // A refused deletion reports that the object is in use, and what AWS itself removed counts as removed.
    let in_use = bench.found(&second).await;
    let blocked = bench.act(&in_use.resource.delete(&in_use)[0]).await.unwrap_err();
    assert!(blocked.to_string().contains("TrafficMirrorTargetInUse"), "{blocked}");
    let session = bench.found(&detect).await;
    bench.remove(&source).await;
    assert!(bench.act(&session.resource.delete(&session)[0]).await.is_ok());
    for address in [second, first, web, balancer, receiver, group, subnet, vpc] {
        bench.remove(&address).await;
    }
}

#[tokio::test(start_paused = true)]
async fn tags_of_both_services_are_set_and_removed() {
    let mut bench = Bench::new();
    let (vpc, ..) = network(&mut bench).await;
    let sensors = bench.make("target_group.sensors", target_group(&vpc, Vec::new())).await;
    for address in [vpc, sensors] {
        let found = bench.found(&address).await;
        let desired = Tags::from([("Name".to_owned(), "new".to_owned())]);
        let change = Retag::between(&desired, found.resource.tags()).unwrap();
        retag(&bench.aws, address.kind, &found.id, &change).await.unwrap();
        assert_eq!(bench.found(&address).await.resource.tags(), &desired);
    }
}
