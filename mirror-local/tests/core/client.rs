//! A client of one line per call.

use jiff::Timestamp;
use mirror_local::{Clock, Cloud, Response, VirtualClock};
use std::time::Duration;

/// A cloud with a clock that a test moves.
pub(crate) struct Client {
    pub(crate) cloud: Cloud,
    clock: VirtualClock,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::of(Cloud::in_memory())
    }

    pub(crate) fn of(cloud: Cloud) -> Self {
        let clock = VirtualClock::starting_at(
            Timestamp::from_second(1_767_225_600).expect("a time in range"),
        );
        Self { cloud: cloud.with_clock(Clock::Virtual(clock.clone())), clock }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Makes a call whose answer no fault drops.
    pub(crate) fn send(&self, form: &str) -> Response {
        self.try_send(form).expect("the connection was dropped")
    }

    /// Makes a call; returns `None` if the connection was dropped.
    pub(crate) fn try_send(&self, form: &str) -> Option<Response> {
        let (head, ()) = http::Request::post("/").body(()).expect("a plain request").into_parts();
        let body = format!("Version=2016-11-15&Action={form}");
        self.cloud.call(&head, body.as_bytes()).response
    }

    /// Makes a call that must succeed; returns the body without its XML declaration and request id.
    #[track_caller]
    pub(crate) fn ok(&self, form: &str) -> String {
        let response = self.send(form);
        assert_eq!(response.status, 200, "{form}: {}", response.body);
        let id = format!("<requestId>{}</requestId>", response.request_id);
        let body = response.body.replace(&id, "");
        body.lines().skip(1).collect()
    }

    /// Makes a call that must fail; returns the status and the code.
    #[track_caller]
    pub(crate) fn refused(&self, form: &str) -> String {
        let response = self.send(form);
        let code = response.error.unwrap_or_else(|| panic!("{form}: {}", response.body));
        format!("{} {code}", response.status)
    }
}

/// Returns the text of the first element called `name`.
#[track_caller]
pub(crate) fn first(xml: &str, name: &str) -> String {
    all(xml, name).into_iter().next().unwrap_or_else(|| panic!("no {name} in {xml}"))
}

/// Returns the texts of all elements called `name`.
pub(crate) fn all(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close))
        .map(|(text, _)| text.to_owned())
        .collect()
}
