//! Dry runs: clients whose calls change nothing, whoever uses them for whatever purpose.
//!
//! A call is sent as it would be in earnest; the parameter `DryRun` is added on the way, below all code that could
//! forget it. A call that only reads is sent as it is. Elastic Load Balancing, Auto Scaling and Resource Access Manager
//! have no dry runs, so nothing is sent to them.

use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

use super::{Aws, changes_something};

/// Clients that change nothing.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) autoscaling: aws_sdk_autoscaling::Client,
    pub(super) ram: aws_sdk_ram::Client,
}

/// An `Aws` that only asks.
#[derive(Clone, Debug)]
pub(super) struct DryRuns(Aws);

impl DryRuns {
    /// Returns the same AWS, with the same rates, as one that only asks.
    pub(super) fn of(aws: &Aws) -> Self {
        let Aws { shared, .. } = aws;
        let ec2 = shared.ec2.config().to_builder();
        let elb = shared.elb.config().to_builder();
        let autoscaling = shared.autoscaling.config().to_builder().interceptor(Held);
        let ram = shared.ram.config().to_builder().interceptor(Held);
        let clients = Clients {
            ec2: aws_sdk_ec2::Client::from_conf(ec2.interceptor(AsDryRun).build()),
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb.interceptor(Held).build()),
            autoscaling: aws_sdk_autoscaling::Client::from_conf(autoscaling.build()),
            ram: aws_sdk_ram::Client::from_conf(ram.build()),
        };
        Self(Aws { dry: Some(Arc::new(clients)), ..aws.clone() })
    }

    /// Returns the clients, which change nothing.
    pub(super) const fn aws(&self) -> &Aws {
        &self.0
    }
}

impl Aws {
    /// Returns whether calls that would change something are only asked about.
    pub(super) const fn is_dry(&self) -> bool {
        self.dry.is_some()
    }
}

/// Turns every EC2 call that would change something into a dry run.
#[derive(Debug)]
struct AsDryRun;

impl Intercept for AsDryRun {
    fn name(&self) -> &'static str {
        "AsDryRun"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
        let form = dry(body.ok_or("a call of EC2 has a form for its body")?)?;
        if let Some(form) = form {
            request.headers_mut().insert("content-length", form.len().to_string());
            *request.body_mut() = SdkBody::from(form);
        }
        Ok(())
    }
}

/// Returns the form of a call as a dry run; `None` if the call only reads.
fn dry(form: &str) -> Result<Option<String>, &'static str> {
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let action = action.ok_or("a call of EC2 names its action")?;
    Ok(changes_something(action).then(|| format!("{form}&DryRun=true")))
}

/// Prevents every call from being sent.
#[derive(Debug)]
struct Held;

impl Intercept for Held {
    fn name(&self) -> &'static str {
        "Held"
    }

    fn modify_before_retry_loop(
        &self,
        _context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Err("the service has no dry runs".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_would_change_something_is_a_dry_run() {
        let create = dry("Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16");
        let expected = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16&DryRun=true";
        assert_eq!(create, Ok(Some(expected.to_owned())));
        assert_eq!(dry("Action=DescribeVpcs&Version=2016-11-15"), Ok(None));
        // What cannot be told is not sent.
        assert!(dry("Version=2016-11-15").is_err());
    }
}
