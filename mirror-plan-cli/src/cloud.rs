//! Access to AWS, real or local.

use std::error::Error as _;
use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::ConnectorBuilder;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_types::region::Region as SdkRegion;
use aws_types::sdk_config::SharedHttpClient;
use mirror_plan::address::{Address, Name};
use mirror_plan::apply::adopt::AdoptError;
use mirror_plan::apply::journal::{Clock, JournalError, Scope};
use mirror_plan::apply::recover::{Next, RecoverError};
use mirror_plan::apply::{Journal, recover};
use mirror_plan::aws::{
    self, Aws, CallError, ErrorKind, ObserveError, Pace, Sight, Wanted, observe,
};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, with_causes};
use mirror_plan::iam::Location;
use mirror_plan::id::ObjectId;
use mirror_plan::lint;
use mirror_plan::metrics::{Metrics, Window};
use mirror_plan::observed::{Observed, Stranger, Strangers};
use mirror_plan::plan::{Adoption, Mode, Plan};
use mirror_plan::scalar::{AccountId, Coordination, Region};
use mirror_plan::stack::Stack;
use mirror_plan::verify::TargetGroups;

use crate::settings::{Place, Settings};
use crate::ui::{Interrupts, Ui};

mod accounts;
mod local;

pub(crate) use accounts::Others;
pub(crate) use local::{LocalAws, connect_to};

/// Makes the clients for a stack, and for the accounts that it reaches.
pub(crate) async fn connect_for(settings: &Settings, stack: &Stack) -> Result<Aws, Diagnostics> {
    connect(settings, stack.region.as_ref(), &Others::of(stack)).await
}

/// Makes the clients. `region` is the Region of the stack or plan; one that the user names wins.
pub(crate) async fn connect(
    settings: &Settings,
    region: Option<&Region>,
    others: &Others<'_>,
) -> Result<Aws, Diagnostics> {
    let region = settings.region.clone().or_else(|| region.map(Region::to_string));
    let (config, pace) = match &settings.place {
        Place::Local(local) => (local.config(settings, region)?, Pace::Local),
        Place::Aws => (real(settings, region).await, Pace::Aws),
    };
    let aws = Aws::new(&config, pace).map_err(|error| {
        Diagnostics::from(
            Diagnostic::error(code::CREDENTIALS, error.to_string())
                .help("name one: `region` in the `stack` block, --region, or AWS_REGION")
                .help("or try it without AWS: mirror --local ..."),
        )
    })?;
    let aws = others.joined(aws, (&config, pace)).await?;
    Ok(match settings.settle_window()? {
        Some(window) => aws.with_settle_window(window),
        None => aws,
    })
}

/// The account and Region of a stack. AWS is asked for what the stack does not state.
pub(crate) async fn location(stack: &Stack, settings: &Settings) -> Result<Location, Diagnostics> {
    if let (Some(account), Some(region)) = (&stack.account, &stack.region) {
        return Ok(Location { account: account.clone(), region: region.clone() });
    }
    let aws = connect(settings, stack.region.as_ref(), &Others::NONE).await?;
    let account = match &stack.account {
        Some(account) => account.clone(),
        None => account(&aws).await?,
    };
    let region = stack.region.clone().unwrap_or_else(|| aws.region().clone());
    Ok(Location { account, region })
}

/// The account that the credentials belong to.
pub(crate) async fn account(aws: &Aws) -> Result<AccountId, Diagnostics> {
    aws.account().await.map_err(|error| unseen(&error).into())
}

/// Observes the wanted objects in a cloud that nobody else works on.
pub(crate) async fn observe_alone(aws: &Aws, wanted: Wanted<'_>) -> Result<Observed, Diagnostics> {
    let sight = observe(aws, wanted).await.map_err(|error| unseen(&error))?;
    let findings: Diagnostics = sight.findings.into_iter().collect();
    findings.unless_errors(sight.observed).map(|(observed, _)| observed)
}

/// The standard chain of the AWS SDK: environment, profiles, SSO, containers, instances.
async fn real(settings: &Settings, region: Option<String>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https());
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(SdkRegion::new(region));
    }
    loader.load().await
}

/// The HTTP client that the AWS SDK would choose itself, with the proxies of the environment
/// (`HTTPS_PROXY`, `NO_PROXY`). The SDK is built without it, so that building its large crates need not
/// wait for the TLS stack.
fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector =
            ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|of| of.sleep_impl()));
        connector.proxy_config(ProxyConfig::from_env()).build()
    })
}

/// What the cloud holds of a stack. Warnings are printed, errors are returned.
pub(crate) async fn look(
    aws: &Aws,
    (stack, next): (&Stack, Next),
    settings: &Settings,
    ui: &mut Ui,
) -> Result<Observed, Diagnostics> {
    told(see(aws, (stack, next), settings, ui).await?, ui)
}

/// What the cloud holds of a stack, with findings about it.
pub(crate) async fn see(
    aws: &Aws,
    (stack, next): (&Stack, Next),
    settings: &Settings,
    ui: &mut Ui,
) -> Result<Sight, Diagnostics> {
    let images = stack.images();
    let wanted = match next {
        Next::Plan(mode) => Wanted::to_plan(stack, &images, mode),
        Next::Nothing => Wanted::to_plan(stack, &images, Mode::Apply),
    };
    let scope = scope(aws, &stack.name).await?;
    let journal = match &stack.coordination {
        None => Journal::look(&settings.journals(), &scope, clock()()),
        Some(place) => {
            make_local_bucket((aws, place), settings).await?;
            Journal::look_shared((aws, place), &scope, &clock()).await
        }
    };
    let sight = match journal {
        Ok(ledger) => {
            let mut waiting = ui.waiting();
            recover::look(aws, (wanted, next), ledger, &clock(), &mut waiting).await
        }
        Err(error @ JournalError::Held(_)) => {
            ui.note(format_args!("{error}\nThe changes that it makes may show as differences.\n"));
            observe(aws, wanted).await
        }
        Err(error) => return Err(unusable(&error).into()),
    };
    Ok(sight.map_err(|error| unseen(&error))?)
}

/// The sessions that belong to others on the interfaces that a stack mirrors.
pub(crate) async fn strangers(
    aws: &Aws,
    observed: &Observed,
) -> Result<Vec<Stranger>, Diagnostics> {
    Ok(aws::strangers(aws, observed).await.map_err(|error| unseen(&error))?)
}

/// The target groups of a stack that exist, with the health of their targets.
pub(crate) async fn target_health(
    aws: &Aws,
    observed: &Observed,
) -> Result<TargetGroups, Diagnostics> {
    Ok(aws::target_health(aws, observed).await.map_err(|error| unseen(&error))?)
}

/// What CloudWatch has counted of a stack.
pub(crate) async fn metrics(
    aws: &Aws,
    observed: &Observed,
    window: Window,
) -> Result<Metrics, Diagnostics> {
    aws::metrics(aws, observed, window).await.map_err(|error| {
        let diagnostic = unseen(&error);
        match error {
            ObserveError::Call(CallError { kind: ErrorKind::Denied, .. }) => {
                diagnostic.help("to print what has to be allowed: mirror iam --metrics").into()
            }
            ObserveError::Call(_) | ObserveError::Answer(_) => diagnostic.into(),
        }
    })
}

/// Objects of others that are in the way of a stack; nothing is in the way of one that is destroyed.
pub(crate) async fn in_the_way(
    aws: &Aws,
    (stack, mode): (&Stack, Mode),
    observed: &Observed,
) -> Result<Strangers, Diagnostics> {
    match mode {
        Mode::Destroy => Ok(Strangers::default()),
        Mode::Apply => {
            Ok(aws::in_the_way(aws, stack, observed).await.map_err(|error| unseen(&error))?)
        }
    }
}

/// Objects of others inside the objects that a plan removes, as findings about the plan.
pub(crate) async fn occupied(
    aws: &Aws,
    stack: &Stack,
    plan: &Plan,
) -> Result<Diagnostics, Diagnostics> {
    let occupants = aws::occupants(aws, plan).await.map_err(|error| unseen(&error))?;
    Ok(lint::check_removal(stack, plan, &occupants))
}

/// Takes the journal of a stack: nobody else changes the stack until the journal is released or its
/// lease has expired.
pub(crate) async fn take(
    aws: &Aws,
    (stack, place): (&Name, Option<&Coordination>),
    (command, settings): (&str, &Settings),
    ui: &mut Ui,
) -> Result<Arc<Journal>, Diagnostics> {
    let (folder, holder) = (settings.journals(), settings.holder(command));
    let scope = scope(aws, stack).await?;
    let journal = match place {
        None => Journal::open(&folder, &scope, &holder, clock()).map(Arc::new),
        Some(place) => {
            make_local_bucket((aws, place), settings).await?;
            let mut waiting = ui.waiting();
            Journal::open_shared((aws, place), &scope, &holder, clock(), &mut waiting).await
        }
    };
    journal.map_err(|error| unusable(&error).into())
}

/// Lets the next run have the journal. An interrupt ends the attempt: then the next run waits until the lease runs out.
pub(crate) async fn release(journal: &Journal) {
    let mut interrupts = Interrupts::listen();
    tokio::select! {
        () = journal.release() => {}
        () = interrupts.next() => {}
    }
}

/// Creates the bucket in a local AWS, where nobody else would have created it.
async fn make_local_bucket(
    (aws, place): (&Aws, &Coordination),
    settings: &Settings,
) -> Result<(), Diagnostics> {
    match settings.place {
        Place::Aws => Ok(()),
        Place::Local(_) => aws.make_bucket(place).await.map_err(|error| {
            Diagnostic::error(code::JOURNAL, format!("there is no `{place}`"))
                .note(with_causes(&error))
                .into()
        }),
    }
}

/// What the cloud holds of the wanted objects, after finding out what became of an earlier run.
pub(crate) async fn settle(
    cloud: (&Aws, &Journal),
    wanted: Wanted<'_>,
    mode: Mode,
    ui: &mut Ui,
) -> Result<Observed, Diagnostics> {
    told(settled(cloud, wanted, mode, ui).await?, ui)
}

/// The same, with what was seen and cannot be planned with.
pub(crate) async fn settled(
    (aws, journal): (&Aws, &Journal),
    wanted: Wanted<'_>,
    mode: Mode,
    ui: &mut Ui,
) -> Result<Sight, Diagnostics> {
    let sight = recover(aws, wanted, journal, mode, &mut ui.waiting()).await;
    Ok(sight.map_err(|error| match error {
        RecoverError::Observe(error) => unseen(&error),
        RecoverError::Journal(error) => unusable(&error),
    })?)
}

/// The objects that are to become these resources. Warns of what a stack file cannot express of them.
pub(crate) async fn candidates(
    aws: &Aws,
    stack: &Name,
    wanted: &[(Address, ObjectId)],
    ui: &mut Ui,
) -> Result<Vec<Adoption>, Diagnostics> {
    let (adoptions, told) = looked_at(aws::candidates(aws, stack.as_str(), wanted).await)?;
    let told: Diagnostics = told.into_iter().collect();
    let (adoptions, warnings) = told.unless_errors(adoptions)?;
    ui.diagnostics(&warnings);
    Ok(adoptions)
}

/// The result of observing the account, with a failure as a diagnostic.
pub(crate) fn looked_at<T>(seen: Result<T, ObserveError>) -> Result<T, Diagnostics> {
    seen.map_err(|error| unseen(&error).into())
}

/// The result of an adoption, with a failure as a diagnostic.
pub(crate) fn adopted(
    ended: Result<(), AdoptError>,
    Adoption { address, found }: &Adoption,
) -> Result<(), Diagnostics> {
    let diagnostic = match ended {
        Ok(()) => return Ok(()),
        Err(AdoptError::Journal(error)) => unusable(&error),
        Err(AdoptError::Observe(error)) => unseen(&error),
        Err(AdoptError::Act(error)) => {
            let title = format!("{} was not adopted: {}", found.id, with_causes(&error));
            Diagnostic::error(code::CALL_FAILED, title).of(address)
        }
    };
    Err(diagnostic.help("run it again: it skips what is already adopted").into())
}

async fn scope(aws: &Aws, stack: &Name) -> Result<Scope, Diagnostics> {
    let account = account(aws).await?;
    Ok(Scope { stack: stack.clone(), account, region: aws.region().clone() })
}

fn clock() -> Clock {
    Arc::new(jiff::Timestamp::now)
}

pub(crate) fn unusable(error: &JournalError) -> Diagnostic {
    match error {
        JournalError::Held(_) => Diagnostic::error(code::LOCKED, error.to_string())
            .note("nothing was done")
            .help("wait until it has ended, or stop it: its changes are not lost"),
        JournalError::Lost(_) => Diagnostic::error(code::LEASE_LOST, error.to_string())
            .note("completed changes stay, and nothing more was started")
            .help("run again when the other has ended: it then plans from the current state"),
        JournalError::Object { error: call, .. } => {
            let diagnostic =
                Diagnostic::error(code::JOURNAL, error.to_string()).note(with_causes(&**call));
            match object_help(call) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }
        JournalError::Unconditional { .. } => {
            Diagnostic::error(code::NO_CONDITIONAL_WRITES, error.to_string())
                .note("two runs could not exclude each other there, so nothing was done")
                .help("name a bucket of Amazon S3, or of a store that honours conditional writes")
                .help("or omit `coordination`: then only runs on one machine exclude each other")
        }
        JournalError::File { error: source, .. } => {
            Diagnostic::error(code::JOURNAL, error.to_string()).note(source.to_string())
        }
    }
}

/// What to do about a call to S3 that failed.
fn object_help(call: &CallError) -> Option<&'static str> {
    match (call.code.as_deref(), call.kind) {
        (Some("NoSuchBucket"), _) => {
            Some("create the bucket, or correct `coordination` in the `stack` block")
        }
        (_, ErrorKind::Denied) => Some(
            "allow s3:GetObject and s3:PutObject on the object, and s3:ListBucket on the bucket, \
             without which S3 does not report whether the object exists",
        ),
        _ => None,
    }
}

/// What was seen, unless something is wrong with it; warns of the rest.
pub(crate) fn told(sight: Sight, ui: &mut Ui) -> Result<Observed, Diagnostics> {
    let Sight { observed, findings } = sight;
    let findings: Diagnostics = findings.into_iter().collect();
    let (observed, warnings) = findings.unless_errors(observed)?;
    ui.diagnostics(&warnings);
    Ok(observed)
}

fn unseen(error: &ObserveError) -> Diagnostic {
    match error {
        ObserveError::Call(call @ CallError { kind: ErrorKind::Unsent, .. }) => {
            Diagnostic::error(code::CREDENTIALS, call.to_string())
                .note(call.source().map(with_causes).unwrap_or_default())
                .help("check the credentials with: aws sts get-caller-identity")
                .help("or try it without AWS: mirror --local ...")
        }
        ObserveError::Call(call) => {
            let diagnostic = Diagnostic::error(code::CALL_FAILED, call.to_string());
            match call.source() {
                Some(source) => diagnostic.note(with_causes(source)),
                None => diagnostic,
            }
        }
        ObserveError::Answer(answer) => Diagnostic::error(code::CALL_FAILED, with_causes(answer))
            .help("nothing was done; try again"),
    }
}
