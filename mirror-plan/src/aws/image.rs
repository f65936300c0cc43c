//! Images by the name of a public parameter of Systems Manager.

use super::Aws;
use super::answer::Answer;
use super::errors::{AnswerError, CallError};
use crate::id::ImageId;

/// Why the image that a parameter names is not known.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The parameter holds no image id.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Returns the image that `parameter` names now.
pub(super) async fn image(aws: &Aws, parameter: &str) -> Result<ImageId, ImageError> {
    let request = aws.shared.ssm.get_parameter().name(parameter);
    let answer = aws.send("GetParameter", request.send()).await?;
    let value = answer.parameter.as_ref().and_then(|parameter| parameter.value());
    Ok(Answer("GetParameter").id("Value", value)?)
}
