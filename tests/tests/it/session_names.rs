//! The names of sessions, all the way from the cloud to the receiver.

use mirror_plan::observed::Observed;
use mirror_plan::render::terraform::{PlanJson, StateJson};
use mirror_plan::resource::Resource;
use mirror_tests::{Rig, lab};
use mirror_vxlan::Vni;
use mirror_vxlan::frame::Session;
use mirror_vxlan::select::NameTable;

/// Returns the session of the lab as its packets show it.
fn session(observed: &Observed) -> Session {
    let current = |address: &str| observed.current(&address.parse().unwrap()).unwrap();
    let found = current("mirror_session.my-traffic-mirror-session");
    let Resource::MirrorSession(session) = &found.resource else { panic!("{found:?}") };
    let vni = session.vni.unwrap().to_string().parse::<u32>().unwrap();
    let source = current("instance.source-instance").computed["private_ip"].as_ref().unwrap();
    Session { vni: Vni::try_from(vni).unwrap(), source: source.parse().unwrap() }
}

#[tokio::test]
async fn a_receiver_knows_the_sessions_that_show_prints() {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    let observed = rig.observe(&lab()).await;
    let session = session(&observed);
    let shown = NameTable::parse(&StateJson::new(&observed).to_string()).unwrap();
    assert_eq!(shown.get(session), Some("my-traffic-mirror-session"));
    // The number alone is not enough: another account may have it as well.
    assert_eq!(shown.get(Session { source: "192.0.2.1".parse().unwrap(), ..session }), None);
    // An inventory and a plan of the existing objects give the same names.
    let inventory = NameTable::parse(&serde_json::to_string(&observed).unwrap()).unwrap();
    assert_eq!(inventory, shown);
    let plan = PlanJson::new(&rig.plan(&lab()).await).to_string();
    assert_eq!(NameTable::parse(&plan).unwrap(), shown);
}
