//! A simulated account: minutes of AWS in milliseconds, and runs that are killed at a chosen call.
//!
//! Time is virtual. It moves when everything waits, in the library, in the SDK and in the local AWS
//! alike, so that twenty minutes of waiting cost nothing. A run is killed by dropping everything it
//! has at the moment in which a call that changes something has reached the cloud: before it takes
//! effect, or after that and before its answer arrives. What outlives it is what outlives a process:
//! the cloud and the journal's file. Between two such calls a run changes the cloud not at all and
//! the journal only by what the next call finds written, so that these moments stand for all.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mirror_local::{
    Calls, Clock as CloudClock, Cloud, Durations, Effect, Fault, Faults, LoggedCall, Settings,
    VirtualClock,
};
use mirror_plan::apply::journal::{Clock, Holder, JournalError, Scope};
use mirror_plan::apply::report::Report;
use mirror_plan::apply::{Journal, Options, Stop, apply, recover};
use mirror_plan::aws::{Aws, Pace, Wanted};
use mirror_plan::plan::{Mode, Plan, Request, plan};
use mirror_plan::stack::Stack;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::config;

/// How often the cloud's clock follows the runtime's.
const TICK: Duration = Duration::from_millis(50);

/// How soon a killed run is gone after its call.
const MOMENT: Duration = Duration::from_millis(20);

/// An account, its time, and the folder of its journals.
#[derive(Debug)]
pub struct Simulation {
    /// The local AWS.
    pub cloud: Cloud,
    clock: VirtualClock,
    journals: TempDir,
    missing: Option<Safeguard>,
}

/// A machine: a runtime with a time of its own, which moves only while something is done on it.
#[derive(Debug)]
pub struct Machine(Runtime);

impl Machine {
    /// A machine that has just been started.
    ///
    /// # Panics
    /// If there is no runtime to be had.
    #[must_use]
    pub fn new() -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build();
        Self(runtime.expect("a runtime without threads can be built"))
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// What makes runs safe, each for tests that show what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safeguard {
    /// What is under way is written down.
    Journal,
    /// What was made is waited for until AWS shows it.
    SettleWindow,
}

/// When a run is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// At which of the calls that change something, counted from 1.
    pub call: u64,
    /// Whether that call takes effect.
    pub effect: Effect,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// By itself: what was planned, and how it went.
    Finished(Box<(Plan, Report)>),
    /// By itself, before anything was applied.
    Refused(String),
    /// It was killed.
    Killed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished(ended) if ended.1.is_complete() => f.write_str("it was done"),
            Self::Finished(ended) => write!(f, "it failed: {}", crate::unfinished(&ended.1)),
            Self::Refused(why) => write!(f, "it was refused: {why}"),
            Self::Killed => f.write_str("it was killed"),
        }
    }
}

impl End {
    /// Whether the run did everything that it planned.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Finished(ended) if ended.1.is_complete())
    }

    /// The plan of a run that ended by itself.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Finished(ended) => Some(&ended.0),
            Self::Refused(_) | Self::Killed => None,
        }
    }
}

impl Simulation {
    /// An empty account whose transitions take as long as AWS's usually do.
    ///
    /// # Panics
    /// If there is no place for temporary files.
    #[must_use]
    pub fn new() -> Self {
        let start = "2026-01-01T00:00:00Z".parse().expect("this is a time");
        let clock = VirtualClock::starting_at(start);
        let mut settings = Settings::default();
        settings.durations = durations();
        let cloud = Cloud::in_memory()
            .with_settings(settings)
            .with_clock(CloudClock::Virtual(clock.clone()));
        // What is flushed in vain here would take most of the time on a disk.
        let in_memory = Path::new("/dev/shm");
        let place = if in_memory.is_dir() { in_memory.to_owned() } else { std::env::temp_dir() };
        let journals = TempDir::new_in(place).expect("there is a place for temporary files");
        Self { cloud, clock, journals, missing: None }
    }

    /// Runs an apply or a destroy from beginning to end, or until it is killed.
    ///
    /// # Panics
    /// If there is no runtime to be had.
    #[must_use]
    pub fn run(&self, stack: &Stack, mode: Mode, faults: Faults, kill: Option<Kill>) -> End {
        if stack.coordination.is_some() {
            self.cloud.set_faults(Faults::none());
            self.make_bucket(stack);
        }
        self.set_faults(faults, kill);
        self.in_virtual_time(async {
            tokio::select! {
                biased;
                () = self.killed(kill) => End::Killed,
                end = self.attempt(stack, mode) => end,
            }
        })
    }

    /// Does something with a runtime of its own, at the end of which nothing of it is left.
    ///
    /// # Panics
    /// If there is no runtime to be had.
    pub fn in_virtual_time<T>(&self, work: impl Future<Output = T>) -> T {
        self.drive(&Machine::new(), work)
    }

    /// Does something on a machine, which stands still at other times.
    pub fn drive<T>(&self, machine: &Machine, work: impl Future<Output = T>) -> T {
        machine.0.block_on(async {
            tokio::select! {
                biased;
                done = work => done,
                () = self.follow_time() => unreachable!("time does not end"),
            }
        })
    }

    /// Makes the bucket in which the runs of a stack meet.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn make_bucket(&self, stack: &Stack) {
        let aws = self.aws();
        let place = stack.coordination.as_ref().expect("the stack names a bucket");
        let made = self.in_virtual_time(aws.make_bucket(place));
        made.expect("the bucket can be made");
    }

    /// The library's clients for the account.
    ///
    /// # Panics
    /// Never: the configuration has a Region.
    #[must_use]
    pub fn aws(&self) -> Aws {
        let aws =
            Aws::new(&config(&self.cloud), Pace::Aws).expect("the configuration has a Region");
        match self.missing {
            Some(Safeguard::SettleWindow) => aws.with_settle_window(Duration::ZERO),
            Some(Safeguard::Journal) | None => aws,
        }
    }

    /// How many calls that change something have reached the cloud and were not turned away.
    ///
    /// # Panics
    /// If the log of a cloud in memory cannot be read.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let log = self.cloud.log().expect("the log is in memory");
        let changes = |call: &&LoggedCall| {
            let reads = ["Describe", "Get", "Head"].map(|word| call.action.starts_with(word));
            let throttled = ["RequestLimitExceeded", "SlowDown"].map(Some);
            !reads.contains(&true) && !throttled.contains(&call.error.as_deref())
        };
        log.iter().filter(changes).count() as u64
    }

    /// With other times for the transitions of objects.
    #[must_use]
    pub fn with_durations(mut self, change: impl FnOnce(&mut Durations)) -> Self {
        let mut settings = Settings::default();
        settings.durations = durations();
        change(&mut settings.durations);
        self.cloud = self.cloud.with_settings(settings);
        self
    }

    /// The same without one of the things that make runs safe.
    #[must_use]
    pub fn without(self, safeguard: Safeguard) -> Self {
        Self { missing: Some(safeguard), ..self }
    }

    /// Removes what the journals say.
    ///
    /// # Panics
    /// If that is not possible.
    pub fn lose_journals(&self) {
        for entry in std::fs::read_dir(self.journals.path()).expect("the folder is there") {
            let entry = entry.expect("it can be listed");
            std::fs::remove_file(entry.path()).expect("it can be removed");
        }
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn set_faults(&self, faults: Faults, kill: Option<Kill>) {
        let faults = match kill {
            None => faults,
            Some(Kill { call, effect }) => {
                faults.fail(Calls::Mutating, call, Fault::silent(effect))
            }
        };
        self.cloud.set_faults(faults);
    }

    async fn killed(&self, kill: Option<Kill>) {
        let before = self.changes();
        match kill {
            None => std::future::pending().await,
            Some(Kill { call, .. }) => {
                while self.changes() < before + call {
                    sleep(MOMENT).await;
                }
            }
        }
    }

    async fn follow_time(&self) {
        loop {
            sleep(TICK).await;
            self.clock.advance(TICK);
        }
    }

    async fn attempt(&self, stack: &Stack, mode: Mode) -> End {
        match self.try_attempt(stack, mode).await {
            Ok(ended) => End::Finished(Box::new(ended)),
            Err(why) => End::Refused(why),
        }
    }

    /// What the command line does, without its words.
    async fn try_attempt(&self, stack: &Stack, mode: Mode) -> Result<(Plan, Report), String> {
        let aws = self.aws();
        aws.account().await.map_err(|error| error.to_string())?; // `take` asks for it again
        let journal = self.take(&aws, stack).await.map_err(|error| error.to_string())?;
        let ended = self.carry_out(stack, mode, (&aws, &journal)).await;
        journal.release().await;
        ended
    }

    /// Takes the journal of a stack, where the stack says that it is kept.
    ///
    /// # Errors
    /// If that cannot be had.
    ///
    /// # Panics
    /// If the account does not say who it is.
    pub async fn take(&self, aws: &Aws, stack: &Stack) -> Result<Arc<Journal>, JournalError> {
        let account = aws.account().await.expect("the account says who it is");
        let scope = Scope { stack: stack.name.clone(), account, region: aws.region().clone() };
        let clock = self.clock.clone();
        let clock: Clock = Arc::new(move || clock.now());
        match (self.missing, &stack.coordination) {
            (Some(Safeguard::Journal), _) => Ok(Arc::new(Journal::in_memory(clock))),
            (Some(Safeguard::SettleWindow) | None, None) => {
                Journal::open(self.journals.path(), &scope, &holder(), clock).map(Arc::new)
            }
            (Some(Safeguard::SettleWindow) | None, Some(place)) => {
                Journal::open_shared((aws, place), &scope, &holder(), clock, &mut |_| {}).await
            }
        }
    }

    /// Plans and applies with a journal in hand.
    ///
    /// # Errors
    /// If nothing could be planned.
    pub async fn carry_out(
        &self,
        stack: &Stack,
        mode: Mode,
        (aws, journal): (&Aws, &Arc<Journal>),
    ) -> Result<(Plan, Report), String> {
        let images = stack.images();
        let wanted = Wanted { stack: stack.name.as_str(), images: &images };
        let sight = recover(aws, wanted, journal, mode, &mut |_| {}).await;
        let observed = sight.map_err(|error| error.to_string())?.observed;
        let request = Request { mode, ..Request::default() };
        let plan = plan(stack, &observed, &request).map_err(|found| found.to_string())?;
        let options = Options::default();
        let report = apply(&plan, (aws, journal), &options, &Stop::new(), &mut ()).await;
        Ok((plan, report))
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

/// What is usual.
fn durations() -> Durations {
    let mut durations = Durations::default();
    durations.network_pending = Duration::from_secs(1);
    durations.instance_pending = Duration::from_secs(25);
    durations.instance_stopping = Duration::from_secs(30);
    durations.instance_shutting_down = Duration::from_secs(40);
    durations.load_balancer_provisioning = Duration::from_secs(120);
    durations.load_balancer_lingering = Duration::from_secs(60);
    durations.target_initial = Duration::from_secs(30);
    durations.target_draining = Duration::from_secs(30);
    durations
}

fn holder() -> Holder {
    Holder {
        command: "mirror apply".to_owned(),
        user: None,
        host: None,
        process: std::process::id(),
        since: jiff::Timestamp::UNIX_EPOCH,
    }
}
