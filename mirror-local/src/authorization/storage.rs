//! What calls of S3 need: they are checked on buckets and objects, whose ARNs name no account.
//!
//! Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3";
//! Amazon S3 API reference, the permissions of each call; Amazon S3 user guide, "Conditional requests".

use super::Check;
use super::condition::Facts;
use crate::request::Request;
use crate::world::Region;

/// What a call needs, in the order in which it is checked.
pub(super) fn of(request: &Request, region: &Region) -> Vec<Check> {
    let bucket = request.parameters.text("Bucket").unwrap_or("*");
    let key = request.parameters.text("Key").unwrap_or("*");
    let object = format!("{bucket}/{key}");
    let check = |action: &str, resource: &str| {
        let mut facts = Facts::default();
        facts.add("aws:RequestedRegion", &*request.region);
        let resource = format!("arn:aws:s3:::{resource}");
        Check { action: format!("s3:{action}"), resource, facts }
    };
    match &*request.action {
        "GetObject" | "HeadObject" => {
            let get = check("GetObject", &object);
            // Only those who may list learn whether an object exists.
            let is_there = region.objects.contains(&object);
            let list = (!is_there).then(|| check("ListBucket", bucket));
            [Some(get), list].into_iter().flatten().collect()
        }
        "PutObject" | "DeleteObject" => {
            let write = check(&request.action, &object);
            // The object that it is compared with is read.
            let compares = request.parameters.text("IfMatch").is_some();
            let read = compares.then(|| check("GetObject", &object));
            [Some(write), read].into_iter().flatten().collect()
        }
        "HeadBucket" | "ListObjectsV2" => vec![check("ListBucket", bucket)],
        other => vec![check(other, bucket)],
    }
}
