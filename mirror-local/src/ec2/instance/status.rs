//! The status checks and CPU credits of instances.

use super::lifecycle::write_state;
use super::{Instance, State};
use crate::ec2::{availability_zone, instance_type};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::world::{View, by_id};
use crate::xml::Xml;

const STATUSES: Listing<Instance> = Listing {
    table: |region| &region.instances,
    ids: "InstanceId",
    filters: &[
        ("application-status.status", |_, _| Vec::new()),
        ("attached-ebs-status.status", |_, _| Vec::new()),
        ("availability-zone", |_, i| texts([&i.zone])),
        ("availability-zone-id", |_, i| texts([availability_zone::id(&i.zone)])),
        ("event.code", |_, _| Vec::new()),
        ("event.description", |_, _| Vec::new()),
        ("event.instance-event-id", |_, _| Vec::new()),
        ("event.not-after", |_, _| Vec::new()),
        ("event.not-before", |_, _| Vec::new()),
        ("event.not-before-deadline", |_, _| Vec::new()),
        ("instance-state-code", |view, i| texts([i.state(view).on_wire().0])),
        ("instance-state-name", |view, i| texts([i.state(view).on_wire().1])),
        ("instance-status.reachability", |view, i| texts([checks(i.state(view)).1])),
        ("instance-status.status", |view, i| texts([checks(i.state(view)).0])),
        ("operator.managed", |_, _| texts([false])),
        ("operator.principal", |_, _| Vec::new()),
        ("system-status.reachability", |view, i| texts([checks(i.state(view)).1])),
        ("system-status.status", |view, i| texts([checks(i.state(view)).0])),
    ],
    set: "instanceStatusSet",
    write: write_status,
    page: 5..=1000,
};

/// Handles `DescribeInstanceStatus`, which covers only running instances by default.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let all = parameters.boolean("IncludeAllInstances")?.unwrap_or(false);
    STATUSES.answer_where(view, parameters, xml, |instance| {
        all || instance.state(view) == State::Running
    })
}

/// A check's summary and its one detail.
fn checks(state: State) -> (&'static str, &'static str) {
    match state {
        State::Running => ("ok", "passed"),
        State::Pending => ("initializing", "initializing"),
        _ => ("not-applicable", "insufficient-data"),
    }
}

fn write_status(view: View<'_>, instance: &Instance, xml: &mut Xml) {
    let state = instance.state(view);
    xml.text("availabilityZone", &instance.zone);
    xml.text("availabilityZoneId", availability_zone::id(&instance.zone));
    xml.text("instanceId", &instance.id);
    xml.element("instanceState", |xml| write_state(state, xml));
    for name in ["instanceStatus", "systemStatus"] {
        let (status, detail) = checks(state);
        xml.element(name, |xml| {
            xml.items("details", [detail], |xml, detail| {
                xml.text("name", "reachability");
                xml.text("status", detail);
            });
            xml.text("status", status);
        });
    }
}

const CREDITS: Listing<Instance> = Listing {
    table: |region| &region.instances,
    ids: "InstanceId",
    filters: &[("instance-id", |_, i| texts([&i.id]))],
    set: "instanceCreditSpecificationSet",
    write: |_, instance, xml| {
        xml.optional("cpuCredits", instance.credits.as_ref());
        xml.text("instanceId", &instance.id);
    },
    page: 5..=1000,
};

/// Handles `DescribeInstanceCreditSpecifications`, which covers only burstable instances.
pub(super) fn describe_credits(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    for id in parameters.texts("InstanceId") {
        let instance = by_id(&view.region.instances, id, "instanceId")?;
        let burstable = instance_type::by_name(&instance.instance_type)
            .is_some_and(|instance_type| instance_type.family.burstable);
        if !burstable {
            let message = format!("The instance '{id}' is not a burstable performance instance.");
            return Err(Failure::new("InvalidInstanceID.NotSupported", message));
        }
    }
    CREDITS.answer_where(view, parameters, xml, |instance| instance.credits.is_some())
}
