//! `mirror-vxlan receive`: opens everything, gives up privileges, receives until told to stop.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use mirror_vxlan::capture::Format;
use mirror_vxlan::config::{
    Compress, InputArgs, InputKind, LogFormat, OperateArgs, OutputArgs, Privileges, Receive,
};
use mirror_vxlan::count::FileCounts;
use mirror_vxlan::decap::{Decapsulator, Strictness};
use mirror_vxlan::flow::Flow;
use mirror_vxlan::health::{self, Backlog, Pages};
use mirror_vxlan::input::live::{self, Choice, Live, LiveOptions, Method};
use mirror_vxlan::privilege::{self, Needs, Role};
use mirror_vxlan::receive::{Event, Options, Receiver, Running};
use mirror_vxlan::select::{Control, Selection};
use mirror_vxlan::sink::PcapStream;
use mirror_vxlan::sink::file::{Budget, BudgetPolicy, FileOptions, Files, Prefix};
use mirror_vxlan::sink::tap::Tap;
use mirror_vxlan::sink::vxlan::{SOURCE_PORTS, Vxlan};
use mirror_vxlan::summary::Summary;
use mirror_vxlan::tap;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing::{info, warn};

use super::exit::LEFT_AT_ONCE;
use super::reload::reload;
use super::status::Seen;
use super::uploader::{self, Uploader};
use super::{Ended, Exit, names};

/// How often the receiver checks whether a signal came or a summary is due.
const BEAT: Duration = Duration::from_millis(100);

/// The level of zstd at which files take half the space and a core keeps up with the disk.
const ZSTD_LEVEL: i32 = 3;

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
            "frames have nowhere to go: add --pcapng, --pcap, --tap, --stdout or --forward".into(),
        );
    }
    let seen = Arc::new(Seen::default());
    seen.names.replace(names(&options.select)?);
    // Before any thread is started, so that every signal waits for the thread that asks for it.
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    make_folders(&options.output)?;
    // Before anything is opened that the process could inherit.
    let uploads = match &options.output.upload {
        None => None,
        Some(to) => Some(uploader::start(to, &options.output, &options.operate)?),
    };
    let Opened { live, tap, pages, health_tcp } = open(options)?;
    let (choice, buffer) = (live.choice, live.buffer_bytes);
    if options.operate.privileges == Privileges::Drop {
        give_up_privileges(options)?;
    }
    let uploads = match uploads {
        None => None,
        Some(started) => Some(started.hear(seen.upload.get_or_init(Arc::default))?),
    };
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
    info!("receiving {choice}, with a buffer of {} MiB for each input", buffer >> 20);
    let attendant = Attendant { options, arguments, control, seen: Arc::clone(&seen) };
    attendant.attend(&running, &mut signals);
    end(Ending { options, running, uploads, seen: &seen }, signals)
}

fn make_folders(output: &OutputArgs) -> Result<(), Box<dyn Error>> {
    for folder in output.folders() {
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create the folder `{}`: {error}", folder.display()))?;
    }
    Ok(())
}

fn give_up_privileges(options: &Receive) -> Result<(), Box<dyn Error>> {
    let given = privilege::give_up(&Needs {
        role: Role::Receiver,
        user: options.operate.user.clone(),
        folders: options.output.folders(),
        written: Vec::new(),
        read: Vec::new(),
    })?;
    info!("gave up privileges: {given}");
    Ok(())
}

fn open(options: &Receive) -> Result<Opened, Box<dyn Error>> {
    let Receive { input, output, operate, .. } = options;
    let method = match input.input {
        InputKind::Auto => Method::Best,
        InputKind::Ring => Method::Ring,
        InputKind::Udp => Method::Udp,
        InputKind::Xdp => Method::Xdp,
    };
    let processors = std::thread::available_parallelism()?;
    let workers = input.workers.unwrap_or(processors);
    let buffer = input.receive_buffer.map(|size| usize::try_from(size.bytes())).transpose()?;
    let live = live::open(
        &LiveOptions {
            vxlan_port: input.port,
            geneve_port: input.geneve,
            interface: input.interface.clone(),
            workers: NonZeroU16::try_from(u16::try_from(workers.get())?)?,
            ring_bytes: buffer.unwrap_or(LiveOptions::RING_BYTES),
            receive_buffer_bytes: buffer.unwrap_or(LiveOptions::RECEIVE_BUFFER_BYTES),
            ..LiveOptions::default()
        },
        method,
    )?;
    if let (Choice::Xdp(_), [_, _, ..], Some(_)) =
        (live.choice, &live.inputs[..], options.select.deduplicate)
    {
        return Err("--deduplicate needs both copies of a packet in one thread, but AF_XDP \
                    spreads them over several: set --workers 1, or receive with --input ring"
            .into());
    }
    let tap = match &output.tap {
        None => None,
        Some(name) => Some(Tap::open(name.parse()?, tap::MTU)?),
    };
    let health_tcp = match operate.health_tcp {
        None => None,
        Some(port) => Some(listen((Ipv6Addr::UNSPECIFIED, port).into())?),
    };
    Ok(Opened { live, tap, pages: pages(operate)?, health_tcp })
}

/// The HTTP listeners; an address that is named for both health and metrics serves both.
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
    health::listen(address).map_err(|error| format!("cannot listen on {address}: {error}").into())
}

fn sinks(
    mut receiver: Receiver<Selection>,
    output: &OutputArgs,
    tap: Option<Tap>,
    seen: &Seen,
) -> Result<Receiver<Selection>, Box<dyn Error>> {
    let mut removed = Vec::new();
    for (name, folder, format) in
        [("pcapng", &output.pcapng, Format::Pcapng), ("pcap", &output.pcap, Format::Pcap)]
    {
        if let Some(folder) = folder {
            let files = Files::open(files(output, folder.clone(), format), seen.names.clone())?;
            removed.push(files.removed());
            receiver = receiver.sink(name, files);
        }
    }
    let budget = output.disk_budget.map(|size| size.bytes() * removed.len() as u64);
    *seen.backlog.lock().unwrap_or_else(PoisonError::into_inner) = Backlog::new(budget);
    seen.removed.set(removed).ok(); // sinks are opened once
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
        let mut last = (running.snapshot(), seen.files());
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
            if !interval.is_zero() && now.time.since(last.0.time) >= interval {
                let files = seen.files();
                let summary = Summary::between(&last.0, &now).with_files(&last.1, &files);
                log_summary(&summary, options.operate.log_format);
                last = (now, files);
            }
        }
    }
}

/// What has to be ended.
struct Ending<'a> {
    options: &'a Receive,
    running: Running,
    uploads: Option<Uploader>,
    seen: &'a Seen,
}

/// Reports unhealthy for as long as asked, delivers what is left, and reports what became of it all.
fn end(Ending { options, running, uploads, seen }: Ending<'_>, mut signals: Signals) -> Ended {
    seen.draining.store(true, Ordering::Relaxed);
    let impatient = std::thread::Builder::new().name("signals".to_owned());
    let handle = signals.handle();
    let impatient = impatient.spawn(move || {
        if signals.forever().any(|signal| signal != SIGHUP) {
            warn!("told to stop again: exiting without delivering what was waiting");
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
    // The files that were finished just now are uploaded too.
    if let Some(uploads) = uploads {
        uploads.close();
    }
    handle.close();
    drop(impatient.join());
    let total = Summary::whole(&account).with_files(&FileCounts::default(), &seen.files());
    info!(
        received = total.received, accepted = total.accepted, balances = account.balances(),
        delivered = ?total.delivered, lost = ?total.losses, files_removed = total.files_removed,
        files_uploaded = total.files_uploaded.map(|(stored, _)| stored),
        files_waiting = total.files_uploaded.map(|(_, waiting)| waiting), "ended"
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
            files_removed = summary.files_removed,
            files_uploaded = summary.files_uploaded.map(|(stored, _)| stored),
            files_waiting = summary.files_uploaded.map(|(_, waiting)| waiting),
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
