//! What each filter mirrors: its rules by number and direction, in the order in which they are tried.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::address::Address;
use crate::attribute::Ref;
use crate::packet::{RULES_MAX, Shadowed, shadowed};
use crate::plan::Plan;
use crate::render::graph::Mark;
use crate::render::markup::Escaped;
use crate::render::scene::Scene;
use crate::resource::mirror_filter::{Rule, RuleKey};
use crate::resource::{MirrorFilter, Resource};
use crate::scalar::{Direction, RuleAction};

/// How many sessions of a filter are named.
const SESSIONS_MAX: usize = 12;

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// Writes a table for each filter.
pub(super) fn write(f: &mut fmt::Formatter<'_>, plan: &Plan) -> fmt::Result {
    let scene = Scene::of_plan(plan);
    let mut sessions: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    let mut filters = Vec::new();
    for (address, resource) in scene.resources() {
        match resource {
            Resource::MirrorFilter(filter) => filters.push((address, filter)),
            Resource::MirrorSession(session) if scene.mark(address) != Some(Mark::Delete) => {
                if let Ref::To(filter) = &session.filter {
                    sessions.entry(filter).or_default().push(address);
                }
            }
            _ => {}
        }
    }
    if filters.is_empty() {
        return Ok(());
    }
    writeln!(f, "<section class=\"filters\">\n<h2>What the filters mirror</h2>")?;
    writeln!(
        f,
        "<p>The first rule that matches a packet decides. Ingress is towards the source.</p>"
    )?;
    for (address, filter) in filters {
        let sessions = sessions.get(address).map_or(&[][..], Vec::as_slice);
        write_filter(f, (address, scene.mark(address)), filter, sessions)?;
    }
    writeln!(f, "</section>")
}

fn write_filter(
    f: &mut fmt::Formatter<'_>,
    (address, mark): (&Address, Option<Mark>),
    filter: &MirrorFilter,
    sessions: &[&Address],
) -> fmt::Result {
    writeln!(f, "<table>\n<caption><strong>{}</strong>", Escaped(&address.to_string()))?;
    if let Some(verb) = mark.map(Mark::verb) {
        writeln!(f, "<span class=\"{verb}\">{verb}</span>")?;
    }
    let used = match sessions {
        [] => "used by no session of this stack".to_owned(),
        many if many.len() > SESSIONS_MAX => format!("used by {} sessions", many.len()),
        few => {
            let few: Vec<String> = few.iter().map(ToString::to_string).collect();
            format!("used by {}", few.join(", "))
        }
    };
    writeln!(f, "{}</caption>", Escaped(&used))?;
    writeln!(f, "<thead><tr><th>rule</th><th>ingress</th><th>egress</th></tr></thead>\n<tbody>")?;
    let idle = if filter.rules.0.len() > RULES_MAX { Vec::new() } else { shadowed(&filter.rules) };
    let numbers: BTreeSet<_> = filter.rules.0.iter().map(|rule| rule.number).collect();
    for number in numbers {
        write!(f, "<tr><th>{number}</th>")?;
        for direction in DIRECTIONS {
            let rule = filter.rules.get(RuleKey { direction, number });
            write_rule(f, rule, &idle)?;
        }
        writeln!(f, "</tr>")?;
    }
    if filter.amazon_dns {
        let dns = "<td class=\"accept\" colspan=\"2\">accept traffic with Amazon's DNS server</td>";
        writeln!(f, "<tr><th></th>{dns}</tr>")?;
    }
    let rest = "<td class=\"reject\">not mirrored</td>";
    writeln!(f, "<tr><th>else</th>{rest}{rest}</tr>\n</tbody>\n</table>")
}

fn write_rule(
    f: &mut fmt::Formatter<'_>,
    rule: Option<&Rule>,
    idle: &[Shadowed<'_>],
) -> fmt::Result {
    let Some(rule) = rule else { return write!(f, "<td></td>") };
    let class = match rule.action {
        RuleAction::Accept => "accept",
        RuleAction::Reject => "reject",
    };
    let shadow = idle.iter().find(|shadowed| shadowed.rule.key() == rule.key());
    let idle = if shadow.is_some() { " idle" } else { "" };
    write!(f, "<td class=\"{class}{idle}\">{}", Escaped(&matched(rule)))?;
    if let Some(note) = &rule.description {
        write!(f, "<br/><small>{}</small>", Escaped(note))?;
    }
    if let Some(Shadowed { rule: _, by }) = shadow {
        let by: Vec<String> = by.iter().map(|rule| rule.number.to_string()).collect();
        let rules = if by.len() == 1 { "rule" } else { "rules" };
        write!(f, "<br/><small>decides nothing after {rules} {}</small>", by.join(", "))?;
    }
    write!(f, "</td>")
}

/// `accept tcp 0.0.0.0/0 to 10.0.0.0/16 port 443`.
fn matched(rule: &Rule) -> String {
    let Rule { action, protocol, source, destination, source_port, destination_port, .. } = rule;
    let port = |port: &Option<_>| match port {
        Some(port) => format!(" port {port}"),
        None => String::new(),
    };
    let (from, to) = (port(source_port), port(destination_port));
    format!("{action} {protocol} {source}{from} to {destination}{to}")
}
