//! From protocols, addresses and ports to comparisons: where things are in an Ethernet frame.
//!
//! Each function builds the comparisons that libpcap generates code for, in the same order, so that a
//! frame that was cut short is rejected by both or by neither.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::predicate::{Comparison, Field, Place, Predicate, Size};

/// Ethernet types.
pub(super) mod ethertype {
    pub(crate) const ARP: u32 = 0x0806;
    pub(crate) const IPV4: u32 = 0x0800;
    pub(crate) const IPV6: u32 = 0x86dd;
    pub(crate) const RARP: u32 = 0x8035;
    /// The types of VLAN tags: 802.1Q, 802.1ad, and their predecessor.
    pub(crate) const VLAN: [u32; 3] = [0x8100, 0x88a8, 0x9100];
}

/// Numbers of IP protocols.
pub(super) mod protocol {
    pub(crate) const FRAGMENT: u32 = 44;
    pub(crate) const ICMPV6: u32 = 58;
    pub(crate) const SCTP: u32 = 132;
    pub(crate) const TCP: u32 = 6;
    pub(crate) const UDP: u32 = 17;
}

/// Bytes of an IPv6 header.
const IPV6_HEADER: u32 = 40;

/// The ends of a flow that a comparison is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Source,
    Destination,
    Either,
    Both,
}

impl Ends {
    fn of(self, end: impl Fn(End) -> Predicate) -> Predicate {
        match self {
            Self::Source => end(End::Source),
            Self::Destination => end(End::Destination),
            Self::Either => end(End::Source).or(end(End::Destination)),
            Self::Both => end(End::Source).and(end(End::Destination)),
        }
    }
}

#[derive(Clone, Copy)]
enum End {
    Source,
    Destination,
}

impl End {
    const fn pick(self, source: u32, destination: u32) -> u32 {
        match self {
            Self::Source => source,
            Self::Destination => destination,
        }
    }
}

/// Where the type and the payload of a frame are; VLAN tags move both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) ethertype: u32,
    pub(super) payload: u32,
}

impl Layout {
    /// An Ethernet frame without tags.
    pub(super) const ETHERNET: Self = Self { ethertype: 12, payload: 14 };

    /// The frame has a VLAN tag, with this number if one is given; what follows is behind the tag.
    pub(super) fn vlan(&mut self, number: Option<u32>) -> Predicate {
        let tag = any(ethertype::VLAN.map(|tag| self.link_type(tag)));
        let wanted = match number {
            None => tag,
            Some(number) => {
                let place = Place::At(self.payload);
                tag.and(Field { mask: 0x0fff, ..equal(place, Size::Half, number) }.into())
            }
        };
        self.ethertype += 4;
        self.payload += 4;
        wanted
    }

    pub(super) fn link_type(self, number: u32) -> Predicate {
        equal(Place::At(self.ethertype), Size::Half, number).into()
    }

    pub(super) fn ipv4_protocol(self, number: u32) -> Predicate {
        self.link_type(ethertype::IPV4).and(self.number(9, Size::Byte, number))
    }

    /// The protocol is the next header, or the one behind a fragment header.
    pub(super) fn ipv6_protocol(self, number: u32) -> Predicate {
        let fragment = self.number(6, Size::Byte, protocol::FRAGMENT).and(self.number(
            IPV6_HEADER,
            Size::Byte,
            number,
        ));
        let next = self.number(6, Size::Byte, number).or(fragment);
        self.link_type(ethertype::IPV6).and(next)
    }

    pub(super) fn ip_protocol(self, number: u32) -> Predicate {
        self.ipv4_protocol(number).or(self.ipv6_protocol(number))
    }

    /// The packet is not the second or a later fragment of an IPv4 packet.
    pub(super) fn first_fragment(self) -> Predicate {
        let place = Place::At(self.payload + 6);
        Predicate::Not(Box::new(
            Field {
                place,
                size: Size::Half,
                mask: 0x1fff,
                comparison: Comparison::NotEqual,
                value: 0,
            }
            .into(),
        ))
    }

    pub(super) const fn behind_ipv4(self, offset: u32) -> Place {
        Place::BehindIpv4 { header: self.payload, offset }
    }

    pub(super) const fn behind_ipv6(self) -> Place {
        Place::At(self.payload + IPV6_HEADER)
    }

    /// The address, or any in its network, in an IPv4, ARP or RARP packet (`number` says which).
    pub(super) fn ipv4_address(
        self,
        number: u32,
        address: Ipv4Addr,
        mask: u32,
        ends: Ends,
    ) -> Predicate {
        let [source, destination] = if number == ethertype::IPV4 { [12, 16] } else { [14, 24] };
        let address = ends.of(|end| {
            let place = Place::At(self.payload + end.pick(source, destination));
            Field { mask, ..equal(place, Size::Word, u32::from(address)) }.into()
        });
        self.link_type(number).and(address)
    }

    pub(super) fn ipv6_address(self, address: Ipv6Addr, length: u8, ends: Ends) -> Predicate {
        let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        let words = |number: u128| [96, 64, 32, 0].map(|shift| low_word(number >> shift));
        let address = ends.of(|end| {
            let start = self.payload + end.pick(8, 24);
            let compared = words(u128::from(address)).into_iter().zip(words(mask)).zip(0..);
            Predicate::All(
                compared
                    .map(|((word, mask), n)| {
                        Field { mask, ..equal(Place::At(start + 4 * n), Size::Word, word) }.into()
                    })
                    .collect(),
            )
        });
        self.link_type(ethertype::IPV6).and(address)
    }

    /// A port of one of these protocols is within a range.
    pub(super) fn port(self, protocols: &[u32], first: u32, last: u32, ends: Ends) -> Predicate {
        let at = |source: Place, destination: Place| {
            ends.of(|end| match end {
                End::Source => within(source, first, last),
                End::Destination => within(destination, first, last),
            })
        };
        let of = |offset| any(protocols.iter().map(|n| self.number(offset, Size::Byte, *n)));
        let ipv6 = self
            .link_type(ethertype::IPV6)
            .and(of(6))
            .and(at(Place::At(self.payload + IPV6_HEADER), Place::At(self.payload + 42)));
        let ipv4 = self
            .link_type(ethertype::IPV4)
            .and(of(9))
            .and(self.first_fragment())
            .and(at(self.behind_ipv4(0), self.behind_ipv4(2)));
        ipv6.or(ipv4)
    }

    /// A number in the payload equals `value`.
    pub(super) fn number(self, offset: u32, size: Size, value: u32) -> Predicate {
        equal(Place::At(self.payload + offset), size, value).into()
    }

    /// A number in the payload is at least `value`.
    pub(super) fn at_least(self, offset: u32, value: u32) -> Predicate {
        let field = equal(Place::At(self.payload + offset), Size::Byte, value);
        Field { comparison: Comparison::GreaterOrEqual, ..field }.into()
    }
}

/// An Ethernet address.
pub(super) fn ethernet_address(address: [u8; 6], ends: Ends) -> Predicate {
    let [a, b, c, d, e, f] = address;
    ends.of(|end| {
        let start = end.pick(6, 0);
        let last = u32::from_be_bytes([c, d, e, f]);
        let first = u32::from(u16::from_be_bytes([a, b]));
        Predicate::from(equal(Place::At(start + 2), Size::Word, last))
            .and(equal(Place::At(start), Size::Half, first).into())
    })
}

/// The frame goes to a group of stations.
pub(super) fn ethernet_group() -> Predicate {
    Field { mask: 1, ..equal(Place::At(0), Size::Byte, 1) }.into()
}

fn within(place: Place, first: u32, last: u32) -> Predicate {
    let field = equal(place, Size::Half, first);
    if first == last {
        return field.into();
    }
    Predicate::from(Field { comparison: Comparison::GreaterOrEqual, ..field })
        .and(Field { comparison: Comparison::LessOrEqual, value: last, ..field }.into())
}

fn any(predicates: impl IntoIterator<Item = Predicate>) -> Predicate {
    Predicate::Any(predicates.into_iter().collect())
}

const fn equal(place: Place, size: Size, value: u32) -> Field {
    Field { place, size, mask: u32::MAX, comparison: Comparison::Equal, value }
}

const fn low_word(number: u128) -> u32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

impl From<Field> for Predicate {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}
