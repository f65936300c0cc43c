//! S3: one object that is written only if it has not changed.
//!
//! Source: Amazon S3 user guide, "Conditional requests": `If-None-Match: *` and `If-Match` of a `PutObject`; 412 if the
//! condition does not hold, 409 if another write was in progress, 404 if there is nothing to match.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::Region;
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::errors::{AnswerError, CallError};
use super::transmission::{Watch, watched};
use super::{Aws, BoxFuture, retry};
use crate::scalar::Coordination;

/// The longest that one attempt may take: several must fit into the duration of a lease.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The largest object that is read, in bytes: a journal holds only the open entries, which are few.
const LONGEST: u64 = 64 << 20;

/// The client for S3, and whose S3 it is.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    client: aws_sdk_s3::Client,
    store: Store,
}

/// Whose S3 it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    /// AWS's, where every bucket is in a Region.
    Aws,
    /// That of a custom endpoint, which knows its buckets by path only.
    Endpoint,
}

impl Storage {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let store = if has_endpoint(config) { Store::Endpoint } else { Store::Aws };
        let limits = retry::limits().to_builder().operation_attempt_timeout(ATTEMPT).build();
        let config = aws_sdk_s3::config::Builder::from(config)
            .behavior_version(retry::behavior())
            .retry_config(retry::attempts())
            .retry_partition(retry::partition())
            .timeout_config(limits)
            .interceptor(Watch)
            // The lines of a journal have checksums, and other stores do not know those of S3.
            .request_checksum_calculation(
                aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired,
            )
            .response_checksum_validation(
                aws_sdk_s3::config::ResponseChecksumValidation::WhenRequired,
            )
            .force_path_style(store == Store::Endpoint)
            .build();
        Self { client: aws_sdk_s3::Client::from_conf(config), store }
    }
}

/// Returns whether the configuration, or its part for S3 (`AWS_ENDPOINT_URL_S3`), names an endpoint.
fn has_endpoint(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .expect("all of it is given");
    config.endpoint_url().is_some()
        || config.service_config().is_some_and(|service| service.load_config(key).is_some())
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    storage: Storage,
    bucket: String,
    key: String,
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(String);

impl Version {
    /// Returns a version that no object has.
    pub(crate) fn none() -> Self {
        Self("\"00000000000000000000000000000000\"".to_owned())
    }
}

/// What was read.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) version: Version,
    pub(crate) bytes: Vec<u8>,
    /// How long ago it was written, by the store's clock; zero if the store does not report it.
    pub(crate) age: Duration,
}

/// When an object may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// If the object does not exist.
    Absent,
    /// If the object still has this version.
    Unchanged(Version),
}

/// The outcome of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The object was written, and this is its version.
    Done(Version),
    /// The condition did not hold, or another write was under way.
    Refused,
}

impl Aws {
    /// Returns the object for a file in the place that the runs of a team share.
    pub(crate) fn object(&self, place: &Coordination, file: &str) -> Object {
        Object {
            storage: self.shared.storage.clone(),
            bucket: place.bucket().to_owned(),
            key: place.key(file),
        }
    }

    /// Creates the bucket of a place, unless it exists and is ours. This is for a local AWS, where nobody else has
    /// created it.
    ///
    /// # Errors
    /// If the bucket cannot be created.
    pub fn make_bucket<'a>(
        &'a self,
        place: &'a Coordination,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async move {
            use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
            let region = self.region().to_string();
            let elsewhere = (region != "us-east-1").then(|| {
                let constraint = BucketLocationConstraint::from(region.as_str());
                CreateBucketConfiguration::builder().location_constraint(constraint).build()
            });
            let client = &self.shared.storage.client;
            let request = client.create_bucket().bucket(place.bucket());
            let request = request.set_create_bucket_configuration(elsewhere);
            match watched(request.send(), None).await {
                (Err(error), sent) if error.code() != Some("BucketAlreadyOwnedByYou") => {
                    Err(CallError::new("CreateBucket", error, sent))
                }
                (Ok(_) | Err(_), _) => Ok(()),
            }
        })
    }
}

impl Object {
    /// Returns the same object, accessed in the Region of its bucket.
    pub(crate) async fn at_home(mut self) -> Self {
        if self.storage.store == Store::Endpoint {
            return self;
        }
        let region = match self.storage.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(answer) => answer.bucket_region,
            Err(error) => header(&error, "x-amz-bucket-region"),
        };
        let here = self.storage.client.config().region().map(Region::as_ref);
        if let Some(region) = region.filter(|region| Some(region.as_str()) != here) {
            let config = self.storage.client.config().to_builder().region(Region::new(region));
            self.storage.client = aws_sdk_s3::Client::from_conf(config.build());
        }
        self
    }

    /// Reads the object; `None` if there is none.
    pub(crate) async fn read(&self) -> Result<Option<Found>, CallError> {
        const CALL: &str = "GetObject";
        let time = AnswerTime::default();
        let request = self.storage.client.get_object().bucket(&self.bucket).key(&self.key);
        let request = request.customize().interceptor(time.clone());
        let answer = match watched(request.send(), None).await {
            (Ok(answer), _) => answer,
            (Err(error), _) if error.code() == Some("NoSuchKey") => return Ok(None),
            (Err(error), sent) => return Err(CallError::new(CALL, error, sent)),
        };
        let age = age(answer.last_modified.as_ref(), time.read().as_ref());
        let broken = |field| CallError::unreadable(AnswerError { call: CALL, field, source: None });
        let version = answer.e_tag.map(Version).ok_or_else(|| broken("ETag"))?;
        if answer.content_length.and_then(|length| u64::try_from(length).ok()) > Some(LONGEST) {
            return Err(broken("Content-Length"));
        }
        let body = answer.body.collect().await.map_err(|_| broken("body"))?;
        Ok(Some(Found { version, bytes: body.to_vec(), age }))
    }

    /// Writes the object, if the condition holds.
    pub(crate) async fn write(
        &self,
        text: String,
        condition: &Condition,
    ) -> Result<Written, CallError> {
        const CALL: &str = "PutObject";
        let request = self
            .storage
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .content_type("text/plain; charset=utf-8")
            .body(ByteStream::from(text.into_bytes()));
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Unchanged(Version(etag)) => request.if_match(etag),
        };
        match watched(request.send(), None).await {
            (Ok(answer), _) => {
                let missing = AnswerError { call: CALL, field: "ETag", source: None };
                let etag = answer.e_tag.ok_or_else(|| CallError::unreadable(missing))?;
                Ok(Written::Done(Version(etag)))
            }
            (Err(error), _) if is_refusal(&error) => Ok(Written::Refused),
            (Err(error), sent) => Err(CallError::new(CALL, error, sent)),
        }
    }
}

/// `s3://bucket/key`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage: _, bucket, key } = self;
        write!(f, "s3://{bucket}/{key}")
    }
}

/// Returns whether an error means that the condition of a write did not hold.
fn is_refusal<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let codes = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];
    error.code().is_some_and(|code| codes.contains(&code))
}

fn header<E>(error: &SdkError<E, HttpResponse>, name: &str) -> Option<String> {
    error.raw_response()?.headers().get(name).map(str::to_owned)
}

/// Returns how old something was when an answer was given, by a single clock.
fn age(written: Option<&DateTime>, answered: Option<&DateTime>) -> Duration {
    let seconds = written.zip(answered).map(|(written, at)| at.secs() - written.secs());
    Duration::from_secs(seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0))
}

/// Keeps the time at which the store answered, which the SDK's output leaves out.
#[derive(Clone, Debug, Default)]
struct AnswerTime(Arc<Mutex<Option<DateTime>>>);

impl AnswerTime {
    fn read(&self) -> Option<DateTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for AnswerTime {
    fn name(&self) -> &'static str {
        "AnswerTime"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_by_one_clock_and_never_negative() {
        let at = DateTime::from_secs;
        let seconds = |written: Option<i64>, answered: Option<i64>| {
            age(written.map(at).as_ref(), answered.map(at).as_ref()).as_secs()
        };
        assert_eq!(seconds(Some(100), Some(131)), 31);
        assert_eq!(seconds(Some(131), Some(100)), 0);
        assert_eq!(seconds(None, Some(131)), 0);
        assert_eq!(seconds(Some(100), None), 0);
    }
}
