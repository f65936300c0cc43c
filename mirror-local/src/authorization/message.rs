//! Messages: the details of a refusal, in a form that only those who may decode them can read.
//!
//! AWS does not say how it encodes them. Here they are enciphered and sealed, so that nobody reads them without
//! `DecodeAuthorizationMessage`, and nothing else is taken for one.
//!
//! Sources: AWS STS API reference, `DecodeAuthorizationMessage`; the AWS CLI command reference of
//! `sts decode-authorization-message`, whose example has the members of the document.

use super::policy::Policy;
use super::{Check, Decision, caller};
use crate::world::Region;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How many bytes of a digest guard a message.
const SEAL: usize = 16;

/// The letters of a message, six bits each.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The details of a refusal, for those who may read them.
pub(super) fn encoded(check: (&Check, &Region), decided: (Decision, &[Policy])) -> String {
    encode(&document(check, decided).to_string())
}

fn document(
    (check, region): (&Check, &Region),
    (decision, policies): (Decision, &[Policy]),
) -> Value {
    let Check { action, resource, facts } = check;
    let items = |values: Vec<Value>| json!({ "items": values });
    let value = |value: &String| json!({ "value": value });
    let principals = items(vec![json!({ "value": region.account })]);
    let denials = policies.iter().flat_map(|policy| policy.denials(check));
    let matched = denials
        .map(|sid| json!({ "statementId": sid, "effect": "DENY", "principals": principals }));
    let conditions = facts.iter().map(
        |(key, values)| json!({ "key": key, "values": items(values.iter().map(value).collect()) }),
    );
    json!({
        "allowed": false,
        "explicitDeny": decision == Decision::Denied,
        "matchedStatements": items(matched.collect()),
        "failures": items(Vec::new()),
        "context": {
            "principal": { "id": region.account, "arn": caller(region) },
            "action": action,
            "resource": resource,
            "conditions": items(conditions.collect()),
        },
    })
}

fn encode(text: &str) -> String {
    let seal = seal(text);
    let bytes: Vec<u8> = seal.iter().copied().chain(ciphered(text.as_bytes(), &seal)).collect();
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let groups = bytes.chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |place| letter(bits >> (18 - 6 * place)))
    });
    groups.collect()
}

/// Reads a message; `None` if the text is not one.
pub(crate) fn decode(message: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(message.len() * 3 / 4);
    for group in message.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            let value = LETTERS.iter().position(|known| known == letter)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(group.len() - 1));
    }
    let (seal_of_it, ciphered_text) = bytes.split_at_checked(SEAL)?;
    let text = String::from_utf8(ciphered(ciphered_text, seal_of_it)).ok()?;
    (seal(&text) == seal_of_it).then_some(text)
}

fn seal(text: &str) -> [u8; SEAL] {
    let digest = Sha256::digest(text.as_bytes());
    std::array::from_fn(|place| digest[place])
}

/// Enciphers, and deciphers what was enciphered.
fn ciphered(bytes: &[u8], seal: &[u8]) -> Vec<u8> {
    let blocks = bytes.chunks(32).zip(0_u64..);
    let block = |(chunk, number): (&[u8], u64)| {
        let mut key = Sha256::new();
        key.update(seal);
        key.update(number.to_be_bytes());
        let key = key.finalize();
        chunk.iter().zip(key).map(|(byte, key)| byte ^ key).collect::<Vec<u8>>()
    };
    blocks.flat_map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded_and_nothing_else_is() {
        for length in 0..100 {
            let text = "ä".repeat(length);
            let message = encode(&text);
            assert_eq!(decode(&message).as_deref(), Some(&*text));
            let mut other = message.into_bytes();
            other[0] = if other[0] == b'A' { b'B' } else { b'A' };
            assert_eq!(decode(std::str::from_utf8(&other).unwrap()), None);
        }
        for text in ["", "A", "no message", "====", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_is_read_without_decoding() {
        let message = encode(r#"{"allowed":false}"#);
        assert!(message.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(message.len(), encode("").len());
        assert!(!message.contains("allowed"), "{message}");
    }
}
