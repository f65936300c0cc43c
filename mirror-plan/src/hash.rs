//! Hashes of values, by which plans, objects and requests are compared.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The hash of the canonical JSON of `value`: `sha256:` and 64 hexadecimal digits.
///
/// All our maps are ordered, so the bytes are the same each time.
pub(crate) fn hash(value: &impl Serialize) -> String {
    hash_bytes(&serde_json::to_vec(value).expect("what is hashed has texts for keys"))
}

/// The hash of bytes, in the same form.
pub(crate) fn hash_bytes(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}
