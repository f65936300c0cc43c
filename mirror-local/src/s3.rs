//! S3: buckets, and text objects that can be written on the condition that they have not changed.
//!
//! It covers what programs that meet in a bucket need. Source: Amazon S3 API reference, and the user guide,
//! "Conditional requests". A header or query parameter that asks for more is refused by name.

use crate::action::next_request_id;
use crate::authorization::authorize;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::place::Place;
use crate::request::Request;
use crate::response::Response;
use crate::settings::ConditionalWrites;
use crate::world::{Region, View, World};
use crate::xml::Xml;
use jiff::Timestamp;

pub(crate) mod bucket;
pub(crate) mod object;
pub(crate) mod wire;

pub(crate) use wire::request;

/// The actions, and whether they can change something.
pub(crate) const ACTIONS: [(&str, Effect); 7] = [
    ("CreateBucket", Effect::Changes),
    ("DeleteObject", Effect::Changes),
    ("GetObject", Effect::Reads),
    ("HeadBucket", Effect::Reads),
    ("HeadObject", Effect::Reads),
    ("ListObjectsV2", Effect::Reads),
    ("PutObject", Effect::Changes),
];

/// Whether an action can change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Changes,
    Reads,
}

/// What an action works on.
pub(crate) struct Call<'a> {
    pub(crate) region: &'a mut Region,
    pub(crate) parameters: &'a Parameters,
    pub(crate) conditions: ConditionalWrites,
    pub(crate) now: Timestamp,
}

/// The answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, content_type: XML, ..Self::default() }
    }

    pub(crate) fn xml(xml: Xml) -> Self {
        Self { status: 200, content_type: XML, body: xml.into_string(), ..Self::default() }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(crate) const XML: &str = "application/xml";

/// Handles one call. A refused one changes nothing.
pub(crate) fn handle(world: &mut World, request: &Request, now: Timestamp) -> Response {
    let id = next_request_id(world);
    let home = home(world, request);
    let settings = world.settings.clone();
    let conditions = settings.conditional_writes;
    let region = world.region(&request.place(), now);
    let view = View { region, neighbours: &[], settings: &settings, now };
    let allowed = authorize(request, view);
    for table in region.tables_mut() {
        table.1.seal();
    }
    let mut call = Call { region, parameters: &request.parameters, conditions, now };
    let answer = match (home, allowed) {
        (Some(home), _) if home.account() != request.account => Err(of_others(&request.action)),
        (Some(home), _) if home.region() != request.region => Err(elsewhere()),
        (Some(_) | None, Err(refused)) => Err(refused),
        (Some(_) | None, Ok(())) => run(&mut call, &request.action),
    };
    let date = wire::http_date(now);
    let mut response = match answer {
        Ok(Answer { status, headers, content_type, body }) => {
            Response { status, content_type, request_id: id, error: None, body, headers }
        }
        Err(failure) => Response::failure(request.speech(), id, &failure),
    };
    response.headers.push(("date", date));
    response.headers.push(("x-amz-request-id", response.request_id.clone()));
    let home = self::home(world, request).map(|home| home.region().to_owned());
    response.headers.extend(home.map(|home| ("x-amz-bucket-region", home)));
    if request.action.starts_with("Head") {
        response.body.clear();
    }
    response
}

fn run(call: &mut Call<'_>, action: &str) -> Outcome<Answer> {
    match action {
        "CreateBucket" => bucket::create(call),
        "HeadBucket" => bucket::head(call),
        "ListObjectsV2" => bucket::list(call),
        "PutObject" => object::put(call),
        "GetObject" | "HeadObject" => object::get(call),
        "DeleteObject" => object::delete(call),
        other => Err(Failure::unknown_action(other)),
    }
}

/// Where the bucket of a request is, if it exists: bucket names belong to no account.
fn home(world: &World, request: &Request) -> Option<Place> {
    let bucket = request.parameters.text("Bucket")?;
    let region = world.regions().find(|region| region.buckets.contains(bucket))?;
    Some(region.place())
}

fn of_others(action: &str) -> Failure {
    match action {
        "CreateBucket" => {
            let message = "The requested bucket name is not available. The bucket namespace is \
                           shared by all users of the system. Please select a different name and try again.";
            Failure::new("BucketAlreadyExists", message).with_status(409)
        }
        _ => Failure::new("AccessDenied", "Access Denied").with_status(403),
    }
}

fn elsewhere() -> Failure {
    let message = "The bucket you are attempting to access must be addressed using the specified \
                   endpoint. Please send all future requests to this endpoint.";
    Failure::new("PermanentRedirect", message).with_status(301)
}
