//! The grammar of filter expressions.

use std::net::Ipv4Addr;

use super::Fault;
use super::generate::{self, Ends, Layout, ethertype};
use super::predicate::{Comparison, Predicate, Size};
use super::token::{Kind, Token};
use super::words::{self, Protocol};

mod relation;

/// How deep parentheses may be nested.
const DEPTH_MAX: usize = 64;

/// Words that libpcap understands and this parser does not.
const UNSUPPORTED: [&str; 19] = [
    "atalk", "aarp", "clnp", "decnet", "esis", "gateway", "geneve", "inbound", "ifname", "ipx",
    "isis", "iso", "llc", "mpls", "netbeui", "outbound", "pppoed", "pppoes", "stp",
];

/// Builds the predicate that an expression stands for.
pub(super) fn parse(tokens: &[Token<'_>], end: usize) -> Result<Predicate, Fault> {
    if tokens.is_empty() {
        return Ok(Predicate::All(Vec::new()));
    }
    let mut parser =
        Parser { tokens, end, next: 0, depth: 0, layout: Layout::ETHERNET, qualifiers: None };
    let predicate = parser.expression()?;
    match parser.peek() {
        None => Ok(predicate),
        Some(_) => parser.fault("`and`, `or` or the end is expected"),
    }
}

#[derive(Clone)]
struct Parser<'t, 'e> {
    tokens: &'t [Token<'e>],
    /// Where the expression ends.
    end: usize,
    next: usize,
    depth: usize,
    layout: Layout,
    /// What a lone address or number stands for: the same as the one before it.
    qualifiers: Option<Qualifiers>,
}

/// What the words before an address or number declare it to be.
#[derive(Clone, Copy)]
struct Qualifiers {
    protocol: Option<Protocol>,
    ends: Ends,
    subject: Subject,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
}

/// What joins two terms.
#[derive(Clone, Copy)]
enum Connective {
    And,
    Or,
}

impl Connective {
    fn join(self, left: Predicate, right: Predicate) -> Predicate {
        match self {
            Self::And => left.and(right),
            Self::Or => left.or(right),
        }
    }
}

impl<'e> Parser<'_, 'e> {
    /// Terms joined by `and` and `or`, which have the same precedence and associate to the left.
    fn expression(&mut self) -> Result<Predicate, Fault> {
        let mut left = self.term()?;
        while let Some(connective) = self.connective() {
            let right = match self.qualifiers {
                Some(qualifiers) if self.lone_value_follows() => self.value(qualifiers)?,
                _ => self.term()?,
            };
            left = connective.join(left, right);
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Predicate, Fault> {
        if self.take_negation() {
            return self.nested(|parser| Ok(Predicate::Not(Box::new(parser.term()?))));
        }
        if let Some(relation) = self.relation()? {
            return Ok(relation);
        }
        if self.take("(") {
            let inner = self.nested(Self::expression)?;
            self.expect(")")?;
            // What a following `and` or `or` would flatten into belongs together.
            return Ok(Predicate::All(vec![inner]));
        }
        self.primitive()
    }

    fn primitive(&mut self) -> Result<Predicate, Fault> {
        let start = self.next;
        let Some(Kind::Word(word)) = self.peek() else {
            return self.fault("a primitive such as `tcp port 443` or `host 10.0.0.1` is expected");
        };
        match word {
            "vlan" => {
                self.next += 1;
                self.qualifiers = None;
                let number = self.number_below(4096, "a VLAN")?;
                return Ok(self.layout.vlan(number));
            }
            "less" | "greater" => return self.length(word),
            _ => {}
        }
        let protocol = Protocol::named(word);
        self.next += usize::from(protocol.is_some());
        match self.peek_word() {
            Some("broadcast") => return self.broadcast(protocol),
            Some("multicast") => return self.multicast(protocol),
            _ => {}
        }
        let ends = self.ends()?;
        let subject = self.subject();
        match (protocol, ends, subject) {
            (Some(protocol), None, None) => {
                self.qualifiers = None;
                self.protocol_alone(protocol)
            }
            (None, None, None) => self.unknown(word),
            (protocol, ends, subject) => {
                let qualifiers = Qualifiers {
                    protocol,
                    ends: ends.unwrap_or(Ends::Either),
                    subject: subject.unwrap_or(Subject::Host),
                };
                self.check(qualifiers, ends, start)?;
                self.qualifiers = Some(qualifiers);
                self.value(qualifiers)
            }
        }
    }

    /// Returns the fault that a word cannot start a primitive, with the reason.
    fn unknown<T>(&self, word: &str) -> Result<T, Fault> {
        if UNSUPPORTED.contains(&word) {
            self.fault(format!("`{word}` is not supported"))
        } else {
            self.fault(format!("`{word}` does not start a primitive"))
        }
    }

    /// `src`, `dst`, or both with `and` or `or` between them.
    fn ends(&mut self) -> Result<Option<Ends>, Fault> {
        let one = match self.peek_word() {
            Some("src") => Ends::Source,
            Some("dst") => Ends::Destination,
            _ => return Ok(None),
        };
        self.next += 1;
        let other = if one == Ends::Source { "dst" } else { "src" };
        let mut ahead = self.clone();
        match ahead.connective() {
            Some(connective) if ahead.peek_word() == Some(other) => {
                // `src 10.0.0.1 and dst …` is parsed elsewhere: here nothing stands between the two.
                ahead.next += 1;
                self.next = ahead.next;
                Ok(Some(match connective {
                    Connective::And => Ends::Both,
                    Connective::Or => Ends::Either,
                }))
            }
            _ => Ok(Some(one)),
        }
    }

    fn subject(&mut self) -> Option<Subject> {
        let subject = match self.peek_word()? {
            "host" => Subject::Host,
            "net" => Subject::Net,
            "port" => Subject::Port,
            "portrange" => Subject::PortRange,
            "proto" => Subject::Protocol,
            _ => return None,
        };
        self.next += 1;
        Some(subject)
    }

    /// Checks that the words before a value go together.
    fn check(&self, of: Qualifiers, ends: Option<Ends>, start: usize) -> Result<(), Fault> {
        let Qualifiers { protocol, subject, .. } = of;
        let fits = match subject {
            Subject::Host => protocol.is_none_or(Protocol::has_hosts),
            Subject::Net => protocol.is_none_or(|p| p.has_hosts() && p != Protocol::Ethernet),
            Subject::Port | Subject::PortRange => protocol.is_none_or(Protocol::has_ports),
            Subject::Protocol => {
                ends.is_none() && protocol.is_none_or(|p| p.ethertype().is_some() || p.is_link())
            }
        };
        if fits {
            return Ok(());
        }
        let text: Vec<&str> = self.tokens[start..self.next]
            .iter()
            .map(|token| if let Kind::Word(word) = token.kind { word } else { "" })
            .collect();
        let offset = self.tokens[start].offset;
        Fault::new(offset, format!("`{}` is not a valid combination", text.join(" ")))
    }

    /// A protocol and nothing else.
    fn protocol_alone(&self, protocol: Protocol) -> Result<Predicate, Fault> {
        match protocol.ethertype() {
            Some(number) => Ok(self.layout.link_type(number)),
            None => match protocol.ip() {
                Some(ip) => Ok(self.ip_protocol(ip)),
                None => self.fault("a link-layer primitive such as `ether host` is expected"),
            },
        }
    }

    fn ip_protocol(&self, ip: words::Ip) -> Predicate {
        match ip.version {
            words::Version::Either => self.layout.ip_protocol(ip.number),
            words::Version::Ipv4 => self.layout.ipv4_protocol(ip.number),
            words::Version::Ipv6 => self.layout.ipv6_protocol(ip.number),
        }
    }

    fn length(&mut self, word: &str) -> Result<Predicate, Fault> {
        self.next += 1;
        self.qualifiers = None;
        let Some(Kind::Number(length)) = self.peek() else {
            return self.fault("a number of bytes is expected");
        };
        self.next += 1;
        let comparison =
            if word == "less" { Comparison::LessOrEqual } else { Comparison::GreaterOrEqual };
        Ok(relation::length(comparison, length))
    }

    fn broadcast(&mut self, of: Option<Protocol>) -> Result<Predicate, Fault> {
        if of.is_some_and(|protocol| !protocol.is_link()) {
            return self.fault("only Ethernet broadcast addresses are known here");
        }
        self.next += 1;
        self.qualifiers = None;
        Ok(generate::ethernet_address([0xff; 6], Ends::Destination))
    }

    fn multicast(&mut self, of: Option<Protocol>) -> Result<Predicate, Fault> {
        let predicate = match of {
            None | Some(Protocol::Ethernet) => generate::ethernet_group(),
            Some(Protocol::Ipv4) => {
                self.layout.link_type(ethertype::IPV4).and(self.layout.at_least(16, 224))
            }
            Some(Protocol::Ipv6) => {
                self.layout.link_type(ethertype::IPV6).and(self.layout.number(24, Size::Byte, 255))
            }
            Some(_) => return self.fault("only `ether`, `ip` and `ip6` have multicast addresses"),
        };
        self.next += 1;
        self.qualifiers = None;
        Ok(predicate)
    }

    /// An address, network, port or protocol; or several in parentheses.
    fn value(&mut self, of: Qualifiers) -> Result<Predicate, Fault> {
        if self.take_negation() {
            return self.nested(|parser| Ok(Predicate::Not(Box::new(parser.value(of)?))));
        }
        if self.take("(") {
            let values = self.nested(|parser| {
                let mut left = parser.value(of)?;
                while let Some(connective) = parser.connective() {
                    left = connective.join(left, parser.value(of)?);
                }
                Ok(left)
            })?;
            self.expect(")")?;
            return Ok(Predicate::All(vec![values]));
        }
        match of.subject {
            Subject::Host => self.host(of),
            Subject::Net => self.net(of),
            Subject::Port => {
                let port = self.port_number()?;
                Ok(self.layout.port(words::port_protocols(of.protocol), port, port, of.ends))
            }
            Subject::PortRange => {
                let (first, last) = self.port_range()?;
                Ok(self.layout.port(words::port_protocols(of.protocol), first, last, of.ends))
            }
            Subject::Protocol => self.protocol_number(of.protocol),
        }
    }

    fn host(&mut self, of: Qualifiers) -> Result<Predicate, Fault> {
        let value = self.peek();
        let predicate = match (value, of.protocol) {
            (Some(Kind::Mac(address)), Some(Protocol::Ethernet)) => {
                generate::ethernet_address(address, of.ends)
            }
            (Some(Kind::Mac(_)), _) => {
                return self.fault("an Ethernet address needs `ether`, such as `ether host`");
            }
            (_, Some(Protocol::Ethernet)) => return self.fault("an Ethernet address is expected"),
            (Some(Kind::Ipv4 { bits: 32, address }), _) => {
                return self.end_of_value().and_then(|()| self.ipv4(of, address, 32));
            }
            (Some(Kind::Ipv6(address)), None | Some(Protocol::Ipv6)) => {
                self.layout.ipv6_address(address, 128, of.ends)
            }
            (Some(Kind::Word(_) | Kind::Name(_)), _) => {
                return self.fault("an address is expected; names are not looked up");
            }
            _ => return self.fault("an address of the named protocol is expected"),
        };
        self.end_of_value()?;
        Ok(predicate)
    }

    /// Steps over an address, which no prefix length may follow.
    fn end_of_value(&mut self) -> Result<(), Fault> {
        self.next += 1;
        match self.peek() {
            Some(Kind::Sign("/")) => self.fault("a prefix length needs `net`"),
            _ => Ok(()),
        }
    }

    fn net(&mut self, of: Qualifiers) -> Result<Predicate, Fault> {
        let start = self.clone();
        let value = self.peek();
        self.next += 1;
        match value {
            Some(Kind::Ipv6(address)) if of.protocol.is_none_or(|p| p == Protocol::Ipv6) => {
                let length = self.prefix_length(128)?.unwrap_or(128);
                let kept = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                if u128::from(address) & !kept != 0 {
                    return start.fault("bits are set beyond the prefix length");
                }
                Ok(self.layout.ipv6_address(address, length, of.ends))
            }
            Some(Kind::Ipv4 { address, bits }) => self.ipv4_net(of, address, bits, &start),
            Some(Kind::Number(number @ 0..=255)) => {
                let address = Ipv4Addr::from(number << 24);
                self.ipv4_net(of, address, 8, &start)
            }
            _ => start.fault("a network such as 10.0.0.0/8 is expected"),
        }
    }

    fn ipv4_net(
        &mut self,
        of: Qualifiers,
        address: Ipv4Addr,
        bits: u8,
        start: &Self,
    ) -> Result<Predicate, Fault> {
        let mask = if self.take_word("mask") {
            let Some(Kind::Ipv4 { address: mask, bits: 32 }) = self.peek() else {
                return self.fault("a mask such as 255.255.255.0 is expected");
            };
            self.next += 1;
            u32::from(mask)
        } else {
            let length = self.prefix_length(32)?.unwrap_or(bits);
            u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
        };
        if u32::from(address) & !mask != 0 {
            return start.fault("bits are set beyond the prefix length or mask");
        }
        self.ipv4_masked(of, address, mask, start)
    }

    fn ipv4(&self, of: Qualifiers, address: Ipv4Addr, bits: u8) -> Result<Predicate, Fault> {
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        self.ipv4_masked(of, address, mask, self)
    }

    /// IPv4, ARP and RARP have IPv4 addresses; all three are meant if none is named.
    fn ipv4_masked(
        &self,
        of: Qualifiers,
        address: Ipv4Addr,
        mask: u32,
        start: &Self,
    ) -> Result<Predicate, Fault> {
        let one = |number| self.layout.ipv4_address(number, address, mask, of.ends);
        match of.protocol {
            None => Ok(one(ethertype::IPV4).or(one(ethertype::ARP)).or(one(ethertype::RARP))),
            Some(Protocol::Ipv4) => Ok(one(ethertype::IPV4)),
            Some(Protocol::Arp) => Ok(one(ethertype::ARP)),
            Some(Protocol::Rarp) => Ok(one(ethertype::RARP)),
            Some(_) => start.fault("an address of the named protocol is expected"),
        }
    }

    fn prefix_length(&mut self, max: u8) -> Result<Option<u8>, Fault> {
        if !self.take("/") {
            return Ok(None);
        }
        match self.peek() {
            Some(Kind::Number(length)) if length <= u32::from(max) => {
                self.next += 1;
                Ok(u8::try_from(length).ok())
            }
            _ => self.fault(format!("a prefix length up to {max} is expected")),
        }
    }

    fn port_number(&mut self) -> Result<u32, Fault> {
        match self.peek() {
            Some(Kind::Number(port)) if port <= u32::from(u16::MAX) => {
                self.next += 1;
                Ok(port)
            }
            Some(Kind::Word(_) | Kind::Name(_)) => {
                self.fault("a port number is expected; service names are not looked up")
            }
            _ => self.fault("a port number from 0 to 65535 is expected"),
        }
    }

    fn port_range(&mut self) -> Result<(u32, u32), Fault> {
        let range = match self.peek() {
            Some(Kind::Word(range)) => range.split_once('-'),
            Some(Kind::Number(port)) if port <= u32::from(u16::MAX) => {
                self.next += 1;
                return Ok((port, port));
            }
            _ => None,
        };
        let parsed = range.and_then(|(first, last)| {
            Some((u32::from(first.parse::<u16>().ok()?), u32::from(last.parse::<u16>().ok()?)))
        });
        match parsed {
            Some((first, last)) => {
                self.next += 1;
                Ok((first.min(last), first.max(last)))
            }
            None => self.fault("two ports such as 8000-8080 are expected"),
        }
    }

    /// What follows `proto`: the number or name of a protocol one layer up.
    fn protocol_number(&mut self, of: Option<Protocol>) -> Result<Predicate, Fault> {
        let named = match self.peek() {
            Some(Kind::Name(name) | Kind::Word(name)) => Protocol::named(name),
            _ => None,
        };
        let link = of.is_some_and(Protocol::is_link);
        let number = match (self.peek(), named) {
            (Some(Kind::Number(number)), _) => Some(number),
            (_, Some(protocol)) if link => protocol.ethertype(),
            (_, Some(protocol)) => protocol.ip().map(|ip| ip.number),
            _ => None,
        };
        let predicate = match (number, of) {
            (Some(number @ 0x600..=0xffff), _) if link => self.layout.link_type(number),
            (_, _) if link => {
                return self.fault("an Ethernet type from 0x600 to 0xffff is expected");
            }
            (Some(number @ 0..=255), None) => self.layout.ip_protocol(number),
            (Some(number @ 0..=255), Some(Protocol::Ipv4)) => self.layout.ipv4_protocol(number),
            (Some(number @ 0..=255), Some(Protocol::Ipv6)) => self.layout.ipv6_protocol(number),
            _ => return self.fault("the number or name of an IP protocol is expected"),
        };
        self.next += 1;
        Ok(predicate)
    }
}
