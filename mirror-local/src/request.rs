//! A request: which service, which action, with which parameters.
//!
//! One endpoint serves every service. The service and the Region come from the signature's
//! credential scope; an unsigned request is identified by its `Version`. Signatures themselves are
//! not verified.

use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::place::{ACCOUNT, Place};
use http::header::AUTHORIZATION;
use http::request::Parts;
use std::borrow::Cow;

/// The Region of a request that names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// A service of the local AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// EC2, Query protocol, version 2016-11-15.
    Ec2,
    /// Elastic Load Balancing, Query protocol, version 2015-12-01.
    LoadBalancing,
    /// EC2 Auto Scaling, Query protocol, version 2011-01-01.
    AutoScaling,
    /// Systems Manager, JSON 1.1.
    Parameters,
    /// Security Token Service, Query protocol, version 2011-06-15.
    Tokens,
    /// S3, REST with XML, version 2006-03-01.
    Storage,
    /// CloudWatch, Query protocol or JSON 1.0, version 2010-08-01.
    Metrics,
    /// Resource Access Manager, REST with JSON, version 2018-01-04.
    Sharing,
}

/// The format of a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    /// A form, or REST; the answer is XML.
    Xml,
    /// Both are JSON.
    Json,
}

/// Name in a credential scope, version of the Query protocol.
const SERVICES: [(Service, &str, &str); 8] = [
    (Service::Ec2, "ec2", "2016-11-15"),
    (Service::LoadBalancing, "elasticloadbalancing", "2015-12-01"),
    (Service::AutoScaling, "autoscaling", "2011-01-01"),
    (Service::Parameters, "ssm", "2014-11-06"),
    (Service::Tokens, "sts", "2011-06-15"),
    (Service::Storage, "s3", "2006-03-01"),
    (Service::Metrics, "monitoring", "2010-08-01"),
    (Service::Sharing, "ram", "2018-01-04"),
];

/// What precedes the action in the header `x-amz-target`.
const TARGETS: [(Service, &str); 2] =
    [(Service::Parameters, "AmazonSSM"), (Service::Metrics, "GraniteServiceVersion20100801")];

impl Service {
    /// Returns the service that a request was signed for.
    pub(crate) fn of(head: &Parts) -> Option<Self> {
        let scope = Scope::of(head)?;
        SERVICES.iter().find(|(_, name, _)| *name == scope.service).map(|(service, ..)| *service)
    }

    /// Returns its name in a credential scope.
    pub fn signing_name(self) -> &'static str {
        SERVICES.iter().find(|(s, ..)| *s == self).map_or("", |(_, name, _)| name)
    }

    /// Returns what precedes the colon of an action in a policy.
    pub(crate) fn policy_name(self) -> &'static str {
        match self {
            Self::Metrics => "cloudwatch",
            service => service.signing_name(),
        }
    }
}

impl Wire {
    /// Returns the format of a request to a service.
    pub(crate) fn of(head: &Parts, service: Service) -> Self {
        match service {
            Service::Parameters | Service::Sharing => Self::Json,
            _ if head.headers.contains_key("x-amz-target") => Self::Json,
            _ => Self::Xml,
        }
    }
}

/// One call of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The service called.
    pub service: Service,
    /// The format it is written in.
    pub wire: Wire,
    /// The action, such as `CreateVpc`.
    pub action: String,
    /// The account that it belongs to.
    pub account: String,
    /// The Region in which it is to happen.
    pub region: String,
    /// The action's parameters, without `Action` and `Version`.
    pub parameters: Parameters,
    /// The parameters as they arrived: form text, or JSON.
    pub body: String,
}

impl Request {
    /// Where it is to happen.
    pub(crate) fn place(&self) -> Place {
        Place::new(&*self.account, &*self.region)
    }

    /// The service and the format of the exchange.
    pub(crate) fn speech(&self) -> (Service, Wire) {
        (self.service, self.wire)
    }

    /// Reads a request from an HTTP exchange.
    ///
    /// # Errors
    ///
    /// Fails if the body is not text, or if the service or action cannot be determined.
    pub fn parse(head: &Parts, body: &[u8]) -> Result<Self, Failure> {
        let scope = Scope::of(head);
        let region = scope
            .as_ref()
            .map(|scope| scope.region.as_str())
            .filter(|region| is_region(region))
            .unwrap_or(DEFAULT_REGION)
            .to_owned();
        let account = scope.as_ref().map_or(ACCOUNT, |scope| &scope.account).to_owned();
        if scope.as_ref().is_some_and(|scope| scope.service == Service::Storage.signing_name()) {
            return crate::s3::request(head, body, &Place::new(account, region));
        }
        if head.headers.contains_key("smithy-protocol") {
            let message = "mirror-local does not speak the protocol rpc-v2-cbor";
            return Err(Failure::new("InvalidAction", message));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| Failure::new("MalformedQueryString", "The body is not UTF-8"))?;
        if scope.as_ref().is_some_and(|scope| scope.service == Service::Sharing.signing_name()) {
            return crate::ram::request(head, text, &Place::new(account, region));
        }
        if let Some(target) = head.headers.get("x-amz-target") {
            return Self::parse_json(target.to_str().unwrap_or_default(), text, (account, region));
        }
        let query = head.uri.query().unwrap_or_default();
        let pairs =
            form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(text.as_bytes()));
        let (mut action, mut version, mut rest) = (None, None, Vec::new());
        for (name, value) in pairs {
            match name.as_ref() {
                "Action" => action = Some(value.into_owned()),
                "Version" => version = Some(value.into_owned()),
                "AWSAccessKeyId" => {}
                name if name.starts_with("X-Amz-") => {}
                _ => rest.push((name, value)),
            }
        }
        let service = service_of(scope.as_ref(), version.as_deref())?;
        let action = action.ok_or_else(|| {
            Failure::new("MissingAction", "The request must contain the parameter Action")
        })?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&rest).finish();
        let parameters = Parameters::from_pairs(rest);
        Ok(Self { service, wire: Wire::Xml, action, account, region, parameters, body })
    }

    fn parse_json(target: &str, text: &str, (account, region): (String, String)) -> Outcome<Self> {
        let known = target.split_once('.').and_then(|(name, action)| {
            let (service, _) = TARGETS.iter().find(|(_, known)| *known == name)?;
            Some((*service, action))
        });
        let (service, action) = known.ok_or_else(|| Failure::unknown_action(target))?;
        Ok(Self {
            service,
            wire: Wire::Json,
            action: action.to_owned(),
            account,
            region,
            parameters: parse_members(text)?,
            body: text.to_owned(),
        })
    }
}

/// The part of a SigV4 credential that says where a request is addressed.
struct Scope {
    account: String,
    region: String,
    service: String,
}

impl Scope {
    /// Reads the scope of a signed header or of a presigned query.
    fn of(head: &Parts) -> Option<Self> {
        let header = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credential = match header {
            Some(header) => Cow::Borrowed(header.split_once("Credential=")?.1),
            None => form_urlencoded::parse(head.uri.query()?.as_bytes())
                .find_map(|(name, value)| (name == "X-Amz-Credential").then_some(value))?,
        };
        let credential = credential.split(',').next()?;
        let mut parts = credential.trim().rsplit('/');
        let ("aws4_request", service, region) = (parts.next()?, parts.next()?, parts.next()?)
        else {
            return None;
        };
        let access_key = credential.trim().split('/').next().unwrap_or_default();
        let account = Place::account_of(access_key).to_owned();
        // The first SDK for Go signs for `RAM` if it is given an endpoint.
        let service = service.to_ascii_lowercase();
        Some(Self { account, region: region.to_owned(), service })
    }
}

fn service_of(scope: Option<&Scope>, version: Option<&str>) -> Outcome<Service> {
    let by_name =
        scope.and_then(|scope| SERVICES.iter().find(|(_, name, _)| *name == scope.service));
    let by_version = || SERVICES.iter().find(|(.., known)| Some(*known) == version);
    match by_name.or_else(by_version) {
        Some((service, ..)) => Ok(*service),
        None => {
            let name = scope.map_or("that is not named", |scope| scope.service.as_str());
            let message = format!("mirror-local does not implement the service {name}");
            Err(Failure::new("InvalidAction", message))
        }
    }
}

fn is_region(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Reads the members of a JSON document as parameters; an empty text is a document without members.
pub(crate) fn parse_members(text: &str) -> Outcome<Parameters> {
    let malformed = |error| Failure::new("SerializationException", error);
    let text = if text.trim().is_empty() { "{}" } else { text };
    let value: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    let mut pairs = Vec::new();
    flatten("", &value, &mut pairs);
    Ok(Parameters::from_pairs(pairs))
}

/// Turns JSON members into the names that a Query request would give them.
fn flatten(path: &str, value: &serde_json::Value, pairs: &mut Vec<(String, String)>) {
    use serde_json::Value;
    let inside =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Bool(value) => pairs.push((path.to_owned(), value.to_string())),
        Value::Number(value) => pairs.push((path.to_owned(), value.to_string())),
        Value::String(value) => pairs.push((path.to_owned(), value.clone())),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                flatten(&inside(&(index + 1).to_string()), value, pairs);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                flatten(&inside(name), value, pairs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[(&str, &str)], uri: &str, body: &str) -> Outcome<Request> {
        let mut request = http::Request::builder().method("POST").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        Request::parse(&head, body.as_bytes())
    }

    #[test]
    fn the_scope_decides_over_the_version() {
        let scope = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=00";
        let request =
            parse(&[("authorization", scope)], "/", "Action=X&Version=2016-11-15").unwrap();
        assert_eq!(
            (request.service, request.region.as_str()),
            (Service::LoadBalancing, "eu-west-1")
        );
    }

    #[test]
    fn a_service_is_known_in_capitals_too() {
        let scope = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/RAM/aws4_request, SignedHeaders=host, Signature=00";
        let request = parse(&[("authorization", scope)], "/getresourceshares", "{}").unwrap();
        assert_eq!((request.service, &*request.action), (Service::Sharing, "GetResourceShares"));
    }

    #[test]
    fn an_unsigned_request_goes_by_its_version() {
        let request = parse(&[], "/", "Action=DescribeVpcs&Version=2016-11-15&A=x+y%20z").unwrap();
        assert_eq!((request.service, request.region.as_str()), (Service::Ec2, "us-east-1"));
        assert_eq!(request.parameters.text("A"), Some("x y z"));
        assert_eq!(request.body, "A=x+y+z");
    }

    #[test]
    fn json_members_become_parameters() {
        let target = ("x-amz-target", "AmazonSSM.GetParameters");
        let request =
            parse(&[target], "/", r#"{"Names":["/a","/b"],"WithDecryption":true}"#).unwrap();
        assert_eq!(request.action, "GetParameters");
        assert_eq!(request.parameters.texts("Names"), ["/a", "/b"]);
        assert_eq!(request.parameters.boolean("WithDecryption"), Ok(Some(true)));
    }

    #[test]
    fn an_unknown_service_is_named() {
        let scope =
            "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/sqs/aws4_request, Signature=00";
        let failure = parse(&[("authorization", scope)], "/", "").unwrap_err();
        assert_eq!(failure.message, "mirror-local does not implement the service sqs");
    }
}
