//! Captures: passes each packet of a file through the mirroring at each moment.

use std::io;
use std::path::Path;

use mirror_plan::packet::trace::{Account, Content, Headers, Mirroring, Offered, Tracer};
use mirror_plan::render::trace::Captured;
use mirror_vxlan::capture::read::{CaptureReader, ReadError, Record};
use mirror_vxlan::decap::Link;
use mirror_vxlan::flow::Flow;
use mirror_vxlan::input::Received;

/// A moment while a capture passes through it.
pub(crate) struct Running {
    mirroring: Mirroring,
    tracer: Tracer,
    account: Account,
}

impl Running {
    pub(crate) fn new(mirroring: Mirroring, mtu: u16) -> Self {
        let (tracer, account) = (Tracer::new(&mirroring, mtu), Account::new(&mirroring));
        Self { mirroring, tracer, account }
    }

    /// Whether no packet has passed through it.
    pub(crate) fn is_empty(&self) -> bool {
        self.account.packets.packets == 0
    }

    pub(crate) fn end(self) -> Captured {
        let Self { mirroring, tracer: _, account } = self;
        Captured { mirroring, account }
    }
}

/// Passes a capture through the moments.
pub(crate) fn read(path: &Path, moments: &mut [Running]) -> Result<(), ReadError> {
    let mut reader = if path == Path::new("-") {
        CaptureReader::new(io::stdin())?
    } else {
        CaptureReader::open(path)?
    };
    let mut each = |record: Record<'_>| {
        let offered = offered(&record);
        for Running { mirroring: _, tracer, account } in &mut *moments {
            account.add(tracer, &offered);
        }
    };
    while reader.records(&mut each)? != Received::End {}
    Ok(())
}

/// A record as mirroring sees it.
#[inline]
pub(crate) fn offered(record: &Record<'_>) -> Offered {
    /// Bytes of the Ethernet header that a packet has at an interface, whatever link it was captured on.
    const ETHERNET: u32 = Link::Ethernet.header_len();
    const ARP: u16 = 0x0806;
    let Record { time, link, bytes, original_len } = *record;
    let flow = Flow::on(link, bytes);
    let headers = |protocol, source, destination, ports| {
        Content::Internet(Headers { protocol, source, destination, ports })
    };
    let content = match flow {
        Flow::Ports { protocol, source, destination } => {
            headers(protocol, source.0, destination.0, Some([source.1, destination.1]))
        }
        Flow::Addresses { protocol, source, destination } => {
            headers(protocol, source, destination, None)
        }
        Flow::Frame { ether_type: ARP, .. } => Content::Arp,
        Flow::Frame { .. } | Flow::Unknown => Content::Other,
    };
    let length = (original_len + ETHERNET).saturating_sub(link.header_len());
    Offered { time: time.as_nanos(), length, flow: flow.hash(), content }
}
