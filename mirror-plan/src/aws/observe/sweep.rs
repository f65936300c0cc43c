//! The sweep: the ids of everything in EC2 that carries the stack's tag.

use std::collections::BTreeMap;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::page::{self, Ids, pages};
use super::ObserveError;
use crate::address::Kind;
use crate::resource::tag;

/// Finds what is tagged for `stack`. A tag can outlast its object; such objects are skipped where each kind is read.
pub(super) async fn sweep(aws: &Aws, stack: &str) -> Result<BTreeMap<Kind, Ids>, ObserveError> {
    let request = aws
        .ec2()
        .describe_tags()
        // With a filter `tag:...` AWS may return all tags of the objects that it finds; with these filters it returns
        // only one.
        .filters(page::filter("key", [tag::STACK.to_owned()]))
        .filters(page::filter("value", [stack.to_owned()]))
        .max_results(page::PAGE);
    let found = pages!(aws, "DescribeTags", request, tags);
    let mut swept: BTreeMap<Kind, Ids> = BTreeMap::new();
    for tag in found {
        let of = tag.resource_type().map(|of| of.as_str());
        // Volumes and interfaces carry the tags of their instance; they come and go with it.
        if let Some(kind) = Kind::all().find(|kind| Some(kind.tag_type()) == of) {
            let id = Answer("DescribeTags").present("resourceId", tag.resource_id())?;
            swept.entry(kind).or_default().insert(id.to_owned());
        }
    }
    Ok(swept)
}
