//! Which subnets a network ACL is for: each subnet has one, which can be replaced by another.

use super::NetworkAcl;
use crate::failure::{Failure, Outcome};
use crate::world::{Call, Region, by_id_mut, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// A subnet that a network ACL is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) id: String,
    pub(crate) subnet_id: String,
}

/// Gives a new subnet the default ACL of its VPC.
///
/// Source: VPC user guide, "Network ACL basics".
pub(crate) fn subnet_added(region: &mut Region, (vpc, subnet): (&str, &str)) {
    let is_default = |acl: &&NetworkAcl| acl.vpc_id == vpc && acl.is_default;
    let default = region.network_acls.values().find(is_default).map(|acl| acl.id.clone());
    let association = Association { id: region.draw_id("aclassoc-"), subnet_id: subnet.to_owned() };
    if let Some(acl) = default.and_then(|id| region.network_acls.get_mut(&id)) {
        acl.associations.push(association);
    }
}

/// Removes the association of a subnet that is being deleted.
pub(crate) fn subnet_removed(region: &mut Region, subnet: &str) {
    let acl = super::of_subnet(region, subnet).map(|acl| acl.id.clone());
    if let Some(acl) = acl.and_then(|id| region.network_acls.get_mut(&id)) {
        acl.associations.retain(|association| association.subnet_id != subnet);
    }
}

/// Handles `ReplaceNetworkAclAssociation`.
pub(super) fn replace(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("AssociationId")?;
    let (old, association) = associated(call.region, id)?;
    let new = find(&call.region.network_acls, call.parameters, "NetworkAclId")?;
    let (new, network) = (new.id.clone(), new.vpc_id.clone());
    let old = by_id_mut(&mut call.region.network_acls, &old, "networkAclId")?;
    if old.vpc_id != network {
        let subnet = association.subnet_id;
        let message = format!("network ACL {new} and subnet {subnet} belong to different networks");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    old.associations.retain(|association| association.id != id);
    let new_id = call.region.draw_id("aclassoc-");
    let association = Association { id: new_id.clone(), ..association };
    by_id_mut(&mut call.region.network_acls, &new, "networkAclId")?.associations.push(association);
    xml.text("newAssociationId", new_id);
    Ok(())
}

/// Finds an association with the id of its ACL.
fn associated(region: &Region, id: &str) -> Outcome<(String, Association)> {
    let of = |acl: &NetworkAcl| {
        let found = acl.associations.iter().find(|association| association.id == id)?;
        Some((acl.id.clone(), found.clone()))
    };
    region.network_acls.values().find_map(of).ok_or_else(|| {
        let message = format!("The association ID '{id}' does not exist");
        Failure::new("InvalidAssociationID.NotFound", message)
    })
}
