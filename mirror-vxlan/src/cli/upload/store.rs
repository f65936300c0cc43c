//! The object store that a URL names, opened with the settings in the environment.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mirror_vxlan::config::Destination;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, RetryConfig};

/// Variables of AWS that name files with credentials; renewed files appear beside the old ones.
const CREDENTIAL_FILES: [&str; 2] =
    ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"];

/// How often, and for how long, one request is repeated; after that the whole file is tried again.
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_secs(30);

/// A store, and what the process that uses it reads and writes on this machine.
pub(super) struct Opened {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The beginning of every key: the prefix from the URL, and the name of this machine.
    pub(super) key_prefix: String,
    pub(super) written: Vec<PathBuf>,
    pub(super) read: Vec<PathBuf>,
}

pub(super) fn open(to: &Destination) -> Result<Opened, Box<dyn Error>> {
    let host = host_name();
    match to {
        Destination::Folder(folder) => {
            fs::create_dir_all(folder).map_err(|error| {
                format!("cannot create the folder `{}`: {error}", folder.display())
            })?;
            let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
            let written = vec![folder.clone()];
            Ok(Opened { store: Arc::new(store), key_prefix: host, written, read: Vec::new() })
        }
        Destination::S3 { bucket, prefix } => {
            let key_prefix = if prefix.is_empty() { host } else { format!("{prefix}/{host}") };
            let beside = |name| Some(Path::new(&std::env::var_os(name)?).parent()?.to_owned());
            let read = CREDENTIAL_FILES.into_iter().filter_map(beside).collect();
            Ok(Opened { store: Arc::new(s3(bucket)?), key_prefix, written: Vec::new(), read })
        }
    }
}

fn s3(bucket: &str) -> Result<impl ObjectStore, Box<dyn Error>> {
    let builder = AmazonS3Builder::from_env();
    let says = |key: AmazonS3ConfigKey| builder.get_config_value(&key).is_some();
    let has_endpoint = says(AmazonS3ConfigKey::Endpoint) || says(AmazonS3ConfigKey::S3Endpoint);
    if !says(AmazonS3ConfigKey::Region) && !has_endpoint {
        return Err(format!("cannot upload to s3://{bucket}: set AWS_REGION to its region").into());
    }
    let retry =
        RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    // S3 compares the object with this before it confirms that it is stored.
    let builder = builder.with_checksum_algorithm(Checksum::SHA256);
    Ok(builder.with_bucket_name(bucket).with_retry(retry).build()?)
}

/// The name of this machine, which distinguishes its objects from those of other machines.
///
/// It is not read from `/proc`, where a service may see nothing but processes.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
