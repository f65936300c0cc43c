//! `mirror-vxlan receive`: opens everything, gives up privileges, receives until told to stop.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mirror_vxlan::capture::Format;
use mirror_vxlan::config::{
    Compress, InputArgs, InputKind, LogFormat, OperateArgs, OutputArgs, Privileges, Receive,
};
use mirror_vxlan::decap::{Decapsulator, Strictness};
use mirror_vxlan::flow::Flow;
use mirror_vxlan::health::{self, Pages};
use mirror_vxlan::input::live::{self, Choice, Live, LiveOptions, Method};
use mirror_vxlan::privilege::{self, Needs};
use mirror_vxlan::receive::{Event, Options, Receiver, Running};
use mirror_vxlan::select::{Control, Selection};
use mirror_vxlan::sink::PcapStream;
use mirror_vxlan::sink::file::{Budget, BudgetPolicy, FileOptions, Files, Prefix};
use mirror_vxlan::sink::tap::Tap;
use mirror_vxlan::sink::vxlan::{SOURCE_PORTS, Vxlan};
use mirror_vxlan::summary::Summary;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing::{info, warn};

use super::exit::LEFT_AT_ONCE;
use super::reload::reload;
use super::status::Seen;
use super::{Ended, Exit, names};

/// How often it is looked whether a signal came or a summary is due.
const BEAT: Duration = Duration::from_millis(100);

/// The level of zstd at which files take half the space and a core keeps up with the disk.
const ZSTD_LEVEL: i32 = 3;

/// The MTU of a TAP device: that of a VPC.
const TAP_MTU: u16 = 9001;

/// What needs privileges to be opened.
struct Opened {
    live: Live,
    tap: Option<Tap>,
    pages: Vec<(TcpListener, Pages)>,
    health_tcp: Option<TcpListener>,
}

pub(crate) fn run(options: &Receive, arguments: &[OsString]) -> Ended {
    start_log(options.operate.log_format);
    if options.output.is_empty() {
        return Err(
            "frames have nowhere to go: give --pcapng, --pcap, --tap, --stdout or --forward".into(),
        );
    }
    let seen = Arc::new(Seen::default());
    seen.names.replace(names(&options.select)?);
    // Before any thread there is, so that every signal waits for the one that asks for it.
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let Opened { live, tap, pages, health_tcp } = open(options)?;
    let (choice, buffer) = (live.choice, live.buffer_bytes);
    if options.operate.privileges == Privileges::Drop {
        let user = options.operate.user.clone();
        let given = privilege::give_up(&Needs { user, folders: options.output.folders() })?;
        info!("gave up privileges: {given}");
    }
    let control = Control::new(options.select.rules());
    let mut receiver = Receiver::new(decapsulator(&options.input), control.selection())
        .options(Options {
            batch_capacity: usize::try_from(options.output.batch.bytes())?,
            queue_depth: options.output.queue,
            ..Options::default()
        })
        .sessions(Arc::clone(&seen.sessions))
        .on_event(log_event);
    for (number, input) in live.inputs.into_iter().enumerate() {
        receiver = receiver.input(format!("input-{number}"), input);
    }
    let running = sinks(receiver, &options.output, tap, &seen)?.start()?;
    seen.observer.set(running.observer()).ok();
    for (listener, pages) in pages {
        health::serve(listener, pages, Arc::clone(&seen) as _)?;
    }
    if let Some(listener) = health_tcp {
        health::accept(listener, Arc::clone(&seen) as _)?;
    }
    info!("receiving {choice}, {} MiB for packets that wait in each", buffer >> 20);
    let attendant = Attendant { options, arguments, control, seen: Arc::clone(&seen) };
    attendant.attend(&running, &mut signals);
    end(options, running, signals, &seen)
}

fn open(options: &Receive) -> Result<Opened, Box<dyn Error>> {
    let Receive { input, output, operate, .. } = options;
    for folder in output.folders() {
        fs::create_dir_all(&folder)
            .map_err(|error| format!("make the folder `{}`: {error}", folder.display()))?;
    }
    let method = match input.input {
        InputKind::Auto => Method::Best,
        InputKind::Ring => Method::Ring,
        InputKind::Udp => Method::Udp,
        InputKind::Xdp => Method::Xdp,
    };
    let processors = std::thread::available_parallelism()?;
    let workers = input.workers.unwrap_or(processors);
    let live = live::open(
        &LiveOptions {
            vxlan_port: input.port,
            geneve_port: input.geneve,
            interface: input.interface.clone(),
            workers: NonZeroU16::try_from(u16::try_from(workers.get())?)?,
            receive_buffer_bytes: usize::try_from(input.receive_buffer.bytes())?,
            ..LiveOptions::default()
        },
        method,
    )?;
    if let (Choice::Xdp(_), [_, _, ..], Some(_)) =
        (live.choice, &live.inputs[..], options.select.deduplicate)
    {
        return Err(
            "--deduplicate needs both copies of a packet in one thread, and AF_XDP brings \
                    them to several: give --workers 1, or receive with --input ring"
                .into(),
        );
    }
    let tap = match &output.tap {
        None => None,
        Some(name) => Some(Tap::open(name.parse()?, TAP_MTU)?),
    };
    let health_tcp = match operate.health_tcp {
        None => None,
        Some(port) => Some(listen((Ipv6Addr::UNSPECIFIED, port).into())?),
    };
    Ok(Opened { live, tap, pages: pages(operate)?, health_tcp })
}

/// The addresses of HTTP; one that is named twice answers for both.
fn pages(operate: &OperateArgs) -> Result<Vec<(TcpListener, Pages)>, Box<dyn Error>> {
    let (health, metrics) = (operate.health, operate.metrics);
    let mut pages = Vec::new();
    for address in health.into_iter().chain(metrics.filter(|_| metrics != health)) {
        let shown = Pages { health: health == Some(address), metrics: metrics == Some(address) };
        pages.push((listen(address)?, shown));
    }
    Ok(pages)
}

fn listen(address: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
    health::listen(address).map_err(|error| format!("listen on {address}: {error}").into())
}

fn sinks(
    mut receiver: Receiver<Selection>,
    output: &OutputArgs,
    tap: Option<Tap>,
    seen: &Seen,
) -> Result<Receiver<Selection>, Box<dyn Error>> {
    for (name, folder, format) in
        [("pcapng", &output.pcapng, Format::Pcapng), ("pcap", &output.pcap, Format::Pcap)]
    {
        if let Some(folder) = folder {
            let files = Files::open(files(output, folder.clone(), format), seen.names.clone())?;
            receiver = receiver.sink(name, files);
        }
    }
    if let Some(tap) = tap {
        receiver = receiver.sink("tap", tap);
    }
    if output.stdout {
        receiver = receiver.sink("stdout", PcapStream::stdout()?);
    }
    if !output.forward.is_empty() {
        let flow_hash = |frame: &[u8]| Flow::of(frame).hash();
        let vxlan = Vxlan::open(&output.forward, SOURCE_PORTS, flow_hash)?;
        receiver = receiver.sink("forward", vxlan);
    }
    Ok(receiver)
}

fn files(output: &OutputArgs, directory: PathBuf, format: Format) -> FileOptions {
    FileOptions {
        prefix: Prefix::default(),
        format,
        bytes_max: output.rotate_size.bytes(),
        age_max: output.rotate_time.map_or(FileOptions::AGE_MAX, |span| span.duration()),
        budget: output
            .disk_budget
            .map(|size| Budget { bytes: size.bytes(), policy: BudgetPolicy::DeleteOldest }),
        compression: (output.compress == Compress::Zstd).then_some(ZSTD_LEVEL),
        ..FileOptions::new(directory)
    }
}

fn decapsulator(input: &InputArgs) -> Decapsulator {
    Decapsulator {
        vxlan_port: input.port,
        geneve_port: input.geneve,
        strictness: if input.strict { Strictness::Strict } else { Strictness::Lenient },
        ..Decapsulator::default()
    }
}

/// What runs, and what changes when it is reloaded.
struct Attendant<'a> {
    options: &'a Receive,
    arguments: &'a [OsString],
    control: Arc<Control>,
    seen: Arc<Seen>,
}

impl Attendant<'_> {
    /// Logs summaries and reloads until told to stop, or until there is nothing left to receive.
    fn attend(&self, running: &Running, signals: &mut Signals) {
        let Self { options, arguments, control, seen } = self;
        let interval = options.operate.summary.duration();
        let mut last = running.snapshot();
        while !running.is_finished() {
            std::thread::sleep(BEAT);
            for signal in signals.pending() {
                if signal != SIGHUP {
                    info!("told to stop");
                    return;
                }
                reload(options, arguments, control, &seen.names);
            }
            let now = running.snapshot();
            if !interval.is_zero() && now.time.since(last.time) >= interval {
                log_summary(&Summary::between(&last, &now), options.operate.log_format);
                last = now;
            }
        }
    }
}

/// Reports unhealthy for as long as asked, delivers what is there, and says what became of it all.
fn end(options: &Receive, running: Running, mut signals: Signals, seen: &Seen) -> Ended {
    seen.draining.store(true, Ordering::Relaxed);
    let impatient = std::thread::Builder::new().name("signals".to_owned());
    let handle = signals.handle();
    let impatient = impatient.spawn(move || {
        if signals.forever().any(|signal| signal != SIGHUP) {
            warn!("told to stop again: leaving what was not delivered");
            signal_hook::low_level::exit(LEFT_AT_ONCE);
        }
    })?;
    let drain = options.operate.drain.duration();
    if !drain.is_zero() {
        info!("unhealthy from now on, for {} ms", drain.as_millis());
        std::thread::sleep(drain);
    }
    running.stop();
    let account = running.join();
    handle.close();
    drop(impatient.join());
    let total = Summary::whole(&account);
    info!(
        received = total.received, accepted = total.accepted, balances = account.balances(),
        delivered = ?total.delivered, lost = ?total.losses, "ended"
    );
    Ok(if account.balances() { Exit::Done } else { Exit::Failed })
}

fn log_summary(summary: &Summary, form: LogFormat) {
    match form {
        LogFormat::Text => info!("{summary}"),
        LogFormat::Json => info!(
            packets_per_second = summary.packets_per_second(),
            bits_per_second = summary.bits_per_second(),
            received = summary.received,
            accepted = summary.accepted,
            delivered = ?summary.delivered,
            lost = ?summary.losses,
            "summary"
        ),
    }
}

fn log_event(event: &Event) {
    match event {
        Event::SinkRecovered { .. } => info!("{event}"),
        Event::InputFailed { .. }
        | Event::InputPanicked { .. }
        | Event::NotPinned { .. }
        | Event::SinkTrouble { .. }
        | Event::SinkPanicked { .. }
        | Event::SinkHung { .. } => warn!("{event}"),
    }
}

fn start_log(form: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        .with_writer(std::io::stderr);
    match form {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
