//! `RunInstances`: from parameters to instances with interfaces and disks.

mod interface;
mod volume;

use super::describe::write_reservation;
use super::{Asked, Instance, InstanceAttribute, MetadataOptions, State};
use crate::ec2::image::{self, Image};
use crate::ec2::instance_type::{self, InstanceType};
use crate::ec2::subnet::Subnet;
use crate::ec2::{base64, key_pair, launch_template};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use interface::{InterfacePlan, plan_interfaces};
use std::collections::{BTreeMap, BTreeSet};
use volume::{VolumePlan, plan_volumes};

/// What EC2 has and a local AWS does not.
const FOREIGN: &[&str] = &[
    "ElasticGpuSpecification",
    "EnablePrimaryIpv6",
    "InstanceMarketOptions",
    "Ipv6Address",
    "Ipv6AddressCount",
    "SecondaryInterface",
];

/// Bytes of user data after decoding.
const USER_DATA_MAX: usize = 16 * 1024;

/// The type of an instance if the client names none.
const TYPE_DEFAULT: &str = "m1.small";

/// What the instances of one launch have in common.
struct Launch {
    count: usize,
    image: &'static Image,
    instance_type: &'static InstanceType,
    subnet: Subnet,
    interfaces: Vec<InterfacePlan>,
    volumes: Vec<VolumePlan>,
    tags: BTreeMap<String, Tags>,
}

/// Handles `RunInstances`; returns the ids of the reservation and of its instances.
pub(super) fn run(call: &mut Call<'_>) -> Outcome<String> {
    let Some(specification) = call.parameters.structure("LaunchTemplate") else {
        return launch(call);
    };
    let (source, parameters) =
        launch_template::filled(call.region, specification, call.parameters)?;
    let Call { ref mut region, neighbours, settings, now, .. } = *call;
    let ids = launch(&mut Call { region, neighbours, parameters: &parameters, settings, now })?;
    for id in ids.split(' ') {
        if let Some(instance) = region.instances.get_mut(id) {
            source.mark(&mut instance.tags);
        }
    }
    Ok(ids)
}

/// Launches instances; returns the ids of the reservation and of its instances.
pub(crate) fn launch(call: &mut Call<'_>) -> Outcome<String> {
    call.parameters.refuse(FOREIGN)?;
    let launch = plan(call)?;
    let reservation = call.region.draw_id("r-");
    let mut ids = vec![reservation.clone()];
    for index in 0..launch.count {
        ids.push(launch_one(call, &launch, (&reservation, index))?);
    }
    Ok(ids.join(" "))
}

/// Writes the answer to `RunInstances`.
pub(super) fn answer(view: View<'_>, ids: &str, xml: &mut Xml) -> Option<()> {
    let (reservation, ids) = ids.split_once(' ')?;
    let instances: Vec<&Instance> =
        ids.split(' ').map(|id| view.region.instances.get(id)).collect::<Option<_>>()?;
    write_reservation(view, xml, (reservation, &instances));
    Some(())
}

fn plan(call: &Call<'_>) -> Outcome<Launch> {
    let parameters = call.parameters;
    let image = image::by_id(&call.region.name, parameters.required("ImageId")?)?;
    let name = parameters.text("InstanceType").unwrap_or(TYPE_DEFAULT);
    let Some(instance_type) = instance_type::by_name(name) else {
        let message = format!("Invalid value '{name}' for InstanceType.");
        return Err(Failure::new("InvalidParameterValue", message));
    };
    if instance_type.family.architecture != image.architecture {
        let message = format!(
            "The architecture '{}' of the specified instance type does not match the architecture \
             '{}' of the specified AMI.",
            instance_type.family.architecture, image.architecture
        );
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let count = count(call)?;
    let (subnet, interfaces) = plan_interfaces(call, (instance_type, count))?;
    let kinds = ["instance", "volume", "network-interface", "spot-instances-request"];
    Ok(Launch {
        count,
        image,
        instance_type,
        subnet,
        interfaces,
        volumes: plan_volumes(call, image)?,
        tags: Tags::specified_among(parameters, &kinds)?,
    })
}

fn count(call: &Call<'_>) -> Outcome<usize> {
    let least: usize = call.parameters.required_parsed("MinCount")?;
    let most: usize = call.parameters.required_parsed("MaxCount")?;
    if least == 0 || most < least {
        let message = "The minimum count must be at least 1 and at most the maximum count";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let view = call.view();
    let there = view.region.instances.values();
    let running = there.filter(|instance| instance.state(view) != State::Terminated).count();
    let room = call.settings.quotas.instances.saturating_sub(running);
    if room < least {
        let message = format!(
            "You have requested more instances ({most}) than your current instance limit allows."
        );
        return Err(Failure::new("InstanceLimitExceeded", message));
    }
    Ok(most.min(room))
}

fn launch_one(
    call: &mut Call<'_>,
    launch: &Launch,
    (reservation, index): (&str, usize),
) -> Outcome<String> {
    let parameters = call.parameters;
    if let Some(name) = parameters.text("KeyName") {
        key_pair::named(call.region, name)?;
    }
    let id = call.region.draw_id("i-");
    let instance = Instance {
        id: id.clone(),
        reservation_id: reservation.to_owned(),
        image_id: launch.image.id(&call.region.name),
        instance_type: launch.instance_type.name.clone(),
        key_name: parameters.text("KeyName").map(str::to_owned),
        subnet_id: launch.subnet.id.clone(),
        vpc_id: launch.subnet.vpc_id.clone(),
        zone: launch.subnet.zone.clone(),
        interface_ids: Vec::new(),
        volume_ids: Vec::new(),
        launch_index: index,
        launched: call.now,
        client_token: parameters.text("ClientToken").map(str::to_owned),
        user_data: checked_user_data(parameters.text("UserData"))?,
        profile_arn: profile(call.region, parameters),
        shutdown_behavior: parameters
            .one_of("InstanceInitiatedShutdownBehavior", &["stop", "terminate"])?
            .unwrap_or("stop")
            .to_owned(),
        credits: credits(parameters, launch.instance_type)?,
        metadata: initial_metadata(parameters, launch.image)?,
        enabled: enabled(parameters, &launch.interfaces)?,
        asked: Asked::Run,
        asked_at: call.now,
        tags: launch.tags.get("instance").cloned().unwrap_or_default(),
    };
    call.region.instances.insert(&*id, instance);
    interface::attach_all(call, launch, &id)?;
    volume::attach_all(call, launch, &id);
    Ok(id)
}

/// Checks that user data is Base64 and not too long; keeps it as it was sent.
pub(crate) fn checked_user_data(text: Option<&str>) -> Outcome<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let Some(bytes) = base64::decode(text) else {
        let message = "Invalid BASE64 encoding of user data.";
        return Err(Failure::new("InvalidUserData.Malformed", message));
    };
    if bytes.len() > USER_DATA_MAX {
        let message = format!("User data is limited to {USER_DATA_MAX} bytes");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(Some(text.to_owned()))
}

fn profile(region: &Region, parameters: &Parameters) -> Option<String> {
    let profile = parameters.structure("IamInstanceProfile")?;
    profile.given("Arn").map(str::to_owned).or_else(|| {
        let name = profile.given("Name")?;
        Some(region.iam_arn(format_args!("instance-profile/{name}")))
    })
}

/// Reads how a burstable instance may burst.
fn credits(parameters: &Parameters, instance_type: &InstanceType) -> Outcome<Option<String>> {
    let asked = match parameters.structure("CreditSpecification") {
        Some(specification) => specification.one_of("CpuCredits", &["standard", "unlimited"])?,
        None => None,
    };
    if !instance_type.family.burstable {
        return match asked {
            None => Ok(None),
            Some(_) => {
                let name = &instance_type.name;
                let message = format!("CPU credits are not supported for instance type {name}.");
                Err(Failure::combination(message))
            }
        };
    }
    let usual = if instance_type.is_nitro() { "unlimited" } else { "standard" };
    Ok(Some(asked.unwrap_or(usual).to_owned()))
}

/// Returns the metadata options of a new instance, which follow from its image and the call.
fn initial_metadata(parameters: &Parameters, image: &Image) -> Outcome<MetadataOptions> {
    let tokens = image.imds.is_some();
    let usual = MetadataOptions {
        http_tokens: if tokens { "required" } else { "optional" }.to_owned(),
        http_put_response_hop_limit: if tokens { 2 } else { 1 },
        http_endpoint: "enabled".to_owned(),
        http_protocol_ipv6: "disabled".to_owned(),
        instance_metadata_tags: "disabled".to_owned(),
    };
    match parameters.structure("MetadataOptions") {
        Some(options) => metadata(options, usual),
        None => Ok(usual),
    }
}

/// Returns metadata options with the changes that a call makes to them.
pub(super) fn metadata(
    parameters: &Parameters,
    mut options: MetadataOptions,
) -> Outcome<MetadataOptions> {
    let switch = ["enabled", "disabled"];
    let texts = [
        ("HttpTokens", &mut options.http_tokens, ["optional", "required"]),
        ("HttpEndpoint", &mut options.http_endpoint, switch),
        ("HttpProtocolIpv6", &mut options.http_protocol_ipv6, switch),
        ("InstanceMetadataTags", &mut options.instance_metadata_tags, switch),
    ];
    for (name, option, words) in texts {
        if let Some(word) = parameters.one_of(name, &words)? {
            word.clone_into(option);
        }
    }
    if let Some(limit) = parameters.text("HttpPutResponseHopLimit") {
        options.http_put_response_hop_limit =
            limit.parse().ok().filter(|n| (1..=64).contains(n)).ok_or_else(|| {
                let why = "The value must be between 1 and 64.";
                Failure::invalid(limit, "httpPutResponseHopLimit", why)
            })?;
    }
    Ok(options)
}

fn enabled(
    parameters: &Parameters,
    interfaces: &[InterfacePlan],
) -> Outcome<BTreeSet<InstanceAttribute>> {
    let mut enabled = BTreeSet::new();
    let monitoring = match parameters.structure("Monitoring") {
        Some(monitoring) => monitoring.boolean("Enabled")?,
        None => None,
    };
    let switches = [
        (InstanceAttribute::DisableApiStop, parameters.boolean("DisableApiStop")?),
        (InstanceAttribute::DisableApiTermination, parameters.boolean("DisableApiTermination")?),
        (InstanceAttribute::EbsOptimized, parameters.boolean("EbsOptimized")?),
        (InstanceAttribute::Monitoring, monitoring),
        (InstanceAttribute::PublicAddress, Some(interfaces.iter().any(InterfacePlan::is_public))),
    ];
    for (attribute, value) in switches {
        if value == Some(true) {
            enabled.insert(attribute);
        }
    }
    Ok(enabled)
}
