//! A refused call: AWS's error code, a message, and the HTTP status they travel with.

use std::fmt;

/// Why a call was refused, in the terms of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error code, such as `InvalidVpcID.NotFound`.
    pub code: String,
    /// The message for a person.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

/// The result of handling one action.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Makes a client error (HTTP 400).
    pub fn new(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { code: code.into(), message: message.to_string(), status: 400 }
    }

    /// Gives the failure another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A required parameter is absent.
    pub fn missing(parameter: &str) -> Self {
        Self::new(
            "MissingParameter",
            format_args!("The request must contain the parameter {parameter}"),
        )
    }

    /// A parameter's value is not acceptable.
    pub fn invalid(value: &str, parameter: &str, why: impl fmt::Display) -> Self {
        let message =
            format_args!("Value ({value}) for parameter {parameter} is invalid. {why}").to_string();
        Self::new("InvalidParameterValue", message)
    }

    /// Parameters exclude or require each other.
    pub fn combination(message: impl fmt::Display) -> Self {
        Self::new("InvalidParameterCombination", message)
    }

    /// Something else still needs the object.
    pub fn dependency(message: impl fmt::Display) -> Self {
        Self::new("DependencyViolation", message)
    }

    /// The call would have succeeded, had it not been a dry run.
    pub fn dry_run() -> Self {
        Self::new("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
            .with_status(412)
    }

    /// Whether the call is valid and something that exists prevents it: another object, or the state or the number of
    /// objects.
    pub(crate) fn is_of_state(&self) -> bool {
        const CODES: [&str; 8] = [
            "CannotDelete",
            "DependencyViolation",
            "Gateway.NotAttached",
            "InsufficientFreeAddressesInSubnet",
            "InvalidSubnet.Conflict",
            "OperationNotPermitted",
            "Resource.AlreadyAssociated",
            "RouteAlreadyExists",
        ];
        const PARTS: [&str; 6] = [
            "AlreadyExists",
            "Duplicate",
            "InUse",
            "IncorrectInstanceState",
            "IncorrectState",
            "LimitExceeded",
        ];
        CODES.contains(&&*self.code) || PARTS.iter().any(|part| self.code.contains(part))
    }

    /// This local AWS does not know the action.
    pub fn unknown_action(action: &str) -> Self {
        Self::new(
            "InvalidAction",
            format_args!(
                "The action {action} is not valid for this web service: \
                 mirror-local does not implement it"
            ),
        )
    }

    /// The local AWS itself failed, for instance because its directory cannot be read.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new("InternalError", message).with_status(500)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}
