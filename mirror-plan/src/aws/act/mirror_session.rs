//! Calls about traffic mirror sessions.

use aws_sdk_ec2::operation::create_traffic_mirror_session::CreateTrafficMirrorSessionOutput;
use aws_sdk_ec2::types::{ResourceType, TrafficMirrorSession, TrafficMirrorSessionField};

use super::super::answer::Answer;
use super::super::tags;
use super::acting::Acting;
use super::making::Making;
use super::{ActError, Made, receivers};
use crate::resource::mirror_session::{Changes, MirrorSessionId, Operation, Setting};
use crate::scalar::{PacketLength, Vni};

pub(super) async fn act(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    match operation {
        Operation::Create { .. } => create(acting, operation).await,
        Operation::Modify { mirror_session, changes } => {
            modify(acting, &acting.id(mirror_session)?, changes).await
        }
        Operation::Delete { mirror_session } => {
            let id = acting.id(mirror_session)?;
            let request = acting
                .aws
                .ec2()
                .delete_traffic_mirror_session()
                .traffic_mirror_session_id(id.as_str());
            acting.withdraw("DeleteTrafficMirrorSession", || request.clone().send()).await?;
            Ok(Made::nothing())
        }
    }
}

async fn create(acting: &Acting<'_>, operation: &Operation) -> Result<Made, ActError> {
    let Operation::Create { source, target, filter, number, packet_length, vni, description, tags } =
        operation
    else {
        return Err(ActError::Operation("only a creation creates"));
    };
    let request = acting
        .aws
        .ec2_once()
        .create_traffic_mirror_session()
        .client_token(acting.token())
        .network_interface_id(acting.id(source)?.as_str())
        .traffic_mirror_target_id(acting.id(target)?.as_str())
        .traffic_mirror_filter_id(acting.id(filter)?.as_str())
        .session_number(i32::from(number.get()))
        .set_packet_length(packet_length.map(length))
        .set_virtual_network_id(vni.map(network))
        .set_description(acting.optional_text(description.as_ref())?)
        .tag_specifications(tags::specification(ResourceType::TrafficMirrorSession, tags));
    let making = Making { call: "CreateTrafficMirrorSession", tags };
    let id = |answer: &CreateTrafficMirrorSessionOutput| {
        let session = answer.traffic_mirror_session();
        let id = session.and_then(TrafficMirrorSession::traffic_mirror_session_id);
        Answer("CreateTrafficMirrorSession").id("trafficMirrorSessionId", id)
    };
    let (id, answer) = acting.make(making, || request.clone().send(), id).await?;
    let session = match answer.and_then(|answer| answer.traffic_mirror_session) {
        Some(session) => session,
        None => look(acting, &id).await?,
    };
    let vni: Option<Vni> = Answer("CreateTrafficMirrorSession")
        .optional_number("virtualNetworkId", session.virtual_network_id())?;
    Ok(Made::object(&id).with("vni", vni.map(|vni| vni.to_string())))
}

/// Returns a session that was found, and therefore exists.
async fn look(acting: &Acting<'_>, id: &MirrorSessionId) -> Result<TrafficMirrorSession, ActError> {
    let request =
        acting.aws.ec2().describe_traffic_mirror_sessions().traffic_mirror_session_ids(id.as_str());
    let call = "DescribeTrafficMirrorSessions";
    let answer = acting.call(call, || request.clone().send()).await?;
    let session = answer.traffic_mirror_sessions.and_then(|mut sessions| sessions.pop());
    Ok(Answer(call).present("trafficMirrorSessionSet", session)?)
}

async fn modify(
    acting: &Acting<'_>,
    id: &MirrorSessionId,
    changes: &Changes,
) -> Result<Made, ActError> {
    let Changes { target, filter, number, vni, packet_length, description } = changes;
    let target = target.as_ref().map(|target| acting.id(target)).transpose()?;
    let filter = filter.as_ref().map(|filter| acting.id(filter)).transpose()?;
    if let Some(target) = &target {
        receivers::wait(acting, target).await?;
    }
    let mut removed = Vec::new();
    let packet_length = match packet_length {
        Some(Setting::To(to)) => Some(length(*to)),
        Some(Setting::Removed) => {
            removed.push(TrafficMirrorSessionField::PacketLength);
            None
        }
        None => None,
    };
    let description = match description {
        Some(Setting::To(text)) => Some(acting.text(text)?),
        Some(Setting::Removed) => {
            removed.push(TrafficMirrorSessionField::Description);
            None
        }
        None => None,
    };
    let request = acting
        .aws
        .ec2()
        .modify_traffic_mirror_session()
        .traffic_mirror_session_id(id.as_str())
        .set_traffic_mirror_target_id(target.map(|id| id.to_string()))
        .set_traffic_mirror_filter_id(filter.map(|id| id.to_string()))
        .set_session_number(number.map(|number| i32::from(number.get())))
        .set_virtual_network_id(vni.map(network))
        .set_packet_length(packet_length)
        .set_description(description)
        .set_remove_fields((!removed.is_empty()).then_some(removed));
    acting.call("ModifyTrafficMirrorSession", || request.clone().send()).await?;
    Ok(Made::nothing())
}

fn length(length: PacketLength) -> i32 {
    i32::from(length.get())
}

fn network(vni: Vni) -> i32 {
    i32::try_from(vni.get()).expect("24 bits fit")
}
