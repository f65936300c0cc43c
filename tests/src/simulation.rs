//! A simulated account: minutes of AWS in milliseconds, and everything that remains of a run that is killed.
//!
//! Time is virtual. It jumps to the next moment at which anything is to happen, for the library, the SDK and the local
//! AWS alike, so that twenty minutes of waiting cost nothing. [`remains`] describes how runs are killed. Every
//! simulated account also holds a thousand objects with the same names that belong to others.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use mirror_local::{Cloud, Durations, Faults, LoggedCall, Settings};
use mirror_plan::apply::journal::{Holder, JournalError, Scope};
use mirror_plan::apply::report::Report;
use mirror_plan::apply::{Journal, Options, Stop, apply, recover};
use mirror_plan::aws::{Aws, Pace, Wanted};
use mirror_plan::plan::{Mode, Plan, Request, plan};
use mirror_plan::stack::Stack;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{config_of, reaching};

pub mod account;
mod door;
pub mod remains;
mod time;

use door::{Door, Toll};
use remains::{Moment, Remains, State, Watch};
use time::Time;

/// An account, its time, and the folder of its journals.
#[derive(Debug)]
pub struct Simulation {
    /// The local AWS.
    pub cloud: Cloud,
    time: Time,
    journals: TempDir,
    missing: Option<Safeguard>,
    options: Options,
}

/// A machine: a runtime with its own time, which moves only while something runs on it.
#[derive(Debug)]
pub struct Machine(Runtime);

impl Machine {
    /// A machine that has just been started.
    ///
    /// # Panics
    /// If no runtime can be created.
    #[must_use]
    pub fn new() -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        Self(runtime.expect("a runtime without threads can be built"))
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// The safeguards of runs, each of which can be removed by tests that show what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safeguard {
    /// What is in flight is written down.
    Journal,
    /// A repeated call carries the same client token as before.
    Tokens,
    /// A run waits until AWS shows what it made.
    SettleWindow,
    /// What the SDK would send again by itself is first looked up.
    Classifier,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// On its own: the plan, and how it went.
    Finished(Box<(Plan, Report)>),
    /// On its own, before anything was applied.
    Refused(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished(ended) if ended.1.is_complete() => f.write_str("it was done"),
            Self::Finished(ended) => write!(f, "it failed: {}", crate::unfinished(&ended.1)),
            Self::Refused(why) => write!(f, "it was refused: {why}"),
        }
    }
}

impl End {
    /// Whether the run did everything that it planned.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Finished(ended) if ended.1.is_complete())
    }

    /// The plan of a run.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Finished(ended) => Some(&ended.0),
            Self::Refused(_) => None,
        }
    }
}

impl Simulation {
    /// An account that is shared with [`account::others`], whose transitions take as long as AWS's usually do.
    ///
    /// # Panics
    /// If no temporary folder can be created.
    #[must_use]
    pub fn new() -> Self {
        let (cloud, at, _) = account::shared();
        Self::of(cloud.fork(), Time::still(*at))
    }

    /// An account that nobody else uses.
    fn alone() -> Self {
        let time = Time::still("2026-01-01T00:00:00Z".parse().expect("this is a time"));
        Self::of(Cloud::in_memory().with_settings(settings()), time)
    }

    /// The simulation that continues from what a killed run left behind.
    ///
    /// # Panics
    /// If no temporary folder can be created.
    #[must_use]
    pub fn after(remains: &Remains, stack: &Stack) -> Self {
        let simulation = Self::of(remains.cloud.fork(), Time::still(remains.at));
        let journal = remains::journal_of(stack, simulation.journals.path());
        std::fs::write(journal, &remains.journal).expect("the folder was just made");
        simulation
    }

    /// An independent copy, with the journal of one stack.
    ///
    /// # Panics
    /// If no temporary folder can be created.
    #[must_use]
    pub fn fork(&self, stack: &Stack) -> Self {
        let (options, missing) = (self.options.clone(), self.missing);
        let copy = Self::of(self.cloud.fork(), Time::still(self.time.now()));
        std::fs::write(remains::journal_of(stack, copy.journals.path()), self.journal(stack))
            .expect("the folder was just made");
        Self { options, missing, ..copy }
    }

    fn of(cloud: Cloud, time: Time) -> Self {
        let cloud = cloud.with_clock(time.of_cloud());
        // On a disk, flushing would take most of the time and protect nothing.
        let in_memory = Path::new("/dev/shm");
        let place = if in_memory.is_dir() { in_memory.to_owned() } else { std::env::temp_dir() };
        let journals = TempDir::new_in(place).expect("there is a place for temporary files");
        Self { cloud, time, journals, missing: None, options: Options::default() }
    }

    /// Runs an apply or a destroy from beginning to end.
    ///
    /// # Panics
    /// If no runtime can be created.
    #[must_use]
    pub fn run(&self, stack: &Stack, mode: Mode, faults: Faults) -> End {
        if stack.coordination.is_some() {
            self.cloud.set_faults(Faults::none());
            self.make_bucket(stack);
        }
        self.cloud.set_faults(faults);
        self.in_virtual_time(async {
            match self.attempt(stack, mode).await {
                Ok(ended) => End::Finished(Box::new(ended)),
                Err(why) => End::Refused(why),
            }
        })
    }

    /// Does the same and reports each moment at which the run could be killed, with what would remain.
    ///
    /// # Panics
    /// If no runtime can be created.
    #[must_use]
    pub fn watch(
        &self,
        (stack, mode, faults): (&Stack, Mode, Faults),
        tell: impl FnMut(Moment<'_>) + Send + 'static,
    ) -> End {
        let watch = Watch {
            journal: remains::journal_of(stack, self.journals.path()),
            time: self.time.clone(),
            state: Mutex::new(State::new(self.journal(stack), tell)),
        };
        self.cloud.witness(move |moment| watch.see(moment));
        let end = self.run(stack, mode, faults);
        self.cloud.dismiss_witness();
        end
    }

    /// Runs something in its own runtime, which leaves nothing behind.
    ///
    /// # Panics
    /// If no runtime can be created.
    pub fn in_virtual_time<T>(&self, work: impl Future<Output = T>) -> T {
        self.drive(&Machine::new(), work)
    }

    /// Runs something on a machine; the machine's time stands still otherwise.
    pub fn drive<T>(&self, machine: &Machine, work: impl Future<Output = T>) -> T {
        machine.0.block_on(self.time.during(work))
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
        self.clients(None)
    }

    /// The same clients, with those for the other accounts of a stack.
    fn clients(&self, stack: Option<&Stack>) -> Aws {
        let client = self.cloud.http_client();
        let behind = |toll| SharedHttpClient::new(Door { client: client.clone(), toll });
        let client = match self.missing {
            Some(Safeguard::Tokens) => behind(Toll::FreshTokens),
            Some(Safeguard::Classifier) => behind(Toll::Replay),
            Some(Safeguard::Journal | Safeguard::SettleWindow) | None => client,
        };
        let config = config_of(client);
        let aws = Aws::new(&config, Pace::Aws).expect("the configuration has a Region");
        let aws = stack.into_iter().fold(aws, |aws, it| reaching(aws, it, (&config, Pace::Aws)));
        match self.missing {
            Some(Safeguard::SettleWindow) => aws.with_settle_window(Duration::ZERO),
            Some(Safeguard::Journal | Safeguard::Tokens | Safeguard::Classifier) | None => aws,
        }
    }

    /// How many mutating calls have reached the cloud and were not refused.
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

    /// The same with other durations for the transitions of objects.
    #[must_use]
    pub fn with_durations(mut self, change: impl FnOnce(&mut Durations)) -> Self {
        let mut settings = settings();
        change(&mut settings.durations);
        self.cloud = self.cloud.with_settings(settings);
        self
    }

    /// The same with another number of calls in flight at once.
    #[must_use]
    pub fn with_parallelism(self, parallelism: NonZeroUsize) -> Self {
        Self { options: Options::default().with_parallelism(parallelism), ..self }
    }

    /// The same with other ids for what is made from now on.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.cloud = self.cloud.with_seed(seed);
        self
    }

    /// The same without one of the safeguards.
    #[must_use]
    pub fn without(self, safeguard: impl Into<Option<Safeguard>>) -> Self {
        Self { missing: safeguard.into(), ..self }
    }

    /// The content of a stack's journal, byte for byte.
    #[must_use]
    pub fn journal(&self, stack: &Stack) -> Vec<u8> {
        std::fs::read(remains::journal_of(stack, self.journals.path())).unwrap_or_default()
    }

    /// Deletes the journals.
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
        self.time.advance(time);
    }

    /// Does what the command line does, without its output.
    async fn attempt(&self, stack: &Stack, mode: Mode) -> Result<(Plan, Report), String> {
        let aws = self.clients(Some(stack));
        aws.account().await.map_err(|error| error.to_string())?; // `take` asks for it again
        let journal = self.take(&aws, stack).await.map_err(|error| error.to_string())?;
        let ended = self.carry_out(stack, mode, (&aws, &journal)).await;
        journal.release().await;
        ended
    }

    /// Takes the journal of a stack from where the stack declares it to be kept.
    ///
    /// # Errors
    /// If it is not available.
    ///
    /// # Panics
    /// If the account does not report its identity.
    pub async fn take(&self, aws: &Aws, stack: &Stack) -> Result<Arc<Journal>, JournalError> {
        let account = aws.account().await.expect("the account says who it is");
        let scope = Scope { stack: stack.name.clone(), account, region: aws.region().clone() };
        let clock = self.time.of_journal();
        match (self.missing, &stack.coordination) {
            (Some(Safeguard::Journal), _) => Ok(Arc::new(Journal::in_memory(clock))),
            (_, None) => {
                Journal::open(self.journals.path(), &scope, &holder(), clock).map(Arc::new)
            }
            (_, Some(place)) => {
                Journal::open_shared((aws, place), &scope, &holder(), clock, &mut |_| {}).await
            }
        }
    }

    /// Plans and applies while holding a journal.
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
        let wanted = Wanted::to_plan(stack, &images, Mode::Apply);
        let sight = recover(aws, wanted, journal, mode, &mut |_| {}).await;
        let observed = sight.map_err(|error| error.to_string())?.observed;
        let request = Request { mode, ..Request::default() };
        let plan = plan(stack, &observed, &request).map_err(|found| found.to_string())?;
        let stop = Stop::new();
        let report = apply(&plan, (aws, journal), &self.options, &stop, &mut ()).await;
        Ok((plan, report))
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

/// The usual settings, for an account that may have more networks than most.
fn settings() -> Settings {
    let mut settings = Settings::default();
    let Settings { durations, quotas, .. } = &mut settings;
    (quotas.vpcs, quotas.internet_gateways) = (100, 100);
    durations.network_pending = Duration::from_secs(1);
    durations.instance_pending = Duration::from_secs(25);
    durations.instance_stopping = Duration::from_secs(30);
    durations.instance_shutting_down = Duration::from_secs(40);
    durations.load_balancer_provisioning = Duration::from_secs(120);
    durations.load_balancer_lingering = Duration::from_secs(60);
    durations.target_initial = Duration::from_secs(30);
    durations.target_draining = Duration::from_secs(30);
    settings
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
