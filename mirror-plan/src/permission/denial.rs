//! Denials: what AWS answers about a call that the caller may not make, and the details that it reveals only to some
//! callers.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

/// The text before the encoded part of a message.
const ENCODED: &str = "Encoded authorization failure message:";

/// The text before the action that is lacking, in messages that name it.
const LACKING: &str = "is not authorized to perform: ";

/// Why a call is denied, according to AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// AWS's message, without the encoded part.
    pub message: String,
    /// The encoded part, if there is one.
    pub encoded: Option<String>,
    /// What the encoded part states.
    pub detail: Detail,
}

/// What the encoded part of a denial states.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// This decision.
    Decoded(Box<Decision>),
    /// It could not be decoded, for this reason.
    Undecoded(String),
    /// There is no encoded part.
    None,
}

impl Denial {
    /// Reads a denial from its message; the encoded part is not decoded yet.
    #[must_use]
    pub fn read(message: &str) -> Self {
        let (said, encoded) = match message.split_once(ENCODED) {
            Some((said, encoded)) => (said, Some(encoded.trim().to_owned())),
            None => (message, None),
        };
        let encoded = encoded.filter(|encoded| !encoded.is_empty());
        let detail = match encoded {
            Some(_) => Detail::Undecoded("nobody has decoded it".to_owned()),
            None => Detail::None,
        };
        Self { message: said.trim().to_owned(), encoded, detail }
    }

    /// Returns the action that the caller lacks, such as `ec2:CreateTags` for a call that makes something with tags;
    /// `None` if AWS does not name it.
    #[must_use]
    pub fn lacking(&self) -> Option<&str> {
        if let Detail::Decoded(decision) = &self.detail
            && let Some(action) = &decision.action
        {
            return Some(action);
        }
        let (_, rest) = self.message.split_once(LACKING)?;
        rest.split_whitespace().next()
    }

    /// Returns whether a policy denies the call explicitly, so that no other policy can allow it.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        match &self.detail {
            Detail::Decoded(decision) => decision.is_explicit,
            Detail::Undecoded(_) | Detail::None => self.message.contains("explicit deny"),
        }
    }
}

/// What a decoded message states; what it omits is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Whether a policy denies the call explicitly, as opposed to no policy allowing it.
    pub is_explicit: bool,
    /// Who called.
    pub principal: Option<String>,
    /// The action that was decided about, with its service: `ec2:CreateVpc`.
    pub action: Option<String>,
    /// The resource that the action was for.
    pub resource: Option<String>,
    /// The names of the statements that matched; many have none.
    pub statements: Vec<String>,
    /// What was known about the call, by condition key.
    pub conditions: BTreeMap<String, Vec<String>>,
    /// The whole message, as it was decoded.
    pub document: Json,
}

impl Decision {
    /// Reads a decoded message. A message of unknown form is kept as it is.
    #[must_use]
    pub fn read(decoded: &str) -> Self {
        let document: Json = serde_json::from_str(decoded).unwrap_or_else(|_| decoded.into());
        let context = &document["context"];
        let text = |value: &Json| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        // EC2 leaves the service out in some messages.
        let action = text(&context["action"]).map(|action| match action.contains(':') {
            true => action,
            false => format!("ec2:{action}"),
        });
        let statements = items(&document["matchedStatements"]);
        let conditions = items(&context["conditions"]).iter().filter_map(|condition| {
            let values = items(&condition["values"]).iter().filter_map(|v| text(&v["value"]));
            Some((text(&condition["key"])?, values.collect()))
        });
        Self {
            is_explicit: document["explicitDeny"].as_bool().unwrap_or_default(),
            principal: text(&context["principal"]["arn"]),
            action,
            resource: text(&context["resource"]),
            statements: statements.iter().filter_map(|s| text(&s["statementId"])).collect(),
            conditions: conditions.collect(),
            document,
        }
    }
}

/// Returns the members of a list in the form that these messages use.
fn items(list: &Json) -> &[Json] {
    list["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// `no statement allows ec2:CreateVpc on arn:... to arn:...`; the whole document, if it names no action.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_explicit, principal, action, resource, statements, .. } = self;
        let Some(action) = action else { return write!(f, "{}", self.document) };
        let named =
            statements.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match (is_explicit, &*named) {
            (false, _) => write!(f, "no statement allows {action}")?,
            (true, "") => write!(f, "a statement denies {action}")?,
            (true, named) => write!(f, "the statement {named} denies {action}")?,
        }
        if let Some(resource) = resource {
            write!(f, " on {resource}")?;
        }
        if let Some(principal) = principal {
            write!(f, " to {principal}")?;
        }
        Ok(())
    }
}
