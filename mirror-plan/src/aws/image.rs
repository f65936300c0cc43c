//! Images by the name of a public parameter of Systems Manager.

use super::Aws;
use super::answer::Answer;
use super::direct::Call as _;
use super::direct::parameter::GetParameter;
use super::errors::{AnswerError, CallError};
use crate::id::ImageId;

/// Why the image that a parameter names is unknown.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The value of the parameter is not an image id.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Returns the image that `parameter` names now.
pub(super) async fn image(aws: &Aws, parameter: &str) -> Result<ImageId, ImageError> {
    let call = GetParameter { name: parameter.to_owned() };
    let found = aws.send(GetParameter::NAME, aws.shared.parameter.send(call)).await?;
    Ok(Answer(GetParameter::NAME).id("Value", Some(&found.parameter.value))?)
}
