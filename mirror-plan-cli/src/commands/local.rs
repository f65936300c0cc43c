//! `mirror local`: the local AWS itself.

use std::path::PathBuf;

use mirror_local::{Cloud, LoggedCall, Place, Policy, PolicyError, Server};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};

use super::Ended;
use crate::cli::LocalCommand;
use crate::cloud::LocalAws;
use crate::exit::ExitStatus;
use crate::settings::{JOURNALS, Settings};
use crate::ui::{self, Form, Ui};

pub(crate) async fn run(command: &LocalCommand, settings: &Settings, ui: &mut Ui) -> Ended {
    let local = settings.local();
    match command {
        LocalCommand::Serve { port, policy } => {
            let cloud = local.open()?;
            cloud.set_policies(policies(policy)?);
            serve(cloud, *port, ui).await?;
        }
        LocalCommand::Reset => {
            local.reset()?;
            forget_journals(&local)?;
            ui.note(format_args!("The local AWS in {} is empty.", local.folder().display()));
        }
        LocalCommand::Log { json } => log(&local.open()?, Form::from(*json), ui)?,
    }
    Ok(ExitStatus::Done)
}

/// Deletes the journals: what was in progress in a cloud that is now empty can no longer be found out.
fn forget_journals(local: &LocalAws) -> Result<(), Diagnostics> {
    let journals = local.folder().join(JOURNALS);
    match std::fs::remove_dir_all(&journals) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let title = format!("the journals in `{}` cannot be removed", journals.display());
            Err(ui::file_error(title, &error).into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads policies; a file may hold several, one after another, as `mirror iam` prints them.
fn policies(files: &[PathBuf]) -> Result<Vec<Policy>, Diagnostics> {
    let mut policies = Vec::new();
    for path in files {
        let file = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ui::file_error(format!("`{file}` cannot be read"), &error))?;
        let wrong = |why: &dyn std::fmt::Display| {
            Diagnostic::error(code::FILE, format!("`{file}` is not an IAM policy"))
                .note(why.to_string())
        };
        for document in serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>() {
            let document = document.map_err(|error| wrong(&error))?;
            let policy = document.to_string().parse();
            policies.push(policy.map_err(|error: PolicyError| wrong(&error))?);
        }
    }
    Ok(policies)
}

async fn serve(cloud: Cloud, port: u16, ui: &mut Ui) -> Result<(), Diagnostics> {
    let server = Server::bind(cloud, port).await.map_err(|error| {
        ui::file_error(format!("port {port} of 127.0.0.1 cannot be used"), &error)
            .help("name another one, or 0 for any that is free: --port 0")
    })?;
    ui.data(format_args!("http://{}\n", server.address()));
    ui.note(
        "Serving until interrupted. For the AWS CLI and SDKs set AWS_ENDPOINT_URL to this address;\n\
         any credentials will do.",
    );
    server.run(ui::interrupted()).await;
    Ok(())
}

fn log(cloud: &Cloud, form: Form, ui: &mut Ui) -> Result<(), Diagnostics> {
    let calls =
        cloud.log().map_err(|error| ui::file_error("the log of calls cannot be read", &error))?;
    for call in &calls {
        if form == Form::Json {
            let line = serde_json::to_string(call).map_err(|error| {
                ui::file_error("a call cannot be written as JSON", &error.into())
            })?;
            ui.data(format_args!("{line}\n"));
        } else {
            ui.data(format_args!("{}\n", shown(call)));
        }
    }
    Ok(())
}

/// `2026-11-22T16:43:18Z eu-west-1 ec2 CreateVpc 200`; for another account `222233334444/eu-west-1`.
fn shown(call: &LoggedCall) -> String {
    let LoggedCall {
        at,
        service,
        account,
        region,
        action,
        parameters: _,
        status,
        error,
        request_id: _,
    } = call;
    let place = Place::new(account, region);
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let error = error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
    format!("{at} {place} {service} {action} {status}{error}")
}
