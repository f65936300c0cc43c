//! The wire of Resource Access Manager: the path names the action, the body is JSON.

use super::ACTIONS;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::place::Place;
use crate::request::{Request, Service, Wire, parse_members};
use http::Method;
use http::request::Parts;

/// The only action that is not a POST; its parameters are in the query.
const DELETE: &str = "DeleteResourceShare";

/// Reads a request that was signed for Resource Access Manager.
pub(crate) fn request(head: &Parts, text: &str, at: &Place) -> Outcome<Request> {
    let action = action(head)?;
    let query = head.uri.query().unwrap_or_default();
    let (parameters, body) = match action {
        DELETE => {
            let pairs = form_urlencoded::parse(query.as_bytes());
            (Parameters::from_pairs(pairs), query.to_owned())
        }
        _ => (parse_members(text)?, text.to_owned()),
    };
    let (account, region) = (at.account().to_owned(), at.region().to_owned());
    let (service, wire, action) = (Service::Sharing, Wire::Json, action.to_owned());
    Ok(Request { service, wire, action, account, region, parameters, body })
}

fn action(head: &Parts) -> Outcome<&'static str> {
    let path = head.uri.path().trim_matches('/');
    let mut names = ACTIONS.iter().flat_map(|group| group.iter()).map(|action| action.name());
    let named = names.find(|name| {
        let method = if *name == DELETE { Method::DELETE } else { Method::POST };
        head.method == method && name.to_ascii_lowercase() == path
    });
    named.ok_or_else(|| Failure::unknown_action(&format!("{} {path}", head.method)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, uri: &str, body: &str) -> Outcome<Request> {
        let request = http::Request::builder().method(method).uri(uri).body(()).unwrap();
        request_of(&request.into_parts().0, body)
    }

    fn request_of(head: &Parts, body: &str) -> Outcome<Request> {
        request(head, body, &Place::from("222233334444/eu-west-1"))
    }

    #[test]
    fn the_path_names_the_action() {
        let read_shares = read("POST", "/getresourceshares", r#"{"resourceOwner":"SELF"}"#);
        let request = read_shares.unwrap();
        assert_eq!(request.action, "GetResourceShares");
        assert_eq!(request.parameters.text("resourceOwner"), Some("SELF"));
        assert_eq!(request.place().to_string(), "222233334444/eu-west-1");
    }

    #[test]
    fn what_is_deleted_stands_in_the_query() {
        let deleted = read("DELETE", "/deleteresourceshare?resourceShareArn=arn%3Aaws", "");
        let request = deleted.unwrap();
        assert_eq!(request.action, "DeleteResourceShare");
        assert_eq!(request.parameters.text("resourceShareArn"), Some("arn:aws"));
    }

    #[test]
    fn another_path_or_method_is_refused_by_name() {
        for (method, path) in [("GET", "/getresourceshares"), ("POST", "/listpermissions")] {
            let failure = read(method, path, "").unwrap_err();
            let named = format!("{method} {}", &path[1..]);
            assert!(failure.message.contains(&named), "{}", failure.message);
        }
    }
}
