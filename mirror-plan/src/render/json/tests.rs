//! Whole lines of the stream.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::code;
use crate::diagnostic::Source;
use crate::plan::{Capture, OutputChange};
use crate::resource::ReplaceOrder;

/// The lines as they are printed.
fn text(lines: impl IntoIterator<Item = Line>) -> String {
    let at = "2026-11-22T16:43:18.530609Z";
    lines.into_iter().map(|line| format!("{}\n", line.at(at))).collect()
}

fn change(address: &str, action: Action, reasons: Vec<Reason>) -> Change {
    Change {
        address: address.parse().unwrap(),
        deposed: None,
        action,
        reasons,
        id: None,
        before: None,
        after: None,
        differences: Vec::new(),
        capture: None,
        moved_from: None,
    }
}

fn plan_of(changes: Vec<Change>) -> Plan {
    Plan {
        format: Plan::FORMAT,
        stack: "lab".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        coordination: None,
        mode: Mode::Apply,
        targeted: false,
        accounts: BTreeMap::new(),
        existing: BTreeMap::new(),
        uses: BTreeMap::new(),
        sources: BTreeMap::new(),
        fan_outs: BTreeMap::new(),
        foreign_targets: BTreeMap::new(),
        network_acls: BTreeMap::new(),
        saw: BTreeMap::new(),
        changes,
        steps: Vec::new(),
        outputs: BTreeMap::new(),
        variables: BTreeMap::new(),
    }
}

#[test]
fn a_plan_is_a_line_for_each_change() {
    let forced = Reason::Forced { attribute: "cidr".to_owned() };
    let replace = Action::Replace(ReplaceOrder::DeleteThenCreate);
    let mut session = change("mirror_session.a[\"eni-1\"]", Action::Create, vec![Reason::Absent]);
    session.capture = Some(Capture::Begins);
    let mut left_over = change("mirror_target.a", Action::Delete, vec![Reason::LeftOver]);
    left_over.deposed = Some(1);
    let mut plan = plan_of(vec![
        change("vpc.same", Action::NoOp, Vec::new()),
        change("vpc.lab", replace, vec![forced]),
        change("subnet.a[0]", Action::Delete, vec![Reason::NotInStack]),
        left_over,
        session,
    ]);
    let after = Some(Value::integer(1));
    plan.outputs.insert("one".to_owned(), OutputChange { before: None, after });
    let lines = super::plan(&plan);
    let digest = plan.digest().to_string();
    let lines = text([version("0.1.0")].into_iter().chain(lines));
    assert_snapshot!(lines.replace(&digest, "sha256:..."), @r#"
    {"@level":"info","@message":"mirror 0.1.0","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","mirror":"0.1.0","type":"version","ui":"1.3"}
    {"@level":"info","@message":"vpc.lab: Plan to replace","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"replace","mirror_reasons":["`cidr` differs, which AWS cannot change on an existing object"],"reason":"cannot_update","resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"planned_change"}
    {"@level":"info","@message":"subnet.a[0]: Plan to delete","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"delete","mirror_reasons":["it is not in the stack"],"reason":"delete_because_no_resource_config","resource":{"addr":"subnet.a[0]","implied_provider":"mirror","module":"","resource":"subnet.a[0]","resource_key":0,"resource_name":"a","resource_type":"subnet"}},"type":"planned_change"}
    {"@level":"info","@message":"mirror_target.a: Plan to delete","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"delete","mirror_deposed":1,"mirror_reasons":["it is left over from an unfinished replacement"],"resource":{"addr":"mirror_target.a","implied_provider":"mirror","module":"","resource":"mirror_target.a","resource_key":null,"resource_name":"a","resource_type":"mirror_target"}},"type":"planned_change"}
    {"@level":"info","@message":"mirror_session.a[\"eni-1\"]: Plan to create","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"create","mirror_capture":"begins","mirror_reasons":["there is no such object yet"],"resource":{"addr":"mirror_session.a[\"eni-1\"]","implied_provider":"mirror","module":"","resource":"mirror_session.a[\"eni-1\"]","resource_key":"eni-1","resource_name":"a","resource_type":"mirror_session"}},"type":"planned_change"}
    {"@level":"info","@message":"Plan: 2 to add, 0 to change, 3 to destroy.","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","changes":{"action_invocation":0,"add":2,"change":0,"import":0,"operation":"plan","remove":3},"type":"change_summary"}
    {"@level":"info","@message":"Outputs: 1","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","outputs":{"one":{"action":"create","sensitive":false}},"type":"outputs"}
    {"@level":"info","@message":"Plan digest: sha256:...","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","digest":"sha256:...","type":"mirror_digest"}
    "#);
}

#[test]
fn a_change_to_a_session_says_how_long_nothing_is_mirrored() {
    use crate::plan::tests::{applied, lab, stack};
    let lines = |edits: &[(&str, &str, &str)]| {
        let mut resources = lab();
        for (address, attribute, value) in edits {
            resources[*address][*attribute] = json!(value);
        }
        let before = applied(&stack(lab()));
        let plan = crate::plan::plan(&stack(resources), &before, &Default::default()).unwrap();
        // What a saved plan reports is computed from what was saved.
        let saved = Plan::from_saved(plan.to_saved().as_bytes()).unwrap();
        assert_eq!(super::plan(&saved), super::plan(&plan));
        let session = saved.changes.iter().find(|change| change.capture.is_some()).unwrap();
        text([planned_change(&saved, session)])
    };
    let scheme = ("load_balancer.sensors", "scheme", "internet-facing");
    assert_snapshot!(lines(&[scheme]), @r#"{"@level":"info","@message":"mirror_session.source: Plan to update","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"update","mirror_capture":"continues","mirror_reasons":["`target` differs"],"resource":{"addr":"mirror_session.source","implied_provider":"mirror","module":"","resource":"mirror_session.source","resource_key":null,"resource_name":"source","resource_type":"mirror_session"}},"type":"planned_change"}"#);
    assert_snapshot!(lines(&[scheme, ("subnet.source", "cidr", "10.0.3.0/24")]), @r#"{"@level":"info","@message":"mirror_session.source: Plan to replace","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"replace","mirror_capture":"gap","mirror_capture_gap_seconds":152,"mirror_capture_gap_waits":[{"for":"load_balancer","seconds":149},{"for":"answer","seconds":3}],"mirror_reasons":["`source` differs, which AWS cannot change on an existing object","it cannot exist without instance.source, which is deleted before its replacement is created"],"reason":"cannot_update","resource":{"addr":"mirror_session.source","implied_provider":"mirror","module":"","resource":"mirror_session.source","resource_key":null,"resource_name":"source","resource_type":"mirror_session"}},"type":"planned_change"}"#);
}

#[test]
fn every_event_has_its_line() {
    let work = |id: Option<&str>| Work {
        address: "vpc.lab".parse().unwrap(),
        phase: Phase::Create,
        generation: 1,
        id: id.map(|id| serde_json::from_value(id.into()).unwrap()),
    };
    let failure = Failure {
        call: "CreateVpc".to_owned(),
        code: Some("VpcLimitExceeded".to_owned()),
        message: "The maximum number of VPCs has been reached.".to_owned(),
        request_id: Some("0a1b".to_owned()),
        help: None,
    };
    let outcome = |address: &str, outcome| ChangeOutcome {
        moved_from: None,
        address: address.parse().unwrap(),
        deposed: None,
        action: Action::Create,
        made: None,
        outcome,
    };
    let report = Report {
        outcomes: vec![
            outcome("mirror_filter.web", Outcome::Applied { id: None }),
            outcome("vpc.lab", Outcome::Failed(failure.clone())),
            outcome("subnet.a", Outcome::Skipped { because_of: "vpc.lab".parse().unwrap() }),
            outcome("subnet.b", Outcome::NotStarted),
        ],
        stopped: true,
        learned: BTreeMap::new(),
        took: BTreeMap::new(),
    };
    let elapsed = Duration::from_secs(10);
    let plan = plan_of(Vec::new());
    let events = [
        Event::Begun { total: 2 },
        Event::Started { work: work(None) },
        Event::Waiting { work: work(None), wait: "state is pending".to_owned() },
        Event::Progress { work: work(None), elapsed },
        Event::Done { work: work(Some("vpc-1")), elapsed, done: 1 },
        Event::Failed { work: work(None), elapsed, failure },
        Event::Stopping { in_flight: 2 },
        Event::Ended { report },
    ];
    assert_snapshot!(text(events.iter().flat_map(|event| super::event(&plan, event))), @r#"
    {"@level":"info","@message":"2 to do","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","total":2,"type":"mirror_begun"}
    {"@level":"info","@message":"vpc.lab: Creating...","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","hook":{"action":"create","mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"apply_start"}
    {"@level":"info","@message":"vpc.lab: state is pending","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","hook":{"action":"create","mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"},"wait":"state is pending"},"type":"mirror_waiting"}
    {"@level":"info","@message":"vpc.lab: Still creating... [10s elapsed]","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","hook":{"action":"create","elapsed_seconds":10,"mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"apply_progress"}
    {"@level":"info","@message":"vpc.lab: Creation complete after 10s [id=vpc-1]","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","hook":{"action":"create","elapsed_seconds":10,"id_key":"id","id_value":"vpc-1","mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"apply_complete"}
    {"@level":"info","@message":"vpc.lab: Creation errored after 10s","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","hook":{"action":"create","elapsed_seconds":10,"mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"apply_errored"}
    {"@level":"error","@message":"Error: CreateVpc failed: VpcLimitExceeded","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","diagnostic":{"address":"vpc.lab","detail":"The maximum number of VPCs has been reached.","mirror_failure":{"call":"CreateVpc","code":"VpcLimitExceeded","request_id":"0a1b"},"severity":"error","summary":"CreateVpc failed: VpcLimitExceeded"},"type":"diagnostic"}
    {"@level":"info","@message":"Interrupt received: nothing more is started. Waiting for 2 calls in flight; interrupt again to exit at once.","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","in_flight":2,"type":"mirror_stopping"}
    {"@level":"warn","@message":"subnet.a: Not done because vpc.lab failed","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"create","because_of":"vpc.lab","id":null,"resource":{"addr":"subnet.a","implied_provider":"mirror","module":"","resource":"subnet.a","resource_key":null,"resource_name":"a","resource_type":"subnet"}},"type":"mirror_not_done"}
    {"@level":"warn","@message":"subnet.b: Not done because the run was stopped","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","change":{"action":"create","because_of":null,"id":null,"resource":{"addr":"subnet.b","implied_provider":"mirror","module":"","resource":"subnet.b","resource_key":null,"resource_name":"b","resource_type":"subnet"}},"type":"mirror_not_done"}
    {"@level":"info","@message":"Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed.","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","changes":{"action_invocation":0,"add":1,"change":0,"import":0,"operation":"apply","remove":0},"type":"change_summary"}
    "#);
}

#[test]
fn outputs_have_types() {
    let values = BTreeMap::from([
        ("list".to_owned(), Value::from(json!([1, "a", null]))),
        ("map".to_owned(), Value::from(json!({ "a": true }))),
    ]);
    assert_snapshot!(text([outputs(&values)]), @r#"{"@level":"info","@message":"Outputs: 2","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","outputs":{"list":{"sensitive":false,"type":["tuple",["number","string","dynamic"]],"value":[1,"a",null]},"map":{"sensitive":false,"type":["object",{"a":"bool"}],"value":{"a":true}}},"type":"outputs"}"#);
}

#[test]
fn a_diagnostic_has_its_place() {
    let source =
        Source { name: "lab.mirror.hcl".to_owned(), text: "vpc \"a\" {\n  é = x\n}".to_owned() };
    let span = Span { source: Arc::new(source), bytes: 17..18 };
    let found = Diagnostic::error(code::UNKNOWN_NAME, "no such name: x")
        .at(span, "here")
        .of(&"vpc.a".parse().unwrap())
        .note("names are declared with `locals`")
        .help("did you mean `y`?");
    let plain = Diagnostic::warning(code::FILE, "slow disk");
    assert_snapshot!(text([diagnostic(&found), diagnostic(&plain)]), @r#"
    {"@level":"error","@message":"Error: no such name: x","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","diagnostic":{"address":"vpc.a","detail":"names are declared with `locals`\ndid you mean `y`?","mirror_code":"MP0101","range":{"end":{"byte":18,"column":8,"line":2},"filename":"lab.mirror.hcl","start":{"byte":17,"column":7,"line":2}},"severity":"error","snippet":{"code":"  é = x","context":null,"highlight_end_offset":8,"highlight_start_offset":7,"start_line":2,"values":[]},"summary":"no such name: x"},"type":"diagnostic"}
    {"@level":"warn","@message":"Warning: slow disk","@module":"mirror.ui","@timestamp":"2026-11-22T16:43:18.530609Z","diagnostic":{"detail":"","mirror_code":"MP0601","severity":"warning","summary":"slow disk"},"type":"diagnostic"}
    "#);
}
