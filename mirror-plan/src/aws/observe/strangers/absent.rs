//! What is absent: images and key pairs that instances are to be made of and nobody has.

use std::collections::BTreeSet;

use crate::aws::Aws;
use crate::aws::observe::ObserveError;
use crate::aws::page::{self, FILTER_VALUES, Ids, pages};
use crate::resource::access::{ArnType, Named, Which};

/// Those of `wanted` that are not there for this account, in a call for each sort of them and two hundred.
pub(super) async fn find(
    aws: &Aws,
    wanted: &BTreeSet<Named>,
) -> Result<BTreeSet<Named>, ObserveError> {
    let (images, key_pairs) = tokio::try_join!(
        Box::pin(images(aws, names(wanted, ArnType::Image))),
        Box::pin(key_pairs(aws, names(wanted, ArnType::KeyPair))),
    )?;
    let is_there = |Named { of, which }: &Named| match (of, which) {
        (ArnType::Image, Which::One(id)) => images.contains(id),
        (ArnType::KeyPair, Which::One(name)) => key_pairs.contains(name),
        // Nobody has looked.
        _ => true,
    };
    Ok(wanted.iter().filter(|named| !is_there(named)).cloned().collect())
}

fn names(wanted: &BTreeSet<Named>, sort: ArnType) -> Vec<String> {
    let of_sort = wanted.iter().filter(|named| named.of == sort);
    let names = of_sort.filter_map(|named| match &named.which {
        Which::One(name) => Some(name.clone()),
        Which::Any => None,
    });
    names.collect()
}

async fn images(aws: &Aws, wanted: Vec<String>) -> Result<Ids, ObserveError> {
    let mut there = Ids::new();
    for some in wanted.chunks(FILTER_VALUES) {
        // One that is deprecated can be launched still.
        let request = aws.ec2().describe_images().include_deprecated(true);
        let request = request.filters(page::filter("image-id", some.iter().cloned()));
        let images = pages!(aws, "DescribeImages", request, images);
        there.extend(images.into_iter().filter_map(|image| image.image_id));
    }
    Ok(there)
}

async fn key_pairs(aws: &Aws, wanted: Vec<String>) -> Result<Ids, ObserveError> {
    let mut there = Ids::new();
    for some in wanted.chunks(FILTER_VALUES) {
        let request = aws.ec2().describe_key_pairs();
        let request = request.filters(page::filter("key-name", some.iter().cloned()));
        let answer = aws.send("DescribeKeyPairs", request.send()).await?;
        there.extend(answer.key_pairs.unwrap_or_default().into_iter().filter_map(|it| it.key_name));
    }
    Ok(there)
}
