//! ARNs: how a policy refers to resources.

use super::Location;
use crate::address::Name;
use crate::resource::access::{ArnType, Service};
use crate::scalar::{AccountId, Coordination, Region};

/// The role with which a service works in an account. It is created with the first load balancer or
/// group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceRole {
    LoadBalancing,
    Autoscaling,
}

impl ServiceRole {
    /// The service, as IAM names it.
    pub(super) const fn service(self) -> &'static str {
        match self {
            Self::LoadBalancing => "elasticloadbalancing.amazonaws.com",
            Self::Autoscaling => "autoscaling.amazonaws.com",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::LoadBalancing => "AWSServiceRoleForElasticLoadBalancing",
            Self::Autoscaling => "AWSServiceRoleForAutoScaling",
        }
    }
}

/// The ARNs of one account and Region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arns<'a>(pub(super) &'a Location);

impl<'a> Arns<'a> {
    /// Returns the Region.
    pub(super) fn region(self) -> &'a str {
        self.0.region.as_str()
    }

    /// Returns the ARN of everything of a service.
    pub(super) fn everything(self, service: Service) -> String {
        let (partition, region, account) = (self.partition(), self.region(), &self.0.account);
        format!("arn:{partition}:{}:{region}:{account}:*/*", service.prefix())
    }

    /// Returns the ARN of everything of a type.
    pub(super) fn all(self, of: ArnType) -> String {
        self.of(of, "*")
    }

    /// Returns the ARN of the object with an id or a name.
    pub(super) fn one(self, of: ArnType, name: &str) -> String {
        self.of(of, &literal(name))
    }

    /// Returns the ARN of the object with an id or a name that another account owns.
    pub(super) fn one_of_account(self, of: ArnType, name: &str, owner: &AccountId) -> String {
        arn(of, &literal(name), owner, &self.0.region)
    }

    /// Returns the ARN of the VPC with an id, or of any VPC, in an account or in one that is not
    /// known.
    pub(super) fn vpc(self, id: Option<&str>, account: Option<&AccountId>) -> String {
        let (partition, region) = (self.partition(), self.region());
        let account = account.map_or("*", AccountId::as_str);
        format!("arn:{partition}:ec2:{region}:{account}:vpc/{}", id.unwrap_or("*"))
    }

    /// Returns the ARN of the public parameter with a name, which belongs to no account.
    pub(super) fn parameter(self, name: &str) -> String {
        let region = self.region();
        format!("arn:{}:ssm:{region}::parameter{}", self.partition(), literal(name))
    }

    /// Returns the ARN of the bucket of a place that the runs of a team share.
    pub(super) fn bucket(self, place: &Coordination) -> String {
        format!("arn:{}:s3:::{}", self.partition(), place.bucket())
    }

    /// Returns the ARN of a stack's journal in that place; its name is that of
    /// [`Scope`](crate::apply::journal::Scope), which is above this module.
    pub(super) fn journal(self, place: &Coordination, stack: &Name) -> String {
        let Location { account, region } = self.0;
        let key = place.key(&format!("{stack}.{account}.{region}.journal"));
        format!("{}/{}", self.bucket(place), literal(&key))
    }

    /// Returns the ARN of the role of a service.
    pub(super) fn service_role(self, role: ServiceRole) -> String {
        let (partition, account) = (self.partition(), &self.0.account);
        let (service, name) = (role.service(), role.name());
        format!("arn:{partition}:iam::{account}:role/aws-service-role/{service}/{name}")
    }

    fn of(self, of: ArnType, name: &str) -> String {
        let Location { account, region } = self.0;
        arn(of, name, account, region)
    }

    fn partition(self) -> &'static str {
        partition(&self.0.region)
    }
}

/// Returns the ARN of the object with an id or a name.
pub(crate) fn arn(of: ArnType, name: &str, account: &AccountId, region: &Region) -> String {
    let account = if of.is_of_an_account() { account.as_str() } else { "" };
    let (partition, service) = (partition(region), of.service().prefix());
    format!("arn:{partition}:{service}:{region}:{account}:{}{name}", of.path())
}

/// Returns the partition: the group of Regions that a Region is in.
///
/// Source: AWS SDKs, the partitions of their endpoint rules.
fn partition(region: &Region) -> &'static str {
    const BY_PREFIX: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let found = BY_PREFIX.iter().find(|(prefix, _)| region.as_str().starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}

/// Escapes a name, so that no character in it stands for anything else.
///
/// Source: IAM user guide, "IAM policy elements: Variables and tags", special characters.
fn literal(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '*' | '?' | '$' => text.extend(['$', '{', c, '}']),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(region: &str, of: ArnType, name: &str) -> String {
        let account = "123456789012".parse().unwrap();
        Arns(&Location { account, region: region.parse().unwrap() }).one(of, name)
    }

    #[test]
    fn an_arn_is_of_the_partition_of_its_region() {
        for (region, start) in [
            ("eu-west-1", "arn:aws:ec2:eu-west-1:123456789012:vpc/"),
            ("cn-north-1", "arn:aws-cn:ec2:cn-north-1:123456789012:vpc/"),
            ("us-gov-west-1", "arn:aws-us-gov:ec2:us-gov-west-1:123456789012:vpc/"),
            ("us-isob-east-1", "arn:aws-iso-b:ec2:us-isob-east-1:123456789012:vpc/"),
        ] {
            assert_eq!(arn(region, ArnType::Vpc, ""), start);
        }
    }

    #[test]
    fn an_image_is_of_no_account_and_a_name_means_itself() {
        let image = arn("eu-west-1", ArnType::Image, "ami-1");
        assert_eq!(image, "arn:aws:ec2:eu-west-1::image/ami-1");
        let key = arn("eu-west-1", ArnType::KeyPair, "all*of$me?");
        assert_eq!(key, "arn:aws:ec2:eu-west-1:123456789012:key-pair/all${*}of${$}me${?}");
    }
}
