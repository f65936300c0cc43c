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
  0  done; `receive` was told to stop and delivered everything
  1  failed
  2  the command line or the configuration file is wrong; nothing was done
  3  `check` found settings that lose, cut or change frames
  4  told to stop twice: exited without delivering what was waiting";

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
    /// Extract the mirrored frames from a capture file.
    Decap(Decap),
    /// Check the settings of this machine for receiving, and print how to change them.
    Check(Check),
    /// Upload finished files that an ended receiver left, and delete them once they are stored.
    #[command(after_help = UPLOAD_HELP)]
    Upload(Upload),
    /// Write completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages of the program and of each command.
    Man {
        /// The folder to write them to; it is created if needed.
        folder: PathBuf,
    },
}

const RECEIVE_HELP: &str = "\
Signals:
  SIGTERM, SIGINT  report unhealthy, wait for --drain, deliver what is waiting, exit; again: exit at once
  SIGHUP           read --config and --sessions again; the log names what needs a restart

Examples:
  mirror-vxlan receive --pcap /var/captures --metrics 127.0.0.1:9100
  mirror-vxlan receive --pcapng /var/captures --rotate-time 5m --disk-budget 50GiB --compress zstd
  mirror-vxlan receive --pcapng /var/captures --disk-budget 50GiB --upload s3://captures/web
  mirror-vxlan receive --tap mirror0 --health 0.0.0.0:8080     # for Zeek or Suricata on mirror0
  mirror-vxlan receive --stdout --filter 'tcp port 443' | tcpdump -nr -";

/// How to receive.
#[derive(Clone, Debug, Args)]
pub struct Receive {
    /// Read options from a TOML file too. Its keys are these flags without dashes; flags take precedence.
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
    /// How to receive: a packet-socket ring with CAP_NET_RAW, UDP sockets without.
    #[arg(long, value_enum, default_value_t)]
    pub input: InputKind,
    /// Receive on this network interface only.
    #[arg(long, value_name = "NAME", required_if_eq("input", "xdp"))]
    pub interface: Option<String>,
    /// The UDP port of VXLAN.
    #[arg(long, value_name = "PORT", default_value_t = crate::wire::UDP_PORT,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Also accept VXLAN inside GENEVE, as a Gateway Load Balancer sends it.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "6081", value_parser = clap::value_parser!(u16).range(1..))]
    pub geneve: Option<u16>,
    /// Refuse headers that RFC 7348 forbids senders to send; by default they are only counted.
    #[arg(long)]
    pub strict: bool,
    /// Number of receiving threads. [default: one per processor]
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Buffer for waiting packets. [default: 32MiB in all rings together, 64MiB in each UDP socket]
    #[arg(long, value_name = "SIZE")]
    pub receive_buffer: Option<Size>,
}

/// The way in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum InputKind {
    /// The ring if it is available, else UDP.
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
    /// Start a new file after this many bytes.
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub rotate_size: Size,
    /// Start a new file after this time.
    #[arg(long, value_name = "TIME")]
    pub rotate_time: Option<Span>,
    /// Delete the oldest finished files when all together take more than this.
    #[arg(long, value_name = "SIZE")]
    pub disk_budget: Option<Size>,
    /// Compress finished files, except the one that is open when the program ends.
    #[arg(long, value_enum, default_value_t)]
    pub compress: Compress,
    /// Upload finished files, and delete them here once they are stored: s3://BUCKET/PREFIX or
    /// file:///FOLDER.
    #[arg(long, value_name = "URL")]
    pub upload: Option<Destination>,
    /// Write frames to a TAP device, which is created if needed.
    #[arg(long, value_name = "NAME")]
    pub tap: Option<String>,
    /// Write pcap to standard output.
    #[arg(long)]
    pub stdout: bool,
    /// Forward frames in VXLAN; several addresses share them by flow.
    #[arg(long, value_name = "ADDRESS:PORT", value_delimiter = ',')]
    pub forward: Vec<SocketAddr>,
    /// How many batches may wait for an output before frames to it are dropped.
    #[arg(long, value_name = "N", default_value_t = crate::receive::Options::QUEUE_DEPTH)]
    pub queue: NonZeroUsize,
    /// The size of a batch.
    #[arg(long, value_name = "SIZE", default_value = "256KiB")]
    pub batch: Size,
}

/// Whether files are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Compress {
    /// No compression.
    #[default]
    None,
    /// Zstandard.
    Zstd,
}

/// Which frames go, in the order in which it is decided.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectArgs {
    /// Accept mirrored traffic only from these sources: a network, or VNI@NETWORK for one session.
    #[arg(long, value_name = "[VNI@]CIDR", value_delimiter = ',')]
    pub allow: Vec<Allow>,
    /// Keep only frames that match this expression, in tcpdump's syntax.
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<Filter>,
    /// Keep one flow in N, in both directions.
    #[arg(long, value_name = "N")]
    pub sample: Option<NonZeroU32>,
    /// Keep only this many bytes of each frame.
    #[arg(long, value_name = "BYTES")]
    pub snap: Option<NonZeroU32>,
    /// Keep only one copy of a packet that two sessions mirrored within this time.
    #[arg(long, value_name = "TIME")]
    pub deduplicate: Option<Span>,
    /// Read names of sessions from a file: the output of `mirror show --json`, or TOML lines such as
    /// `web = 5569041`.
    #[arg(long, value_name = "FILE")]
    pub sessions: Option<PathBuf>,
}

/// What can be seen of the receiver, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Operation")]
pub struct OperateArgs {
    /// Answer GET /healthz here: 200 while packets can be accepted, else 503 with the reasons.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub health: Option<SocketAddr>,
    /// Accept TCP connections here while healthy, for the health check of an NLB on the traffic port.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "4789", value_parser = clap::value_parser!(u16).range(1..))]
    pub health_tcp: Option<u16>,
    /// Answer GET /metrics here, for Prometheus.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Log a summary at this interval; 0s for never.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub summary: Span,
    /// How long to report unhealthy before exiting, so that a load balancer sends elsewhere.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub drain: Span,
    /// Switch to this user once everything is open.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// What the program may do once everything is open.
    #[arg(long, value_enum, default_value_t)]
    pub privileges: Privileges,
    /// The format of the log, which goes to standard error.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// What the program may do once everything is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Privileges {
    /// No capabilities, only the system calls it needs, and writing only to the output folders.
    #[default]
    Drop,
    /// Everything it was started with.
    Keep,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text lines.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What to do with a capture file.
#[derive(Clone, Debug, Args)]
pub struct Decap {
    /// The capture: pcap or pcapng, also .gz or .zst; `-` is standard input.
    pub input: PathBuf,
    /// The file to write: pcap if its name says so, else pcapng; `-` is standard output.
    pub output: PathBuf,
    /// The UDP port of VXLAN.
    #[arg(long, value_name = "PORT", default_value_t = crate::wire::UDP_PORT,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Also accept VXLAN inside GENEVE.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
          default_missing_value = "6081", value_parser = clap::value_parser!(u16).range(1..))]
    pub geneve: Option<u16>,
    /// Refuse headers that RFC 7348 forbids senders to send.
    #[arg(long)]
    pub strict: bool,
    /// Which frames go.
    #[command(flatten)]
    pub select: SelectArgs,
}

const UPLOAD_HELP: &str = "\
Environment, for s3://:
  AWS_REGION                the region of the bucket
  AWS_ENDPOINT_URL          another store with the S3 API; AWS_ALLOW_HTTP=true allows it without TLS
  AWS_ACCESS_KEY_ID etc.    credentials; else the role of the container, else that of the instance";

/// What to upload, and where to.
#[derive(Clone, Debug, Args)]
pub struct Upload {
    /// The destination: s3://BUCKET/PREFIX or file:///FOLDER.
    #[arg(value_name = "URL")]
    pub to: Destination,
    /// The folders that a receiver wrote to.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// Continue until standard input ends, and report counts on standard output: for a receiver.
    #[arg(long, hide = true)]
    pub attended: bool,
    /// Switch to this user.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// What the program may do.
    #[arg(long, value_enum, default_value_t)]
    pub privileges: Privileges,
}

/// What to check.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The network interface that receives mirrored traffic. [default: that of the default route]
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// The UDP port of VXLAN.
    #[arg(long, value_name = "PORT", default_value_t = crate::wire::UDP_PORT)]
    pub port: u16,
    /// The folder for captures.
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
