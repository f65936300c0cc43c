//! Pages: reading a list to its end.
//!
//! EC2 may answer with an empty page and a token for the next one; only the absence of a token
//! means the end.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Filter;

/// What `request` lists, from all pages: `pages!(aws, "DescribeVpcs", request, vpcs)`.
macro_rules! pages {
    ($aws:expr, $call:literal, $request:expr, $items:ident) => {
        $crate::aws::page::pages!($aws, $call, $request, $items, set_next_token, next_token)
    };
    ($aws:expr, $call:literal, $request:expr, $items:ident, $set:ident, $next:ident) => {{
        let request = $request;
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let page = $aws.send($call, request.clone().$set(token).send()).await?;
            all.extend(page.$items.unwrap_or_default());
            token = page.$next.filter(|token| !token.is_empty());
            if token.is_none() {
                break all;
            }
        }
    }};
}
/// The same for Elastic Load Balancing, which calls the token a marker.
macro_rules! marked_pages {
    ($aws:expr, $call:literal, $request:expr, $items:ident) => {
        $crate::aws::page::pages!($aws, $call, $request, $items, set_marker, next_marker)
    };
}
pub(super) use {marked_pages, pages};

/// The largest page of most lists of EC2.
pub(super) const PAGE: i32 = 1000;

/// The largest page of Elastic Load Balancing.
pub(super) const ELB_PAGE: i32 = 400;

/// How many values one filter accepts.
///
/// Source: EC2 user guide, "Filtering": 200 filter values.
pub(super) const FILTER_VALUES: usize = 200;

/// The ids of the objects that are looked up.
pub(super) type Ids = BTreeSet<String>;

/// Returns a filter for these ids if that is less work than reading everything of the kind.
///
/// It is a filter and not a list of ids, because a filter ignores ids that no longer exist, whereas
/// a list fails.
pub(super) fn only(name: &str, ids: &Ids) -> Option<Vec<Filter>> {
    (ids.len() <= FILTER_VALUES).then(|| vec![filter(name, ids.iter().cloned())])
}

/// A filter by one field.
pub(super) fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}
