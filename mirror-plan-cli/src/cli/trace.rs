//! The options of `mirror trace`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args};
use mirror_plan::scalar::Protocol;

use super::{SightArgs, StackArgs};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("traced").args(["from", "pcap"]).required(true)))]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    #[command(flatten)]
    pub(crate) packet: PacketArgs,
    /// Trace a capture file, pcap or pcapng, compressed or not; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) sight: SightArgs,
    /// Exit with 2 if the plan changes what happens to the packets.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// One packet.
#[derive(Debug, Args)]
pub(crate) struct PacketArgs {
    /// The source of the packet: `10.0.1.5:443`, `[2001:db8::1]:443`, or without a port.
    #[arg(long, value_name = "ADDRESS[:PORT]", requires = "to")]
    pub(crate) from: Option<EndArgument>,
    /// Its destination.
    #[arg(long, value_name = "ADDRESS[:PORT]", requires = "from")]
    pub(crate) to: Option<EndArgument>,
    /// Its protocol: tcp, udp, icmp, icmpv6 or a number.
    #[arg(long, value_name = "PROTOCOL", default_value = "tcp", requires = "from")]
    pub(crate) proto: Protocol,
    /// The length of its frame, including the Ethernet header.
    #[arg(long, value_name = "BYTES", requires = "from")]
    pub(crate) length: Option<u32>,
}

/// What AWS knows of the network and the stack may not.
#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Trace only at this interface: an instance of the stack, or eni-...; add its address if that is not known.
    #[arg(long, value_name = "INTERFACE[=ADDRESS]")]
    pub(crate) eni: Vec<InterfaceArgument>,
    /// The address of Amazon's DNS server, if the stack does not know the VPC: the third of its range.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) resolver: Vec<IpAddr>,
    /// The MTU of interfaces that are mirror targets.
    #[arg(long, value_name = "BYTES", default_value_t = 9001)]
    pub(crate) mtu: u16,
}

/// An end of a packet: an address, and a port where its protocol has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndArgument {
    pub(crate) address: IpAddr,
    pub(crate) port: Option<u16>,
}

impl FromStr for EndArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Ok(Self { address: both.ip(), port: Some(both.port()) });
        }
        match text.parse() {
            Ok(address) => Ok(Self { address, port: None }),
            Err(_) => Err(format!("`{text}` is not an address such as 10.0.1.5:443 or [::1]:443")),
        }
    }
}

/// An interface by a name of it, perhaps with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceArgument {
    pub(crate) name: String,
    pub(crate) address: Option<IpAddr>,
}

impl FromStr for InterfaceArgument {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rsplit_once('=') {
            Some((name, address)) => {
                let address =
                    address.parse().map_err(|_| format!("`{address}` is not an IP address"))?;
                Ok(Self { name: name.to_owned(), address: Some(address) })
            }
            None => Ok(Self { name: text.to_owned(), address: None }),
        }
    }
}
