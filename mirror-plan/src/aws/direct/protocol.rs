//! The two protocols of the services that are called directly, and the form of a refusal in each.
//!
//! Sources: AWS protocols in the Smithy specification, "AWS Query protocol" and "AWS JSON 1.1 protocol".

use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, XmlDecodeError, try_data};
use aws_types::request_id::apply_request_id;
use serde::Deserialize;

use super::Refusal;

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A form, and XML.
    Query,
    /// JSON in both directions.
    Json {
        /// The prefix of the name of a call.
        target: &'static str,
    },
}

impl Protocol {
    /// Returns whether answers are XML, of which an incomplete document is read as far as it goes.
    pub(super) fn is_xml(self) -> bool {
        match self {
            Self::Query => true,
            Self::Json { .. } => false,
        }
    }

    /// Returns the headers of a request that identify the call.
    pub(super) fn headers(self, call: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Query => {
                vec![("content-type", "application/x-www-form-urlencoded".to_owned())]
            }
            Self::Json { target } => vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("{target}.{call}")),
            ],
        }
    }

    /// Reads as much as there is of an answer that is an error: a proxy may have written it.
    pub(super) fn refusal(self, body: &[u8], headers: &Headers) -> Refusal {
        let Said { code, message } = match self {
            Self::Query => in_xml(body).unwrap_or_default(),
            Self::Json { .. } => in_json(body, headers),
        };
        let builder = ErrorMetadata::builder();
        let builder = code.into_iter().fold(builder, |it, code| it.code(code));
        let builder = message.into_iter().fold(builder, |it, message| it.message(message));
        Refusal(apply_request_id(builder, headers).build())
    }
}

/// What an answer states about an error.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(rename = "__type", alias = "code")]
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

fn in_xml(body: &[u8]) -> Result<Said, XmlDecodeError> {
    let mut document = Document::try_from(body)?;
    let mut root = document.root_element()?;
    let mut said = Said::default();
    while let Some(mut tag) = root.next_tag() {
        if !tag.start_el().matches("Error") {
            continue;
        }
        while let Some(mut field) = tag.next_tag() {
            match field.start_el().local() {
                "Code" => said.code = Some(try_data(&mut field)?.into_owned()),
                "Message" => said.message = Some(try_data(&mut field)?.into_owned()),
                _ => {}
            }
        }
    }
    Ok(said)
}

fn in_json(body: &[u8], headers: &Headers) -> Said {
    let Said { code, message } = serde_json::from_slice(body).unwrap_or_default();
    let code = headers.get("x-amzn-errortype").map(str::to_owned).or(code);
    // `namespace#Code`, and in the header `Code:http://...`.
    let bare = |code: String| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    };
    Said { code: code.map(bare), message }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;

    use super::*;

    const JSON: Protocol = Protocol::Json { target: "AmazonSSM" };

    type Words = (Option<String>, Option<String>);

    fn words(code: &str, message: &str) -> Words {
        (Some(code.to_owned()), Some(message.to_owned()))
    }

    fn said(protocol: Protocol, body: &str, headers: &Headers) -> Words {
        let refusal = protocol.refusal(body.as_bytes(), headers);
        (refusal.code().map(str::to_owned), refusal.message().map(str::to_owned))
    }

    #[test]
    fn a_refusal_has_the_words_of_aws_if_it_is_hers() {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
                    <Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>";
        let headers = Headers::new();
        assert_eq!(said(Protocol::Query, body, &headers), words("Throttling", "Rate exceeded"));
        let body = r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#;
        assert_eq!(said(JSON, body, &headers), words("ThrottlingException", "Rate exceeded"));
        let body = r#"{"__type": "com.amazonaws.ssm#ParameterNotFound", "Message": "Not here"}"#;
        assert_eq!(said(JSON, body, &headers), words("ParameterNotFound", "Not here"));
        for protocol in [Protocol::Query, JSON] {
            for body in ["<html><body>502</body></html>", "neither", "[1]", ""] {
                assert_eq!(said(protocol, body, &headers), (None, None), "{protocol:?} {body}");
            }
        }
    }

    #[test]
    fn a_header_may_say_what_an_error_is() {
        let mut headers = Headers::new();
        headers.insert("x-amzn-errortype", "InternalServerError:http://internal.amazon.com/");
        let (code, message) = said(JSON, "", &headers);
        assert_eq!((code.as_deref(), message), (Some("InternalServerError"), None));
    }
}
