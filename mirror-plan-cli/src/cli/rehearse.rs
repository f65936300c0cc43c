//! The options of `mirror rehearse`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::{SightArgs, StackArgs};

#[derive(Debug, Args)]
pub(crate) struct RehearseArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    #[command(flatten)]
    pub(crate) traffic: TrafficArgs,
    /// The address of an interface in the capture; the interface is an instance of the stack, or eni-...
    #[arg(long, value_name = "INTERFACE=ADDRESS")]
    pub(crate) eni: Vec<NamedArgument>,
    /// The MTU of interfaces that are mirror targets.
    #[arg(long, value_name = "BYTES", default_value_t = 9001)]
    pub(crate) mtu: u16,
    /// Keep what receivers deliver, as capture files in this empty or new folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sight: SightArgs,
    /// Exit with 1 if more than this percentage of the copies is lost.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub(crate) lost_max: f64,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What goes over the wire.
#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    /// Replay a capture file, pcap or pcapng, compressed or not; - is standard input. Without it,
    /// traffic is generated for the sources of the stack.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tap", "seed", "packets"])]
    pub(crate) pcap: Option<PathBuf>,
    /// Create a TAP device and take what this host sends into it, until the command is interrupted.
    #[arg(long, value_name = "NAME", conflicts_with = "seed")]
    pub(crate) tap: Option<String>,
    /// The seed of generated traffic; equal seeds generate equal traffic.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many packets to generate, or to take from the TAP device at most. [default: 1000, or no limit]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) packets: Option<usize>,
}

/// An interface by a name of it, with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedArgument {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
}

impl FromStr for NamedArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = text.rsplit_once('=').ok_or("it must end with `=` and an address")?;
        let address = address.parse().map_err(|_| format!("`{address}` is not an IP address"))?;
        Ok(Self { name: name.to_owned(), address })
    }
}
