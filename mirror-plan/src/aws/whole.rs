//! Whole answers: an answer that ends too early is not an answer.
//!
//! The SDK reads XML as far as it goes, and takes a list that was cut off for a shorter one. What is missing would
//! count as not existing, and be created again. HTTP detects most of these cases by its lengths, but not a proxy that
//! cuts an answer and corrects the length.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::errors::cause;

/// An answer that broke off.
#[derive(Debug, thiserror::Error)]
#[error("the answer is incomplete")]
struct Incomplete;

/// Accepts an answer in XML only with the end of its root element. Any other answer fails like one that broke off, and
/// is requested again if that is safe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        // An error is read as far as it goes.
        let is_cut = answer.status().is_success()
            && answer.body().bytes().is_some_and(|body| !ends_with_its_root(body));
        if is_cut { Err(Incomplete.into()) } else { Ok(()) }
    }
}

impl ClassifyRetry for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        if error.and_then(|error| cause::<Incomplete>(error)).is_some() {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

/// Returns whether a document ends with the end tag of its first element.
fn ends_with_its_root(document: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(document.trim_ascii()) else { return false };
    let root = text.split('<').skip(1).find(|tag| tag.starts_with(char::is_alphabetic));
    let name = root.and_then(|tag| tag.split(|c: char| c.is_whitespace() || c == '>').next());
    let Some(name) = name else { return false };
    let end = text.strip_suffix('>').and_then(|rest| rest.strip_suffix(name));
    end.is_some_and(|rest| rest.ends_with("</"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_whole_with_the_end_of_its_root_and_not_a_byte_before() {
        let document =
            "<?xml version=\"1.0\"?>\n<Response xmlns=\"http://x/\"><a><b>1</b></a></Response>";
        assert!(ends_with_its_root(document.as_bytes()));
        assert!(ends_with_its_root(format!("{document}\n").as_bytes()));
        for end in 0..document.len() {
            assert!(!ends_with_its_root(&document.as_bytes()[..end]), "{end}");
        }
    }
}
