//! Ways in words: a line for every session, and the hops of one.
//!
//! ```
//! # use mirror_plan::attribute::Ref;
//! # use mirror_plan::resource::{MirrorFilter, MirrorSession};
//! use mirror_plan::reach::{Network, Reach};
//! use mirror_plan::render::reach::Lines;
//! # let mut stack = mirror_plan::stack::Stack::builder("lab".parse()?);
//! # let filter = MirrorFilter {
//! #     description: None,
//! #     amazon_dns: false,
//! #     rules: Default::default(),
//! #     tags: Default::default(),
//! # };
//! # let filter = stack.add("nothing".parse()?, filter);
//! # let session = MirrorSession {
//! #     source: Ref::Id("eni-0a1b2c3d".parse()?),
//! #     target: Ref::Id("tmt-0a1b2c3d".parse()?),
//! #     filter,
//! #     number: 1_i64.try_into()?,
//! #     packet_length: None,
//! #     vni: None,
//! #     description: None,
//! #     tags: Default::default(),
//! # };
//! # stack.add("detect".parse()?, session);
//! # let (stack, _warnings) = stack.build()?;
//!
//! let reach = Reach::over(Network::of_stack(&stack));
//! assert_eq!(
//!     Lines(&reach).to_string(),
//!     "mirror_session.detect: stopped: eni-0a1b2c3d -| mirror_filter.nothing accepts no packets\n",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;
use std::fmt;

use super::scene::Scene;
use crate::plan::Plan;
use crate::reach::{Outcome, Path, Reach, Stretch, Way};

/// How many receivers a line names.
const NAMED_MAX: usize = 3;

/// A line for every session of a network: what becomes of its packets, on which way, and why.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'r, 's>(pub &'r Reach<'s>);

/// The same for one session, without a line break at the end.
#[derive(Clone, Copy, Debug)]
pub struct Line<'w, 'r, 's>(pub &'w Way<'r, 's>);

/// All hops of a path, one per line.
#[derive(Clone, Copy, Debug)]
pub struct Hops<'p>(pub &'p Path);

/// Returns a line for every session that exists after a plan. It knows only the values in the plan: what the plan
/// does not hold, such as the groups of an object that the stack uses, is not known.
#[must_use]
pub fn of_plan(plan: &Plan) -> String {
    Lines(&Reach::over(Scene::of_plan(plan).network())).to_string()
}

impl fmt::Display for Lines<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.ways().iter().try_for_each(|way| writeln!(f, "{}", Line(&way)))
    }
}

/// `mirror_session.web: carries: instance.web -> load_balancer.sensors -> target_group.sensors -> instance.sensor`.
///
/// If packets are stopped, it ends with `-|` and the words of the hop; if that is not known, with `-?`.
impl fmt::Display for Line<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = self.0;
        let all = if way.is_of_sources() { "[*]" } else { "" };
        write!(f, "{}{all}: {}: {}", way.session(), way.verdict(), way.source())?;
        let Some(path) = way.decisive() else { return Ok(()) };
        let obstacle = path.obstacle();
        for (stretch, name) in stations(way, &path) {
            // Packets get no further than the thing before the obstacle.
            if obstacle.is_some_and(|hop| hop.stretch <= stretch) {
                break;
            }
            write!(f, " -> {name}")?;
        }
        match obstacle {
            None => Ok(()),
            Some(hop) if hop.outcome == Outcome::Stops => write!(f, " -| {hop}"),
            Some(hop) => {
                write!(f, " -? {hop}")?;
                match others(&path) {
                    0 => Ok(()),
                    1 => write!(f, "; one more hop is not known"),
                    count => write!(f, "; {count} more hops are not known"),
                }
            }
        }
    }
}

/// How many further hops of a path are not known, besides the first.
fn others(path: &Path) -> usize {
    let unknown = path.hops.iter().filter(|hop| hop.outcome == Outcome::Unknown);
    unknown.count().saturating_sub(1)
}

/// What packets pass, each with the part of the way that ends there.
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

/// The receivers that packets get through to.
fn receivers(way: &Way<'_, '_>) -> Option<String> {
    listed(&way.legs().filter_map(|leg| leg.receiver).collect())
}

/// The first few of some things, and how many more there are.
pub(super) fn listed(all: &BTreeSet<impl fmt::Display>) -> Option<String> {
    let shown: Vec<String> = all.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let shown = shown.join(", ");
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
