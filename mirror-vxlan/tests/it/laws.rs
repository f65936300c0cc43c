//! Properties that hold for every input.

use mirror_vxlan::wire::{
    Datagram, HEADER_LEN, Header, ParseError, Reserved, StrictError, parse, parse_strict,
};
use mirror_vxlan::{ParseVniError, Vni};
use proptest::collection::vec;
use proptest::prelude::*;

/// Payloads around the interesting length, at least half of them with the I flag set.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    (vec(any::<u8>(), 0..64), any::<bool>()).prop_map(|(mut bytes, valid)| {
        if let Some(flags) = bytes.first_mut()
            && valid
        {
            *flags |= 0x08;
        }
        bytes
    })
}

fn header() -> impl Strategy<Value = Header> {
    // Zero in half of the cases: random bits alone would never produce it.
    let reserved = prop_oneof![Just(0), any::<u64>()].prop_map(Reserved::from_bits);
    (any::<[u8; 3]>().prop_map(Vni::from_bytes), reserved)
        .prop_map(|(vni, reserved)| Header { vni, reserved })
}

proptest! {
    #[test]
    fn a_payload_parses_exactly_if_it_is_long_enough_and_has_the_i_flag(payload in payload()) {
        match parse(&payload) {
            Ok(datagram) => {
                prop_assert!(payload[0] & 0x08 != 0);
                prop_assert_eq!(datagram.frame, &payload[HEADER_LEN..]);
            }
            Err(ParseError::Short(error)) => {
                prop_assert!(error.actual < error.required);
                prop_assert_eq!(error.actual, payload.len());
            }
            Err(ParseError::VniFlagUnset { flags }) => {
                prop_assert!(payload.len() >= HEADER_LEN && flags & 0x08 == 0);
                prop_assert_eq!(flags, payload[0]);
            }
        }
    }

    #[test]
    fn strict_accepts_exactly_what_lenient_does_without_reserved_bits(payload in payload()) {
        let expected = parse(&payload).map_err(StrictError::Parse);
        match parse_strict(&payload) {
            Err(StrictError::Gpe { next_protocol }) => {
                let reserved = expected.unwrap().header.reserved;
                prop_assert_eq!(reserved.gpe_next_protocol(), Some(next_protocol));
            }
            Err(StrictError::ReservedBits { reserved }) => {
                prop_assert_eq!(expected.unwrap().header.reserved, reserved);
                prop_assert!(!reserved.is_zero() && reserved.gpe_next_protocol().is_none());
            }
            strict @ (Ok(_) | Err(StrictError::Parse(_))) => {
                prop_assert_eq!(strict, expected);
                prop_assert!(strict.is_err() || expected.unwrap().header.reserved.is_zero());
            }
        }
    }

    #[test]
    fn what_is_emitted_parses_back(header in header(), frame in vec(any::<u8>(), 0..128)) {
        let datagram = Datagram { header, frame: &frame };
        let mut buffer = [0xee; HEADER_LEN + 128];
        let written = datagram.emit(&mut buffer).unwrap();
        prop_assert_eq!(parse(written), Ok(datagram));
        prop_assert_eq!(parse_strict(written).is_ok(), header.reserved.is_zero());
    }

    #[test]
    fn what_parses_is_emitted_as_it_was(payload in payload()) {
        if let Ok(datagram) = parse(&payload) {
            let mut buffer = vec![0xee; payload.len()];
            prop_assert_eq!(datagram.emit(&mut buffer), Ok(&mut payload.clone()[..]));
        }
    }

    #[test]
    fn a_vni_survives_its_number_and_its_text(bytes: [u8; 3]) {
        let vni = Vni::from_bytes(bytes);
        prop_assert_eq!(Vni::try_from(u32::from(vni)), Ok(vni));
        prop_assert_eq!(vni.to_string().parse(), Ok(vni));
    }

    #[test]
    fn a_text_is_a_vni_exactly_if_it_is_a_decimal_number_of_24_bits(text in "[0-9+x -]{0,9}|\\PC*") {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u128>().ok().filter(|_| digits);
        match text.parse::<Vni>() {
            Ok(vni) => prop_assert_eq!(number, Some(u128::from(u32::from(vni)))),
            Err(ParseVniError::TooLarge) => prop_assert!(digits && number.is_none_or(|n| n >= 1 << 24)),
            Err(ParseVniError::Empty) => prop_assert!(text.is_empty()),
            Err(ParseVniError::NotADigit { character, offset }) => {
                prop_assert!(!character.is_ascii_digit());
                prop_assert!(text[offset..].starts_with(character));
            }
        }
    }
}
