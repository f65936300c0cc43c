//! What uses a route table: subnets, and the VPC for its other subnets.

use super::RouteTable;
use crate::failure::{Failure, Outcome};
use crate::world::{Call, Region, by_id_mut, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// One use of a route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) id: String,
    /// The subnet; `None` for the association that makes a table the main one of its VPC.
    pub(crate) subnet_id: Option<String>,
}

impl Association {
    /// Writes the association as part of an answer.
    pub(super) fn write(&self, table: &str, xml: &mut Xml) {
        write_state(xml);
        xml.text("main", self.subnet_id.is_none());
        xml.text("routeTableAssociationId", &self.id);
        xml.text("routeTableId", table);
        xml.optional("subnetId", self.subnet_id.as_ref());
    }
}

fn write_state(xml: &mut Xml) {
    xml.element("associationState", |xml| xml.text("state", "associated"));
}

/// Removes the association of a subnet that is being deleted.
pub(crate) fn subnet_removed(region: &mut Region, subnet: &str) {
    let uses = |association: &Association| association.subnet_id.as_deref() == Some(subnet);
    let table = region.route_tables.values().find(|t| t.associations.iter().any(uses));
    let table = table.map(|table| table.id.clone());
    if let Some(table) = table.and_then(|id| region.route_tables.get_mut(&id)) {
        table.associations.retain(|association| !uses(association));
    }
}

/// Handles `AssociateRouteTable`.
pub(super) fn associate(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    call.parameters.refuse(&["GatewayId", "PublicIpv4Pool"])?;
    let region = &mut *call.region;
    let table = find(&region.route_tables, call.parameters, "RouteTableId")?;
    let subnet = find(&region.subnets, call.parameters, "SubnetId")?;
    let (table_id, subnet_id) = (table.id.clone(), subnet.id.clone());
    if table.vpc_id != subnet.vpc_id {
        let message =
            format!("route table {table_id} and subnet {subnet_id} belong to different networks");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let uses = |association: &Association| association.subnet_id.as_ref() == Some(&subnet_id);
    if region.route_tables.values().any(|table| table.associations.iter().any(uses)) {
        let message = format!(
            "the specified association for route table {table_id} conflicts with an existing association"
        );
        return Err(Failure::new("Resource.AlreadyAssociated", message));
    }
    let id = region.draw_id("rtbassoc-");
    let association = Association { id: id.clone(), subnet_id: Some(subnet_id) };
    by_id_mut(&mut region.route_tables, &table_id, "routeTableId")?.associations.push(association);
    xml.text("associationId", id);
    write_state(xml);
    Ok(())
}

/// Handles `DisassociateRouteTable`.
pub(super) fn disassociate(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("AssociationId")?;
    let (table, association) = associated(call.region, id)?;
    if association.subnet_id.is_none() {
        let message = format!("cannot disassociate the main route table association {id}");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let table = by_id_mut(&mut call.region.route_tables, &table, "routeTableId")?;
    table.associations.retain(|association| association.id != id);
    xml.text("return", true);
    Ok(())
}

/// Handles `ReplaceRouteTableAssociation`, which also makes another table the main one.
pub(super) fn replace(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("AssociationId")?;
    let (old, association) = associated(call.region, id)?;
    let new = find(&call.region.route_tables, call.parameters, "RouteTableId")?;
    let (new, network) = (new.id.clone(), new.vpc_id.clone());
    let old = by_id_mut(&mut call.region.route_tables, &old, "routeTableId")?;
    if old.vpc_id != network {
        let message =
            format!("route table {new} and the association {id} belong to different networks");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    old.associations.retain(|association| association.id != id);
    let new_id = call.region.draw_id("rtbassoc-");
    let association = Association { id: new_id.clone(), ..association };
    by_id_mut(&mut call.region.route_tables, &new, "routeTableId")?.associations.push(association);
    xml.text("newAssociationId", new_id);
    write_state(xml);
    Ok(())
}

/// Finds an association with the id of its table.
fn associated(region: &Region, id: &str) -> Outcome<(String, Association)> {
    let of = |table: &RouteTable| {
        let found = table.associations.iter().find(|association| association.id == id)?;
        Some((table.id.clone(), found.clone()))
    };
    region.route_tables.values().find_map(of).ok_or_else(|| {
        let message = format!("The association ID '{id}' does not exist");
        Failure::new("InvalidAssociationID.NotFound", message)
    })
}
