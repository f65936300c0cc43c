//! The other accounts of a stack: the credentials by which each is reached.
//!
//! Nothing is requested here: a missing profile, or a role that may not be assumed, shows only when the
//! account is asked for something, and a command that asks it for nothing does not need it.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use mirror_plan::address::Name;
use mirror_plan::aws::{Aws, Pace};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, Span};
use mirror_plan::plan::Plan;
use mirror_plan::scalar::{AccountId, AccountName, RoleArn};
use mirror_plan::stack::{Account, Stack};

/// The most characters of a session name: AWS STS API reference, `AssumeRole`, `RoleSessionName`.
const SESSION_NAME_MAX: usize = 64;

/// The accounts that a stack or a plan reaches besides its own.
#[derive(Debug)]
pub(crate) struct Others<'s> {
    /// The name of the stack, which the other accounts see in their logs.
    stack: Option<&'s Name>,
    accounts: BTreeMap<&'s AccountName, (&'s Account, Option<&'s Span>)>,
}

impl<'s> Others<'s> {
    /// No other accounts.
    pub(crate) const NONE: Self = Self { stack: None, accounts: BTreeMap::new() };

    /// The other accounts of a stack.
    pub(crate) fn of(stack: &'s Stack) -> Self {
        let accounts = stack.accounts.iter().map(|(name, account)| {
            let head = account.place.as_ref().map(|place| &place.head);
            (name, (&account.of, head))
        });
        Self { stack: Some(&stack.name), accounts: accounts.collect() }
    }

    /// The other accounts of a saved plan.
    pub(crate) fn planned(plan: &'s Plan) -> Self {
        let accounts = plan.accounts.iter().map(|(name, account)| (name, (account, None)));
        Self { stack: Some(&plan.stack), accounts: accounts.collect() }
    }

    /// The clients of the stack's own account, joined with those of these accounts, which are reached
    /// from there.
    pub(super) async fn joined(
        &self,
        own: Aws,
        (config, pace): (&SdkConfig, Pace),
    ) -> Result<Aws, Diagnostics> {
        let mut joined = own;
        for (&name, &(account, head)) in &self.accounts {
            let credentials = match (account, pace) {
                (Account::Role { role, external_id }, _) => {
                    self.assumed((role, external_id.as_deref()), config).await
                }
                (Account::Profile { profile, account: _ }, Pace::Aws) => {
                    of_profile(profile, config)
                }
                (Account::Profile { profile: _, account }, Pace::Local) => {
                    let account = account.as_ref().ok_or_else(|| no_account(name, head))?;
                    local(account)
                }
            };
            let there = config
                .to_builder()
                .credentials_provider(credentials)
                .identity_cache(IdentityCache::lazy().build())
                .build();
            let there = Aws::new(&there, pace).map_err(|error| {
                Diagnostics::from(Diagnostic::error(code::CREDENTIALS, error.to_string()))
            })?;
            joined = joined.with_account(name.clone(), there);
        }
        Ok(joined)
    }

    /// Credentials of a role, which the stack's own credentials assume when they are needed.
    async fn assumed(
        &self,
        (role, external_id): (&RoleArn, Option<&str>),
        config: &SdkConfig,
    ) -> SharedCredentialsProvider {
        let stack = self.stack.map(Name::as_str).unwrap_or_default();
        let mut session = format!("mirror-{stack}");
        session.truncate(SESSION_NAME_MAX);
        let role =
            AssumeRoleProvider::builder(role.as_str()).session_name(session).configure(config);
        let role = match external_id {
            Some(external_id) => role.external_id(external_id),
            None => role,
        };
        SharedCredentialsProvider::new(role.build().await)
    }
}

/// Credentials of a profile, regardless of the environment, whose variables are for the stack's own
/// account.
fn of_profile(profile: &str, config: &SdkConfig) -> SharedCredentialsProvider {
    let from = ProviderConfig::default().with_region(config.region().cloned());
    let from = match config.http_client() {
        Some(client) => from.with_http_client(client),
        None => from,
    };
    let provider = ProfileFileCredentialsProvider::builder().configure(&from).profile_name(profile);
    SharedCredentialsProvider::new(provider.build())
}

/// Credentials of an account of the local AWS, which knows no profiles.
fn local(account: &AccountId) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::from_keys(account.as_str(), "local", None))
}

/// The error that the local AWS cannot tell which account is meant.
fn no_account(name: &AccountName, head: Option<&Span>) -> Diagnostics {
    let title = format!("`{name}` does not name its account, and a local AWS has no profiles");
    Diagnostic::error(code::CREDENTIALS, title)
        .at(head.cloned(), "declared here")
        .help("add the account: `account = \"444455556666\"`")
        .into()
}
