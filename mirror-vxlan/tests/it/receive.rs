//! The receiver: no packet and no frame goes uncounted, whatever inputs and sinks do.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver as Channel, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mirror_vxlan::Timestamp;
use mirror_vxlan::batch::Batch;
use mirror_vxlan::count::Exclusion;
use mirror_vxlan::decap::Decapsulator;
use mirror_vxlan::frame::Frame;
use mirror_vxlan::input::{Input, Packet, Received};
use mirror_vxlan::receive::{
    Account, Ailment, Event, Everything, InputState, Options, Receiver, SinkState,
};
use mirror_vxlan::sink::file::{FileOptions, Files};
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, Sink, Trouble, Unnamed};
use proptest::prelude::*;

use crate::files::{files_in, numbers};
use crate::payloads::{NOW, Payloads, Then, frame, payload};

/// What a sink of these tests does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    Deliver,
    TakeItsTime,
    LoseEverySecondBatch,
    /// It counts fewer frames than the batch has.
    Forget,
    /// It counts more frames than the batch has.
    Boast,
    PanicAt(u64),
    /// It takes this many batches and then hangs until the test is over.
    HangAt(u64),
    /// It reports at the end that frames delivered earlier were lost.
    TakeBackAtTheEnd,
    PanicAtTheEnd,
    HangAtTheEnd,
}

impl Conduct {
    fn hangs(self) -> bool {
        matches!(self, Self::HangAt(_) | Self::HangAtTheEnd)
    }
}

/// How long the receiver waits for sinks that hang, and for the others at most.
const HANG: Duration = Duration::from_millis(300);

/// A sink that misbehaves as it is told.
struct Actor {
    conduct: Conduct,
    batches: u64,
    seen: Arc<AtomicU64>,
    release: Arc<Mutex<Channel<()>>>,
}

impl Actor {
    fn hang(&self) {
        let release = self.release.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _released = release.recv();
    }
}

impl Sink for Actor {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        self.batches += 1;
        self.seen.fetch_add(batch.frames().count() as u64, Ordering::Relaxed);
        match self.conduct {
            Conduct::TakeItsTime => thread::sleep(Duration::from_micros(300)),
            Conduct::LoseEverySecondBatch if self.batches.is_multiple_of(2) => {
                return Delivery::none(batch, LossReason::StorageFull);
            }
            Conduct::Forget => return Delivery { frames: batch.len() / 2, ..Delivery::default() },
            Conduct::Boast => return Delivery { frames: u64::MAX, ..Delivery::whole(batch) },
            Conduct::PanicAt(n) if n == self.batches => panic!("batch {n} was too much"),
            Conduct::HangAt(n) if n < self.batches => self.hang(),
            _ => (),
        }
        Delivery::whole(batch)
    }

    fn close(self: Box<Self>) -> [u64; LossReason::COUNT] {
        let mut lost = [0; LossReason::COUNT];
        match self.conduct {
            Conduct::TakeBackAtTheEnd => lost[LossReason::Failed.index()] = 5,
            Conduct::PanicAtTheEnd => panic!("the end was too much"),
            Conduct::HangAtTheEnd => self.hang(),
            _ => (),
        }
        lost
    }
}

/// Releases the sinks that hang when the test is over, even if it failed.
struct Stage {
    _release: Sender<()>,
    released: Arc<Mutex<Channel<()>>>,
}

impl Stage {
    fn new() -> Self {
        let (release, released) = mpsc::channel();
        Self { _release: release, released: Arc::new(Mutex::new(released)) }
    }

    fn actor(&self, conduct: Conduct) -> (Actor, Arc<AtomicU64>) {
        let seen = Arc::default();
        let release = Arc::clone(&self.released);
        (Actor { conduct, batches: 0, seen: Arc::clone(&seen), release }, seen)
    }
}

fn conduct() -> impl Strategy<Value = Conduct> {
    prop_oneof![
        4 => Just(Conduct::Deliver),
        2 => Just(Conduct::TakeItsTime),
        2 => Just(Conduct::LoseEverySecondBatch),
        1 => Just(Conduct::Forget),
        1 => Just(Conduct::Boast),
        1 => (1..5_u64).prop_map(Conduct::PanicAt),
        1 => (0..4_u64).prop_map(Conduct::HangAt),
        1 => Just(Conduct::TakeBackAtTheEnd),
        1 => Just(Conduct::PanicAtTheEnd),
        1 => Just(Conduct::HangAtTheEnd),
    ]
}

/// Payloads, some of which are not VXLAN, some are empty and some are not selected.
fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let one = prop_oneof![
        6 => (0..20_u32, 14..300_usize).prop_map(|(vni, length)| payload(vni, &frame(7, length))),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(one, 0..400)
}

/// Excludes VNI 3, cuts VNI 4 and panics on VNI `fatal`.
fn select(fatal: u32) -> impl FnMut(&Frame<'_>) -> Result<usize, Exclusion> + Clone + Send {
    move |frame| match u32::from(frame.session.vni) {
        3 => Err(Exclusion::Session),
        4 => Ok(20),
        vni if vni == fatal => panic!("VNI {vni} was too much"),
        _ => Ok(usize::MAX),
    }
}

fn options(queue_depth: usize) -> Options {
    Options {
        batch_capacity: 2048,
        queue_depth: queue_depth.try_into().expect("a queue of a test has a place"),
        flush_interval: Duration::from_millis(1),
        close_limit: Duration::from_secs(60),
        ..Options::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_packet_and_every_frame_is_accounted_for(
        inputs in prop::collection::vec((payloads(), prop_oneof![Just(Then::End), Just(Then::Fail)]), 1..3),
        sinks in prop::collection::vec(conduct(), 0..4),
        depth in 1..4_usize,
        fatal in prop_oneof![Just(19_u32), Just(20)], // of which no packet has the latter
    ) {
        let stage = Stage::new();
        let sent: usize = inputs.iter().map(|(payloads, _)| payloads.len()).sum();
        let mut options = options(depth);
        if sinks.iter().any(|conduct| conduct.hangs()) {
            options.close_limit = HANG;
        }
        let mut receiver =
            Receiver::new(Decapsulator::default(), select(fatal)).options(options);
        for (payloads, then) in inputs {
            receiver = receiver.input("memory", Payloads { then, ..Payloads::new(payloads) });
        }
        let mut seen = Vec::new();
        for conduct in &sinks {
            let (actor, count) = stage.actor(*conduct);
            receiver = receiver.sink(format!("{conduct:?}"), actor);
            seen.push(count);
        }
        let account = receiver.start().unwrap().join();

        prop_assert!(account.balances(), "{account:#?}");
        let counts = account.counts();
        if !account.inputs.iter().any(|input| matches!(input.state, InputState::Panicked(_))) {
            prop_assert_eq!(counts.received.count, sent as u64);
        }
        let by_session: u64 = counts.sessions.iter().map(|tally| tally.count).sum();
        prop_assert_eq!(by_session, counts.accepted.count);
        for ((sink, conduct), seen) in account.sinks.iter().zip(sinks).zip(seen) {
            check_conduct(sink, conduct, seen.load(Ordering::Relaxed))?;
        }
    }
}

/// Checks the account of a sink against what the sink itself saw and was told to do.
fn check_conduct(
    sink: &mirror_vxlan::receive::SinkAccount,
    conduct: Conduct,
    seen: u64,
) -> Result<(), TestCaseError> {
    let lost = |reason: LossReason| sink.counts.lost[reason.index()];
    let reached = sink.accepted - lost(LossReason::Queue);
    match conduct {
        Conduct::Deliver | Conduct::TakeItsTime => {
            prop_assert_eq!(&sink.state, &SinkState::Ended);
            prop_assert_eq!((sink.counts.delivered.count, reached), (seen, seen));
        }
        Conduct::LoseEverySecondBatch => {
            prop_assert_eq!(sink.counts.delivered.count + lost(LossReason::StorageFull), seen);
        }
        Conduct::Forget | Conduct::Boast => {
            prop_assert_eq!(sink.counts.delivered.count + lost(LossReason::Failed), seen);
        }
        Conduct::PanicAt(_) => prop_assert_eq!(lost(LossReason::Abandoned), 0),
        Conduct::HangAt(_) => {
            prop_assert!(matches!(sink.state, SinkState::Hung | SinkState::Ended));
        }
        Conduct::TakeBackAtTheEnd => {
            prop_assert_eq!(lost(LossReason::Failed), seen.min(5));
        }
        Conduct::PanicAtTheEnd => {
            let panicked = SinkState::Panicked("the end was too much".into());
            prop_assert_eq!(&sink.state, &panicked);
            prop_assert_eq!(sink.counts.delivered.count, seen);
        }
        Conduct::HangAtTheEnd => {
            prop_assert_eq!(&sink.state, &SinkState::Hung);
            prop_assert_eq!(sink.counts.delivered.count, seen);
        }
    }
    Ok(())
}

fn thousand() -> Vec<Vec<u8>> {
    (0..1000).map(|n| payload(n % 3, &frame(u64::from(n), 100))).collect()
}

/// Runs a thousand packets into one sink and returns the account and what was reported.
fn run_into(conduct: Conduct) -> (Account, Vec<Event>) {
    let stage = Stage::new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let account = Receiver::new(Decapsulator::default(), Everything)
        .input("memory", Payloads::new(thousand()))
        .sink("actor", stage.actor(conduct).0)
        .options(Options {
            close_limit: if conduct.hangs() { HANG } else { Duration::from_secs(60) },
            ..options(1000)
        })
        .on_event(move |event| told.lock().expect("no test panics in it").push(event.clone()))
        .start()
        .expect("there are threads left")
        .join();
    let events = events.lock().expect("no test panics in it").clone();
    (account, events)
}

#[test]
fn a_sink_that_hangs_is_abandoned_named_and_its_queue_counted() {
    let (account, events) = run_into(Conduct::HangAt(2));
    let [sink] = &account.sinks[..] else { panic!("{} sinks", account.sinks.len()) };
    let per_batch = sink.counts.delivered.count / 2;
    let abandoned = 1000 - 2 * per_batch;
    assert!(per_batch > 0 && account.balances(), "{account:#?}");
    assert_eq!(sink.state, SinkState::Hung);
    assert_eq!(sink.counts.lost[LossReason::Abandoned.index()], abandoned);
    assert_eq!(events, [Event::SinkHung { sink: "actor".into(), abandoned }]);
}

#[test]
fn a_sink_that_panics_is_contained_reported_once_and_not_called_again() {
    let (account, events) = run_into(Conduct::PanicAt(3));
    let [sink] = &account.sinks[..] else { panic!("{} sinks", account.sinks.len()) };
    let message = "batch 3 was too much".to_owned();
    assert_eq!(sink.state, SinkState::Panicked(message.clone()));
    let delivered = sink.counts.delivered.count;
    assert_eq!(sink.counts.lost[LossReason::Failed.index()], 1000 - delivered);
    assert_eq!(events, [Event::SinkPanicked { sink: "actor".into(), message }]);
    assert!(account.balances());
}

/// A sink that is in trouble for five batches of every ten.
struct Troubled(Option<Trouble>, u64);

impl Sink for Troubled {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        self.1 += 1;
        let trouble = || Trouble { reason: LossReason::Refused, message: "no".into() };
        self.0 = (self.1 % 10 >= 5).then(trouble);
        Delivery::whole(batch)
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.0.as_ref()
    }
}

#[test]
fn trouble_is_told_once_when_it_begins_and_once_when_it_ends() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let account = Receiver::new(Decapsulator::default(), Everything)
        .input("memory", Payloads::new(thousand()))
        .sink("troubled", Troubled(None, 0))
        .options(options(1000))
        .on_event(move |event| told.lock().unwrap().push(event.clone()))
        .start()
        .unwrap()
        .join();
    assert!(account.balances());
    let events = events.lock().unwrap();
    let begins = |event: &Event| matches!(event, Event::SinkTrouble { .. });
    assert!(events.len() >= 4, "{events:?}");
    for (place, event) in events.iter().enumerate() {
        assert_eq!(begins(event), place % 2 == 0, "{events:?}");
    }
}

/// Forwards what it is told about losses ahead of it.
struct Listener(Sender<Ahead>);

impl Sink for Listener {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        Delivery::whole(batch)
    }

    fn tick(&mut self, _now: Timestamp, ahead: Ahead) {
        self.0.send(ahead).expect("the test listens");
    }
}

#[test]
fn a_sink_is_told_at_its_end_what_was_lost_ahead_of_it() {
    let (told, heard) = mpsc::channel();
    let running = Receiver::new(Decapsulator::default(), Everything)
        .input("one", Payloads::new(thousand()))
        .input("other", Payloads::new(thousand()))
        .sink("listener", Listener(told))
        .start()
        .unwrap();
    assert!(running.join().balances());
    assert_eq!(heard.iter().last(), Some(Ahead { kernel: 6, queue: 0 }));
}

#[test]
fn a_flag_stops_the_receiver_after_what_is_there_is_read() {
    let stop = Arc::new(AtomicBool::new(true));
    let stage = Stage::new();
    let input = Payloads { then: Then::Wait, ..Payloads::new(thousand()) };
    let (sink, seen) = stage.actor(Conduct::Deliver);
    let running = Receiver::new(Decapsulator::default(), Everything)
        .input("memory", input)
        .sink("actor", sink)
        .stop_when(stop)
        .start()
        .unwrap();
    let account = running.join();
    assert!(account.balances());
    assert_eq!(seen.load(Ordering::Relaxed), 1000);
    assert_eq!(account.inputs[0].state, InputState::Ended);
}

#[test]
fn a_running_receiver_is_healthy_until_an_input_ends_or_a_thread_is_silent() {
    let stage = Stage::new();
    let input = || Payloads { then: Then::Wait, ..Payloads::new(thousand()) };
    let running = Receiver::new(Decapsulator::default(), Everything)
        .input("good", input())
        .input("bad", Payloads { then: Then::Fail, ..input() })
        .sink("actor", stage.actor(Conduct::Deliver).0)
        .start()
        .unwrap();
    let observer = running.observer();
    let mut account = observer.snapshot();
    while account.inputs[1].state == InputState::Receiving {
        thread::yield_now();
        account = observer.snapshot();
    }
    let minute = Duration::from_secs(60);
    let bad = Ailment::InputEnded(&account.inputs[1]);
    assert_eq!(account.ailments(minute), [bad]);
    assert_eq!(bad.to_string(), "input `bad` is no longer read");
    let mut later = account.clone();
    later.sinks[0].busy_since = None; // it may be working on a batch just now
    later.time = Timestamp::from_nanos(account.time.as_nanos() + 61_000_000_000);
    assert_eq!(
        later.ailments(minute),
        [Ailment::InputSilent(&later.inputs[0]), Ailment::InputEnded(&later.inputs[1])]
    );
    running.stop();
    assert!(running.join().balances());
}

#[test]
fn a_clock_that_is_set_back_holds_no_frame_up() {
    let readings = Arc::new(AtomicU64::new(0));
    let clock = move || {
        Timestamp::from_nanos(NOW.as_nanos() - 1_000_000 * readings.fetch_add(1, Ordering::Relaxed))
    };
    let stage = Stage::new();
    let (sink, seen) = stage.actor(Conduct::Deliver);
    let input = Payloads { then: Then::Wait, ..Payloads::new(thousand()) };
    let running = Receiver::new(Decapsulator::default(), Everything)
        .input("memory", input)
        .sink("actor", sink)
        .clock(clock)
        .start()
        .unwrap();
    while seen.load(Ordering::Relaxed) < 1000 {
        thread::yield_now();
    }
    running.stop();
    assert!(running.join().balances());
}

/// A disk that takes a moment for every batch.
struct SlowDisk(Box<Files>);

impl Sink for SlowDisk {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        thread::sleep(Duration::from_millis(2));
        self.0.deliver(batch)
    }

    fn tick(&mut self, now: Timestamp, ahead: Ahead) {
        self.0.tick(now, ahead);
    }

    fn close(self: Box<Self>) -> [u64; LossReason::COUNT] {
        self.0.close()
    }
}

/// Packets that arrive in groups with a pause between them.
struct Paced(Payloads, Duration);

impl Input for Paced {
    fn receive(&mut self, limit: Duration, each: impl FnMut(Packet<'_>)) -> io::Result<Received> {
        thread::sleep(self.1);
        self.0.receive(limit, each)
    }

    fn dropped(&mut self) -> io::Result<u64> {
        self.0.dropped()
    }
}

#[test]
fn a_slow_disk_has_every_frame_that_is_not_counted_as_lost_at_any_rate() {
    let mut losses = Vec::new();
    for pause in [2000, 200, 0].map(Duration::from_micros) {
        let directory = tempfile::tempdir().unwrap();
        let files = FileOptions { bytes_max: 200_000, ..FileOptions::new(directory.path()) };
        let files = SlowDisk(Box::new(Files::open(files, Unnamed).unwrap()));
        let lengths = (60..1500).cycle();
        let frames = (0..20_000).zip(lengths).map(|(n, length)| payload(1, &frame(n, length)));
        let payloads = frames.collect();
        let input = Payloads { at_a_time: 100, ..Payloads::new(payloads) };
        let account = Receiver::new(Decapsulator::default(), Everything)
            .input("memory", Paced(input, pause))
            .sink("files", files)
            .options(Options { batch_capacity: 100_000, ..options(4) })
            .start()
            .unwrap()
            .join();
        assert!(account.balances(), "{account:#?}");
        let counts = account.sinks[0].counts;
        let written: Vec<u64> =
            files_in(directory.path()).iter().flat_map(|path| numbers(path)).collect();
        assert_eq!(written.len() as u64, counts.delivered.count);
        assert!(written.is_sorted_by(|one, next| one < next), "each once and in order");
        assert_eq!(counts.lost[LossReason::Queue.index()], 20_000 - counts.delivered.count);
        losses.push(counts.losses());
    }
    assert!(losses[2] > 0, "at full rate the disk is too slow: {losses:?}");
}
