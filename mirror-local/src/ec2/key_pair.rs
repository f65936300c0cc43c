//! Key pairs. Private keys are neither real nor kept.

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeKeyPairs", describe),
    Action::write("CreateKeyPair", create),
    Action::write("ImportKeyPair", import),
    Action::write("DeleteKeyPair", delete),
];

/// A key pair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) key_type: String,
    pub(crate) fingerprint: String,
    pub(crate) public_key: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

tagged_row!(
    KeyPair,
    Kind {
        prefix: "key-",
        noun: "key pair ID",
        resource_type: "key-pair",
        not_found: "InvalidKeyPair.NotFound",
        malformed: "InvalidKeyPair.Malformed",
        describe: "DescribeKeyPairs",
    }
);

const LISTING: Listing<KeyPair> = Listing {
    table: |region| &region.key_pairs,
    ids: "KeyPairId",
    filters: &[
        ("fingerprint", |_, key| texts([&key.fingerprint])),
        ("key-name", |_, key| texts([&key.name])),
        ("key-pair-id", |_, key| texts([&key.id])),
    ],
    set: "keySet",
    write: |_, key, xml| write(key, xml),
    page: 5..=1000,
};

/// Returns the key pair of a name.
pub(crate) fn named<'a>(region: &'a Region, name: &str) -> Outcome<&'a KeyPair> {
    region.key_pairs.values().find(|key| key.name == name).ok_or_else(|| {
        let message = format!("The key pair '{name}' does not exist");
        Failure::new("InvalidKeyPair.NotFound", message)
    })
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let names = parameters.texts("KeyName");
    for name in &names {
        named(view.region, name)?;
    }
    let wanted = |key: &KeyPair| names.is_empty() || names.contains(&key.name.as_str());
    let (keys, next) = LISTING.select(view, parameters, wanted)?;
    let public = parameters.boolean("IncludePublicKey")?.unwrap_or(false);
    xml.items("keySet", keys, |xml, key| {
        write(key, xml);
        xml.optional("publicKey", key.public_key.as_ref().filter(|_| public));
    });
    xml.optional("nextToken", next);
    Ok(())
}

fn write(key: &KeyPair, xml: &mut Xml) {
    xml.text("createTime", key.created);
    xml.text("keyFingerprint", &key.fingerprint);
    xml.text("keyName", &key.name);
    xml.text("keyPairId", &key.id);
    xml.text("keyType", &key.key_type);
    key.tags.write(xml);
}

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let key_type = call.parameters.one_of("KeyType", &["rsa", "ed25519"])?.unwrap_or("rsa");
    let key = insert(call, key_type, None)?;
    let material = format!("{:032x}", u128::from(call.region.draw("key material")));
    write_made(&key, xml);
    xml.text(
        "keyMaterial",
        format_args!("-----BEGIN PRIVATE KEY-----\n{material}\n-----END PRIVATE KEY-----"),
    );
    Ok(())
}

fn import(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let material = call.parameters.required("PublicKeyMaterial")?;
    let text = super::base64::decode(material).and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|text| text.starts_with("ssh-")).ok_or_else(|| {
        Failure::new("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
    })?;
    let key_type = if text.starts_with("ssh-ed25519") { "ed25519" } else { "rsa" };
    let key = insert(call, key_type, Some(text))?;
    write_made(&key, xml);
    Ok(())
}

fn write_made(key: &KeyPair, xml: &mut Xml) {
    xml.text("keyFingerprint", &key.fingerprint);
    xml.text("keyName", &key.name);
    xml.text("keyPairId", &key.id);
    key.tags.write(xml);
}

fn insert(call: &mut Call<'_>, key_type: &str, public_key: Option<String>) -> Outcome<KeyPair> {
    let name = call.parameters.required("KeyName")?;
    if name.chars().count() > 255 {
        return Err(Failure::invalid(name, "keyName", "A key name has at most 255 characters."));
    }
    if named(call.region, name).is_ok() {
        let message = format!("The keypair '{name}' already exists.");
        return Err(Failure::new("InvalidKeyPair.Duplicate", message));
    }
    let digits = format!("{:016x}{:016x}", call.region.draw("key"), call.region.draw("key"));
    let pairs: Vec<&str> = (0..16).filter_map(|n| digits.get(2 * n..2 * n + 2)).collect();
    let key = KeyPair {
        id: call.region.draw_id("key-"),
        name: name.to_owned(),
        key_type: key_type.to_owned(),
        fingerprint: pairs.join(":"),
        public_key,
        created: call.now,
        tags: Tags::specified(call.parameters, "key-pair")?,
    };
    call.region.key_pairs.insert(&*key.id, key.clone());
    Ok(key)
}

/// Deletes a key pair; one that does not exist counts as deleted.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = match (call.parameters.text("KeyPairId"), call.parameters.text("KeyName")) {
        (Some(id), _) => Some(by_id(&call.region.key_pairs, id, "keyPairId")?.id.clone()),
        (None, Some(name)) => named(call.region, name).ok().map(|key| key.id.clone()),
        (None, None) => return Err(Failure::missing("keyName")),
    };
    if let Some(id) = &id {
        call.region.key_pairs.remove(id);
    }
    xml.text("return", true);
    xml.optional("keyPairId", id);
    Ok(())
}
