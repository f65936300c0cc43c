//! The contents of a version of a launch template: parameters of a launch, checked for their form
//! only.

use crate::ec2::instance::checked_user_data;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The parameters of `RunInstances` that a version gives, under the names that `RunInstances` has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Data(BTreeMap<String, String>);

/// One parameter: its name in a request, its name in an answer, and its shape.
type Field = (&'static str, &'static str, Shape);

/// What a parameter looks like.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Flag,
    List(&'static [Field]),
    Number,
    Structure(&'static [Field]),
    Text,
    /// Plain values, in elements of this name.
    Texts(&'static str),
}

use Shape::{Flag, List, Number, Structure, Text, Texts};

/// Every parameter, by the name in an answer.
///
/// Source: EC2 API reference, `RequestLaunchTemplateData` and `ResponseLaunchTemplateData`.
const FIELDS: &[Field] = &[
    ("BlockDeviceMapping", "blockDeviceMappingSet", List(DISK)),
    (
        "CreditSpecification",
        "creditSpecification",
        Structure(&[("CpuCredits", "cpuCredits", Text)]),
    ),
    ("DisableApiStop", "disableApiStop", Flag),
    ("DisableApiTermination", "disableApiTermination", Flag),
    ("EbsOptimized", "ebsOptimized", Flag),
    ("IamInstanceProfile", "iamInstanceProfile", Structure(PROFILE)),
    ("ImageId", "imageId", Text),
    ("InstanceInitiatedShutdownBehavior", "instanceInitiatedShutdownBehavior", Text),
    ("InstanceType", "instanceType", Text),
    ("KeyName", "keyName", Text),
    ("MetadataOptions", "metadataOptions", Structure(METADATA)),
    ("Monitoring", "monitoring", Structure(&[("Enabled", "enabled", Flag)])),
    ("NetworkInterface", "networkInterfaceSet", List(INTERFACE)),
    ("Placement", "placement", Structure(&[("AvailabilityZone", "availabilityZone", Text)])),
    ("SecurityGroupId", "securityGroupIdSet", Texts("item")),
    ("SecurityGroup", "securityGroupSet", Texts("item")),
    ("TagSpecification", "tagSpecificationSet", List(TAGS)),
    ("UserData", "userData", Text),
];

const DISK: &[Field] = &[
    ("DeviceName", "deviceName", Text),
    ("Ebs", "ebs", Structure(EBS)),
    ("NoDevice", "noDevice", Text),
    ("VirtualName", "virtualName", Text),
];

const EBS: &[Field] = &[
    ("DeleteOnTermination", "deleteOnTermination", Flag),
    ("Encrypted", "encrypted", Flag),
    ("Iops", "iops", Number),
    ("KmsKeyId", "kmsKeyId", Text),
    ("SnapshotId", "snapshotId", Text),
    ("Throughput", "throughput", Number),
    ("VolumeSize", "volumeSize", Number),
    ("VolumeType", "volumeType", Text),
];

const INTERFACE: &[Field] = &[
    ("AssociatePublicIpAddress", "associatePublicIpAddress", Flag),
    ("DeleteOnTermination", "deleteOnTermination", Flag),
    ("Description", "description", Text),
    ("DeviceIndex", "deviceIndex", Number),
    ("SecurityGroupId", "groupSet", Texts("groupId")),
    ("InterfaceType", "interfaceType", Text),
    ("NetworkInterfaceId", "networkInterfaceId", Text),
    ("PrivateIpAddress", "privateIpAddress", Text),
    ("SecondaryPrivateIpAddressCount", "secondaryPrivateIpAddressCount", Number),
    ("SubnetId", "subnetId", Text),
];

const METADATA: &[Field] = &[
    ("HttpEndpoint", "httpEndpoint", Text),
    ("HttpProtocolIpv6", "httpProtocolIpv6", Text),
    ("HttpPutResponseHopLimit", "httpPutResponseHopLimit", Number),
    ("HttpTokens", "httpTokens", Text),
    ("InstanceMetadataTags", "instanceMetadataTags", Text),
];

const PROFILE: &[Field] = &[("Arn", "arn", Text), ("Name", "name", Text)];

const TAGS: &[Field] = &[
    ("ResourceType", "resourceType", Text),
    ("Tag", "tagSet", List(&[("Key", "key", Text), ("Value", "value", Text)])),
];

impl Data {
    /// Reads the data of a call that makes a version.
    pub(super) fn read(parameters: &Parameters) -> Outcome<Self> {
        const NAME: &str = "LaunchTemplateData";
        let sent = parameters.structure(NAME).ok_or_else(|| Failure::missing(NAME))?;
        check(sent, FIELDS)?;
        checked_user_data(sent.text("UserData"))?;
        Ok(Self(sent.pairs().into_iter().collect()))
    }

    /// These parameters overlaid with others, each as a whole: lists are not merged.
    pub(super) fn with(&self, over: &Parameters) -> Self {
        Self(self.parameters().overlaid(over).pairs().into_iter().collect())
    }

    /// The parameters as `RunInstances` would get them.
    pub(super) fn parameters(&self) -> Parameters {
        Parameters::from_pairs(self.0.iter().map(|(name, value)| (name, value.as_str())))
    }

    /// Writes the inside of `launchTemplateData`.
    pub(super) fn write(&self, xml: &mut Xml) {
        write(&self.parameters(), FIELDS, xml);
    }
}

/// Refuses what no version can contain here, and values that are not the flag or number they should
/// be.
fn check(sent: &Parameters, fields: &[Field]) -> Outcome {
    for name in sent.names() {
        let Some((.., shape)) = fields.iter().find(|(known, ..)| *known == name) else {
            let name = sent.full_name(name);
            let message = format!("mirror-local does not implement the parameter {name}");
            return Err(Failure::new("UnsupportedOperation", message));
        };
        match shape {
            Flag => drop(sent.boolean(name)?),
            Number => drop(sent.parsed::<u32>(name)?),
            Text | Texts(_) => {}
            Structure(fields) => sent.structure(name).map_or(Ok(()), |it| check(it, fields))?,
            List(fields) => sent.list(name).into_iter().try_for_each(|it| check(it, fields))?,
        }
    }
    Ok(())
}

fn write(said: &Parameters, fields: &[Field], xml: &mut Xml) {
    for (name, told, shape) in fields {
        match shape {
            Flag | Number | Text => xml.optional(told, said.text(name)),
            Structure(fields) => {
                if let Some(inside) = said.structure(name) {
                    xml.element(told, |xml| write(inside, fields, xml));
                }
            }
            List(fields) => {
                let items = said.list(name);
                if !items.is_empty() {
                    xml.items(told, items, |xml, item| write(item, fields, xml));
                }
            }
            Texts(item) => {
                let values = said.texts(name);
                if !values.is_empty() {
                    let all = |xml: &mut Xml| values.iter().for_each(|it| xml.text(item, it));
                    xml.element(told, all);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Outcome<Data> {
        let pairs =
            pairs.iter().map(|(name, value)| (format!("LaunchTemplateData.{name}"), *value));
        Data::read(&Parameters::from_pairs(pairs))
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_full_name() {
        let failure = read(&[("BlockDeviceMapping.1.Ebs.Colour", "red")]).unwrap_err();
        assert_eq!(
            failure.message,
            "mirror-local does not implement the parameter \
             LaunchTemplateData.BlockDeviceMapping.1.Ebs.Colour"
        );
        assert!(read(&[("BlockDeviceMapping.1.Ebs.Encrypted", "true")]).is_ok());
        let codes = [("EbsOptimized", "1"), ("MetadataOptions.HttpPutResponseHopLimit", "x")]
            .map(|pair| read(&[pair]).unwrap_err().code);
        assert_eq!(codes, ["InvalidParameterValue"; 2]);
        assert_eq!(read(&[("UserData", "no")]).unwrap_err().code, "InvalidUserData.Malformed");
        assert_eq!(read(&[]).unwrap_err().code, "MissingParameter");
    }

    #[test]
    fn a_list_is_replaced_as_a_whole() {
        let base = read(&[("SecurityGroupId.1", "sg-1"), ("SecurityGroupId.2", "sg-2")]).unwrap();
        let over = Parameters::from_pairs([("SecurityGroupId.1", "sg-3"), ("ImageId", "ami-1")]);
        let expected = read(&[("SecurityGroupId.1", "sg-3"), ("ImageId", "ami-1")]).unwrap();
        assert_eq!(base.with(&over), expected);
    }
}
