//! Reporters of what happens during an apply, for a terminal, a pipe or a program.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use mirror_plan::address::Address;
use mirror_plan::event::{Event, Reporter, Work};
use mirror_plan::plan::{Phase, Plan};
use mirror_plan::render::{json, progress};

use crate::screen::Screen;
use crate::settings::Live;
use crate::ui::{Form, Ui};

/// The reporter that fits the destination of the output.
pub(crate) fn reporter<'r>(plan: &'r Plan, live: Live, ui: &'r mut Ui) -> Box<dyn Reporter + 'r> {
    match (ui.form(), live) {
        (Form::Json, _) => Box::new(Objects { plan, ui, waits: BTreeMap::new() }),
        (Form::Text, Live::Yes) => Box::new(Area::new(ui)),
        (Form::Text, Live::No) => Box::new(Lines { ui }),
    }
}

/// A line for each event.
struct Lines<'r> {
    ui: &'r mut Ui,
}

impl Reporter for Lines<'_> {
    fn report(&mut self, event: &Event) {
        if let Some(line) = progress::line(event) {
            self.ui.note(line);
        }
    }
}

/// A JSON object for each event, except for a wait that merely continues.
struct Objects<'r> {
    plan: &'r Plan,
    ui: &'r mut Ui,
    waits: BTreeMap<Key, String>,
}

impl Reporter for Objects<'_> {
    fn report(&mut self, event: &Event) {
        if let Event::Waiting { work, wait } = event {
            let before = self.waits.insert(key(work), wait.clone());
            if before.as_ref() == Some(wait) {
                return;
            }
        }
        json::event(self.plan, event).into_iter().for_each(|line| self.ui.line(line));
    }
}

/// How often the live area is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// How often it is drawn in a second at most: indicatif's own default.
const DRAWN_PER_SECOND: u8 = 20;

/// Lines, and below them the current state: how much is done, what is in flight, for how long, and
/// what it waits for.
struct Area<'r> {
    ui: &'r mut Ui,
    bars: MultiProgress,
    total: ProgressBar,
    works: BTreeMap<Key, ProgressBar>,
}

impl<'r> Area<'r> {
    fn new(ui: &'r mut Ui) -> Self {
        let screen = Box::new(Screen::stderr());
        let target = ProgressDrawTarget::term_like_with_hz(screen, DRAWN_PER_SECOND);
        let bars = MultiProgress::with_draw_target(target);
        let total =
            bars.add(ProgressBar::new(0).with_style(style("{pos} of {len} done, {elapsed}")));
        Self { ui, bars, total, works: BTreeMap::new() }
    }

    fn note(&mut self, line: &str) {
        let ui = &mut self.ui;
        self.bars.suspend(|| ui.note(line));
    }

    fn begin(&mut self, work: &Work) {
        let bar =
            ProgressBar::new_spinner().with_style(style("  {spinner} {prefix} {elapsed} {msg}"));
        let bar = self.bars.add(bar);
        bar.set_prefix(format!("{}: {}", work.address, progress::verb(work)));
        bar.enable_steady_tick(TICK);
        self.works.insert(key(work), bar);
    }

    fn end(&mut self, work: &Work) {
        if let Some(bar) = self.works.remove(&key(work)) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }
}

impl Reporter for Area<'_> {
    fn report(&mut self, event: &Event) {
        match event {
            Event::Begun { total } => {
                self.total.set_length(*total as u64);
                self.total.enable_steady_tick(TICK);
            }
            Event::Started { work } => self.begin(work),
            Event::Waiting { work, wait } => {
                if let Some(bar) = self.works.get(&key(work)) {
                    bar.set_message(wait.clone());
                }
            }
            // The area shows it ten times a second.
            Event::Progress { .. } => return,
            Event::Done { work, elapsed: _, done } => {
                self.end(work);
                self.total.set_position(*done as u64);
                self.total.force_draw();
            }
            Event::Failed { work, .. } => self.end(work),
            Event::Stopping { .. } => {}
            Event::Ended { .. } => self.total.finish_and_clear(),
        }
        if let Some(line) = progress::line(event) {
            self.note(&line);
        }
    }
}

/// What distinguishes one piece of work from the others, since its id is known only later.
type Key = (Address, Phase, u32);

fn key(work: &Work) -> Key {
    (work.address.clone(), work.phase, work.generation)
}

/// A style of one line, with durations in the format of the lines above the area.
fn style(template: &str) -> ProgressStyle {
    let elapsed = |state: &ProgressState, line: &mut dyn fmt::Write| {
        write!(line, "{}", progress::Elapsed(state.elapsed())).expect("it writes to a string");
    };
    ProgressStyle::with_template(template)
        .expect("the templates are constants of this module")
        .with_key("elapsed", elapsed)
}
