//! Retries: which of them the SDK may make by itself, and within which time.
//!
//! The SDK repeats any request after a 500, a broken connection or a time-out. If the call creates an object and
//! accepts no client token, that creates a second object that nobody learns about. Calls that create an object
//! therefore go through clients that send each request once; whether it is sent again is decided, and recorded, in
//! [`act`](super::act()).

use std::time::Duration;

use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// How many times a call is sent at most.
///
/// If every second call is throttled, one call in four thousand still fails after twelve attempts.
const ATTEMPTS: u32 = 12;

/// The longest that one attempt may take. By default, the SDK has no limit.
const ATTEMPT: Duration = Duration::from_secs(30);

/// The longest that a call may take, including all its attempts and the pauses between them.
const OPERATION: Duration = Duration::from_secs(300);

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(4);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Returns the behaviour of the SDK that this code is written for: it fixes what an environment variable could
/// otherwise change.
pub(super) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Returns when and how often to retry.
pub(super) fn attempts() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_backoff(LONGEST_PAUSE)
}

/// Returns the configuration for a single attempt.
pub(super) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

/// Returns the time limits.
pub(super) fn limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// Returns a partition of our own. The SDK's default partition is shared by the whole process and holds 500 tokens;
/// throttling in a busy account empties it, and from then on nothing is retried at all.
pub(super) fn partition() -> RetryPartition {
    RetryPartition::custom("mirror-plan").token_bucket(TokenBucket::unlimited()).build()
}
