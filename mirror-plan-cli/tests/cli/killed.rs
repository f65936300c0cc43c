//! Signals and broken connections: the real binary, killed, interrupted, cancelled or left without an answer at each
//! call that changes something, and run again.
//!
//! Every test run uses a small stack, or the reference stack with `MIRROR_LONG=1`. Each kill is tried once, twenty times
//! in CI, or as often as `MIRROR_SEEDS` (`20`, or `20..40`) says, each time with other ids and other delays until AWS
//! shows what was made.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "a test prints what it has tried")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::ops::Range;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use mirror_local::{
    Calls, Clock, Cloud, Durations, Effect, Fault, Faults, Inventory, LoggedCall, Server, Settings,
    Teller,
};
use tokio::runtime::{Builder, Runtime};

use super::Folder;

/// An object for each sort of create call: without a token, with a name of its own, with a token.
pub(crate) const NETWORK: &str = r#"
stack "killed" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

internet_gateway "way" { vpc = vpc.lab }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

security_group "receiver" {
  vpc     = vpc.lab
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/16"] }]
}

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp", port = 443 }]
}
"#;

/// What others have in the account: a thousand objects with the names, the tags and the ranges of those above.
const OTHERS: &str = r#"
stack "others" { region = "eu-west-1" }

vpc "lab" {
  count = 2
  cidr  = "10.0.0.0/16"
  tags  = { Name = "lab" }
}

internet_gateway "way" {
  count = 2
  vpc   = vpc.lab[count.index]
  tags  = { Name = "way" }
}

subnet "a" {
  count = 2
  vpc   = vpc.lab[count.index]
  cidr  = "10.0.1.0/24"
  tags  = { Name = "a" }
}

security_group "receiver" {
  count   = 2
  vpc     = vpc.lab[count.index]
  name    = "killed-receiver"
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/16"] }]
  tags    = { Name = "receiver" }
}

mirror_filter "web" {
  count = 500
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp", port = 443 }]
  tags  = { Name = "web" }
}
"#;

/// Each needs the one before it, so a run that has lost one has nothing else to do and ends at once.
const CHAIN: &str = r#"
stack "chain" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

instance "sensor" {
  subnet        = subnet.a
  instance_type = "t3.micro"
}
"#;

/// An AWS on a port of its own.
pub(crate) struct Served {
    pub(crate) cloud: Cloud,
    url: String,
    /// How many seconds its clock is ahead of the machine's.
    ahead: Arc<AtomicU64>,
    /// Serves for as long as it is held.
    _runtime: Runtime,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::of(Cloud::in_memory(), change)
    }

    /// An AWS in which others have objects too.
    pub(crate) fn among_others() -> Self {
        static ACCOUNT: OnceLock<Cloud> = OnceLock::new();
        let account = ACCOUNT.get_or_init(|| {
            let folder = Folder::with(OTHERS);
            folder.done("apply --auto-approve");
            let cloud = Cloud::open(&folder.path().join(".mirror/local")).expect("it was made");
            cloud.fork()
        });
        Self::of(account.fork(), |_| {})
    }

    fn of(cloud: Cloud, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        change(&mut settings);
        let ahead = Arc::new(AtomicU64::new(0));
        let seconds = ahead.clone();
        let now = move || Timestamp::now() + Duration::from_secs(seconds.load(Ordering::Relaxed));
        let clock = Clock::Told(Teller::new(now));
        let cloud = cloud.with_settings(settings).with_clock(clock);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let server =
            runtime.block_on(Server::bind(cloud.clone(), 0)).expect("there is a free port");
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { cloud, url, ahead, _runtime: runtime }
    }

    /// Makes AWS assign other ids for each seed.
    fn with_seed(self, seed: u64) -> Self {
        let cloud = self.cloud.with_seed(seed);
        Self { cloud, ..self }
    }

    /// Lets time pass in AWS.
    fn pass(&self, time: Duration) {
        self.ahead.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    /// What the account holds once all new objects are visible and all deleted ones are forgotten.
    pub(crate) fn holds(&self) -> Inventory {
        self.pass(Duration::from_secs(2 * 60 * 60));
        self.cloud.inventory("eu-west-1").expect("the cloud is in memory")
    }

    pub(crate) fn command(&self, folder: &Folder, arguments: &str) -> Command {
        let mut command = folder.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("MIRROR_SETTLE_WINDOW", "1");
        command
    }

    fn changes(&self) -> u64 {
        let reads = |call: &&LoggedCall| {
            !call.action.starts_with("Describe") && !call.action.starts_with("Get")
        };
        self.cloud.log().expect("the log is in memory").iter().filter(reads).count() as u64
    }

    /// How many calls change the account, not counting those on its buckets.
    pub(crate) fn changes_of_account(&self) -> usize {
        let log = self.cloud.log().expect("the log is in memory");
        let changes = |call: &&LoggedCall| {
            let reads = ["Describe", "Get"].map(|word| call.action.starts_with(word));
            call.service != "s3" && !reads.contains(&true)
        };
        log.iter().filter(changes).count()
    }

    /// Makes a bucket, as a user would do once.
    pub(crate) fn make_bucket(&self, name: &str) {
        let address = self.url.strip_prefix("http://").expect("the URL is of this form");
        let mut stream = std::net::TcpStream::connect(address).expect("the server listens");
        let body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                    </CreateBucketConfiguration>";
        let scope = "AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/s3/aws4_request";
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nhost: {address}\r\nauthorization: {scope}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it can be sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it is answered");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// Runs `mirror`; returns its exit code and what it prints.
    pub(crate) fn run(&self, folder: &Folder, arguments: &str) -> (Option<i32>, String) {
        let output = self.command(folder, arguments).output().expect("mirror runs");
        (output.status.code(), super::shown(&output))
    }

    /// Runs `mirror`, which must succeed.
    fn expect(&self, folder: &Folder, arguments: &str) -> Result<(), String> {
        match self.run(folder, arguments) {
            (Some(0), _) => Ok(()),
            (_, shown) => Err(format!("{arguments}: {shown}")),
        }
    }
}

/// A stack whose runs are killed, and how many resources it has.
#[derive(Clone, Copy)]
struct Victim {
    name: &'static str,
    text: &'static str,
    resources: usize,
}

fn victim() -> Victim {
    let lab = include_str!("../../../examples/lab.mirror.hcl");
    match std::env::var_os("MIRROR_LONG") {
        Some(_) => Victim { name: "lab", text: lab, resources: 15 },
        None => Victim { name: "killed", text: NETWORK, resources: 5 },
    }
}

/// Which run is killed, and what is run after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// An apply, then an apply, a plan and a destroy.
    Apply,
    /// An apply, then a destroy.
    ApplyThenDestroy,
    /// A destroy, then a destroy.
    Destroy,
}

impl Story {
    /// The runs after the killed one.
    fn rest(self) -> &'static [&'static str] {
        match self {
            Self::Apply => {
                &["apply --auto-approve", "plan --detailed-exitcode", "destroy --auto-approve"]
            }
            Self::ApplyThenDestroy | Self::Destroy => &["destroy --auto-approve"],
        }
    }
}

/// How a run ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// SIGKILL.
    Killed,
    /// SIGINT, and SIGTERM as soon as the run reports the SIGINT.
    InterruptedTwice,
    /// As CI ends a cancelled job: SIGINT, SIGTERM and SIGKILL, with time between them.
    ///
    /// Source: GitHub Actions documentation, "Workflow cancellation reference": 7.5 and 2.5 seconds.
    Cancelled,
    /// The connection is closed in place of the answer, and the run goes on or gives up as it likes.
    Unanswered,
}

impl End {
    /// What happens to the call in flight.
    fn fault(self, effect: Effect) -> Fault {
        match self {
            Self::Killed | Self::InterruptedTwice | Self::Cancelled => Fault::silent(effect),
            Self::Unanswered => Fault::dropped(effect),
        }
    }

    /// What is tried with it.
    fn victim(self) -> Victim {
        match self {
            Self::Killed | Self::InterruptedTwice | Self::Cancelled => victim(),
            Self::Unanswered => Victim { name: "chain", text: CHAIN, resources: 3 },
        }
    }

    /// How late AWS shows what it has made.
    fn weather(self, seed: u64) -> Faults {
        match self {
            Self::Killed | Self::InterruptedTwice | Self::Cancelled => weather(seed),
            // Certainly later than the next run looks, which begins at once.
            Self::Unanswered => Faults::none().unseen_during([Duration::from_millis(700)]),
        }
    }

    fn stderr(self) -> Stdio {
        match self {
            Self::InterruptedTwice => Stdio::piped(),
            Self::Killed | Self::Cancelled | Self::Unanswered => Stdio::null(),
        }
    }

    /// Ends a run whose call in flight is never answered.
    fn come(self, child: &mut Child) -> Result<(), String> {
        match self {
            Self::Unanswered => child.wait().map(drop).map_err(|error| error.to_string()),
            Self::Killed => child.kill().map_err(|error| error.to_string()),
            Self::InterruptedTwice => {
                let mut told = BufReader::new(child.stderr.take().expect("it is piped"));
                send("INT", child);
                hear(&mut told, "Interrupt received")?;
                send("TERM", child);
                hear(&mut told, "Interrupted twice")?;
                let status = child.wait().expect("it is our child");
                if status.code() == Some(130) { Ok(()) } else { Err(status.to_string()) }
            }
            Self::Cancelled => {
                const LOOK_EVERY: Duration = Duration::from_millis(20);
                for (signal, milliseconds) in [("INT", 7_500), ("TERM", 2_500)] {
                    send(signal, child);
                    for _ in 0..milliseconds / LOOK_EVERY.as_millis() {
                        if child.try_wait().expect("it is our child").is_some() {
                            return Ok(());
                        }
                        std::thread::sleep(LOOK_EVERY);
                    }
                }
                child.kill().map_err(|error| error.to_string())
            }
        }
    }
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(id).status();
    assert!(sent.expect("there is a `kill`").success());
}

/// Reads until a line that begins with `start`.
fn hear(told: &mut BufReader<ChildStderr>, start: &str) -> Result<(), String> {
    let mut lines = told.lines().map_while(Result::ok);
    if lines.any(|line| line.starts_with(start)) { Ok(()) } else { Err(format!("no {start}")) }
}

/// Where a run ends before its time.
#[derive(Clone, Copy, Debug)]
struct Point {
    /// Which of the run's calls that change something is never answered.
    call: u64,
    /// Whether that call has taken effect by then.
    effect: Effect,
    seed: u64,
}

/// The days (seeds) on which each call is tried: a number of days, or a range of them.
fn seeds() -> Range<u64> {
    let given = std::env::var_os("MIRROR_SEEDS").and_then(|seeds| seeds.into_string().ok());
    let in_ci = std::env::var_os("CI").is_some();
    let given = given.as_deref().unwrap_or(if in_ci { "20" } else { "1" });
    let (first, end) = given.split_once("..").unwrap_or(("0", given));
    let [first, end] =
        [first, end].map(|seed| seed.parse().expect("MIRROR_SEEDS is a number or two: 20..40"));
    first..end
}

/// Whether this is the first day, the only one on which slow cases are tried.
fn is_first_day(point: Point) -> bool {
    point.seed == seeds().start
}

/// How late AWS shows what it has made: at once with seed 0, with others before the end of the window that these runs
/// are given.
fn weather(seed: u64) -> Faults {
    let mut random = fastrand::Rng::with_seed(seed);
    let latest = if seed == 0 { 1 } else { 400 };
    let lags: Vec<_> = (0..7).map(|_| Duration::from_millis(random.u64(0..latest))).collect();
    Faults::none().unseen_during(lags)
}

/// Ends a run at one call; the error reports what is wrong after the runs that follow.
fn survives(victim: Victim, (story, end): (Story, End), point: Point) -> Result<(), String> {
    let Point { call, effect, seed } = point;
    let (served, folder) = (Served::among_others().with_seed(seed), Folder::with(victim.text));
    let others = served.holds();
    assert!(others.len() >= 1_000, "{}", others.len());
    let mut command = "apply --auto-approve";
    let mut before = 0;
    if story == Story::Destroy {
        served.expect(&folder, command)?;
        (command, before) = ("destroy --auto-approve", served.changes());
    }
    served.cloud.set_faults(end.weather(seed).fail(Calls::Mutating, call, end.fault(effect)));
    let mut child = served.command(&folder, command);
    let mut child = child.stdout(Stdio::null()).stderr(end.stderr()).spawn().expect("mirror runs");
    while served.changes() < before + call {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return Err(format!("it ended before its time: {status}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    end.come(&mut child)?;
    child.wait().expect("it is our child");
    served.cloud.set_faults(end.weather(seed));
    for command in story.rest() {
        served.expect(&folder, command)?;
        // The next run begins when everything is visible.
        served.pass(Duration::from_secs(1));
    }
    match difference(&others, &served.holds()) {
        different if different.is_empty() => Ok(()),
        different => Err(format!("this is not as it was: {different:?}")),
    }
}

/// The objects that are in one inventory only, or differ.
fn difference<'i>(a: &'i Inventory, b: &'i Inventory) -> BTreeSet<&'i (&'static str, String)> {
    let one_way = |a: &'i Inventory, b: &'i Inventory| {
        a.iter().filter(|(key, record)| b.get(key) != Some(record)).map(|(key, _)| key)
    };
    one_way(a, b).chain(one_way(b, a)).collect()
}

/// How many calls of a story's first run change something.
fn calls(victim: Victim, story: Story) -> u64 {
    let (served, folder) = (Served::among_others(), Folder::with(victim.text));
    let (code, shown) = served.run(&folder, "apply --auto-approve");
    assert_eq!(code, Some(0), "{shown}");
    let applied = served.changes();
    let (code, shown) = served.run(&folder, "destroy --auto-approve");
    let destroyed = format!("Destroy complete! Resources: {} destroyed.", victim.resources);
    assert!(code == Some(0) && shown.contains(&destroyed), "{shown}");
    if story == Story::Destroy { served.changes() - applied } else { applied }
}

/// Ends runs at every call, before and after it takes effect, or only at the points that `is_tried` selects.
fn end_everywhere(story: Story, end: End, is_tried: impl Fn(Point) -> bool) {
    let victim = end.victim();
    let calls = calls(victim, story);
    assert!(calls >= 3, "{calls}");
    let points = seeds().flat_map(|seed| {
        let points = (1..=calls).flat_map(|call| [(call, Effect::None), (call, Effect::Done)]);
        points.map(move |(call, effect)| Point { call, effect, seed })
    });
    let points: Vec<_> = points.filter(|point| is_tried(*point)).collect();
    let tried = points.len();
    assert!(tried > 0);
    let (points, bad) = (Mutex::new(points.into_iter()), Mutex::new(Vec::new()));
    // A run and its AWS wait for each other most of the time, so several runs go on at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(point) = next(&points) {
                    if let Err(why) = survives(victim, (story, end), point) {
                        let why = format!("{end:?} at {point:?}: {why}");
                        bad.lock().unwrap_or_else(PoisonError::into_inner).push(why);
                    }
                }
            });
        }
    });
    let bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (name, others) = (victim.name, Served::among_others().holds().len());
    println!(
        "{name}, {story:?}: {end:?} at {tried} points among {others} objects of others, {} bad",
        bad.len()
    );
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

fn next<T>(items: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    items.lock().unwrap_or_else(PoisonError::into_inner).next()
}

#[test]
fn a_binary_that_is_killed_at_any_call_is_taken_up_by_the_next() {
    end_everywhere(Story::Apply, End::Killed, |_| true);
}

#[test]
fn a_destroy_after_a_killed_binary_leaves_nothing() {
    end_everywhere(Story::ApplyThenDestroy, End::Killed, |_| true);
}

#[test]
fn a_binary_that_is_killed_in_a_destroy_is_taken_up_by_the_next() {
    end_everywhere(Story::Destroy, End::Killed, |_| true);
}

#[test]
fn a_run_that_is_interrupted_twice_at_any_call_leaves_at_once_and_loses_nothing() {
    end_everywhere(Story::Apply, End::InterruptedTwice, is_first_day);
    end_everywhere(Story::Destroy, End::InterruptedTwice, is_first_day);
}

#[test]
fn a_connection_that_closes_in_place_of_an_answer_makes_nothing_twice() {
    end_everywhere(Story::Apply, End::Unanswered, is_first_day);
    end_everywhere(Story::Destroy, End::Unanswered, is_first_day);
}

/// A cancellation takes seconds, so it is tried at one call unless `MIRROR_LONG` asks for all of them.
#[test]
fn a_run_that_ci_cancels_loses_nothing() {
    let every = std::env::var_os("MIRROR_LONG").is_some();
    let is_tried = |point: Point| {
        let Point { call, effect, seed: _ } = point;
        is_first_day(point) && (every || (call, effect) == (4, Effect::Done))
    };
    end_everywhere(Story::Apply, End::Cancelled, is_tried);
    if every {
        end_everywhere(Story::Destroy, End::Cancelled, is_tried);
    }
}

/// The object that a killed run has made is not visible yet when somebody looks.
#[test]
fn who_only_looks_waits_for_what_a_killed_run_may_have_made() {
    const FILTER: &str = r#"
        stack "looked-at" { region = "eu-west-1" }
        mirror_filter "web" {}
    "#;
    for (command, shown) in
        [("plan --destroy", "mirror_filter.web will be destroyed"), ("show", "mirror_filter.web")]
    {
        let (served, folder) = (Served::start(), Folder::with(FILTER));
        let unseen = || Faults::none().unseen_during([Duration::from_millis(700)]);
        served.cloud.set_faults(unseen().fail(Calls::Mutating, 1, Fault::silent(Effect::Done)));
        let mut child = served.command(&folder, "apply --auto-approve");
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        while served.changes() == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        served.cloud.set_faults(unseen());
        let (_, text) = served.run(&folder, command);
        assert!(text.contains(shown), "{command}: {text}");
    }
}
