//! Laws that hold whatever is asked.

use crate::client::{Client, all, first};
use mirror_local::{Cloud, Service, action_names};
use proptest::prelude::*;

fn interfaces(count: usize) -> Client {
    let client = Client::new();
    let subnet = first(&client.ok("DescribeSubnets"), "subnetId");
    for n in 0..count {
        client.ok(&format!(
            "CreateNetworkInterface&SubnetId={subnet}&Description=d{}&ClientToken=t{n}",
            n % 3
        ));
    }
    client
}

/// Follows the pages of a call to the end.
fn pages(client: &Client, form: &str, element: &str) -> Vec<String> {
    let (mut items, mut token) = (Vec::new(), None);
    loop {
        let next = token.map(|token| format!("&NextToken={token}")).unwrap_or_default();
        let page = client.ok(&format!("{form}{next}"));
        items.extend(all(&page, element));
        token = all(&page, "nextToken").into_iter().next();
        if token.is_none() {
            return items;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_hold_each_item_once(count in 0_usize..40, size in 5_usize..12, filtered: bool) {
        let client = interfaces(count);
        let filter = if filtered { "&Filter.1.Name=description&Filter.1.Value.1=d1" } else { "" };
        let form = format!("DescribeNetworkInterfaces{filter}");
        let whole = pages(&client, &form, "macAddress");
        let paged = pages(&client, &format!("{form}&MaxResults={size}"), "macAddress");
        prop_assert_eq!(&paged, &whole);
        let expected = if filtered { (count + 1) / 3 } else { count };
        prop_assert_eq!(whole.len(), expected);
    }

    #[test]
    fn pages_of_tags_hold_each_tag_once(keys in 1_usize..20, size in 5_usize..12) {
        let client = interfaces(0);
        for subnet in all(&client.ok("DescribeSubnets"), "subnetId") {
            let tags: String = (1..=keys).map(|n| format!("&Tag.{n}.Key=k{n}&Tag.{n}.Value=v")).collect();
            client.ok(&format!("CreateTags&ResourceId.1={subnet}{tags}"));
        }
        let paged = pages(&client, &format!("DescribeTags&MaxResults={size}"), "key");
        prop_assert_eq!(paged.len(), keys * 3);
        prop_assert_eq!(paged, all(&client.ok("DescribeTags"), "key"));
    }

    #[test]
    fn no_body_makes_a_call_panic(action in prop::sample::select(action_names(Service::Ec2)), body in "[A-Za-z0-9.&=%/-]{0,80}") {
        let response = Client::new().send(&format!("{action}&{body}"));
        prop_assert!(response.status < 500, "{}", response.body);
    }

    #[test]
    fn no_bytes_make_a_call_panic(body: Vec<u8>) {
        let (head, ()) = http::Request::post("/").body(()).expect("a plain request").into_parts();
        let response = Cloud::in_memory().call(&head, &body).response.expect("no fault drops it");
        prop_assert_eq!(response.status, 400);
    }
}

#[test]
fn equal_histories_give_equal_ids() {
    let history = || {
        let client = interfaces(3);
        client.ok("CreateVpc&CidrBlock=10.0.0.0/16") + &client.ok("DescribeNetworkInterfaces")
    };
    assert_eq!(history(), history());
}
