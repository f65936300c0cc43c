//! Counts the mirrored frames that arrive and throws them away: `count ring|udp|xdp|plain [INTERFACE]`.
//!
//! It is what the benchmarks compare with other programs, and the shortest receiver there is.
//! `plain` is one of those others: a loop around `recv`. After the first packet it ends
//! once a second has passed without another one.

#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "its output is the count")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let method = arguments.next().unwrap_or_else(|| "ring".to_owned());
    let counted = match method.as_str() {
        "ring" => linux::count(mirror_vxlan::input::live::Method::Ring, arguments.next())?,
        "udp" => linux::count(mirror_vxlan::input::live::Method::Udp, arguments.next())?,
        "xdp" => linux::count(mirror_vxlan::input::live::Method::Xdp, arguments.next())?,
        "plain" => linux::count_plainly()?,
        other => return Err(format!("`{other}` is none of ring, udp, xdp, plain").into()),
    };
    let linux::Counted { packets, frames, dropped } = counted;
    println!("{packets} packets, {frames} frames, {dropped} dropped by the kernel");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::error::Error;
    use std::net::UdpSocket;
    use std::time::Duration;

    use mirror_vxlan::decap::Decapsulator;
    use mirror_vxlan::input::live::{LiveOptions, Method, open};
    use mirror_vxlan::input::{Content, Input as _, Packet, Received};
    use mirror_vxlan::socket::option;
    use mirror_vxlan::wire;

    const QUIET: Duration = Duration::from_secs(1);

    pub(super) struct Counted {
        pub(super) packets: u64,
        pub(super) frames: u64,
        pub(super) dropped: u64,
    }

    pub(super) fn count(
        method: Method,
        interface: Option<String>,
    ) -> Result<Counted, Box<dyn Error>> {
        let options = LiveOptions { interface, ..LiveOptions::default() };
        let mut input = open(&options, method)?.inputs.remove(0);
        let decapsulator = Decapsulator::default();
        let mut counted = Counted { packets: 0, frames: 0, dropped: 0 };
        loop {
            let received = input.receive(QUIET, |packet| {
                counted.packets += 1;
                counted.frames += u64::from(has_frame(&decapsulator, &packet));
            })?;
            if received == Received::Nothing && counted.packets > 0 {
                counted.dropped = input.dropped()?;
                return Ok(counted);
            }
        }
    }

    fn has_frame(decapsulator: &Decapsulator, packet: &Packet<'_>) -> bool {
        let decapsulated = match packet.content {
            Content::Packet { link, bytes } => decapsulator.packet(link, bytes),
            Content::Datagram { source, port, payload, truncated: _ } => {
                decapsulator.datagram(source.ip(), source.port(), port, payload)
            }
        };
        decapsulated.is_ok_and(|decapsulated| !std::hint::black_box(decapsulated.frame).is_empty())
    }

    pub(super) fn count_plainly() -> Result<Counted, Box<dyn Error>> {
        let socket = UdpSocket::bind(("0.0.0.0", wire::UDP_PORT))?;
        option::set_receive_buffer(&socket, LiveOptions::RECEIVE_BUFFER_BYTES)?;
        socket.set_read_timeout(Some(QUIET))?;
        let mut counted = Counted { packets: 0, frames: 0, dropped: 0 };
        let mut buffer = [0; LiveOptions::SLOT_BYTES];
        loop {
            match socket.recv(&mut buffer) {
                Ok(length) => {
                    counted.packets += 1;
                    counted.frames += u64::from(wire::parse(&buffer[..length]).is_ok());
                }
                Err(_) if counted.packets == 0 => {}
                Err(_) => break,
            }
        }
        counted.dropped = option::dropped(&socket)?.into();
        Ok(counted)
    }
}
