//! GENEVE as a Gateway Load Balancer sends it: three options of AWS's class, then the whole packet.
//!
//! Source: RFC 8926, sections 3.4 and 3.5, for the headers; AWS's article "Integrate your custom logic or
//! appliance with AWS Gateway Load Balancer" for the options.

use mirror_vxlan::decap::Decapsulator;

/// What precedes the packet: 8 bytes of header and 32 of options.
const HEADER: [u8; 40] = {
    let mut header = [0; 40];
    // Version 0, the options' length in words of four bytes; then the type of the packet, IPv4.
    header[0] = 8;
    header[2] = 0x08;
    // Each option: class, type, length of its value in words. The endpoint, the attachment, the flow.
    let options = [(8, 1, 2), (20, 2, 2), (32, 3, 1)];
    let mut next = 0;
    while next < options.len() {
        let (at, kind, words) = options[next];
        header[at] = 0x01;
        header[at + 1] = 0x08;
        header[at + 2] = kind;
        header[at + 3] = words;
        next += 1;
    }
    header
};

/// Wraps a packet.
pub(super) fn wrap(packet: &[u8]) -> Vec<u8> {
    [&HEADER, packet].concat()
}

/// A decapsulator that takes frames out of it at a port.
pub(super) fn decapsulator(port: u16) -> Decapsulator {
    Decapsulator { geneve_port: Some(port), ..Decapsulator::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_comes_out_again() {
        let mut packet = vec![0x45, 0, 0, 50, 0, 0, 0, 0, 255, 17, 0, 0];
        packet.extend([10, 0, 0, 7, 10, 0, 0, 9, 0xff, 0x80, 0x12, 0xb5, 0, 30, 0, 0]);
        packet.extend([8, 0, 0, 0, 0, 0, 7, 0]);
        packet.extend([9; 14]);
        let source = std::net::IpAddr::from([10, 1, 0, 1]);
        let wrapped = wrap(&packet);
        let frame = decapsulator(6081).datagram(source, 60_000, 6081, &wrapped).unwrap();
        assert_eq!((frame.frame, u32::from(frame.session.vni)), (&[9; 14][..], 7));
        assert_eq!(frame.session.source, std::net::IpAddr::from([10, 0, 0, 7]));
    }
}
