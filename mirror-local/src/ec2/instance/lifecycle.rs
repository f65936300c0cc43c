//! Stopping, starting and terminating instances, and what goes with them.

use super::{Asked, Instance, InstanceAttribute, State};
use crate::ec2::{address, network_interface};
use crate::failure::{Failure, Outcome};
use crate::listing::not_found;
use crate::schedule::{Event, later};
use crate::table::Row as _;
use crate::world::{Call, Region, by_id, by_id_mut};
use crate::xml::Xml;

/// Handles `TerminateInstances`: all of them or, if one may not be terminated, none.
pub(super) fn terminate(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    change(call, xml, |call, id| {
        let instance = by_id(&call.region.instances, id, "instanceId")?;
        if instance.has(InstanceAttribute::DisableApiTermination) {
            let message = format!(
                "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' \
                 instance attribute and try again."
            );
            return Err(Failure::new("OperationNotPermitted", message));
        }
        end(call, id)
    })
}

/// Terminates an instance, unless that is under way or done.
pub(crate) fn end(call: &mut Call<'_>, id: &str) -> Outcome {
    if by_id(&call.region.instances, id, "instanceId")?.asked == Asked::Terminate {
        return Ok(());
    }
    ask(call, id, Asked::Terminate)?;
    let durations = &call.settings.durations;
    let terminated = later(call.now, durations.instance_shutting_down);
    call.region.arrange(terminated, Event::ReleaseInstance, id);
    let forgotten = later(terminated, durations.instance_remembered);
    call.region.arrange(forgotten, Event::ForgetInstance, id);
    if terminated <= call.now {
        release(call.region, id);
    }
    Ok(())
}

/// Handles `StopInstances`. A public address that AWS chose is given back.
pub(super) fn stop(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    change(call, xml, |call, id| {
        let instance = by_id(&call.region.instances, id, "instanceId")?;
        if instance.has(InstanceAttribute::DisableApiStop) {
            let message = format!(
                "The instance '{id}' may not be stopped. Modify its 'disableApiStop' instance \
                 attribute and try again."
            );
            return Err(Failure::new("OperationNotPermitted", message));
        }
        match instance.state(call.view()) {
            State::Stopping | State::Stopped => return Ok(()),
            State::Running => {}
            _ => return Err(wrong_state(id, "stopped")),
        }
        let primary = instance.interface_ids.first().cloned().unwrap_or_default();
        if let Some(interface) = call.region.network_interfaces.get_mut(&primary) {
            interface.public_ip = None;
        }
        ask(call, id, Asked::Stop)
    })
}

/// Handles `StartInstances`.
pub(super) fn start(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    change(call, xml, |call, id| {
        let instance = by_id(&call.region.instances, id, "instanceId")?;
        match instance.state(call.view()) {
            State::Pending | State::Running => return Ok(()),
            State::Stopped => {}
            _ => return Err(wrong_state(id, "started")),
        }
        if instance.has(InstanceAttribute::PublicAddress) {
            let primary = instance.interface_ids.first().cloned().unwrap_or_default();
            let public = address::public(call.region);
            if let Some(interface) = call.region.network_interfaces.get_mut(&primary) {
                interface.public_ip = Some(public);
            }
        }
        ask(call, id, Asked::Run)
    })
}

/// Handles `RebootInstances`, which leaves no trace.
pub(super) fn reboot(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    for id in call.parameters.required_texts("InstanceId")? {
        let instance = by_id(&call.region.instances, id, "instanceId")?;
        if instance.state(call.view()) != State::Running {
            return Err(wrong_state(id, "rebooted"));
        }
    }
    xml.text("return", true);
    Ok(())
}

/// Handles `MonitorInstances` and its opposite.
pub(super) fn monitor(call: &mut Call<'_>, xml: &mut Xml, state: &'static str) -> Outcome {
    let ids = call.parameters.required_texts("InstanceId")?;
    for id in &ids {
        let instance = by_id_mut(&mut call.region.instances, id, "instanceId")?;
        if state == "enabled" {
            instance.enabled.insert(InstanceAttribute::Monitoring);
        } else {
            instance.enabled.remove(&InstanceAttribute::Monitoring);
        }
    }
    xml.items("instancesSet", ids, |xml, id| {
        xml.text("instanceId", id);
        xml.element("monitoring", |xml| xml.text("state", state));
    });
    Ok(())
}

/// Releases what a terminated instance held.
pub(crate) fn release(region: &mut Region, id: &str) {
    let Some(instance) = region.instances.get(id).cloned() else { return };
    for interface in &instance.interface_ids {
        let attached = region.network_interfaces.get(interface);
        let attachment = attached.and_then(|interface| interface.attachment.as_ref());
        if attachment.is_some_and(|attachment| attachment.delete_on_termination) {
            network_interface::remove(region, interface);
        } else {
            network_interface::detach(region, interface);
            if let Some(interface) = region.network_interfaces.get_mut(interface) {
                interface.public_ip = None;
            }
        }
    }
    for id in &instance.volume_ids {
        let attachment = region.volumes.get(id).and_then(|volume| volume.attachment.as_ref());
        if attachment.is_some_and(|attachment| attachment.delete_on_termination) {
            region.volumes.remove(id);
        } else if let Some(volume) = region.volumes.get_mut(id) {
            volume.attachment = None;
        }
    }
    if let Some(instance) = region.instances.get_mut(id) {
        instance.volume_ids.clear();
    }
}

/// Removes a terminated instance for good.
pub(crate) fn forget(region: &mut Region, id: &str) {
    region.instances.remove(id);
}

/// Changes the state of the instances of a call and writes the state before and after.
fn change(call: &mut Call<'_>, xml: &mut Xml, one: fn(&mut Call<'_>, &str) -> Outcome) -> Outcome {
    let ids = call.parameters.required_texts("InstanceId")?;
    for id in &ids {
        crate::listing::check_shape(&Instance::KIND, id, "instanceId")?;
    }
    let missing: Vec<&str> =
        ids.iter().copied().filter(|id| !call.region.instances.contains(id)).collect();
    if !missing.is_empty() {
        return Err(not_found(&Instance::KIND, &missing));
    }
    let mut changes = Vec::new();
    for id in ids {
        let before = by_id(&call.region.instances, id, "instanceId")?.state(call.view());
        one(call, id)?;
        let after = by_id(&call.region.instances, id, "instanceId")?.state(call.view());
        changes.push((id, before, after));
    }
    xml.items("instancesSet", changes, |xml, (id, before, after)| {
        xml.text("instanceId", id);
        xml.element("currentState", |xml| write_state(after, xml));
        xml.element("previousState", |xml| write_state(before, xml));
    });
    Ok(())
}

/// Writes a state by number and name.
pub(super) fn write_state(state: State, xml: &mut Xml) {
    let (code, name) = state.on_wire();
    xml.text("code", code);
    xml.text("name", name);
}

fn ask(call: &mut Call<'_>, id: &str, asked: Asked) -> Outcome {
    let instance = by_id_mut(&mut call.region.instances, id, "instanceId")?;
    instance.asked = asked;
    instance.asked_at = call.now;
    Ok(())
}

fn wrong_state(id: &str, what: &str) -> Failure {
    let message = format!("The instance '{id}' is not in a state from which it can be {what}.");
    Failure::new("IncorrectInstanceState", message)
}
