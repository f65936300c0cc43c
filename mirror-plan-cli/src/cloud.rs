//! The way to AWS, real or local.

use std::error::Error as _;
use std::path::Path;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::region::Region as SdkRegion;
use mirror_local::Cloud;
use mirror_plan::aws::{Aws, CallError, ErrorKind, ObserveError, Pace, Sight, Wanted, observe};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::observed::Observed;
use mirror_plan::scalar::Region;
use mirror_plan::stack::Stack;

use crate::settings::{Place, Settings};
use crate::ui::Ui;

/// The Region of a local AWS, where nobody names one.
const LOCAL_REGION: &str = "us-east-1";

/// Makes the clients. `region` is the stack's or the plan's; one that the user names wins.
pub(crate) async fn connect(
    settings: &Settings,
    region: Option<&Region>,
) -> Result<Aws, Diagnostics> {
    let region = settings.region.clone().or_else(|| region.map(Region::to_string));
    let (config, pace) = match &settings.place {
        Place::Local(folder) => (local(settings, folder, region)?, Pace::Local),
        Place::Aws => (real(settings, region).await, Pace::Aws),
    };
    Aws::new(&config, pace).map_err(|error| {
        Diagnostic::error(code::CREDENTIALS, error.to_string())
            .help("name one: `region` in the `stack` block, --region, or AWS_REGION")
            .help("or try it without AWS: mirror --local ...")
            .into()
    })
}

/// The local AWS of a folder.
pub(crate) fn open(folder: &Path) -> Result<Cloud, Diagnostics> {
    Cloud::open(folder).map_err(|error| {
        let title = format!("the local AWS in `{}` cannot be used", folder.display());
        Diagnostic::error(code::FILE, title).note(chain(&error)).into()
    })
}

fn local(
    settings: &Settings,
    folder: &Path,
    region: Option<String>,
) -> Result<SdkConfig, Diagnostics> {
    let region = region.or_else(|| settings.region_of_environment().map(str::to_owned));
    let credentials = Credentials::from_keys("local", "local", None);
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(SdkRegion::new(region.unwrap_or_else(|| LOCAL_REGION.to_owned())))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(open(folder)?.http_client())
        .build())
}

/// The standard chain of the AWS SDK: environment, profiles, SSO, containers, instances.
async fn real(settings: &Settings, region: Option<String>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(SdkRegion::new(region));
    }
    loader.load().await
}

/// What the cloud holds of a stack.
pub(crate) async fn look(aws: &Aws, stack: &Stack, ui: &mut Ui) -> Result<Observed, Diagnostics> {
    let images = stack.images();
    see(aws, Wanted { stack: stack.name.as_str(), images: &images }, ui).await
}

/// What the cloud holds of what is wanted. Warnings are told, errors are the end.
pub(crate) async fn see(
    aws: &Aws,
    wanted: Wanted<'_>,
    ui: &mut Ui,
) -> Result<Observed, Diagnostics> {
    let Sight { observed, findings } =
        observe(aws, wanted).await.map_err(|error| Diagnostics::from(unseen(&error)))?;
    let findings: Diagnostics = findings.into_iter().collect();
    let (observed, warnings) = findings.unless_errors(observed)?;
    ui.diagnostics(&warnings);
    Ok(observed)
}

fn unseen(error: &ObserveError) -> Diagnostic {
    match error {
        ObserveError::Call(call @ CallError { kind: ErrorKind::Unsent, .. }) => {
            Diagnostic::error(code::CREDENTIALS, call.to_string())
                .note(call.source().map(chain).unwrap_or_default())
                .help("check the credentials with: aws sts get-caller-identity")
                .help("or try it without AWS: mirror --local ...")
        }
        ObserveError::Call(call) => {
            let diagnostic = Diagnostic::error(code::CALL_FAILED, call.to_string());
            match call.source() {
                Some(source) => diagnostic.note(chain(source)),
                None => diagnostic,
            }
        }
        ObserveError::Answer(answer) => {
            Diagnostic::error(code::CALL_FAILED, chain(answer)).help("nothing was done; try again")
        }
    }
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.dedup();
    texts.join(": ")
}
