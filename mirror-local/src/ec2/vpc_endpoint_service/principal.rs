//! Who may make endpoints for a service, besides the account that owns it.

use super::{EndpointService, standing};
use crate::failure::{Failure, Outcome};
use crate::filter::{FilterTable, texts};
use crate::parameters::Parameters;
use crate::world::{Call, View, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The principals of a service, each with the id of its permission.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Principals(BTreeMap<String, String>);

/// One principal, with the id of its permission and the service's.
type Permission<'a> = (&'a str, &'a str, &'a str);

const FILTERS: FilterTable<(String, &'static str)> = &[
    ("principal", |_, (principal, _)| texts([principal])),
    ("principal-type", |_, (_, kind)| texts([kind])),
];

/// The type of a principal, in AWS's words.
fn kind(principal: &str) -> Option<&'static str> {
    if principal == "*" {
        return Some("All");
    }
    if principal.ends_with(".amazonaws.com") {
        return Some("Service");
    }
    let (_, resource) = principal.strip_prefix("arn:")?.rsplit_once(':')?;
    match resource.split('/').next()? {
        "root" => Some("Account"),
        "user" => Some("User"),
        "role" => Some("Role"),
        _ => None,
    }
}

fn write(xml: &mut Xml, (principal, permission, service): Permission<'_>) {
    xml.optional("principalType", kind(principal));
    xml.text("principal", principal);
    xml.text("servicePermissionId", permission);
    xml.text("serviceId", service);
}

/// Handles `DescribeVpcEndpointServicePermissions`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let service = find(&view.region.vpc_endpoint_services, parameters, "ServiceId")?;
    let conditions = crate::filter::Conditions::parse(parameters, FILTERS, None)?;
    let set = "allowedPrincipals";
    let page = crate::listing::Page::parse(parameters, set, &(5..=1000))?;
    let EndpointService { id, principals, .. } = service;
    let accepted = principals.0.iter().filter(|(principal, _)| {
        conditions.accept(view, &((*principal).clone(), kind(principal).unwrap_or_default()))
    });
    let after = accepted.filter(|(principal, _)| **principal > page.after);
    let rows =
        after.map(|(principal, permission)| (&**principal, (&**principal, &**permission, &**id)));
    let (rows, last) = page.fill(rows);
    let next = last.map(|principal| crate::listing::token(set, principal));
    xml.items(set, rows, write);
    xml.optional("nextToken", next);
    Ok(())
}

/// Handles `ModifyVpcEndpointServicePermissions`.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let mut service = standing(call)?.clone();
    let mut added = Vec::new();
    for principal in call.parameters.texts("AddAllowedPrincipals") {
        if kind(principal).is_none() {
            let message = format!("Invalid Principal: {principal}");
            return Err(Failure::new("InvalidPrincipal", message));
        }
        if service.principals.0.contains_key(principal) {
            continue;
        }
        let permission = call.region.draw_id("vpce-svc-perm-");
        service.principals.0.insert(principal.to_owned(), permission.clone());
        added.push((principal.to_owned(), permission));
    }
    for principal in call.parameters.texts("RemoveAllowedPrincipals") {
        service.principals.0.remove(principal);
    }
    let id = service.id.clone();
    xml.items("addedPrincipalSet", &added, |xml, (principal, permission)| {
        write(xml, (principal, permission, &id));
    });
    xml.text("return", true);
    call.region.vpc_endpoint_services.insert(id, service);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_of_a_type() {
        let known = ["*", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/a/b"];
        assert_eq!(known.map(kind), [Some("All"), Some("Account"), Some("Role")]);
        assert_eq!(["", "123456789012", "arn:aws:iam::123456789012:group/a"].map(kind), [None; 3]);
    }
}
