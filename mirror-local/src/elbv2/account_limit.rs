//! The quotas of an account, as Elastic Load Balancing reports them.

use super::page::Page;
use crate::action::Action;
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::settings::Quotas;
use crate::world::View;
use crate::xml::Xml;

/// Every action.
pub(super) const ACTIONS: &[Action] =
    &[Action::read("DescribeAccountLimits", describe).without_dry_run()];

/// Reads one quota.
type Quota = fn(&Quotas) -> usize;

/// The quotas that concern Network Load Balancers, in the order of their names.
const LIMITS: &[(&str, Quota)] = &[
    ("listeners-per-network-load-balancer", |q| q.listeners_per_load_balancer),
    ("network-load-balancers", |q| q.load_balancers),
    ("target-groups", |q| q.target_groups),
    ("targets-per-availability-zone-per-network-load-balancer", |q| q.targets_per_zone),
    ("targets-per-network-load-balancer", |q| q.targets_per_load_balancer),
];

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let page = Page::parse(parameters, "Limits")?;
    let quotas = &view.settings.quotas;
    page.write(xml, "Limits", LIMITS.iter().map(|limit| (limit.0, limit)), |xml, (name, max)| {
        xml.text("Name", name);
        xml.text("Max", max(quotas));
    });
    Ok(())
}
