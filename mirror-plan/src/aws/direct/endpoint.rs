//! Where a service is reached: at a configured endpoint, or else at AWS's endpoint for the Region.

use aws_sdk_elasticloadbalancingv2::config::endpoint::{
    DefaultResolver, Params, ResolveEndpoint as _,
};
use aws_smithy_runtime::client::orchestrator::endpoints::StaticUriEndpointResolver;
use aws_smithy_runtime_api::client::endpoint::{
    EndpointFuture, EndpointResolverParams, ResolveEndpoint, SharedEndpointResolver,
};
use aws_smithy_types::endpoint::Endpoint;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

use super::Service;

/// Returns the endpoint of a configuration: one that is set in code, or else `AWS_ENDPOINT_URL_` with the service's
/// name or its equivalent in a profile, or else `AWS_ENDPOINT_URL`, or else AWS's.
///
/// Source: AWS SDKs and tools reference guide, "Service-specific endpoints".
pub(super) fn resolver(config: &SdkConfig, service: Service) -> SharedEndpointResolver {
    let given = config.endpoint_url().map(str::to_owned);
    let of_service = || {
        let key = ServiceConfigKey::builder()
            .service_id(service.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .expect("all of it is given");
        config.service_config().and_then(|settings| settings.load_config(key))
    };
    let url = if config.get_origin("endpoint_url").is_client_config() {
        given
    } else {
        of_service().or(given)
    };
    match url {
        Some(url) => SharedEndpointResolver::new(StaticUriEndpointResolver::uri(url)),
        None => SharedEndpointResolver::new(BesideBalancing {
            params: of_aws(config.region(), (config.use_fips(), config.use_dual_stack())),
            service,
        }),
    }
}

/// Returns what AWS's endpoint depends on.
fn of_aws(region: Option<&Region>, (fips, dual_stack): (Option<bool>, Option<bool>)) -> Params {
    Params::builder()
        .set_region(region.map(ToString::to_string))
        .use_fips(fips.unwrap_or(false))
        .use_dual_stack(dual_stack.unwrap_or(false))
        .build()
        .expect("what has no default is given")
}

/// Resolves AWS's endpoint for a Region. In every partition, with and without FIPS and dual stack, it is that of
/// Elastic Load Balancing except for the name, and the SDK has the rules for that one.
#[derive(Debug)]
struct BesideBalancing {
    params: Params,
    service: Service,
}

impl ResolveEndpoint for BesideBalancing {
    fn resolve_endpoint<'a>(&'a self, _params: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(async move {
            let balancing = DefaultResolver::new().resolve_endpoint(&self.params).await?;
            let Service { signing_name, fips_with_dual_stack_in_govcloud: gov, .. } = self.service;
            let url = balancing.url();
            let url = if url.contains("-fips.us-gov-") {
                // All endpoints in GovCloud are FIPS endpoints, but only few have it in their names.
                let name = if url.ends_with(".api.aws") { gov } else { signing_name };
                url.replacen("//elasticloadbalancing-fips", &format!("//{name}"), 1)
            } else {
                url.replacen("//elasticloadbalancing", &format!("//{signing_name}"), 1)
            };
            Ok(Endpoint::builder().url(url).build())
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_types::origin::Origin;
    use aws_types::service_config::LoadServiceConfig;

    use super::super::Call as _;
    use super::super::metric_data::Batch;
    use super::super::parameter::GetParameter;
    use super::*;

    async fn url(
        service: Service,
        (region, fips, dual_stack): (&'static str, bool, bool),
    ) -> String {
        let params = of_aws(Some(&Region::from_static(region)), (Some(fips), Some(dual_stack)));
        let resolver = BesideBalancing { params, service };
        let found = resolver.resolve_endpoint(&EndpointResolverParams::new(())).await;
        found.unwrap().url().to_owned()
    }

    /// What AWS's own rules for CloudWatch and for Systems Manager say (the test cases of their models).
    #[tokio::test]
    async fn the_endpoints_are_those_of_the_services_own_rules() {
        let rules = [
            (("us-east-1", true, true), "-fips.us-east-1.api.aws"),
            (("us-east-1", true, false), "-fips.us-east-1.amazonaws.com"),
            (("us-east-1", false, true), ".us-east-1.api.aws"),
            (("us-east-1", false, false), ".us-east-1.amazonaws.com"),
            (("cn-northwest-1", false, true), ".cn-northwest-1.api.amazonwebservices.com.cn"),
            (("cn-northwest-1", false, false), ".cn-northwest-1.amazonaws.com.cn"),
            (("cn-north-1", true, false), "-fips.cn-north-1.amazonaws.com.cn"),
            (("eusc-de-east-1", false, false), ".eusc-de-east-1.amazonaws.eu"),
            (("us-iso-east-1", false, false), ".us-iso-east-1.c2s.ic.gov"),
            (("us-isob-east-1", true, false), "-fips.us-isob-east-1.sc2s.sgov.gov"),
            (("us-gov-west-1", false, false), ".us-gov-west-1.amazonaws.com"),
            (("us-gov-west-1", true, false), ".us-gov-west-1.amazonaws.com"),
            (("us-gov-west-1", false, true), ".us-gov-west-1.api.aws"),
        ];
        for (of, expected) in rules {
            let monitoring = url(Batch::SERVICE, of).await;
            assert_eq!(monitoring, format!("https://monitoring{expected}"), "{of:?}");
            let parameters = url(GetParameter::SERVICE, of).await;
            assert_eq!(parameters, format!("https://ssm{expected}"), "{of:?}");
        }
        let both = ("us-gov-east-1", true, true);
        let monitoring = url(Batch::SERVICE, both).await;
        assert_eq!(monitoring, "https://monitoring.us-gov-east-1.api.aws");
        let parameters = url(GetParameter::SERVICE, both).await;
        assert_eq!(parameters, "https://ssm-fips.us-gov-east-1.api.aws");
    }

    /// An environment with one variable.
    #[derive(Debug)]
    struct OneVariable(&'static str);

    impl LoadServiceConfig for OneVariable {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            let name = format!("{}_{}", key.env(), key.service_id().to_uppercase());
            (name == self.0).then(|| "http://of.service:1".to_owned())
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_is_configured_wins_over_aws_s() {
        let region = || SdkConfig::builder().region(Region::from_static("eu-west-1"));
        let own = || OneVariable("AWS_ENDPOINT_URL_CLOUDWATCH");
        let elsewhere = "http://elasticloadbalancing.local:2";
        let from = |origin, mut builder: aws_types::sdk_config::Builder| {
            builder.insert_origin("endpoint_url", origin);
            builder
        };
        let (code, environment) = (Origin::shared_config(), Origin::shared_environment_variable());
        let cases = [
            (region(), "https://monitoring.eu-west-1.amazonaws.com"),
            (region().service_config(own()), "http://of.service:1"),
            (from(environment, region().endpoint_url(elsewhere)), elsewhere),
            (
                from(environment, region().endpoint_url(elsewhere).service_config(own())),
                "http://of.service:1",
            ),
            (from(code, region().endpoint_url(elsewhere).service_config(own())), elsewhere),
            (
                region().service_config(OneVariable("AWS_ENDPOINT_URL_EC2")),
                "https://monitoring.eu-west-1.amazonaws.com",
            ),
        ];
        for (builder, expected) in cases {
            let params = EndpointResolverParams::new(());
            let resolver = resolver(&builder.build(), Batch::SERVICE);
            let found = resolver.resolve_endpoint(&params).await.unwrap();
            assert_eq!(found.url(), expected);
        }
    }
}
