//! Ways in words: a line for every session, and the hops of one.

use std::collections::BTreeSet;
use std::fmt;

use crate::reach::{Extent, Outcome, Path, Reach, Stretch, Verdict, Way};

/// How many receivers a line names.
const NAMED_MAX: usize = 3;

/// A line for every session of a network: what becomes of its packets, on which way, and why.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'r, 's>(pub &'r Reach<'s>);

/// The same of one session, without the end of the line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'w, 'r, 's>(pub &'w Way<'r, 's>);

/// All hops of a path, a line for each.
#[derive(Clone, Copy, Debug)]
pub struct Hops<'p>(pub &'p Path);

impl fmt::Display for Lines<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.ways().iter().try_for_each(|way| writeln!(f, "{}", Line(&way)))
    }
}

/// `mirror_session.web carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor`.
impl fmt::Display for Line<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = self.0;
        let all = if way.is_of_sources() { "[*]" } else { "" };
        write!(f, "{}{all} {}: {}", way.session(), verb(way.verdict()), way.source())?;
        let Some(path) = way.decisive() else { return Ok(()) };
        let obstacle = path.obstacle().map(|hop| hop.stretch);
        let stations = stations(way, &path);
        for (stretch, name) in stations {
            // Packets get no further than to the thing before the obstacle.
            if obstacle.is_some_and(|obstacle| obstacle <= stretch) {
                break;
            }
            write!(f, " -> {name}")?;
        }
        match path.obstacle() {
            None => Ok(()),
            Some(hop) => {
                write!(f, " -| {hop}")?;
                match others(&path) {
                    0 => Ok(()),
                    1 => write!(f, ", and one more hop is not known"),
                    count => write!(f, ", and {count} more hops are not known"),
                }
            }
        }
    }
}

/// How many hops of a path are not known besides the first, where none stops.
fn others(path: &Path) -> usize {
    let worst = path.outcome();
    let unknown = path.hops.iter().filter(|hop| hop.outcome == Outcome::Unknown);
    if worst == Outcome::Unknown { unknown.count() - 1 } else { 0 }
}

const fn verb(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Carries => "carries",
        Verdict::Stopped(Extent::Whole) => "is stopped",
        Verdict::Stopped(Extent::Part) => "is stopped in part",
        Verdict::Unknown => "is not known",
    }
}

/// What packets pass, with the part of the way that ends there.
fn stations(way: &Way<'_, '_>, path: &Path) -> Vec<(Stretch, String)> {
    let receivers = match path.outcome() {
        Outcome::Passes => receivers(way),
        Outcome::Unknown | Outcome::Stops => path.receiver.clone(),
    };
    let last = match path.load_balancer {
        Some(_) => Stretch::Receiver,
        None => Stretch::Target,
    };
    let stations = [
        (Stretch::Target, path.load_balancer.clone()),
        (Stretch::Group, path.target_group.clone()),
        (last, receivers),
    ];
    stations.into_iter().filter_map(|(stretch, name)| Some((stretch, name?))).collect()
}

/// Who receives, where packets get through.
fn receivers(way: &Way<'_, '_>) -> Option<String> {
    let mut seen = BTreeSet::new();
    let all: Vec<String> = way
        .legs()
        .filter_map(|leg| leg.receiver)
        .filter(|receiver| seen.insert(*receiver))
        .map(|receiver| receiver.to_string())
        .collect();
    let shown = all.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => None,
        count if count > NAMED_MAX => Some(format!("{shown} and {} more", count - NAMED_MAX)),
        _ => Some(shown),
    }
}

impl fmt::Display for Hops<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hop in &self.0.hops {
            let outcome = match hop.outcome {
                Outcome::Passes => "passes",
                Outcome::Unknown => "not known",
                Outcome::Stops => "stops",
            };
            writeln!(f, "{outcome:<9}  {hop}")?;
        }
        Ok(())
    }
}
