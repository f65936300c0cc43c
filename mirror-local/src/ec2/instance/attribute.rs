//! Attributes of instances, one at a time, and their metadata options.

use super::run::{checked_user_data, metadata};
use super::write::{write_metadata, write_volumes};
use super::{Instance, InstanceAttribute, State};
use crate::ec2::instance_type;
use crate::ec2::network_interface::groups_in;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, View, by_id, by_id_mut, find};
use crate::xml::Xml;

/// The attributes that are on or off: name in a change and in an answer.
const SWITCHES: [(InstanceAttribute, &str, &str); 3] = [
    (InstanceAttribute::DisableApiStop, "DisableApiStop", "disableApiStop"),
    (InstanceAttribute::DisableApiTermination, "DisableApiTermination", "disableApiTermination"),
    (InstanceAttribute::EbsOptimized, "EbsOptimized", "ebsOptimized"),
];

/// Handles `DescribeInstanceAttribute`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let attribute = parameters.required("Attribute")?;
    let instance = find(&view.region.instances, parameters, "InstanceId")?;
    xml.text("instanceId", &instance.id);
    if let Some((switch, _, name)) = SWITCHES.iter().find(|(.., name)| *name == attribute) {
        xml.element(name, |xml| xml.text("value", instance.has(*switch)));
        return Ok(());
    }
    let primary = instance.primary(view.region);
    let value = match attribute {
        "groupSet" => {
            if let Some(primary) = primary {
                primary.write_groups(view.region, xml);
            }
            return Ok(());
        }
        "enclaveOptions" => {
            xml.element("enclaveOptions", |xml| xml.text("enabled", false));
            return Ok(());
        }
        "blockDeviceMapping" => {
            write_volumes(view, instance, xml);
            return Ok(());
        }
        "productCodes" => {
            xml.items(attribute, [(); 0], |_, ()| {});
            return Ok(());
        }
        "enaSupport" => Some("true".to_owned()),
        "instanceInitiatedShutdownBehavior" => Some(instance.shutdown_behavior.clone()),
        "instanceType" => Some(instance.instance_type.clone()),
        "kernel" | "ramdisk" => None,
        "rootDeviceName" => instance.image(view.region).map(|i| i.root_device().to_owned()),
        "sourceDestCheck" => primary.map(|primary| primary.source_dest_check.to_string()),
        "sriovNetSupport" => Some("simple".to_owned()),
        "userData" => instance.user_data.clone(),
        other => {
            let why = "This is not an attribute of an instance.";
            return Err(Failure::invalid(other, "attribute", why));
        }
    };
    xml.element(attribute, |xml| xml.optional("value", value));
    Ok(())
}

/// Handles `ModifyInstanceAttribute`.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    parameters.refuse(&["EnclaveOptions", "Kernel", "Ramdisk", "SriovNetSupport"])?;
    let instance = find(&call.region.instances, parameters, "InstanceId")?;
    let id = instance.id.clone();
    let old = older_form(parameters)?;
    let parameters = old.as_ref().unwrap_or(parameters);
    check_stopped(call.view(), instance, parameters)?;
    modify_network(call, &id, parameters)?;
    let instance = by_id_mut(&mut call.region.instances, &id, "instanceId")?;
    for (switch, name, _) in SWITCHES {
        if let Some(value) = switched(parameters, name)? {
            if value {
                instance.enabled.insert(switch);
            } else {
                instance.enabled.remove(&switch);
            }
        }
    }
    modify_texts(instance, parameters)?;
    for mapping in parameters.list("BlockDeviceMapping") {
        modify_volume(call, &id, mapping)?;
    }
    xml.text("return", true);
    Ok(())
}

/// Turns `Attribute=x&Value=y` into the form that names each attribute.
fn older_form(parameters: &Parameters) -> Outcome<Option<Parameters>> {
    let Some(attribute) = parameters.text("Attribute") else { return Ok(None) };
    let value = parameters.required("Value")?;
    let mut letters = attribute.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    Ok(Some(Parameters::from_pairs([(format!("{name}.Value"), value)])))
}

fn switched(parameters: &Parameters, name: &str) -> Outcome<Option<bool>> {
    parameters.structure(name).map_or(Ok(None), |change| change.boolean("Value"))
}

/// Refuses changes that require a stopped instance if it is not stopped.
fn check_stopped(view: View<'_>, instance: &Instance, parameters: &Parameters) -> Outcome {
    let names = ["EbsOptimized", "InstanceType", "UserData"];
    let asked = names.iter().any(|name| parameters.structure(name).is_some());
    if asked && instance.state(view) != State::Stopped {
        let message = format!("The instance '{}' is not in the 'stopped' state.", instance.id);
        return Err(Failure::new("IncorrectInstanceState", message));
    }
    Ok(())
}

fn modify_network(call: &mut Call<'_>, id: &str, parameters: &Parameters) -> Outcome {
    let instance = by_id(&call.region.instances, id, "instanceId")?;
    let asked = parameters.texts("GroupId");
    let check = switched(parameters, "SourceDestCheck")?;
    if asked.is_empty() && check.is_none() {
        return Ok(());
    }
    if instance.interface_ids.len() > 1 {
        let message = format!(
            "There are multiple interfaces attached to instance '{id}'. Please specify an interface ID for the operation instead."
        );
        return Err(Failure::new("InvalidInstanceID", message));
    }
    let groups = if asked.is_empty() {
        None
    } else {
        Some(groups_in(call.region, &call.settings.quotas, (&instance.vpc_id, &asked))?)
    };
    let primary = instance.interface_ids.first().cloned().unwrap_or_default();
    if let Some(interface) = call.region.network_interfaces.get_mut(&primary) {
        interface.groups = groups.unwrap_or_else(|| interface.groups.clone());
        interface.source_dest_check = check.unwrap_or(interface.source_dest_check);
    }
    Ok(())
}

fn modify_texts(instance: &mut Instance, parameters: &Parameters) -> Outcome {
    let value = |name: &str| parameters.structure(name).and_then(|change| change.text("Value"));
    if let Some(name) = value("InstanceType") {
        if instance_type::by_name(name).is_none() {
            let message = format!("Invalid value '{name}' for InstanceType.");
            return Err(Failure::new("InvalidInstanceAttributeValue", message));
        }
        name.clone_into(&mut instance.instance_type);
    }
    if let Some(text) = value("UserData") {
        instance.user_data = checked_user_data(Some(text))?;
    }
    if let Some(behavior) = value("InstanceInitiatedShutdownBehavior") {
        if !matches!(behavior, "stop" | "terminate") {
            let why = "Valid values are: stop, terminate";
            return Err(Failure::invalid(behavior, "instanceInitiatedShutdownBehavior", why));
        }
        behavior.clone_into(&mut instance.shutdown_behavior);
    }
    Ok(())
}

fn modify_volume(call: &mut Call<'_>, id: &str, mapping: &Parameters) -> Outcome {
    let device = mapping.required("DeviceName")?;
    let delete =
        mapping.structure("Ebs").map_or(Ok(None), |ebs| ebs.boolean("DeleteOnTermination"));
    let Some(delete) = delete? else { return Ok(()) };
    let volumes = by_id(&call.region.instances, id, "instanceId")?.volume_ids.clone();
    for volume in volumes {
        let Some(volume) = call.region.volumes.get_mut(&volume) else { continue };
        if let Some(attachment) = volume.attachment.as_mut().filter(|a| a.device == device) {
            attachment.delete_on_termination = delete;
            return Ok(());
        }
    }
    let message = format!("No device is currently mapped at {device}");
    Err(Failure::new("InvalidInstanceAttributeValue", message))
}

/// Handles `ModifyInstanceMetadataOptions`.
pub(super) fn modify_metadata(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("InstanceId")?;
    let instance = by_id_mut(&mut call.region.instances, id, "instanceId")?;
    instance.metadata = metadata(call.parameters, instance.metadata.clone())?;
    xml.text("instanceId", id);
    xml.element("instanceMetadataOptions", |xml| write_metadata(&instance.metadata, xml));
    Ok(())
}
