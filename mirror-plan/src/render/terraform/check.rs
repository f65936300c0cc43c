//! Checks: what was found about the stack, one check for each code.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::diagnostic::{Code, Diagnostic, Severity};

/// The member `checks`: each code as one check, with the resources that it was found for.
pub(super) fn checks<'d>(findings: impl IntoIterator<Item = &'d Diagnostic>) -> Vec<Json> {
    let mut by_code: BTreeMap<Code, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in findings {
        by_code.entry(finding.code).or_default().push(finding);
    }
    by_code.into_iter().map(|(code, findings)| check(code, &findings)).collect()
}

fn check(code: Code, findings: &[&Diagnostic]) -> Json {
    let name = code.0.to_ascii_lowercase();
    let instances: Json = findings
        .iter()
        .map(|finding| {
            let Diagnostic { code: _, severity, title, address, labels: _, notes: _, help: _ } =
                finding;
            let message = match address {
                Some(address) => format!("{address}: {title}"),
                None => title.clone(),
            };
            json!({
                "address": { "to_display": format!("check.{name}") },
                "status": status(*severity),
                "problems": [{ "message": message }],
            })
        })
        .collect();
    let worst = findings.iter().map(|finding| finding.severity).min().map_or("pass", status);
    json!({
        "address": { "to_display": format!("check.{name}"), "kind": "check", "name": name },
        "status": worst,
        "instances": instances,
    })
}

/// Terraform has no warnings for checks: whatever needs attention has failed.
const fn status(severity: Severity) -> &'static str {
    match severity {
        Severity::Error | Severity::Warning => "fail",
        Severity::Information => "pass",
    }
}
