//! Access to a local AWS: that of a folder, or one that is made for a rehearsal.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SystemTimeSource;
use aws_types::region::Region as SdkRegion;
use mirror_local::{Cloud, StoreError};
use mirror_plan::aws::{Aws, Pace};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, with_causes};
use mirror_plan::scalar::Region;
use mirror_plan::stack::Stack;

use super::Others;
use crate::cli::LOCAL;
use crate::settings::Settings;
use crate::shell;

/// The Region of a local AWS if none is named.
const LOCAL_REGION: &str = "us-east-1";

/// The local AWS of a folder. The first clone that needs it opens it for all clones.
#[derive(Clone, Debug)]
pub(crate) struct LocalAws {
    folder: PathBuf,
    opened: Arc<OnceLock<Result<Cloud, Diagnostics>>>,
}

impl LocalAws {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, opened: Arc::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The option that selects it, with a blank in front.
    pub(crate) fn option(&self) -> String {
        if self.folder == Path::new(LOCAL) {
            " --local".to_owned()
        } else {
            format!(" {}", shell::word(&format!("--local={}", self.folder.display())))
        }
    }

    /// Opens it, or waits until it is open.
    pub(crate) fn open(&self) -> Result<Cloud, Diagnostics> {
        let open = || Cloud::open(&self.folder).map_err(|error| self.unusable(&error));
        self.opened.get_or_init(open).clone()
    }

    /// Empties it, whatever it holds.
    pub(crate) fn reset(&self) -> Result<(), Diagnostics> {
        Cloud::open_afresh(&self.folder).map(drop).map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &StoreError) -> Diagnostics {
        let title = format!("the local AWS in `{}` cannot be used", self.folder.display());
        let diagnostic = Diagnostic::error(code::FILE, title).note(with_causes(error));
        let help = match error {
            StoreError::Access { .. } => return diagnostic.into(),
            StoreError::Damaged { .. } | StoreError::Foreign { .. } => {
                format!("start with an empty account: mirror local reset{}", self.option())
            }
        };
        diagnostic.help(help).into()
    }

    /// Begins to open it in the background, if it exists: reading ten thousand sessions takes as long as
    /// reading their stack file, and neither needs the other.
    pub(crate) fn open_ahead(&self) {
        if self.folder.is_dir() {
            let this = self.clone();
            // If no thread is available, the first caller that needs it opens it.
            drop(std::thread::Builder::new().spawn(move || this.open()));
        }
    }

    /// The configuration of its clients.
    pub(super) fn config(
        &self,
        settings: &Settings,
        region: Option<String>,
    ) -> Result<SdkConfig, Diagnostics> {
        Ok(in_process(&self.open()?, settings, region))
    }
}

/// Makes the clients for a local AWS that does not belong to a folder.
pub(crate) async fn connect_to(
    cloud: &Cloud,
    settings: &Settings,
    stack: &Stack,
) -> Result<Aws, Diagnostics> {
    let region = settings.region.clone().or_else(|| stack.region.as_ref().map(Region::to_string));
    let config = in_process(cloud, settings, region);
    let aws = Aws::new(&config, Pace::Local).map_err(|error| {
        Diagnostics::from(Diagnostic::error(code::CREDENTIALS, error.to_string()))
    })?;
    Others::of(stack).joined(aws, (&config, Pace::Local)).await
}

/// The configuration of clients whose calls a local AWS answers in this process.
fn in_process(cloud: &Cloud, settings: &Settings, region: Option<String>) -> SdkConfig {
    let region = region.or_else(|| settings.region_of_environment().map(str::to_owned));
    let credentials = Credentials::from_keys("local", "local", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(SdkRegion::new(region.unwrap_or_else(|| LOCAL_REGION.to_owned())))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(cloud.http_client())
        .time_source(SystemTimeSource::new())
        .build()
}
