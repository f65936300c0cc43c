//! The event stream of `--json`: one object a line, in the shape of Terraform's own stream.
//!
//! Types and members that Terraform does not have begin with `mirror_`, so programs that read Terraform's stream
//! ignore them. Nothing here reads a clock: [`Line::at`] adds the time.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::address::{Address, Key};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::event::{ChangeOutcome, Event, Failure, Outcome, Report, Work};
use crate::packet::TrafficChange;
use crate::permission::Permissions;
use crate::plan::{Action, CaptureGap, Change, Counts, Mode, Phase, Plan, Reason};
use crate::render::estimate::Estimates;
use crate::render::{permission, progress, report};
use crate::value::Value;

#[cfg(test)]
mod tests;

/// The version of the stream's shape: Terraform's.
///
/// Source: Terraform, `internal/command/views/json_view.go`. Beyond the types that are written here, 1.3 adds
/// `action_invocation`.
const UI: &str = "1.3";

/// A line of the stream, without its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Line(Map<String, Json>);

impl Line {
    fn new(level: &str, message: impl Into<String>, sort: &str, payload: Json) -> Self {
        let mut members = Map::new();
        if let Json::Object(payload) = payload {
            members.extend(payload);
        }
        members.insert("@level".to_owned(), level.into());
        members.insert("@message".to_owned(), message.into().into());
        members.insert("@module".to_owned(), "mirror.ui".into());
        members.insert("type".to_owned(), sort.into());
        Self(members)
    }

    fn info(message: impl Into<String>, sort: &str, payload: Json) -> Self {
        Self::new("info", message, sort, payload)
    }

    /// Returns the line with its time, which must be in the form of RFC 3339.
    #[must_use]
    pub fn at(mut self, timestamp: &str) -> Json {
        self.0.insert("@timestamp".to_owned(), timestamp.into());
        Json::Object(self.0)
    }
}

/// The first line: the version of `mirror`, and of the shape of the stream.
#[must_use]
pub fn version(mirror: &str) -> Line {
    Line::info(format!("mirror {mirror}"), "version", json!({ "mirror": mirror, "ui": UI }))
}

/// The line with what a plan costs and how long it takes.
#[must_use]
pub fn estimates(estimates: &Estimates) -> Line {
    Line::info("Estimates", "mirror_estimates", json!({ "estimates": estimates.to_json() }))
}

/// The line with what AWS answered about the calls of a plan.
#[must_use]
pub fn permissions(permissions: &Permissions) -> Line {
    let body = json!({ "permissions": permission::json(permissions) });
    Line::info(permission::title(permissions), "mirror_permissions", body)
}

/// The lines of a plan: every change, the summary, the outputs and the digest.
#[must_use]
pub fn plan(plan: &Plan) -> Vec<Line> {
    let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let mut lines: Vec<Line> = changes.map(|change| planned_change(plan, change)).collect();
    let counts = plan.counts();
    lines.push(summary(format!("Plan: {counts}."), counts, "plan"));
    if !plan.outputs.is_empty() {
        lines.push(planned_outputs(plan));
    }
    let digest = plan.digest().to_string();
    lines.push(Line::info(
        format!("Plan digest: {digest}"),
        "mirror_digest",
        json!({ "digest": digest }),
    ));
    lines
}

fn planned_change(plan: &Plan, change: &Change) -> Line {
    let Change { address, deposed, moved_from, action, reasons, capture, .. } = change;
    let word = action_word(*action);
    let mut body = json!({
        "resource": resource(address),
        "action": word,
        "mirror_reasons": reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if let Some(reason) = reasons.iter().find_map(reason_word) {
        body["reason"] = reason.into();
    }
    if let Some(from) = moved_from {
        body["previous_resource"] = resource(from);
    }
    if let Some(generation) = deposed {
        body["mirror_deposed"] = (*generation).into();
    }
    if let Some(capture) = capture {
        body["mirror_capture"] = json!(capture);
    }
    if let Some(owner) = change.after.as_ref().and_then(|after| plan.leaves_for(after)) {
        body["mirror_leaves_for"] = json!(owner);
    }
    if let Some(gap) = plan.capture_gap(change) {
        body["mirror_capture_gap_seconds"] = gap.estimate().as_secs().into();
        body["mirror_capture_gap_waits"] = capture_gap_waits(&gap);
    }
    if let Some(TrafficChange { begins, ends }) = TrafficChange::of(plan, change) {
        body["mirror_packets"] = json!({ "begin": begins.lines(), "end": ends.lines() });
    }
    Line::info(format!("{address}: Plan to {word}"), "planned_change", json!({ "change": body }))
}

/// The waits that a gap consists of.
fn capture_gap_waits(gap: &CaptureGap) -> Json {
    let waits = gap.waits().iter();
    waits.map(|(wait, time)| json!({ "for": wait, "seconds": time.as_secs() })).collect()
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::NoOp => "noop",
        Action::Move => "move",
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace(_) => "replace",
        Action::Delete => "delete",
    }
}

/// Terraform's word for a reason, if it has one.
fn reason_word(reason: &Reason) -> Option<&'static str> {
    match reason {
        Reason::Requested => Some("requested"),
        Reason::Forced { .. } => Some("cannot_update"),
        Reason::NotInStack => Some("delete_because_no_resource_config"),
        Reason::Absent
        | Reason::Destroy
        | Reason::LeftOver
        | Reason::Occupied { .. }
        | Reason::Changed { .. }
        | Reason::ServesReplaced { .. }
        | Reason::HoldsGroup { .. }
        | Reason::GoesWith { .. }
        | Reason::DestinationTaken => None,
    }
}

fn summary(message: String, counts: Counts, operation: &str) -> Line {
    let Counts { add, change, destroy, moved } = counts;
    // Nothing is imported, and there are no actions to invoke.
    let mut changes = json!({
        "add": add, "change": change, "import": 0, "remove": destroy, "action_invocation": 0,
        "operation": operation,
    });
    if moved > 0 {
        changes["mirror_move"] = moved.into();
    }
    Line::info(message, "change_summary", json!({ "changes": changes }))
}

fn planned_outputs(plan: &Plan) -> Line {
    let outputs = plan.outputs.iter().map(|(name, output)| {
        let action = match (&output.before, &output.after) {
            (before, after) if before == after => "noop",
            (None, _) => "create",
            (_, None) => "delete",
            (Some(_), Some(_)) => "update",
        };
        let sides = [&output.before, &output.after];
        let sensitive = sides.into_iter().flatten().any(Value::is_sensitive);
        (name.clone(), json!({ "sensitive": sensitive, "action": action }))
    });
    let outputs: Map<String, Json> = outputs.collect();
    Line::info(format!("Outputs: {}", outputs.len()), "outputs", json!({ "outputs": outputs }))
}

/// Outputs with their values.
#[must_use]
pub fn outputs(values: &BTreeMap<String, Value>) -> Line {
    let outputs: Map<String, Json> =
        values.iter().map(|(name, value)| (name.clone(), output(value))).collect();
    Line::info(format!("Outputs: {}", outputs.len()), "outputs", json!({ "outputs": outputs }))
}

/// An output in the form that `mirror output --json` also shows.
#[must_use]
pub fn output(value: &Value) -> Json {
    let sensitive = value.is_sensitive();
    let mut shown =
        json!({ "sensitive": sensitive, "type": type_of(value), "value": value.to_json() });
    if let Value::Secret(secret) = value {
        shown["mirror_digest"] = secret.digest().into();
    }
    shown
}

/// The type of a value, as Terraform's JSON writes types.
fn type_of(value: &Value) -> Json {
    match value {
        Value::Null => "dynamic".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::Secret(secret) => secret.reveal().map_or_else(|| "dynamic".into(), type_of),
        Value::String(_) | Value::Resource(_) | Value::Unknown(_) => "string".into(),
        Value::List(items) => json!(["tuple", items.iter().map(type_of).collect::<Vec<_>>()]),
        Value::Object(members) => {
            let members: Map<String, Json> =
                members.iter().map(|(name, value)| (name.clone(), type_of(value))).collect();
            json!(["object", members])
        }
    }
}

/// The lines for an event of an apply of `plan`.
#[must_use]
pub fn event(plan: &Plan, event: &Event) -> Vec<Line> {
    let message = progress::line(event).unwrap_or_default();
    match event {
        Event::Begun { total } => {
            let message = format!("{total} to do");
            vec![Line::info(message, "mirror_begun", json!({ "total": total }))]
        }
        Event::Started { work } => {
            vec![Line::info(message, "apply_start", json!({ "hook": hook(work) }))]
        }
        Event::Waiting { work, wait } => {
            let mut hook = hook(work);
            hook["wait"] = wait.as_str().into();
            let message = format!("{}: {wait}", work.address);
            vec![Line::info(message, "mirror_waiting", json!({ "hook": hook }))]
        }
        Event::Progress { work, elapsed } => {
            let hook = with_seconds(hook(work), elapsed.as_secs());
            vec![Line::info(message, "apply_progress", json!({ "hook": hook }))]
        }
        Event::Done { work, elapsed, done: _ } => {
            let hook = with_seconds(hook(work), elapsed.as_secs());
            vec![Line::info(message, "apply_complete", json!({ "hook": hook }))]
        }
        Event::Failed { work, elapsed, failure } => {
            let hook = with_seconds(hook(work), elapsed.as_secs());
            let errored = Line::info(message, "apply_errored", json!({ "hook": hook }));
            vec![errored, failed(work, failure)]
        }
        Event::Stopping { in_flight } => {
            vec![Line::info(message, "mirror_stopping", json!({ "in_flight": in_flight }))]
        }
        Event::Ended { report } => ended(plan, report),
    }
}

fn hook(work: &Work) -> Json {
    let Work { address, phase, generation, id } = work;
    let action = match phase {
        Phase::Create => "create",
        Phase::Update => "update",
        Phase::Delete => "delete",
    };
    let mut hook = json!({
        "resource": resource(address), "action": action, "mirror_generation": generation,
    });
    if let Some(id) = id {
        hook["id_key"] = "id".into();
        hook["id_value"] = id.as_str().into();
    }
    hook
}

fn with_seconds(mut hook: Json, seconds: u64) -> Json {
    hook["elapsed_seconds"] = seconds.into();
    hook
}

fn failed(work: &Work, failure: &Failure) -> Line {
    let Failure { call, code, message, request_id, help } = failure;
    let summary = match code {
        Some(code) => format!("{call} failed: {code}"),
        None => format!("{call} failed"),
    };
    let detail = [Some(message), help.as_ref()].into_iter().flatten();
    let diagnostic = json!({
        "severity": "error",
        "summary": summary,
        "detail": detail.map(String::as_str).collect::<Vec<_>>().join("\n\n"),
        "address": work.address.to_string(),
        "mirror_failure": failure_json(failure, request_id.as_deref()),
    });
    Line::new(
        "error",
        format!("Error: {summary}"),
        "diagnostic",
        json!({ "diagnostic": diagnostic }),
    )
}

fn failure_json(failure: &Failure, request_id: Option<&str>) -> Json {
    json!({ "call": failure.call, "code": failure.code, "request_id": request_id })
}

/// What was not done, the summary and the outputs.
fn ended(plan: &Plan, ended: &Report) -> Vec<Line> {
    let mut lines: Vec<Line> = ended.outcomes.iter().filter_map(left).collect();
    let counts = report::counts(ended);
    let text = report::Summary::new(plan, ended).to_string();
    let message = text.lines().next().unwrap_or_default().to_owned();
    let operation = match plan.mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
    };
    lines.push(summary(message, counts, operation));
    let values = report::outputs(plan, ended);
    if ended.is_complete() && !values.is_empty() {
        lines.push(outputs(&values));
    }
    lines
}

fn left(change: &ChangeOutcome) -> Option<Line> {
    let ChangeOutcome { address, deposed: _, moved_from: _, action, made, outcome } = change;
    let done = if made.is_some() { "finished" } else { "done" };
    let (message, because_of) = match outcome {
        Outcome::Applied { .. } | Outcome::Failed(_) => return None,
        Outcome::Skipped { because_of } => {
            (format!("{address}: Not {done} because {because_of} failed"), Some(because_of))
        }
        Outcome::NotStarted => (format!("{address}: Not {done} because the run was stopped"), None),
    };
    let body = json!({
        "resource": resource(address),
        "action": action_word(*action),
        "because_of": because_of.map(ToString::to_string),
        "id": made,
    });
    Some(Line::new("warn", message, "mirror_not_done", json!({ "change": body })))
}

fn resource(address: &Address) -> Json {
    let key = match &address.key {
        None => Json::Null,
        Some(Key::Index(index)) => (*index).into(),
        Some(Key::Name(name)) => name.as_str().into(),
    };
    json!({
        "addr": address.to_string(),
        "module": "",
        "resource": address.to_string(),
        "implied_provider": "mirror",
        "resource_type": address.kind.word(),
        "resource_name": address.name.as_str(),
        "resource_key": key,
    })
}

/// A diagnostic.
#[must_use]
pub fn diagnostic(diagnostic: &Diagnostic) -> Line {
    let Diagnostic { code, severity, title, address, labels, notes, help } = diagnostic;
    let (level, severity, word) = match severity {
        Severity::Error => ("error", "error", "Error"),
        Severity::Warning => ("warn", "warning", "Warning"),
        Severity::Information => ("info", "warning", "Information"),
    };
    let detail = notes.iter().chain(help.iter().map(|help| &help.text));
    let mut body = json!({
        "severity": severity,
        "summary": title,
        "detail": detail.map(String::as_str).collect::<Vec<_>>().join("\n"),
        "mirror_code": code.0,
    });
    if let Some(address) = address {
        body["address"] = address.to_string().into();
    }
    if let Some(label) = labels.first() {
        body["range"] = range(&label.span);
        body["snippet"] = snippet(&label.span);
    }
    Line::new(level, format!("{word}: {title}"), "diagnostic", json!({ "diagnostic": body }))
}

fn range(span: &Span) -> Json {
    let position = |byte: usize| {
        let (line, column) = span.source.position(byte);
        json!({ "line": line, "column": column, "byte": byte })
    };
    json!({
        "filename": span.source.name,
        "start": position(span.bytes.start),
        "end": position(span.bytes.end),
    })
}

/// The line on which a span begins.
fn snippet(span: &Span) -> Json {
    let text = &span.source.text;
    let start = text[..span.bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    json!({
        "context": null,
        "code": &text[start..end],
        "start_line": span.source.position(span.bytes.start).0,
        "highlight_start_offset": span.bytes.start - start,
        "highlight_end_offset": span.bytes.end.min(end) - start,
        "values": [],
    })
}
