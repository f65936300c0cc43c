//! An answer, and the envelopes in which each service sends it.

use crate::failure::Failure;
use crate::request::{Service, Wire};
use crate::xml::Xml;

/// What goes back to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The request id, which also travels as the header `x-amzn-requestid`.
    pub request_id: String,
    /// The error code, where the call was refused.
    pub error: Option<String>,
    /// The body.
    pub body: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

/// Whether an answer of the Query protocol has an element for the result; it has none if there can be no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultElement {
    Absent,
    Present,
}

const XML: &str = "text/xml;charset=UTF-8";

impl Response {
    /// Wraps what `inside` writes in the envelope of a successful answer.
    pub(crate) fn success(
        (service, wire): (Service, Wire),
        (action, result): (&str, ResultElement),
        request_id: String,
        inside: impl FnOnce(&mut Xml) -> Result<(), Failure>,
    ) -> Self {
        let mut xml = Xml::new();
        if wire == Wire::Json {
            let written = inside(&mut xml);
            return Self::finish((service, wire), request_id, written.map(|()| xml));
        }
        let root = format!("{action}Response");
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.open_in(&root, namespace(service));
        let written = if service == Service::Ec2 {
            xml.text("requestId", &request_id);
            inside(&mut xml)
        } else {
            let name = format!("{action}Result");
            let is_present = result == ResultElement::Present;
            if is_present {
                xml.open(&name);
            }
            let written = inside(&mut xml);
            if is_present {
                xml.close(&name);
            }
            xml.element("ResponseMetadata", |xml| xml.text("RequestId", &request_id));
            written
        };
        xml.close(&root);
        Self::finish((service, wire), request_id, written.map(|()| xml))
    }

    fn finish(speech: (Service, Wire), request_id: String, written: Result<Xml, Failure>) -> Self {
        match written {
            Ok(xml) => {
                let body = xml.into_string();
                let (content_type, headers) = (content_type(speech), Vec::new());
                Self { status: 200, content_type, request_id, error: None, body, headers }
            }
            Err(failure) => Self::failure(speech, request_id, &failure),
        }
    }

    /// Writes a failure as the service would.
    pub(crate) fn failure(speech: (Service, Wire), request_id: String, failure: &Failure) -> Self {
        let mut xml = Xml::new();
        let code = spelling(speech.0, &failure.code);
        match speech {
            (Service::Sharing, Wire::Json) => {
                let body = serde_json::json!({ "message": failure.message });
                xml.raw(&body.to_string());
            }
            (_, Wire::Json) => {
                let body = serde_json::json!({ "__type": code, "message": failure.message });
                xml.raw(&body.to_string());
            }
            (Service::Ec2, Wire::Xml) => write_ec2_failure(&mut xml, code, failure, &request_id),
            (Service::Storage, Wire::Xml) => {
                write_rest_failure(&mut xml, code, failure, &request_id);
            }
            (service, Wire::Xml) => {
                write_query_failure(&mut xml, (service, code), failure, &request_id);
            }
        }
        let headers = match speech {
            // The codes that a service had in the Query protocol: AWS query compatible errors.
            (Service::Metrics, Wire::Json) => {
                vec![("x-amzn-query-error", format!("{code};{}", blame(failure)))]
            }
            (Service::Sharing, Wire::Json) => vec![("x-amzn-errortype", code.to_owned())],
            _ => Vec::new(),
        };
        Self {
            status: failure.status,
            content_type: content_type(speech),
            error: Some(code.to_owned()),
            request_id,
            body: xml.into_string(),
            headers,
        }
    }
}

fn content_type(speech: (Service, Wire)) -> &'static str {
    match speech {
        (_, Wire::Xml) => XML,
        (Service::Metrics, Wire::Json) => "application/x-amz-json-1.0",
        (Service::Sharing, Wire::Json) => "application/json",
        (_, Wire::Json) => "application/x-amz-json-1.1",
    }
}

/// Whose fault it is.
const fn blame(failure: &Failure) -> &'static str {
    if failure.status < 500 { "Sender" } else { "Receiver" }
}

fn write_ec2_failure(xml: &mut Xml, code: &str, failure: &Failure, request_id: &str) {
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.text("Code", code);
                xml.text("Message", &failure.message);
            });
        });
        xml.text("RequestID", request_id);
    });
}

fn write_query_failure(
    xml: &mut Xml,
    (service, code): (Service, &str),
    failure: &Failure,
    request_id: &str,
) {
    xml.open_in("ErrorResponse", namespace(service));
    xml.element("Error", |xml| {
        xml.text("Type", blame(failure));
        xml.text("Code", code);
        xml.text("Message", &failure.message);
    });
    xml.text("RequestId", request_id);
    xml.close("ErrorResponse");
}

fn write_rest_failure(xml: &mut Xml, code: &str, failure: &Failure, request_id: &str) {
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.element("Error", |xml| {
        xml.text("Code", code);
        xml.text("Message", &failure.message);
        xml.text("RequestId", request_id);
    });
}

/// Other services of the Query protocol have one code where EC2 has several.
fn spelling(service: Service, code: &str) -> &str {
    match (service, code) {
        (
            Service::AutoScaling | Service::LoadBalancing | Service::Metrics,
            "MissingParameter" | "InvalidParameterValue",
        ) => "ValidationError",
        (
            Service::AutoScaling | Service::LoadBalancing | Service::Metrics,
            "RequestLimitExceeded",
        ) => "Throttling",
        (Service::Parameters, "RequestLimitExceeded") => "ThrottlingException",
        (Service::Tokens, "RequestLimitExceeded") => "Throttling",
        (Service::Storage, "RequestLimitExceeded") => "SlowDown",
        (Service::Sharing, code) => spelling_of_sharing(code),
        (_, code) => code,
    }
}

/// Resource Access Manager has an exception of its own for each.
fn spelling_of_sharing(code: &str) -> &str {
    match code {
        "IdempotentParameterMismatch" => "IdempotentParameterMismatchException",
        "InternalError" => "ServerInternalException",
        "InvalidNextToken" => "InvalidNextTokenException",
        "InvalidParameterValue" | "MissingParameter" | "UnsupportedOperation" => {
            "InvalidParameterException"
        }
        "RequestLimitExceeded" => "ThrottlingException",
        "TagLimitExceeded" => "TagLimitExceededException",
        code => code,
    }
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Ec2 | Service::Parameters | Service::Sharing => {
            "http://ec2.amazonaws.com/doc/2016-11-15/"
        }
        Service::AutoScaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
        Service::LoadBalancing => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        Service::Metrics => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        Service::Storage => "http://s3.amazonaws.com/doc/2006-03-01/",
        Service::Tokens => "https://sts.amazonaws.com/doc/2011-06-15/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_query_protocols_wrap_differently() {
        let body = |service| {
            let go = ("Go", ResultElement::Present);
            Response::success((service, Wire::Xml), go, "r-1".into(), |xml| {
                xml.text("a", 1);
                Ok(())
            })
            .body
        };
        insta::assert_snapshot!(body(Service::Ec2), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <GoResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId><a>1</a></GoResponse>
        "#);
        insta::assert_snapshot!(body(Service::LoadBalancing), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <GoResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><GoResult><a>1</a></GoResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GoResponse>
        "#);
    }

    #[test]
    fn failures_have_their_own_envelopes() {
        let failure = |speech| Response::failure(speech, "r-1".into(), &Failure::missing("Id"));
        let body = |service| failure((service, Wire::Xml)).body;
        insta::assert_snapshot!(body(Service::Ec2), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <Response><Errors><Error><Code>MissingParameter</Code><Message>The request must contain the parameter Id</Message></Error></Errors><RequestID>r-1</RequestID></Response>
        "#);
        insta::assert_snapshot!(body(Service::LoadBalancing), @r#"<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>The request must contain the parameter Id</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"#);
        insta::assert_snapshot!(failure((Service::Parameters, Wire::Json)).body, @r#"{"__type":"MissingParameter","message":"The request must contain the parameter Id"}"#);
    }
}
