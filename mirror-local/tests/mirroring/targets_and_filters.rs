//! Mirror targets, filters and filter rules.

use crate::client::Client;
use insta::assert_snapshot;
use mirror_local::Settings;

#[test]
fn a_target_on_an_interface() {
    let client = Client::new();
    let interface = client.interface();
    let made = client.ec2(format!(
        "CreateTrafficMirrorTarget&NetworkInterfaceId={interface}&Description=nlb%20one\
         &TagSpecification.1.ResourceType=traffic-mirror-target&TagSpecification.1.Tag.1.Key=Name\
         &TagSpecification.1.Tag.1.Value=a%3Cb&ClientToken=t-1"
    ));
    assert_snapshot!(made.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <CreateTrafficMirrorTargetResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>95cfeba0-7344-402e-aee0-2fd70e14c1e4</requestId>
    <trafficMirrorTarget>
    <trafficMirrorTargetId>tmt-0ebcda425c74142a5</trafficMirrorTargetId>
    <networkInterfaceId>eni-0a98f2b75d32225f8</networkInterfaceId>
    <type>network-interface</type>
    <description>nlb one</description>
    <ownerId>123456789012</ownerId>
    <tagSet>
    <item>
    <key>Name</key>
    <value>a&lt;b</value>
    </item>
    </tagSet>
    </trafficMirrorTarget>
    <clientToken>t-1</clientToken>
    </CreateTrafficMirrorTargetResponse>
    "#);
}

#[test]
fn a_target_on_a_load_balancer_without_listeners_is_accepted() {
    let client = Client::new();
    let arn = client.load_balancer("sensors");
    let make = format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={arn}");
    let made = client.ec2(&make);
    assert_eq!(made.text("type"), "network-load-balancer");
    assert_eq!(made.text("networkLoadBalancerArn"), arn);
    assert_eq!(client.ec2_refused(&make), "NlbInUseByTrafficMirrorTargetException");
    let filter = format!(
        "DescribeTrafficMirrorTargets&Filter.1.Name=network-load-balancer-arn&Filter.1.Value.1={arn}"
    );
    assert_eq!(client.ec2(filter).texts("trafficMirrorTargetId").len(), 1);
}

#[test]
fn a_target_has_exactly_one_destination() {
    let client = Client::new();
    let interface = client.interface();
    let arn = client.load_balancer("sensors");
    let refused = |rest: &str| client.ec2_refused(format!("CreateTrafficMirrorTarget{rest}"));
    assert_eq!(refused(""), "MissingParameter");
    assert_eq!(
        refused(&format!("&NetworkInterfaceId={interface}&NetworkLoadBalancerArn={arn}")),
        "InvalidParameterCombination"
    );
    assert_eq!(
        refused("&NetworkInterfaceId=eni-0123456789abcdef0"),
        "InvalidNetworkInterfaceID.NotFound"
    );
    assert_eq!(
        refused(&format!("&NetworkLoadBalancerArn={arn}0")),
        "NetworkLoadBalancerNotFoundException"
    );
    assert_eq!(refused("&NetworkLoadBalancerArn=x"), "InvalidNetworkLoadBalancerArn.Malformed");
    assert_eq!(
        refused("&GatewayLoadBalancerEndpointId=vpce-0123456789abcdef0"),
        "InvalidVpcEndpointId.NotFound"
    );
}

#[test]
fn an_interface_is_source_or_target_and_target_only_once() {
    let client = Client::new();
    let (a, b, filter) = (client.interface(), client.interface(), client.filter());
    let target = client.target_on(&a);
    let again = format!("CreateTrafficMirrorTarget&NetworkInterfaceId={a}");
    assert_eq!(client.ec2_refused(again), "InterfaceInUseByTrafficMirrorTarget");
    let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber=1");
    let of_target = crate::client::new_session(&a, &target, &rest);
    assert_eq!(client.ec2_refused(of_target), "InterfaceInUseByTrafficMirrorTarget");
    client.session(&b, &target, &rest);
    let on_source = format!("CreateTrafficMirrorTarget&NetworkInterfaceId={b}");
    assert_eq!(client.ec2_refused(on_source), "InterfaceInUseByTrafficMirrorSession");
}

#[test]
fn what_a_session_uses_cannot_be_deleted() {
    let client = Client::new();
    let (target, filter) = (client.target_on(&client.interface()), client.filter());
    let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber=1");
    let session = client.session(&client.interface(), &target, &rest);
    let delete_target = format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}");
    let delete_filter = format!("DeleteTrafficMirrorFilter&TrafficMirrorFilterId={filter}");
    assert_eq!(client.ec2_refused(&delete_target), "TrafficMirrorTargetInUse");
    assert_eq!(client.ec2_refused(&delete_filter), "TrafficMirrorFilterInUse");
    let delete = format!("DeleteTrafficMirrorSession&TrafficMirrorSessionId={session}");
    assert_eq!(client.ec2(&delete).text("trafficMirrorSessionId"), session);
    assert_eq!(client.ec2_refused(&delete), "InvalidTrafficMirrorSessionId.NotFound");
    assert_eq!(client.ec2(&delete_target).text("trafficMirrorTargetId"), target);
    assert_eq!(client.ec2(&delete_filter).text("trafficMirrorFilterId"), filter);
    assert_eq!(client.ec2_refused(&delete_target), "InvalidTrafficMirrorTargetId.NotFound");
    assert_eq!(client.ec2_refused(&delete_filter), "InvalidTrafficMirrorFilterId.NotFound");
}

fn rule(filter: &str, rest: &str) -> String {
    format!(
        "CreateTrafficMirrorFilterRule&TrafficMirrorFilterId={filter}&TrafficDirection=ingress\
         &RuleAction=accept&SourceCidrBlock=0.0.0.0/0&DestinationCidrBlock=10.0.0.9/16{rest}"
    )
}

#[test]
fn a_rule_in_full() {
    let client = Client::new();
    let filter = client.filter();
    let made = client.ec2(rule(
        &filter,
        "&RuleNumber=100&Protocol=6&DestinationPortRange.FromPort=443&DestinationPortRange.ToPort=443",
    ));
    assert_snapshot!(made.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <CreateTrafficMirrorFilterRuleResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>157fbaa7-28bb-498d-a9f5-5fc83bb9d0ef</requestId>
    <trafficMirrorFilterRule>
    <trafficMirrorFilterRuleId>tmfr-0a0f28e0d8289cf62</trafficMirrorFilterRuleId>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <trafficDirection>ingress</trafficDirection>
    <ruleNumber>100</ruleNumber>
    <ruleAction>accept</ruleAction>
    <protocol>6</protocol>
    <destinationPortRange>
    <fromPort>443</fromPort>
    <toPort>443</toPort>
    </destinationPortRange>
    <destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
    <sourceCidrBlock>0.0.0.0/0</sourceCidrBlock>
    <tagSet>
    </tagSet>
    </trafficMirrorFilterRule>
    </CreateTrafficMirrorFilterRuleResponse>
    "#);
}

#[test]
fn a_filter_with_rules_and_a_service() {
    let client = Client::new();
    let filter = client.filter();
    client.ec2(format!(
        "ModifyTrafficMirrorFilterNetworkServices&TrafficMirrorFilterId={filter}\
         &AddNetworkService.1=amazon-dns"
    ));
    client.ec2(rule(&filter, "&RuleNumber=100"));
    client.ec2(rule(&filter, "&RuleNumber=9"));
    let described = client.ec2("DescribeTrafficMirrorFilters");
    assert_eq!(described.texts("ruleNumber"), ["9", "100"]);
    assert_snapshot!(described.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeTrafficMirrorFiltersResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>18b026ec-8d94-458f-aacc-e4205c59c878</requestId>
    <trafficMirrorFilterSet>
    <item>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <ingressFilterRuleSet>
    <item>
    <trafficMirrorFilterRuleId>tmfr-0a454c5bf4cefd6ca</trafficMirrorFilterRuleId>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <trafficDirection>ingress</trafficDirection>
    <ruleNumber>9</ruleNumber>
    <ruleAction>accept</ruleAction>
    <destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
    <sourceCidrBlock>0.0.0.0/0</sourceCidrBlock>
    <tagSet>
    </tagSet>
    </item>
    <item>
    <trafficMirrorFilterRuleId>tmfr-0a0f28e0d8289cf62</trafficMirrorFilterRuleId>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <trafficDirection>ingress</trafficDirection>
    <ruleNumber>100</ruleNumber>
    <ruleAction>accept</ruleAction>
    <destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
    <sourceCidrBlock>0.0.0.0/0</sourceCidrBlock>
    <tagSet>
    </tagSet>
    </item>
    </ingressFilterRuleSet>
    <egressFilterRuleSet>
    </egressFilterRuleSet>
    <networkServiceSet>
    <item>amazon-dns</item>
    </networkServiceSet>
    <tagSet>
    </tagSet>
    </item>
    </trafficMirrorFilterSet>
    </DescribeTrafficMirrorFiltersResponse>
    "#);
}

#[test]
fn a_rule_number_is_taken_once_in_each_direction() {
    let client = Client::new();
    let filter = client.filter();
    client.ec2(rule(&filter, "&RuleNumber=1"));
    let again = rule(&filter, "&RuleNumber=1");
    assert_eq!(client.ec2_refused(&again), "TrafficMirrorFilterRuleAlreadyExists");
    let outward = client.ec2(again.replace("ingress", "egress"));
    let id = outward.text("trafficMirrorFilterRuleId");
    let turn = format!(
        "ModifyTrafficMirrorFilterRule&TrafficMirrorFilterRuleId={id}&TrafficDirection=ingress"
    );
    assert_eq!(client.ec2_refused(&turn), "TrafficMirrorFilterRuleAlreadyExists");
    let turned = client.ec2(turn + "&RuleNumber=2");
    assert_eq!(turned.text("trafficDirection"), "ingress");
}

#[test]
fn rules_are_checked() {
    let client = Client::new();
    let filter = client.filter();
    let ports = "&SourcePortRange.FromPort=2&SourcePortRange.ToPort=1";
    let cases = [
        ("", "MissingParameter"),
        ("&RuleNumber=0", "InvalidParameterValue"),
        ("&RuleNumber=32767", "InvalidParameterValue"),
        ("&RuleNumber=x", "InvalidParameterValue"),
        ("&RuleNumber=1&Protocol=256", "InvalidParameterValue"),
        (&format!("&RuleNumber=1&Protocol=6{ports}"), "InvalidParameterValue"),
        ("&RuleNumber=1&SourcePortRange.FromPort=2", "MissingParameter"),
        (
            "&RuleNumber=1&Protocol=1&SourcePortRange.FromPort=1&SourcePortRange.ToPort=2",
            "InvalidParameterCombination",
        ),
        (
            "&RuleNumber=1&SourcePortRange.FromPort=1&SourcePortRange.ToPort=65536",
            "InvalidParameterValue",
        ),
    ];
    for (rest, code) in cases {
        assert_eq!(client.ec2_refused(rule(&filter, rest)), code, "{rest}");
    }
    let call = rule(&filter, "&RuleNumber=1");
    let mixed = call.replace("0.0.0.0/0", "::/0");
    assert_eq!(client.ec2_refused(mixed), "InvalidParameterCombination");
    let sideways = call.replace("ingress", "sideways");
    assert_eq!(client.ec2_refused(sideways), "InvalidParameterValue");
    let no_block = call.replace("0.0.0.0/0", "10.0.0.1");
    assert_eq!(client.ec2_refused(no_block), "InvalidParameterValue");
}

#[test]
fn a_modified_rule_comes_back_without_its_tags() {
    let client = Client::new();
    let filter = client.filter();
    let made = client.ec2(rule(
        &filter,
        "&RuleNumber=1&Description=d&TagSpecification.1.ResourceType=traffic-mirror-filter-rule\
         &TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v",
    ));
    let id = made.text("trafficMirrorFilterRuleId");
    let modify = format!("ModifyTrafficMirrorFilterRule&TrafficMirrorFilterRuleId={id}");
    let range = "&DestinationPortRange.FromPort=1&DestinationPortRange.ToPort=2";
    assert_eq!(client.ec2_refused(format!("{modify}{range}")), "InvalidParameterCombination");
    client.ec2(format!("{modify}{range}&Protocol=17"));
    let range_again = format!("{modify}{range}");
    assert_eq!(client.ec2_refused(range_again), "InvalidParameterCombination");
    assert_eq!(
        client.ec2_refused(format!("{modify}&RemoveField.1=protocol")),
        "InvalidParameterCombination"
    );
    let removed = client.ec2(format!(
        "{modify}&RemoveField.1=protocol&RemoveField.2=destination-port-range&RemoveField.3=description"
    ));
    assert_snapshot!(removed.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <ModifyTrafficMirrorFilterRuleResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>624edcd5-f730-4833-a422-844589939efc</requestId>
    <trafficMirrorFilterRule>
    <trafficMirrorFilterRuleId>tmfr-0a0f28e0d8289cf62</trafficMirrorFilterRuleId>
    <trafficMirrorFilterId>tmf-016c6de63584a68c0</trafficMirrorFilterId>
    <trafficDirection>ingress</trafficDirection>
    <ruleNumber>1</ruleNumber>
    <ruleAction>accept</ruleAction>
    <destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
    <sourceCidrBlock>0.0.0.0/0</sourceCidrBlock>
    </trafficMirrorFilterRule>
    </ModifyTrafficMirrorFilterRuleResponse>
    "#);
    let described = client.ec2("DescribeTrafficMirrorFilterRules");
    assert_eq!(described.text("key"), "k");
}

#[test]
fn the_eleventh_rule_of_a_filter_is_refused() {
    let client = Client::new();
    let filter = client.filter();
    for number in 1..=10 {
        client.ec2(rule(&filter, &format!("&RuleNumber={number}")));
    }
    let eleventh = rule(&filter, "&RuleNumber=11").replace("ingress", "egress");
    assert_eq!(client.ec2_refused(eleventh), "TrafficMirrorFilterRuleLimitExceeded");
}

#[test]
fn the_rules_go_with_their_filter() {
    let client = Client::new();
    let (filter, other) = (client.filter(), client.filter());
    client.ec2(rule(&filter, "&RuleNumber=1"));
    client.ec2(rule(&other, "&RuleNumber=1"));
    let of = format!("DescribeTrafficMirrorFilterRules&TrafficMirrorFilterId={filter}");
    assert_eq!(client.ec2(&of).texts("ruleNumber").len(), 1);
    client.ec2(format!("DeleteTrafficMirrorFilter&TrafficMirrorFilterId={filter}"));
    assert_eq!(client.ec2_refused(&of), "InvalidTrafficMirrorFilterId.NotFound");
    assert_eq!(client.ec2("DescribeTrafficMirrorFilterRules").texts("ruleNumber").len(), 1);
}

#[test]
fn network_services_are_added_and_removed() {
    let client = Client::new();
    let filter = client.filter();
    let modify = |rest: &str| {
        format!("ModifyTrafficMirrorFilterNetworkServices&TrafficMirrorFilterId={filter}{rest}")
    };
    let services = |call: String| client.ec2(call).text("networkServiceSet");
    let (add, remove) = ("&AddNetworkService.1=amazon-dns", "&RemoveNetworkService.1=amazon-dns");
    assert_eq!(services(modify(add)), "<item>amazon-dns</item>");
    assert_eq!(services(modify(add)), "<item>amazon-dns</item>");
    assert_eq!(services(modify(remove)), "");
    let both = modify(&format!("{add}{remove}"));
    assert_eq!(client.ec2_refused(both), "InvalidParameterCombination");
    assert_eq!(client.ec2_refused(modify("")), "MissingParameter");
    let unknown = modify("&AddNetworkService.1=ntp");
    assert_eq!(client.ec2_refused(unknown), "InvalidParameterValue");
}

#[test]
fn a_dry_run_changes_nothing() {
    let client = Client::new();
    assert_eq!(client.ec2_refused("CreateTrafficMirrorFilter&DryRun=true"), "DryRunOperation");
    assert_eq!(client.ec2("DescribeTrafficMirrorFilters").texts("item").len(), 0);
    let of_nothing =
        "DeleteTrafficMirrorFilter&TrafficMirrorFilterId=tmf-0123456789abcdef0&DryRun=true";
    assert_eq!(client.ec2_refused(of_nothing), "InvalidTrafficMirrorFilterId.NotFound");
}

#[test]
fn a_client_token_makes_one_object() {
    let client = Client::new();
    let create = "CreateTrafficMirrorFilter&ClientToken=a&Description=";
    let first = client.ec2(format!("{create}x")).text("trafficMirrorFilterId");
    assert_eq!(client.ec2(format!("{create}x")).text("trafficMirrorFilterId"), first);
    assert_eq!(client.ec2_refused(format!("{create}y")), "IdempotentParameterMismatch");
    assert_eq!(client.ec2("DescribeTrafficMirrorFilters").texts("trafficMirrorFilterId").len(), 1);
}

#[test]
fn there_are_no_filters_by_tag() {
    let client = Client::new();
    for kind in ["Filters", "FilterRules", "Sessions", "Targets"] {
        for name in ["tag:Name", "tag-key", "vpc-id"] {
            let call =
                format!("DescribeTrafficMirror{kind}&Filter.1.Name={name}&Filter.1.Value.1=x");
            assert_eq!(client.ec2_refused(&call), "InvalidParameterValue", "{call}");
        }
    }
}

#[test]
fn pages_hold_five_to_a_thousand() {
    let client = Client::new();
    let made: Vec<String> = (0..12).map(|_| client.filter()).collect();
    for size in ["4", "1001", "x"] {
        let call = format!("DescribeTrafficMirrorFilters&MaxResults={size}");
        assert_eq!(client.ec2_refused(call), "InvalidParameterValue");
    }
    let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = client.ec2(format!("DescribeTrafficMirrorFilters&MaxResults=5{next}"));
        seen.extend(page.texts("trafficMirrorFilterId"));
        pages += 1;
        match page.texts("nextToken").pop() {
            Some(token) => next = format!("&NextToken={token}"),
            None => break,
        }
    }
    let mut made = made;
    made.sort();
    assert_eq!((seen, pages), (made, 3));
}

#[test]
fn quotas_are_settings() {
    let mut settings = Settings::default();
    settings.quotas.mirror_filters = 1;
    settings.quotas.mirror_targets = 1;
    let client = Client::with_settings(settings);
    client.filter();
    client.target_on(&client.interface());
    assert_eq!(client.ec2_refused("CreateTrafficMirrorFilter"), "TrafficMirrorFilterLimitExceeded");
    let second = format!("CreateTrafficMirrorTarget&NetworkInterfaceId={}", client.interface());
    assert_eq!(client.ec2_refused(second), "TrafficMirrorTargetLimitExceeded");
}
