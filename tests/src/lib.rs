//! A stack, a local AWS and the library between them, for tests that cross crates.
//!
//! Nothing here is a mock: the library's own `observe`, `plan` and `apply` talk through the real
//! AWS SDK for Rust to `mirror-local`, in process.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ram::types::{ResourceOwner, ResourceShare, ResourceShareStatus};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use mirror_local::{Clock, Cloud, Durations, Settings, Teller};
use mirror_plan::address::Address;
use mirror_plan::apply::report::{Outcome, Report};
use mirror_plan::apply::{Journal, Options, Stop, apply};
use mirror_plan::aws::{Aws, Pace, Wanted, observe};
use mirror_plan::diagnostic::Source;
use mirror_plan::event::Reporter;
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Mode, Plan, Request, plan};
use mirror_plan::stack::Stack;

pub mod estate;
pub mod gate;
pub mod simulation;

/// The Region of every test.
pub const REGION: &str = "eu-west-1";

/// A local AWS and clients for it.
#[derive(Clone, Debug)]
pub struct Rig {
    /// The local AWS.
    pub cloud: Cloud,
    /// The library's clients for it.
    pub aws: Aws,
    /// The journal of calls in flight.
    pub journal: Arc<Journal>,
}

impl Rig {
    /// An account in which every transition is immediate.
    #[must_use]
    pub fn instant() -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        Self::over(Cloud::in_memory().with_settings(settings))
    }

    /// An account whose transitions take time, measured by the runtime: a paused runtime jumps to the next moment at
    /// which anything is to happen.
    ///
    /// # Panics
    /// If called outside of a runtime.
    #[must_use]
    pub fn in_time_of_runtime() -> Self {
        let (began, at) = (tokio::time::Instant::now(), jiff::Timestamp::now());
        let now = move || at + began.elapsed();
        let cloud = Cloud::in_memory().with_settings(Settings::default());
        let rig = Self::over(cloud.with_clock(Clock::Told(Teller::new(now))));
        Self { journal: Arc::new(Journal::in_memory(Arc::new(now))), ..rig }
    }

    /// Clients for an existing cloud.
    ///
    /// # Panics
    /// Never: the configuration has a Region.
    #[must_use]
    pub fn over(cloud: Cloud) -> Self {
        let aws = Aws::new(&config(&cloud), Pace::Local).expect("the configuration has a Region");
        let journal = Arc::new(Journal::in_memory(Arc::new(jiff::Timestamp::now)));
        Self { cloud, aws, journal }
    }

    /// The same rig with clients that also reach the other accounts of a stack.
    #[must_use]
    pub fn reaching(self, stack: &Stack) -> Self {
        let config = config(&self.cloud);
        Self { aws: reaching(self.aws, stack, (&config, Pace::Local)), ..self }
    }

    /// What the cloud holds of a stack.
    ///
    /// # Panics
    /// If the cloud cannot be observed or something in it cannot be read.
    pub async fn observe(&self, stack: &Stack) -> Observed {
        let images = stack.images();
        let wanted = Wanted::to_plan(stack, &images, Mode::Apply);
        let sight = observe(&self.aws, wanted).await.expect("the cloud answers");
        assert!(sight.findings.is_empty(), "{:?}", sight.findings);
        sight.observed
    }

    /// The plan for a stack as the cloud is now.
    ///
    /// # Panics
    /// If there is none.
    pub async fn plan(&self, stack: &Stack) -> Plan {
        self.plan_for(stack, &Request::default()).await
    }

    /// The plan for a request.
    ///
    /// # Panics
    /// If there is none.
    pub async fn plan_for(&self, stack: &Stack, request: &Request) -> Plan {
        let observed = self.observe(stack).await;
        match plan(stack, &observed, request) {
            Ok(plan) => plan,
            Err(diagnostics) => panic!("{diagnostics}"),
        }
    }

    /// Carries out a plan.
    pub async fn apply(&self, plan: &Plan) -> Report {
        self.apply_with(plan, &mut ()).await
    }

    /// Carries out a plan and reports to `reporter`.
    pub async fn apply_with(&self, plan: &Plan, reporter: &mut dyn Reporter) -> Report {
        let cloud = (&self.aws, &self.journal);
        apply(plan, cloud, &Options::default(), &Stop::new(), reporter).await
    }

    /// Brings the cloud to what the stack declares, and checks that the next plan is empty.
    ///
    /// # Panics
    /// If a change fails or anything is left to do.
    pub async fn converge(&self, stack: &Stack) {
        let plan = self.plan(stack).await;
        let report = self.apply(&plan).await;
        assert!(report.is_complete(), "{}", unfinished(&report));
        let again = self.plan(stack).await;
        let left: Vec<_> = again.changes.iter().filter(|c| !c.differences.is_empty()).collect();
        assert!(again.is_empty(), "after an apply there is still to do: {left:#?}");
    }

    /// Removes everything of the stack.
    ///
    /// # Panics
    /// If a change fails.
    pub async fn destroy(&self, stack: &Stack) {
        let request = Request { mode: Mode::Destroy, ..Request::default() };
        let plan = self.plan_for(stack, &request).await;
        let report = self.apply(&plan).await;
        assert!(report.is_complete(), "{}", unfinished(&report));
    }
}

/// An SDK configuration whose calls `cloud` answers.
#[must_use]
pub fn config(cloud: &Cloud) -> SdkConfig {
    config_of(cloud.http_client())
}

/// The same for any HTTP client.
#[must_use]
pub fn config_of(client: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::from_keys("local", "local", None);
    SdkConfig::builder()
        .behavior_version(aws_sdk_ec2::config::BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .build()
}

/// A stack from the text of a stack file.
///
/// # Panics
/// If the text is not valid.
#[must_use]
pub fn stack(text: &str) -> Stack {
    let source = Source { name: "test.mirror.hcl".to_owned(), text: text.to_owned() };
    let read = StackFile::parse(source).and_then(|file| file.stack(&Inputs::new()));
    match read {
        Ok((stack, _warnings)) => stack,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// The reference stack of the examples.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn lab() -> Stack {
    stack(include_str!("../../examples/lab.mirror.hcl"))
}

/// A stack of 28 objects of most kinds: two VPCs and subnets, load balancers and interfaces as targets, and
/// several sessions.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn wide() -> Stack {
    stack(include_str!("wide.mirror.hcl"))
}

/// The example with sources and receivers in two VPCs on a transit gateway.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn transit(gateway: &str) -> Stack {
    let text = include_str!("../../examples/transit-gateway.mirror.hcl");
    stack(&text.replace("tgw-0a1b2c3d4e5f67890", gateway))
}

/// The example with sources and receivers in two VPCs, and a Gateway Load Balancer endpoint between them.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn gateway() -> Stack {
    stack(include_str!("../../examples/gateway-load-balancer.mirror.hcl"))
}

/// A stack that shares its mirror targets with other accounts.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn sharing() -> Stack {
    stack(include_str!("sharing.mirror.hcl"))
}

/// The account that owns the VPC to which [`peered`] connects.
pub const OTHER_ACCOUNT: &str = "444455556666";

/// A stack that connects its VPC to one of another account.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn peered() -> Stack {
    stack(include_str!("accounts.mirror.hcl"))
}

/// Makes the VPC to which [`peered`] connects, in the account that owns it, and returns its id.
///
/// # Panics
/// If the cloud does not answer.
pub async fn vpc_of_another(cloud: &Cloud) -> String {
    use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
    let ec2 = aws_sdk_ec2::Client::new(&as_account(&config(cloud), OTHER_ACCOUNT));
    let name = Tag::builder().key("Name").value("sensors").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Vpc).tags(name).build();
    let make = ec2.create_vpc().cidr_block("10.99.0.0/16").tag_specifications(tags);
    let made = make.send().await.expect("the cloud answers");
    made.vpc.and_then(|vpc| vpc.vpc_id).expect("a VPC has an id")
}

/// A configuration with the credentials of an account of a local AWS.
#[must_use]
pub fn as_account(config: &SdkConfig, account: &str) -> SdkConfig {
    let credentials = Credentials::from_keys(account, "local", None);
    let provider = SharedCredentialsProvider::new(credentials);
    config.to_builder().credentials_provider(provider).build()
}

/// Clients that also reach the other accounts of a stack.
///
/// # Panics
/// If the stack does not name those accounts.
#[must_use]
pub fn reaching(aws: Aws, stack: &Stack, (config, pace): (&SdkConfig, Pace)) -> Aws {
    stack.accounts.iter().fold(aws, |aws, (name, account)| {
        let id = account.of.id().expect("the stack says which account it is");
        let there = Aws::new(&as_account(config, id.as_str()), pace);
        aws.with_account(name.clone(), there.expect("the configuration has a Region"))
    })
}

/// The resource shares of the account that are not deleted.
///
/// # Panics
/// If the cloud does not answer.
pub async fn resource_shares(cloud: &Cloud) -> Vec<ResourceShare> {
    let ram = aws_sdk_ram::Client::new(&config(cloud));
    let all = ram.get_resource_shares().resource_owner(ResourceOwner::SelfValue).send().await;
    let mut all = all.expect("the cloud answers").resource_shares.unwrap_or_default();
    all.retain(|share| share.status() == Some(&ResourceShareStatus::Active));
    all
}

/// The example with receivers in an Auto Scaling group.
///
/// # Panics
/// If it is not valid.
#[must_use]
pub fn scaling() -> Stack {
    stack(include_str!("../../examples/receivers-that-scale.mirror.hcl"))
}

/// Makes a transit gateway, as a network team would, and returns its id once VPCs can be attached to it.
///
/// # Panics
/// If the cloud does not answer.
pub async fn transit_gateway(cloud: &Cloud) -> String {
    let ec2 = aws_sdk_ec2::Client::new(&config(cloud));
    let made = ec2.create_transit_gateway().send().await.expect("the cloud answers");
    let id = made.transit_gateway.and_then(|gateway| gateway.transit_gateway_id);
    let id = id.expect("a gateway has an id");
    let describe = ec2.describe_transit_gateways().transit_gateway_ids(&id);
    loop {
        let told = describe.clone().send().await.expect("the cloud answers");
        let state = told.transit_gateways().first().and_then(|gateway| gateway.state());
        if state == Some(&aws_sdk_ec2::types::TransitGatewayState::Available) {
            return id;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The changes of a plan that were not applied, one line each.
#[must_use]
pub fn unfinished(report: &Report) -> String {
    let unfinished = report.outcomes.iter().filter_map(|change| match &change.outcome {
        Outcome::Applied { .. } => None,
        Outcome::Failed(failure) => {
            Some(format!("{} ({:?}): {failure}", change.address, change.action))
        }
        other => Some(format!("{} ({:?}): {other:?}", change.address, change.action)),
    });
    unfinished.collect::<Vec<_>>().join("\n")
}

/// The addresses that a plan acts on.
#[must_use]
pub fn touched(plan: &Plan) -> BTreeSet<Address> {
    plan.steps.iter().map(|step| step.address.clone()).collect()
}

// The examples in the book that need the local AWS.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/local.md")]
struct TheBook;
