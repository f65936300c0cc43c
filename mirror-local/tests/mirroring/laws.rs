//! What holds for mirror objects after any sequence of calls.

use crate::client::{Answer, Client};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A call that refers to existing objects by number, so that most calls make sense.
#[derive(Debug, Clone)]
enum Step {
    CreateFilter,
    CreateRule { filter: usize, number: u32, egress: bool },
    CreateSession { source: usize, target: usize, filter: usize, number: u32 },
    CreateTarget { interface: usize },
    DeleteFilter(usize),
    DeleteInterface(usize),
    DeleteRule(usize),
    DeleteSession(usize),
    DeleteTarget(usize),
    ModifyRule { rule: usize, number: u32, egress: bool },
    ModifySession { session: usize, target: usize, filter: usize, number: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let (index, number, egress) = (0..5_usize, 1..4_u32, any::<bool>());
    prop_oneof![
        Just(Step::CreateFilter),
        (index.clone(), 1..7_u32, egress).prop_map(|(filter, number, egress)| Step::CreateRule {
            filter,
            number,
            egress
        }),
        (index.clone(), index.clone(), index.clone(), number.clone()).prop_map(
            |(source, target, filter, number)| Step::CreateSession {
                source,
                target,
                filter,
                number
            }
        ),
        index.clone().prop_map(|interface| Step::CreateTarget { interface }),
        index.clone().prop_map(Step::DeleteFilter),
        index.clone().prop_map(Step::DeleteInterface),
        index.clone().prop_map(Step::DeleteRule),
        index.clone().prop_map(Step::DeleteSession),
        index.clone().prop_map(Step::DeleteTarget),
        (index.clone(), 1..7_u32, egress).prop_map(|(rule, number, egress)| Step::ModifyRule {
            rule,
            number,
            egress
        }),
        (index.clone(), index.clone(), index, number).prop_map(
            |(session, target, filter, number)| Step::ModifySession {
                session,
                target,
                filter,
                number
            }
        ),
    ]
}

/// The ids of all objects, as the Describe calls list them, page by page.
struct Inventory {
    interfaces: Vec<String>,
    targets: Vec<String>,
    filters: Vec<String>,
    rules: Vec<String>,
    sessions: Vec<String>,
}

impl Inventory {
    fn of(client: &Client) -> Self {
        let ids = |action, id: &str| {
            pages(client, action).iter().flat_map(|page| page.texts(id)).collect()
        };
        Self {
            interfaces: ids("DescribeNetworkInterfaces", "networkInterfaceId"),
            targets: ids("DescribeTrafficMirrorTargets", "trafficMirrorTargetId"),
            filters: ids_of_filters(client),
            rules: ids("DescribeTrafficMirrorFilterRules", "trafficMirrorFilterRuleId"),
            sessions: ids("DescribeTrafficMirrorSessions", "trafficMirrorSessionId"),
        }
    }
}

/// The ids of the filters, each of them once, although their rules repeat them.
fn ids_of_filters(client: &Client) -> Vec<String> {
    let pages = pages(client, "DescribeTrafficMirrorFilters");
    let ids = pages.iter().flat_map(|page| page.texts("trafficMirrorFilterId"));
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Reads every page of a Describe call, five items at a time.
fn pages(client: &Client, action: &str) -> Vec<Answer> {
    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let page = client.ec2(format!("{action}&MaxResults=5{next}"));
        let token = page.texts("nextToken").pop();
        pages.push(page);
        match token {
            Some(token) => next = format!("&NextToken={token}"),
            None => return pages,
        }
    }
}

fn pick(ids: &[String], index: usize) -> &str {
    ids.get(index).map_or("missing", String::as_str)
}

fn call(step: &Step, there: &Inventory) -> String {
    let direction = |egress: &bool| if *egress { "egress" } else { "ingress" };
    let filter = |index: &usize| format!("TrafficMirrorFilterId={}", pick(&there.filters, *index));
    let target = |index: &usize| format!("TrafficMirrorTargetId={}", pick(&there.targets, *index));
    match step {
        Step::CreateFilter => "CreateTrafficMirrorFilter".to_owned(),
        Step::CreateRule { filter: f, number, egress } => format!(
            "CreateTrafficMirrorFilterRule&{}&RuleNumber={number}&TrafficDirection={}\
             &RuleAction=accept&SourceCidrBlock=0.0.0.0/0&DestinationCidrBlock=0.0.0.0/0",
            filter(f),
            direction(egress)
        ),
        Step::CreateSession { source, target: t, filter: f, number } => format!(
            "CreateTrafficMirrorSession&NetworkInterfaceId={}&{}&{}&SessionNumber={number}",
            pick(&there.interfaces, *source),
            target(t),
            filter(f)
        ),
        Step::CreateTarget { interface } => format!(
            "CreateTrafficMirrorTarget&NetworkInterfaceId={}",
            pick(&there.interfaces, *interface)
        ),
        Step::DeleteFilter(f) => format!("DeleteTrafficMirrorFilter&{}", filter(f)),
        Step::DeleteInterface(i) => {
            format!("DeleteNetworkInterface&NetworkInterfaceId={}", pick(&there.interfaces, *i))
        }
        Step::DeleteRule(r) => {
            let rule = pick(&there.rules, *r);
            format!("DeleteTrafficMirrorFilterRule&TrafficMirrorFilterRuleId={rule}")
        }
        Step::DeleteSession(s) => {
            let session = pick(&there.sessions, *s);
            format!("DeleteTrafficMirrorSession&TrafficMirrorSessionId={session}")
        }
        Step::DeleteTarget(t) => format!("DeleteTrafficMirrorTarget&{}", target(t)),
        Step::ModifyRule { rule, number, egress } => format!(
            "ModifyTrafficMirrorFilterRule&TrafficMirrorFilterRuleId={}&RuleNumber={number}\
             &TrafficDirection={}",
            pick(&there.rules, *rule),
            direction(egress)
        ),
        Step::ModifySession { session, target: t, filter: f, number } => format!(
            "ModifyTrafficMirrorSession&TrafficMirrorSessionId={}&{}&{}&SessionNumber={number}",
            pick(&there.sessions, *session),
            target(t),
            filter(f)
        ),
    }
}

fn check(client: &Client) {
    let there = Inventory::of(client);
    let sessions = pages(client, "DescribeTrafficMirrorSessions");
    let all = |name: &str| sessions.iter().flat_map(|p| p.texts(name)).collect::<Vec<_>>();
    let (sources, targets) = (all("networkInterfaceId"), all("trafficMirrorTargetId"));
    let (filters, numbers) = (all("trafficMirrorFilterId"), all("sessionNumber"));
    assert!(sources.iter().all(|id| there.interfaces.contains(id)));
    assert!(targets.iter().all(|id| there.targets.contains(id)));
    assert!(filters.iter().all(|id| there.filters.contains(id)));
    let mut on_source: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (source, number) in sources.iter().zip(&numbers) {
        assert!(on_source.entry(source).or_default().insert(number), "{number} twice on {source}");
    }
    assert!(on_source.values().all(|numbers| numbers.len() <= 3));
    let networks: BTreeSet<String> = all("virtualNetworkId").into_iter().collect();
    assert_eq!(networks.len(), sources.len());
    let held = client.ec2("DescribeTrafficMirrorTargets").texts("networkInterfaceId");
    assert!(held.iter().all(|id| !sources.contains(id)), "an interface is source and target");
    assert_eq!(held.iter().collect::<BTreeSet<_>>().len(), held.len());
    for filter in &there.filters {
        let of = format!("DescribeTrafficMirrorFilterRules&TrafficMirrorFilterId={filter}");
        let rules = client.ec2(of);
        let places: Vec<_> =
            rules.texts("trafficDirection").into_iter().zip(rules.texts("ruleNumber")).collect();
        assert!(places.len() <= 10);
        assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
    }
    let rules = pages(client, "DescribeTrafficMirrorFilterRules");
    let owners = rules.iter().flat_map(|page| page.texts("trafficMirrorFilterId"));
    assert!(owners.collect::<BTreeSet<_>>().iter().all(|id| there.filters.contains(id)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_calls_breaks_the_rules(steps in prop::collection::vec(step(), 1..60)) {
        let client = Client::new();
        for _ in 0..6 {
            client.interface();
        }
        for step in steps {
            let there = Inventory::of(&client);
            // Whether a call must be refused is checked by other tests.
            client.call("2016-11-15", &call(&step, &there)).ok();
        }
        check(&client);
    }
}
