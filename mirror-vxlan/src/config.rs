//! The configuration: flags, and a TOML file whose keys are the flags without their dashes.
//!
//! Both are read by the same code: what the file says becomes arguments that stand before those of
//! the command line, for the flags that are not there. A value therefore means the same in both,
//! and every fault of a file is told at once, with its line.

#![forbid(unsafe_code)]

mod destination;
mod file;
mod value;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use destination::{Destination, ParseDestinationError};
pub use file::FileError;
pub use value::{ParseSizeError, ParseSpanError, Size, Span};

use crate::select::filter::Filter;
use crate::select::{Allow, Rules};

/// What the help says of exit codes.
const EXIT_CODES: &str = "\
Exit codes:
  0  done; `receive` was told to stop and delivered what it had
  1  failed
  2  the command line or the configuration file is wrong; nothing was done
  3  `check` found what loses, cuts or changes frames
  4  told to stop twice: left without delivering what was waiting";

/// Receive AWS VPC Traffic Mirroring: VXLAN in, mirrored frames out, every packet accounted for.
#[derive(Debug, Parser)]
#[command(name = "mirror-vxlan", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Program {
    /// What to do.
    #[command(subcommand)]
    pub command: Verb,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Receive mirrored traffic until told to stop.
    #[command(after_help = RECEIVE_HELP)]
    Receive(Box<Receive>),
    /// Take the frames out of a capture file.
    Decap(Decap),
    /// Say what on this machine should be set otherwise for receiving, and how.
    Check(Check),
    /// Upload the finished files of a receiver that ended, and delete them once they are stored.
    #[command(after_help = UPLOAD_HELP)]
    Upload(Upload),
    /// Write completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages of the program and of each command.
    Man {
        /// The folder to write them to; it is made if it is not there.
        folder: PathBuf,
    },
}

const RECEIVE_HELP: &str = "\
Signals:
  SIGTERM, SIGINT  report unhealthy, wait for --drain, deliver what is there, end; again: leave at once
  SIGHUP           read --config and --sessions again; what needs a restart is named in the log

Examples:
  mirror-vxlan receive --pcap /var/captures --metrics 127.0.0.1:9100
  mirror-vxlan receive --pcapng /var/captures --rotate-time 5m --disk-budget 50GiB --compress zstd
  mirror-vxlan receive --pcapng /var/captures --disk-budget 50GiB --upload s3://captures/web
  mirror-vxlan receive --tap mirror0 --health 0.0.0.0:8080     # for Zeek or Suricata on mirror0
  mirror-vxlan receive --stdout --filter 'tcp port 443' | tcpdump -nr -";

/// How to receive.
#[derive(Clone, Debug, Args)]
pub struct Receive {
    /// Read options from a TOML file too; its keys are these flags without dashes, and flags win.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How packets are received.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where frames go.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which frames go.
    #[command(flatten)]
    pub select: SelectArgs,
    /// What can be seen of the receiver.
    #[command(flatten)]
    pub operate: OperateArgs,
}

/// How packets are received.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// A packet-socket ring where CAP_NET_RAW is there, else UDP sockets; or one of the ways.
    #[arg(long, value_enum, default_value_t)]
    pub input: InputKind,
    /// Receive on this network interface only.
    #[arg(long, value_name = "NAME", required_if_eq("input", "xdp"))]
    pub interface: Option<String>,
    /// The UDP port of VXLAN.
    #[arg(long, value_name = "PORT", default_value_t = crate::wire::UDP_PORT,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Take VXLAN out of GENEVE too, as it comes from a Gateway Load Balancer.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "6081", value_parser = clap::value_parser!(u16).range(1..))]
    pub geneve: Option<u16>,
    /// Refuse headers that RFC 7348 tells senders not to send; otherwise they are only counted.
    #[arg(long)]
    pub strict: bool,
    /// Receiving threads. [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Room for packets that wait. [default: 32MiB in all rings together, 64MiB in each UDP socket]
    #[arg(long, value_name = "SIZE")]
    pub receive_buffer: Option<Size>,
}

/// The way in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum InputKind {
    /// The ring if it can be had, else UDP.
    #[default]
    Auto,
    /// A packet-socket ring.
    Ring,
    /// UDP sockets.
    Udp,
    /// AF_XDP sockets on the queues of one interface.
    Xdp,
}

/// Where frames go; several at once are fine.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Output (one or more)")]
pub struct OutputArgs {
    /// Write pcapng files, with an interface for every session.
    #[arg(long, value_name = "DIR")]
    pub pcapng: Option<PathBuf>,
    /// Write pcap files, with times in nanoseconds.
    #[arg(long, value_name = "DIR")]
    pub pcap: Option<PathBuf>,
    /// Begin another file after so many bytes.
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub rotate_size: Size,
    /// Begin another file after so much time.
    #[arg(long, value_name = "TIME")]
    pub rotate_time: Option<Span>,
    /// Remove the oldest finished files where all together take more.
    #[arg(long, value_name = "SIZE")]
    pub disk_budget: Option<Size>,
    /// Compress files when they are finished, but not the one that the program ends with.
    #[arg(long, value_enum, default_value_t)]
    pub compress: Compress,
    /// Upload finished files, and delete them here once they are stored: s3://BUCKET/PREFIX or
    /// file:///FOLDER.
    #[arg(long, value_name = "URL")]
    pub upload: Option<Destination>,
    /// Write frames to a TAP device, which is made if it is not there.
    #[arg(long, value_name = "NAME")]
    pub tap: Option<String>,
    /// Write pcap to standard output.
    #[arg(long)]
    pub stdout: bool,
    /// Send frames on in VXLAN, spread by flow where there are several addresses.
    #[arg(long, value_name = "ADDRESS:PORT", value_delimiter = ',')]
    pub forward: Vec<SocketAddr>,
    /// Batches that wait for each output before frames are lost to it.
    #[arg(long, value_name = "N", default_value_t = crate::receive::Options::QUEUE_DEPTH)]
    pub queue: NonZeroUsize,
    /// Bytes of a batch.
    #[arg(long, value_name = "SIZE", default_value = "256KiB")]
    pub batch: Size,
}

/// Whether files are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Compress {
    /// They are not.
    #[default]
    None,
    /// With Zstandard.
    Zstd,
}

/// Which frames go, in the order in which it is decided.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectArgs {
    /// Take mirrored traffic only from these sources: a network, or VNI@NETWORK for one session.
    #[arg(long, value_name = "[VNI@]CIDR", value_delimiter = ',')]
    pub allow: Vec<Allow>,
    /// Keep frames that match an expression in tcpdump's language.
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<Filter>,
    /// Keep one flow in N, with both its directions.
    #[arg(long, value_name = "N")]
    pub sample: Option<NonZeroU32>,
    /// Keep so many bytes of each frame.
    #[arg(long, value_name = "BYTES")]
    pub snap: Option<NonZeroU32>,
    /// Keep one of two copies of a packet that two sessions mirrored within this time.
    #[arg(long, value_name = "TIME")]
    pub deduplicate: Option<Span>,
    /// Names of sessions: what `mirror show --json` prints, or TOML lines such as `web = 5569041`.
    #[arg(long, value_name = "FILE")]
    pub sessions: Option<PathBuf>,
}

/// What can be seen of the receiver, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Operation")]
pub struct OperateArgs {
    /// Answer GET /healthz here: 200 while packets can be accepted, 503 with the reasons otherwise.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub health: Option<SocketAddr>,
    /// Accept TCP connections here while healthy: the health check of an NLB on the traffic port.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "4789", value_parser = clap::value_parser!(u16).range(1..))]
    pub health_tcp: Option<u16>,
    /// Answer GET /metrics here, for Prometheus.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Log a summary line each interval; 0s for none.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub summary: Span,
    /// How long to report unhealthy before the end, so that a load balancer sends elsewhere.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub drain: Span,
    /// Become this user once everything is open.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// What the program may do once everything is open.
    #[arg(long, value_enum, default_value_t)]
    pub privileges: Privileges,
    /// The form of the log, which goes to standard error.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// What the program may do once everything is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Privileges {
    /// No capability, only the system calls it needs, writing only where captures go.
    #[default]
    Drop,
    /// What it was started with.
    Keep,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// An object on each line.
    Json,
}

/// What to do with a capture file.
#[derive(Clone, Debug, Args)]
pub struct Decap {
    /// The capture: pcap or pcapng, also .gz or .zst; `-` is standard input.
    pub input: PathBuf,
    /// The file to write: pcapng, or pcap if it is named so; `-` is standard output.
    pub output: PathBuf,
    /// The UDP port of VXLAN.
    #[arg(long, value_name = "PORT", default_value_t = crate::wire::UDP_PORT,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Take VXLAN out of GENEVE too.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "6081", value_parser = clap::value_parser!(u16).range(1..))]
    pub geneve: Option<u16>,
    /// Refuse headers that RFC 7348 tells senders not to send.
    #[arg(long)]
    pub strict: bool,
    /// Which frames go.
    #[command(flatten)]
    pub select: SelectArgs,
}

const UPLOAD_HELP: &str = "\
Environment, for s3://:
  AWS_REGION                the region of the bucket
  AWS_ENDPOINT_URL          another store that speaks as S3 does; with AWS_ALLOW_HTTP=true without TLS
  AWS_ACCESS_KEY_ID and so on, else the role of the container, else that of the instance";

/// What to upload, and where to.
#[derive(Clone, Debug, Args)]
pub struct Upload {
    /// Where files go: s3://BUCKET/PREFIX or file:///FOLDER.
    #[arg(value_name = "URL")]
    pub to: Destination,
    /// The folders that a receiver wrote to.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// Go on until standard input ends, and tell counts on standard output: for a receiver.
    #[arg(long, hide = true)]
    pub attended: bool,
    /// Become this user.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// What the program may do.
    #[arg(long, value_enum, default_value_t)]
    pub privileges: Privileges,
}

/// What to check.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The network interface that mirrored traffic comes in on. [default: that of the default route]
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// The UDP port of VXLAN.
    #[arg(long, value_name = "PORT", default_value_t = crate::wire::UDP_PORT)]
    pub port: u16,
    /// The folder that captures go to.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The buffer that UDP sockets will ask for.
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub receive_buffer: Size,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line is wrong, or help was asked for.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Program {
    /// Reads the command line, and the configuration file that it names.
    ///
    /// # Errors
    ///
    /// One of the two is wrong, or help or the version is asked for.
    pub fn from_arguments(arguments: &[OsString]) -> Result<Self, ConfigError> {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let Some(("receive", given)) = matches.subcommand() else {
            return Ok(Self::from_arg_matches(&matches)?);
        };
        let Some(path) = given.get_one::<PathBuf>("config") else {
            return Ok(Self::from_arg_matches(&matches)?);
        };
        let command = Self::command();
        let receive = command.find_subcommand("receive").expect("receive is a command");
        let from_file = file::arguments(path, receive, given)?;
        // They go right behind the name of the subcommand, which nothing but options precede.
        let verb = arguments.iter().position(|argument| argument == "receive").unwrap_or(1);
        let (before, behind) = arguments.split_at((verb + 1).min(arguments.len()));
        let all = before.iter().chain(&from_file).chain(behind);
        Ok(Self::from_arg_matches(&Self::command().try_get_matches_from(all)?)?)
    }

    /// Returns the command line as clap knows it, for completions and manual pages.
    pub fn command() -> Command {
        <Self as clap::CommandFactory>::command()
    }
}

impl OutputArgs {
    /// Returns whether frames have nowhere to go.
    pub fn is_empty(&self) -> bool {
        let Self {
            pcapng,
            pcap,
            rotate_size: _,
            rotate_time: _,
            disk_budget: _,
            compress: _,
            upload: _, // of files that are written
            tap,
            stdout,
            forward,
            queue: _,
            batch: _,
        } = self;
        let has_files = pcapng.is_some() || pcap.is_some();
        !has_files && tap.is_none() && !stdout && forward.is_empty()
    }

    /// Returns the folders that are written to.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.pcapng.iter().chain(&self.pcap).cloned().collect()
    }
}

impl SelectArgs {
    /// Returns the rules that the options stand for.
    pub fn rules(&self) -> Rules {
        let Self { allow, filter, sample, snap, deduplicate, sessions: _ } = self;
        Rules {
            allow: allow.iter().copied().collect(),
            filter: filter.clone(),
            sample: *sample,
            snap: *snap,
            duplicates: deduplicate.map(Span::duration),
        }
    }
}
