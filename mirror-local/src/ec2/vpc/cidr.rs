//! The blocks of addresses of a VPC.

use crate::failure::{Failure, Outcome};
use crate::world::{Call, by_id_mut, find};
use crate::xml::Xml;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// Blocks a VPC may have.
const BLOCKS_MAX: usize = 5;

/// A block of addresses of a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CidrAssociation {
    pub(crate) id: String,
    pub(crate) cidr: Ipv4Net,
}

impl CidrAssociation {
    /// Writes the association as part of an answer.
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.text("associationId", &self.id);
        xml.text("cidrBlock", self.cidr);
        xml.element("cidrBlockState", |xml| xml.text("state", "associated"));
    }
}

/// Reads a block; EC2 keeps it in canonical form, whatever host bits it came with.
pub(crate) fn canonical(text: &str, parameter: &str) -> Outcome<Ipv4Net> {
    let parsed: Result<Ipv4Net, _> = text.parse();
    parsed
        .map(|net| net.trunc())
        .map_err(|_| Failure::invalid(text, parameter, "This is not a valid CIDR block."))
}

/// Handles `AssociateVpcCidrBlock`.
pub(super) fn associate(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    parameters.refuse(&["AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock", "Ipv4IpamPoolId"])?;
    let vpc = find(&call.region.vpcs, parameters, "VpcId")?;
    let text = parameters.required("CidrBlock")?;
    let cidr = canonical(text, "cidrBlock")?;
    let overlaps =
        |other: &CidrAssociation| other.cidr.contains(&cidr) || cidr.contains(&other.cidr);
    if !(16..=28).contains(&cidr.prefix_len()) || vpc.cidrs.iter().any(overlaps) {
        let message = format!("The CIDR '{text}' is invalid.");
        return Err(Failure::new("InvalidVpc.Range", message));
    }
    if vpc.cidrs.len() >= BLOCKS_MAX {
        let message = "The maximum number of CIDR blocks for this VPC has been reached.";
        return Err(Failure::new("CidrLimitExceeded", message));
    }
    let id = vpc.id.clone();
    let association = CidrAssociation { id: call.region.draw_id("vpc-cidr-assoc-"), cidr };
    xml.element("cidrBlockAssociation", |xml| association.write(xml));
    xml.text("vpcId", &id);
    by_id_mut(&mut call.region.vpcs, &id, "vpcId")?.cidrs.push(association);
    Ok(())
}

/// Handles `DisassociateVpcCidrBlock`; the primary block stays.
pub(super) fn disassociate(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("AssociationId")?;
    let has = |association: &CidrAssociation| association.id == id;
    let Some(vpc) = call.region.vpcs.values().find(|vpc| vpc.cidrs.iter().any(has)) else {
        let message = format!("The vpc CIDR block association ID '{id}' does not exist");
        return Err(Failure::new("InvalidVpcCidrBlockAssociationID.NotFound", message));
    };
    let Some(association) = vpc.cidrs.iter().skip(1).find(|a| has(a)).cloned() else {
        let message = "The primary CIDR block of a VPC may not be disassociated.";
        return Err(Failure::new("OperationNotPermitted", message));
    };
    let used = |subnet: &crate::ec2::subnet::Subnet| association.cidr.contains(&subnet.cidr);
    let vpc = vpc.id.clone();
    if call.region.subnets.values().any(|subnet| subnet.vpc_id == vpc && used(subnet)) {
        return Err(Failure::dependency("The vpc CIDR block is in use by a subnet"));
    }
    by_id_mut(&mut call.region.vpcs, &vpc, "vpcId")?.cidrs.retain(|a| !has(a));
    xml.element("cidrBlockAssociation", |xml| {
        xml.text("associationId", &association.id);
        xml.text("cidrBlock", association.cidr);
        xml.element("cidrBlockState", |xml| xml.text("state", "disassociating"));
    });
    xml.text("vpcId", vpc);
    Ok(())
}
