//! `GetParameter`: the value of a parameter of Systems Manager.
//!
//! Source: Systems Manager API reference, version 2014-11-06, `GetParameter`.

use aws_smithy_runtime_api::box_error::BoxError;
use serde::{Deserialize, Serialize};

use super::{Call, Protocol, Service};

/// What is asked for.
#[derive(Clone, Debug, Serialize)]
pub(in crate::aws) struct GetParameter {
    /// The name of the parameter.
    #[serde(rename = "Name")]
    pub(in crate::aws) name: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::aws) struct Found {
    pub(in crate::aws) parameter: Parameter,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::aws) struct Parameter {
    pub(in crate::aws) value: String,
}

impl Call for GetParameter {
    const SERVICE: Service = Service {
        id: "SSM",
        signing_name: "ssm",
        fips_with_dual_stack_in_govcloud: "ssm-fips",
        protocol: Protocol::Json { target: "AmazonSSM" },
    };
    const NAME: &'static str = "GetParameter";
    type Answer = Found;

    fn body(&self) -> Result<String, BoxError> {
        Ok(serde_json::to_string(self)?)
    }

    fn read(body: &[u8]) -> Result<Found, BoxError> {
        Ok(serde_json::from_slice(body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_asked_for_by_its_name() {
        let call = GetParameter { name: "/aws/service/an \"image\"".to_owned() };
        assert_eq!(call.body().unwrap(), r#"{"Name":"/aws/service/an \"image\""}"#);
    }

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let answer =
            r#"{"Parameter":{"Name":"/a","Type":"String","Value":"ami-0a1b2c3d","Version":7}}"#;
        let found = Found { parameter: Parameter { value: "ami-0a1b2c3d".to_owned() } };
        assert_eq!(GetParameter::read(answer.as_bytes()).unwrap(), found);
        for end in 0..answer.len() {
            assert!(GetParameter::read(&answer.as_bytes()[..end]).is_err(), "{end}");
        }
        assert!(GetParameter::read(b"{}").is_err());
    }
}
