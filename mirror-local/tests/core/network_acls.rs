//! Network ACLs: entries, associations, and where AWS is strict about them.

use crate::client::{Client, all, first};
use mirror_local::{Cloud, Settings};

/// A VPC with a subnet, and the id of its default ACL.
fn network(client: &Client) -> [String; 3] {
    let vpc = first(&client.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let subnet = format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.1.0/24");
    let subnet = first(&client.ok(&subnet), "subnetId");
    let default = client.ok(&format!("DescribeNetworkAcls&{}", filter("vpc-id", &vpc)));
    let default = first(&default, "networkAclId");
    [vpc, subnet, default]
}

fn filter(name: &str, value: &str) -> String {
    format!("Filter.1.Name={name}&Filter.1.Value.1={value}")
}

fn made(client: &Client, vpc: &str) -> String {
    first(&client.ok(&format!("CreateNetworkAcl&VpcId={vpc}")), "networkAclId")
}

/// Returns a call about an ingress entry; `rest` describes the entry.
fn entry(action: &str, (acl, number): (&str, u32), rest: &str) -> String {
    format!("{action}NetworkAclEntry&NetworkAclId={acl}&RuleNumber={number}&Egress=false{rest}")
}

const HTTP: &str =
    "&Protocol=6&RuleAction=allow&CidrBlock=10.0.0.0/8&PortRange.From=80&PortRange.To=80";
const ALL: &str = "&Protocol=-1&RuleAction=allow&CidrBlock=0.0.0.0/0";

fn described(client: &Client, acl: &str) -> String {
    client.ok(&format!("DescribeNetworkAcls&NetworkAclId.1={acl}"))
}

/// The numbers of the entries, in the order in which they are listed.
fn numbers(client: &Client, acl: &str) -> String {
    all(&described(client, acl), "ruleNumber").join(" ")
}

/// The id of the association of a subnet.
fn association(client: &Client, subnet: &str) -> String {
    let asked = format!("DescribeNetworkAcls&{}", filter("association.subnet-id", subnet));
    let told = client.ok(&asked);
    let subnets = all(&told, "subnetId");
    let place = subnets.iter().position(|it| it == subnet).expect("it is asked for");
    all(&told, "networkAclAssociationId").swap_remove(place)
}

#[test]
fn a_vpc_has_an_acl_that_lets_everything_through() {
    let client = Client::new();
    let [_, _, default] = network(&client);
    insta::assert_snapshot!(described(&client, &default).replace("><", ">\n<"), @r#"
    <DescribeNetworkAclsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <networkAclSet>
    <item>
    <associationSet>
    <item>
    <networkAclAssociationId>aclassoc-01a725226abc45c7d</networkAclAssociationId>
    <networkAclId>acl-01ceb31769f560373</networkAclId>
    <subnetId>subnet-00843354c3f090ba1</subnetId>
    </item>
    </associationSet>
    <default>true</default>
    <entrySet>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>true</egress>
    <protocol>-1</protocol>
    <ruleAction>allow</ruleAction>
    <ruleNumber>100</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>true</egress>
    <protocol>-1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>32767</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>false</egress>
    <protocol>-1</protocol>
    <ruleAction>allow</ruleAction>
    <ruleNumber>100</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>false</egress>
    <protocol>-1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>32767</ruleNumber>
    </item>
    </entrySet>
    <networkAclId>acl-01ceb31769f560373</networkAclId>
    <ownerId>123456789012</ownerId>
    <tagSet>
    </tagSet>
    <vpcId>vpc-03d4760a8dfd3f73a</vpcId>
    </item>
    </networkAclSet>
    </DescribeNetworkAclsResponse>
    "#);
}

#[test]
fn an_acl_that_is_made_lets_nothing_through() {
    let client = Client::new();
    let [vpc, ..] = network(&client);
    let create = format!(
        "CreateNetworkAcl&VpcId={vpc}&ClientToken=t&TagSpecification.1.ResourceType=network-acl\
         &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=n"
    );
    let answer = client.ok(&create);
    insta::assert_snapshot!(answer.replace("><", ">\n<"), @r#"
    <CreateNetworkAclResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <networkAcl>
    <associationSet>
    </associationSet>
    <default>false</default>
    <entrySet>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>true</egress>
    <protocol>-1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>32767</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>false</egress>
    <protocol>-1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>32767</ruleNumber>
    </item>
    </entrySet>
    <networkAclId>acl-0b01bc794d41b23eb</networkAclId>
    <ownerId>123456789012</ownerId>
    <tagSet>
    <item>
    <key>Name</key>
    <value>n</value>
    </item>
    </tagSet>
    <vpcId>vpc-03d4760a8dfd3f73a</vpcId>
    </networkAcl>
    <clientToken>t</clientToken>
    </CreateNetworkAclResponse>
    "#);
    assert_eq!(client.ok(&create), answer);
    let other = create.replace("Value=n", "Value=m");
    assert_eq!(client.refused(&other), "400 IdempotentParameterMismatch");
}

#[test]
fn entries_are_added_replaced_and_removed_by_their_numbers() {
    let client = Client::new();
    let [vpc, ..] = network(&client);
    let acl = made(&client, &vpc);
    client.ok(&entry("Create", (&acl, 200), ALL));
    client.ok(&entry("Create", (&acl, 100), HTTP));
    // The other direction has numbers of its own.
    client.ok(&entry("Create", (&acl, 100), HTTP).replace("false", "true"));
    assert_eq!(numbers(&client, &acl), "100 32767 100 200 32767");
    let again = client.refused(&entry("Create", (&acl, 100), ALL));
    assert_eq!(again, "400 NetworkAclEntryAlreadyExists");
    let ping = "&Protocol=1&RuleAction=deny&Ipv6CidrBlock=2001:db8::1/32&Icmp.Type=8&Icmp.Code=-1";
    client.ok(&entry("Replace", (&acl, 100), ping));
    let entries = first(&described(&client, &acl), "entrySet");
    insta::assert_snapshot!(entries.replace("><", ">\n<"), @"
    <item>
    <cidrBlock>10.0.0.0/8</cidrBlock>
    <egress>true</egress>
    <portRange>
    <from>80</from>
    <to>80</to>
    </portRange>
    <protocol>6</protocol>
    <ruleAction>allow</ruleAction>
    <ruleNumber>100</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>true</egress>
    <protocol>-1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>32767</ruleNumber>
    </item>
    <item>
    <egress>false</egress>
    <icmpTypeCode>
    <code>-1</code>
    <type>8</type>
    </icmpTypeCode>
    <ipv6CidrBlock>2001:db8::/32</ipv6CidrBlock>
    <protocol>1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>100</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>false</egress>
    <protocol>-1</protocol>
    <ruleAction>allow</ruleAction>
    <ruleNumber>200</ruleNumber>
    </item>
    <item>
    <cidrBlock>0.0.0.0/0</cidrBlock>
    <egress>false</egress>
    <protocol>-1</protocol>
    <ruleAction>deny</ruleAction>
    <ruleNumber>32767</ruleNumber>
    </item>
    ");
    let gone = "400 InvalidNetworkAclEntry.NotFound";
    assert_eq!(client.refused(&entry("Replace", (&acl, 300), ALL)), gone);
    client.ok(&entry("Delete", (&acl, 100), ""));
    assert_eq!(client.refused(&entry("Delete", (&acl, 100), "")), gone);
    assert_eq!(numbers(&client, &acl), "100 32767 200 32767");
}

#[test]
fn what_cannot_be_an_entry() {
    let client = Client::new();
    let [vpc, ..] = network(&client);
    let acl = made(&client, &vpc);
    let refused = |number, rest: &str| client.refused(&entry("Create", (&acl, number), rest));
    for number in [0, 32767, 32768, 70000] {
        assert_eq!(refused(number, ALL), "400 InvalidParameterValue", "{number}");
    }
    let closing = entry("Delete", (&acl, 32767), "");
    assert_eq!(client.refused(&closing), "400 InvalidParameterValue");
    let with = |from: &str, to: &str| HTTP.replace(from, to);
    let cases = [
        (with("Protocol=6", "Protocol=tcp"), "InvalidParameterValue"),
        (with("Protocol=6", "Protocol=256"), "InvalidParameterValue"),
        (with("&Protocol=6", ""), "MissingParameter"),
        (with("Protocol=6", "Protocol=1"), "InvalidParameterValue"),
        (with("allow", "accept"), "InvalidParameterValue"),
        (with("&RuleAction=allow", ""), "MissingParameter"),
        (with("&CidrBlock=10.0.0.0/8", ""), "MissingParameter"),
        (with("10.0.0.0/8", "10.0.0.0/33"), "InvalidParameterValue"),
        (with("10.0.0.0/8", "2001:db8::/32"), "InvalidParameterValue"),
        (with("&CidrBlock", "&Ipv6CidrBlock=::/0&CidrBlock"), "InvalidParameterCombination"),
        (with("&PortRange.To=80", ""), "InvalidParameterValue"),
        (with("From=80", "From=81"), "InvalidParameterValue"),
        (with("To=80", "To=65536"), "InvalidParameterValue"),
        (with("From=80", "From=x"), "InvalidParameterValue"),
    ];
    for (rest, code) in cases {
        assert_eq!(refused(100, &rest), format!("400 {code}"), "{rest}");
    }
    let undirected = entry("Create", (&acl, 100), HTTP).replace("&Egress=false", "");
    assert_eq!(client.refused(&undirected), "400 MissingParameter");
    let nowhere = entry("Create", ("acl-0123456789abcdef0", 100), HTTP);
    assert_eq!(client.refused(&nowhere), "400 InvalidNetworkAclID.NotFound");
    let misshapen = entry("Create", ("acl-1", 100), HTTP);
    assert_eq!(client.refused(&misshapen), "400 InvalidNetworkAclId.Malformed");
    assert_eq!(numbers(&client, &acl), "32767 32767");
}

#[test]
fn a_protocol_without_ports_has_none_whatever_is_sent() {
    let client = Client::new();
    let [vpc, ..] = network(&client);
    let acl = made(&client, &vpc);
    client.ok(&entry("Create", (&acl, 1), &HTTP.replace("Protocol=6", "Protocol=47")));
    let icmp_v6 = "&Protocol=58&RuleAction=allow&CidrBlock=0.0.0.0/0&Icmp.Type=8&Icmp.Code=0";
    client.ok(&entry("Create", (&acl, 2), icmp_v6));
    let told = described(&client, &acl);
    assert!(!told.contains("portRange") && !told.contains("icmpTypeCode"), "{told}");
}

#[test]
fn a_subnet_goes_from_one_acl_to_another() {
    let client = Client::new();
    let [vpc, subnet, default] = network(&client);
    let acl = made(&client, &vpc);
    let first_id = association(&client, &subnet);
    let replace = |id: &str, acl: &str| {
        format!("ReplaceNetworkAclAssociation&AssociationId={id}&NetworkAclId={acl}")
    };
    let second_id = first(&client.ok(&replace(&first_id, &acl)), "newAssociationId");
    assert_ne!(first_id, second_id);
    assert_eq!(association(&client, &subnet), second_id);
    assert_eq!(all(&described(&client, &default), "subnetId"), Vec::<String>::new());
    assert_eq!(all(&described(&client, &acl), "subnetId"), [&*subnet]);
    let stale = client.refused(&replace(&first_id, &acl));
    assert_eq!(stale, "400 InvalidAssociationID.NotFound");
    let nowhere = client.refused(&replace(&second_id, "acl-0123456789abcdef0"));
    assert_eq!(nowhere, "400 InvalidNetworkAclID.NotFound");
    let [_, _, theirs] = network(&client);
    assert_eq!(client.refused(&replace(&second_id, &theirs)), "400 InvalidParameterValue");
    let delete = |acl: &str| format!("DeleteNetworkAcl&NetworkAclId={acl}");
    assert_eq!(client.refused(&delete(&acl)), "400 DependencyViolation");
    assert_eq!(client.refused(&delete(&default)), "400 InvalidParameterValue");
    client.ok(&replace(&second_id, &default));
    client.ok(&delete(&acl));
    assert_eq!(client.refused(&delete(&acl)), "400 InvalidNetworkAclID.NotFound");
}

#[test]
fn a_vpc_takes_its_default_acl_with_it_and_no_other() {
    let client = Client::new();
    let [vpc, subnet, default] = network(&client);
    let acl = made(&client, &vpc);
    let id = association(&client, &subnet);
    client.ok(&format!("ReplaceNetworkAclAssociation&AssociationId={id}&NetworkAclId={acl}"));
    client.ok(&format!("DeleteSubnet&SubnetId={subnet}"));
    assert_eq!(all(&described(&client, &acl), "subnetId"), Vec::<String>::new());
    let delete = format!("DeleteVpc&VpcId={vpc}");
    assert_eq!(client.refused(&delete), "400 DependencyViolation");
    client.ok(&format!("DeleteNetworkAcl&NetworkAclId={acl}"));
    client.ok(&delete);
    let gone = client.refused(&format!("DescribeNetworkAcls&NetworkAclId.1={default}"));
    assert_eq!(gone, "400 InvalidNetworkAclID.NotFound");
}

#[test]
fn a_dry_run_leaves_everything_as_it_is() {
    let client = Client::new();
    let [vpc, subnet, default] = network(&client);
    let acl = made(&client, &vpc);
    client.ok(&entry("Create", (&acl, 100), ALL));
    let id = association(&client, &subnet);
    let calls = [
        format!("CreateNetworkAcl&VpcId={vpc}"),
        format!("DeleteNetworkAcl&NetworkAclId={acl}"),
        entry("Create", (&acl, 200), ALL),
        // A dry run ignores that this entry already exists.
        entry("Create", (&acl, 100), ALL),
        entry("Replace", (&acl, 100), HTTP),
        entry("Delete", (&acl, 100), ""),
        format!("ReplaceNetworkAclAssociation&AssociationId={id}&NetworkAclId={acl}"),
        "DescribeNetworkAcls".to_owned(),
    ];
    let before = [described(&client, &acl), described(&client, &default)];
    for call in calls {
        assert_eq!(client.refused(&format!("{call}&DryRun=true")), "412 DryRunOperation");
    }
    assert_eq!([described(&client, &acl), described(&client, &default)], before);
}

#[test]
fn there_are_as_many_as_the_quotas_say() {
    let mut settings = Settings::default();
    settings.quotas.network_acls_per_vpc = 2;
    let client = Client::of(Cloud::in_memory().with_settings(settings));
    let [vpc, ..] = network(&client);
    let acl = made(&client, &vpc);
    let one_more = client.refused(&format!("CreateNetworkAcl&VpcId={vpc}"));
    assert_eq!(one_more, "400 NetworkAclLimitExceeded");
    for number in 1..=19 {
        client.ok(&entry("Create", (&acl, number), ALL));
    }
    let one_more = client.refused(&entry("Create", (&acl, 20), ALL));
    assert_eq!(one_more, "400 NetworkAclEntryLimitExceeded");
    client.ok(&entry("Replace", (&acl, 19), HTTP));
    client.ok(&entry("Create", (&acl, 20), ALL).replace("false", "true"));
    client.ok(&entry("Create", (&acl, 20), &ALL.replace("CidrBlock=0.0.0.0", "Ipv6CidrBlock=::")));
}

#[test]
fn each_filter_finds_what_it_is_about() {
    let client = Client::new();
    let [vpc, subnet, _] = network(&client);
    let acl = made(&client, &vpc);
    let id = association(&client, &subnet);
    let replaced = format!("ReplaceNetworkAclAssociation&AssociationId={id}&NetworkAclId={acl}");
    let id = first(&client.ok(&replaced), "newAssociationId");
    client.ok(&entry("Create", (&acl, 7), &HTTP.replace("To=80", "To=81")));
    let ping =
        "&Protocol=58&RuleAction=allow&Ipv6CidrBlock=2001:db8::/32&Icmp.Type=128&Icmp.Code=3";
    client.ok(&entry("Create", (&acl, 8), ping));
    client.ok(&format!("CreateTags&ResourceId.1={acl}&Tag.1.Key=k&Tag.1.Value=v"));
    let filters = [
        ("association.association-id", &*id),
        ("association.network-acl-id", &acl),
        ("association.subnet-id", &subnet),
        ("entry.cidr", "10.0.0.0/8"),
        ("entry.icmp.code", "3"),
        ("entry.icmp.type", "128"),
        ("entry.ipv6-cidr", "2001:db8::/32"),
        ("entry.port-range.from", "80"),
        ("entry.port-range.to", "81"),
        ("entry.protocol", "6"),
        ("entry.protocol", "tcp"),
        ("entry.protocol", "58"),
        ("entry.rule-number", "7"),
        ("network-acl-id", &acl),
        ("tag:k", "v"),
        ("tag-key", "k"),
    ];
    for (name, value) in filters {
        let found = client.ok(&format!("DescribeNetworkAcls&{}", filter(name, value)));
        assert_eq!(all(&found, "vpcId"), [&*vpc], "{name}");
        assert!(found.contains(&acl), "{name}");
    }
    let count = |name: &str, value: &str| {
        let asked = format!("DescribeNetworkAcls&{}", filter(name, value));
        all(&client.ok(&asked), "vpcId").len()
    };
    let counts = [
        count("default", "true"),
        count("default", "false"),
        count("entry.egress", "true"),
        count("entry.rule-action", "deny"),
        count("owner-id", "123456789012"),
        count("vpc-id", &vpc),
    ];
    assert_eq!(counts, [2, 1, 3, 3, 3, 2]);
}

#[test]
fn acls_are_told_in_pages() {
    let client = Client::new();
    let [vpc, ..] = network(&client);
    (0..5).for_each(|_| drop(made(&client, &vpc)));
    let asked = format!("DescribeNetworkAcls&{}&MaxResults=5", filter("vpc-id", &vpc));
    let page = client.ok(&asked);
    let next = client.ok(&format!("{asked}&NextToken={}", first(&page, "nextToken")));
    assert_eq!([&page, &next].map(|page| all(page, "ownerId").len()), [5, 1]);
    let few = client.refused("DescribeNetworkAcls&MaxResults=4");
    assert_eq!(few, "400 InvalidParameterValue");
}
