//! Counts mirrored frames with netring and flowscope: `netring-peer INTERFACE`.
//!
//! It does the same as `examples/count.rs`, with what these crates offer for it: their ring at its
//! default size (256 MiB), their port filter and their VXLAN decapsulation. After the first packet,
//! it ends as soon as none has arrived for a second.

use std::time::Duration;

use flowscope::extract::InnerVxlan;
use flowscope::{Extracted, FlowExtractor, Orientation, PacketView, Timestamp};
use netring::{BpfFilter, Capture};

/// Accepts any frame, so that only decapsulation is measured.
struct Any;

impl FlowExtractor for Any {
    type Key = ();

    fn extract(&self, view: PacketView<'_>) -> Option<Extracted<()>> {
        let frame = std::hint::black_box(view.frame);
        (!frame.is_empty()).then(|| Extracted::new((), Orientation::Forward, None, None))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let interface = std::env::args().nth(1).ok_or("which interface?")?;
    let filter = BpfFilter::builder().ipv4().udp().dst_port(4789).build()?;
    let mut capture = Capture::builder()
        .interface(&interface)
        .ignore_outgoing(true)
        .bpf_filter(filter)
        .build()?;
    let vxlan = InnerVxlan::new(Any);
    let (mut packets, mut frames) = (0_u64, 0_u64);
    loop {
        match capture.next_batch_blocking(Duration::from_secs(1))? {
            Some(batch) => {
                for packet in &batch {
                    packets += 1;
                    let view = PacketView::new(packet.data(), Timestamp::default());
                    frames += u64::from(vxlan.extract(view).is_some());
                }
            }
            None if packets > 0 => break,
            None => {}
        }
    }
    let dropped = capture.stats()?.drops;
    println!("{packets} packets, {frames} frames, {dropped} dropped by the kernel");
    Ok(())
}
