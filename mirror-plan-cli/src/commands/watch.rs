//! `mirror apply --watch`: keeps sessions on what is to be mirrored, round after round, and changes
//! nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mirror_plan::apply::Journal;
use mirror_plan::aws::{Aws, Wanted};
use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::render::estimate::Estimates;
use mirror_plan::stack::Stack;

use super::Ended;
use super::apply::carry_out;
use super::plan::show;
use crate::cli::RunArgs;
use crate::cloud;
use crate::exit::ExitStatus;
use crate::health::Health;
use crate::settings::Settings;
use crate::ui::{self, Interrupts, Ui};

/// The longest pause after failures, unless the configured pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

/// How much longer or shorter a pause may be than configured, so that several watches do not call at the
/// same time.
const JITTER: f64 = 0.1;

/// What is watched, and how.
pub(super) struct Watch<'w> {
    pub(super) stack: &'w Stack,
    pub(super) aws: &'w Aws,
    pub(super) request: &'w Request,
    /// The pause between two rounds.
    pub(super) pause: Duration,
    /// The address that reports whether all is well.
    pub(super) health: Option<SocketAddr>,
}

/// The result of a round that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Sessions are where they should be.
    Done,
    /// Some sessions could not be created or removed.
    Failed,
    /// The watch was asked to end.
    Interrupted,
}

/// Watches until interrupted.
pub(super) async fn watch(
    watch: &Watch<'_>,
    (run, settings): (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Ended {
    let mut interrupts = Interrupts::listen();
    let health = Health::serve(watch.health)
        .map_err(|error| ui::file_error("that address cannot be used for health checks", &error))?;
    let name = &watch.stack.name;
    let pause = watch.pause.as_secs();
    ui.note(format_args!("Watching the sources of stack {name}, with pauses of {pause} s."));
    if let Some(address) = health.address() {
        ui.note(format_args!("Health: http://{address}/"));
    }
    let mut failures = 0;
    loop {
        match round(watch, &mut interrupts, (run, settings), ui).await {
            Ok(Round::Interrupted) => break,
            Ok(Round::Done) => failures = 0,
            Ok(Round::Failed) => failures += 1,
            Err(wrong) => {
                ui.diagnostics(&wrong);
                failures += 1;
            }
        }
        health.round(failures);
        let pause = pause_after(watch.pause, failures, fastrand::f64());
        if failures > 0 {
            ui.note(format_args!("\nThe next try is in {} s.", pause.as_secs()));
        }
        tokio::select! {
            biased;
            () = interrupts.next() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    ui.note("\nThe watch has ended. Nothing is in flight, and sessions stay as they are.");
    Ok(ExitStatus::Done)
}

/// Observes, plans and applies once. Others can take the stack between two rounds.
async fn round(
    watch: &Watch<'_>,
    interrupts: &mut Interrupts,
    (run, settings): (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Result<Round, Diagnostics> {
    let Watch { stack, aws, .. } = *watch;
    let place = (&stack.name, stack.coordination.as_ref());
    let journal = tokio::select! {
        biased;
        () = interrupts.next() => return Ok(Round::Interrupted),
        journal = cloud::take(aws, place, ("apply --watch", settings), ui) => journal?,
    };
    let planned = tokio::select! {
        biased;
        () = interrupts.next() => None,
        planned = planned(watch, &journal, ui) => Some(planned),
    };
    let ended = match planned {
        None => Ok(Round::Interrupted),
        Some(Err(wrong)) => Err(wrong),
        Some(Ok(plan)) if plan.is_empty() => Ok(Round::Done),
        Some(Ok(plan)) => {
            show(&plan, &Estimates::default(), ui);
            let ended = carry_out(&plan, (aws, &journal), (run, settings), ui).await;
            ended.map(|status| match status {
                ExitStatus::Done => Round::Done,
                ExitStatus::Interrupted => Round::Interrupted,
                _ => Round::Failed,
            })
        }
    };
    cloud::release(&journal).await;
    ended
}

async fn planned(
    watch: &Watch<'_>,
    journal: &Arc<Journal>,
    ui: &mut Ui,
) -> Result<Plan, Diagnostics> {
    let Watch { stack, aws, request, .. } = *watch;
    let images = stack.images();
    let wanted = Wanted::to_plan(stack, &images, Mode::Apply);
    let observed = cloud::settle((aws, journal), wanted, Mode::Apply, ui).await?;
    mirror_plan::plan::plan(stack, &observed, request)
}

/// The pause after this many failures in a row: doubled for each, up to a limit, and made a little longer
/// or shorter by `chance`, which is from 0 to 1.
fn pause_after(pause: Duration, failures: u32, chance: f64) -> Duration {
    let doubled = pause.saturating_mul(1 << failures.min(16));
    let longest = PAUSE_MAX.max(pause);
    doubled.min(longest).mul_f64(1.0 + JITTER * (2.0 * chance - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_make_pauses_longer_up_to_a_limit_and_chance_moves_them_a_little() {
        let minute = Duration::from_secs(60);
        let pauses =
            [0, 1, 2, 3, 4, 99].map(|failures| pause_after(minute, failures, 0.5).as_secs());
        assert_eq!(pauses, [60, 120, 240, 480, 900, 900]);
        assert_eq!(pause_after(minute, 0, 0.0).as_secs(), 54);
        assert_eq!(pause_after(minute, 0, 1.0).as_secs(), 66);
        let hour = Duration::from_secs(3600);
        assert_eq!(pause_after(hour, 3, 0.5), hour);
    }
}
