//! Headers written out byte by byte.

use mirror_vxlan::Vni;
use mirror_vxlan::wire::{
    Datagram, HEADER_LEN, Header, Layer, LenError, ParseError, Reserved, StrictError, parse,
    parse_strict,
};

/// The start of a UDP payload in a mirror session with VNI 5569041.
const AWS: [u8; 22] = [
    0x08, 0x00, 0x00, 0x00, 0x54, 0xfa, 0x11, 0x00, // VXLAN
    0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00,
];

#[test]
fn a_datagram_of_aws_is_read_by_both_parsers() {
    let header = Header::new(Vni::try_from(5_569_041).unwrap());
    let expected = Datagram { header, frame: &AWS[8..] };
    assert_eq!(parse(&AWS), Ok(expected));
    assert_eq!(parse_strict(&AWS), Ok(expected));
    assert_eq!(header.to_bytes(), AWS[..8]);
}

#[test]
fn the_frame_may_be_empty_or_shorter_than_an_ethernet_header() {
    for end in HEADER_LEN..AWS.len() {
        assert_eq!(parse_strict(&AWS[..end]).map(|datagram| datagram.frame), Ok(&AWS[8..end]));
    }
}

#[test]
fn a_payload_that_ends_within_the_header_says_how_much_is_missing() {
    for actual in 0..HEADER_LEN {
        let short = LenError { layer: Layer::VxlanHeader, offset: 0, required: 8, actual };
        assert_eq!(parse(&AWS[..actual]), Err(ParseError::Short(short)));
        assert_eq!(parse_strict(&AWS[..actual]), Err(StrictError::Parse(ParseError::Short(short))));
    }
    let error = parse(&AWS[..3]).unwrap_err();
    assert_eq!(error.to_string(), "the VXLAN header at offset 0 needs 8 bytes but has 3");
}

#[test]
fn a_length_error_can_be_placed_in_the_whole_packet() {
    let ParseError::Short(error) = parse(&AWS[..3]).unwrap_err() else { unreachable!() };
    assert_eq!(
        error.shifted(14 + 20 + 8).to_string(),
        "the VXLAN header at offset 42 needs 8 bytes but has 3"
    );
    assert_eq!(error.shifted(usize::MAX).shifted(1).offset, usize::MAX);
}

#[test]
fn without_the_i_flag_there_is_no_vni() {
    for flags in (0..=u8::MAX).filter(|flags| flags & 0x08 == 0) {
        let mut payload = AWS;
        payload[0] = flags;
        assert_eq!(parse(&payload), Err(ParseError::VniFlagUnset { flags }));
        assert_eq!(
            parse_strict(&payload),
            Err(StrictError::Parse(ParseError::VniFlagUnset { flags }))
        );
    }
    let error = parse(&[0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "the I flag is not set in the VXLAN flags 0x00");
}

#[test]
fn each_reserved_bit_is_accepted_reported_and_refused_when_strict() {
    let aws = u64::from_be_bytes([0x08, 0, 0, 0, 0x54, 0xfa, 0x11, 0]);
    let places = (0..64).filter(|place| !(8..32).contains(place) && *place != 59);
    let mut seen = 0;
    for place in places {
        let bit = 1_u64 << place;
        let bytes = (aws | bit).to_be_bytes();
        let header = parse(&bytes).unwrap().header;
        assert_eq!(header.vni, Vni::try_from(5_569_041).unwrap(), "bit {place}");
        assert_eq!(header.reserved.to_bits(), bit, "bit {place}");
        let refused = match place {
            58 => StrictError::Gpe { next_protocol: 0 },
            _ => StrictError::ReservedBits { reserved: Reserved::from_bits(bit) },
        };
        assert_eq!(parse_strict(&bytes), Err(refused), "bit {place}");
        seen += 1;
    }
    assert_eq!(seen, 39, "64 bits less the VNI and the I flag");
}

#[test]
fn reserved_bits_are_shown_at_their_places() {
    let reserved = parse(&[0x8f, 1, 2, 3, 4, 5, 6, 7]).unwrap().header.reserved;
    assert_eq!(reserved.to_string(), "87 01 02 03 .. .. .. 07");
    assert_eq!(format!("{reserved:?}"), "Reserved(87 01 02 03 .. .. .. 07)");
    assert_eq!(
        StrictError::ReservedBits { reserved }.to_string(),
        "reserved bits are set in the VXLAN header: 87 01 02 03 .. .. .. 07"
    );
}

#[test]
fn vxlan_gpe_is_told_apart_by_its_p_flag() {
    let nsh = [0x0c, 0, 0, 4, 0xff, 0xff, 0xff, 0];
    let header = parse(&nsh).unwrap().header;
    assert_eq!(header.vni, Vni::MAX);
    assert_eq!(header.reserved.gpe_next_protocol(), Some(4));

    let error = parse_strict(&nsh).unwrap_err();
    assert_eq!(error, StrictError::Gpe { next_protocol: 4 });
    assert_eq!(error.to_string(), "the header is VXLAN-GPE with next protocol 4");

    let stray = parse(&[0x08, 0, 0, 4, 0, 0, 1, 0]).unwrap().header.reserved;
    assert_eq!(stray.gpe_next_protocol(), None, "byte 3 alone is not GPE");
}

#[test]
fn a_short_buffer_is_left_alone_and_the_error_says_what_did_not_fit() {
    let datagram = parse(&AWS).unwrap();
    let cases = [
        (7, "the VXLAN header at offset 0 needs 8 bytes but has 7"),
        (8, "the frame at offset 8 needs 14 bytes but has 0"),
        (21, "the frame at offset 8 needs 14 bytes but has 13"),
    ];
    for (available, message) in cases {
        let mut buffer = [0xee; 21];
        let error = datagram.emit(&mut buffer[..available]).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(buffer, [0xee; 21]);
    }
}

#[test]
fn a_longer_buffer_is_written_only_at_its_start() {
    let mut buffer = [0xee; 24];
    assert_eq!(parse(&AWS).unwrap().emit(&mut buffer).unwrap(), AWS);
    assert_eq!(buffer[22..], [0xee; 2]);
}
