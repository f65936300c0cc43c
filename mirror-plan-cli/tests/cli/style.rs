//! `--style terraform` and the programs it is for: these tests look in our texts for what tfcmt and
//! Atlantis look for in Terraform's.

use regex::Regex;

use super::{Folder, SMALL};

/// How tfcmt labels a pull request.
#[derive(Debug, PartialEq, Eq)]
enum Sort {
    Error,
    NoChanges,
    Destroy,
    AddOrUpdate,
}

impl Sort {
    const NO_CHANGES: &str =
        r"(?m)^(No changes\.|Plan: (\d+ to import, )?0 to add, 0 to change, 0 to destroy\.)";

    /// Returns the label of a plan with this result.
    fn of(result: &str) -> Self {
        if matches(Tfcmt::FAIL, result) {
            Self::Error
        } else if matches(Self::NO_CHANGES, result) {
            Self::NoChanges
        } else if matches(r"(?m)([1-9][0-9]* to destroy.)", result) {
            Self::Destroy
        } else {
            Self::AddOrUpdate
        }
    }
}

/// What tfcmt makes of the text of a plan (`suzuki-shunsuke/tfcmt`, `pkg/terraform/parser.go`).
#[derive(Debug, PartialEq, Eq)]
struct Tfcmt {
    /// The line that it puts into the title of its comment; for an error, also everything after it.
    result: String,
    sort: Sort,
    /// What it shows in a folded section.
    changes: String,
    warning: String,
    outside: String,
    created: Vec<String>,
    updated: Vec<String>,
    deleted: Vec<String>,
    replaced: Vec<String>,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is in order")
}

fn matches(pattern: &str, text: &str) -> bool {
    regex(pattern).is_match(text)
}

/// Returns what `pattern` captures in the lines that it matches.
fn caught(pattern: &str, lines: &[&str]) -> Vec<String> {
    let pattern = regex(pattern);
    lines.iter().filter_map(|line| Some(pattern.captures(line)?[1].to_owned())).collect()
}

impl Tfcmt {
    const PASS: &str = r"(?m)^(Plan: \d|No changes.)";
    const FAIL: &str = r"(?m)^([│|] )?(Error: )";
    const WARNING: &str = r"(?m)^([│|] )?(Warning: )";

    /// Reads the output of a plan; `None` where tfcmt reports that it cannot parse that.
    fn read(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.split('\n').collect();
        let has_error = matches(Self::FAIL, text);
        if !has_error && !matches(Self::PASS, text) {
            return None;
        }
        let line_of = |is_it: &dyn Fn(&str) -> bool| lines.iter().position(|line| is_it(line));
        let rule_after = |start: usize| {
            let rule = lines[start..].iter().position(|line| line.starts_with("─────"));
            rule.map_or(lines.len(), |rule| start + rule)
        };
        let first =
            line_of(&|line| matches(if has_error { Self::FAIL } else { Self::PASS }, line))?;
        let result = if has_error { lines[first..].join("\n") } else { lines[first].to_owned() };
        let between = |start: Option<usize>, end: &dyn Fn(usize) -> usize| match start {
            Some(start) => lines[start..end(start)].join("\n").trim().to_owned(),
            None => String::new(),
        };
        let head = line_of(&|line| line == "Terraform will perform the following actions:");
        let note = line_of(&|line| line == "Note: Objects have changed outside of Terraform");
        let unless = line_of(&|line| {
            line.starts_with("Unless you have made equivalent changes to your configuration")
        });
        let replaced = [
            r"^ *# (.*?)(?: is tainted, so)? must be replaced$",
            r"^ *# (.*?) will be replaced, as requested$",
        ];
        Some(Self {
            sort: Sort::of(&result),
            changes: between(head.map(|head| head + 1), &|start| rule_after(start) - 1),
            warning: between(line_of(&|line| matches(Self::WARNING, line)), &rule_after),
            // tfcmt reads past the end of its lines if the note has a beginning and no end.
            outside: between(note.map(|note| note + 1), &|_| unless.expect("the note has an end")),
            created: caught(r"^ *# (.*) will be created$", &lines),
            updated: caught(r"^ *# (.*) will be updated in-place$", &lines),
            deleted: caught(r"^ *# (.*) will be destroyed$", &lines),
            replaced: replaced.iter().flat_map(|pattern| caught(pattern, &lines)).collect(),
            result: result.trim().to_owned(),
        })
    }
}

/// What Atlantis puts above a plan (`runatlantis/atlantis`, `server/events/models/models.go`).
fn atlantis_summary(text: &str) -> Option<String> {
    let plan = r"Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy(?:, (\d+) to forget)?\.";
    let nothing = r"No changes. (Infrastructure is up-to-date|Your infrastructure matches the configuration).";
    let found = |pattern| Some(regex(pattern).find(text)?.as_str().to_owned());
    found(plan).or_else(|| found(nothing))
}

/// A plan as Atlantis shows it in a `diff` block, with the signs in the first column.
fn atlantis_difference(text: &str) -> String {
    let rules = [
        (
            r"(?m)^( +)([-+~]\s)([a-zA-Z_][\w]*\s*)(\s=\s|\s->\s|\(known after apply\)|\{)(.*)",
            "$2$1$3$4$5",
        ),
        (r"(?m)^( +)([-+~]\s)((?:resource|data|module)\s+.+\{.*)", "$2$1$3"),
        (r"(?m)^~", "!"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, by)| {
        regex(pattern).replace_all(&text, *by).into_owned()
    })
}

/// Returns both streams together, as a CI has them.
fn said(folder: &Folder, arguments: &str) -> String {
    let output = folder
        .command(&format!("--local --style terraform {arguments}"))
        .output()
        .expect("mirror runs");
    let [stdout, stderr] = [output.stdout, output.stderr]
        .map(|said| String::from_utf8(said).expect("the output is text"));
    stdout + &stderr
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_plan_is_read_by_what_reads_plans_of_terraform() {
    let folder = Folder::with(SMALL);
    let text = said(&folder, "plan");
    let plan = Tfcmt::read(&text).unwrap();
    assert_eq!(plan.created, names(&["vpc.lab", "mirror_filter.web"]));
    assert_eq!(plan.result, "Plan: 2 to add, 0 to change, 0 to destroy.");
    assert!(plan.sort == Sort::AddOrUpdate && plan.warning.is_empty(), "{plan:?}");

    let (first, last) = (plan.changes.lines().next(), plan.changes.lines().last());
    assert_eq!(first, Some("# vpc.lab will be created"));
    assert_eq!(last, Some("  + vpc = (known after apply: vpc.lab.id)"));
    assert_eq!(atlantis_summary(&text).as_ref(), Some(&plan.result));
    let difference = atlantis_difference(&plan.changes);
    for line in ["+   resource \"vpc\" \"lab\" {", "+       cidr          = \"10.0.0.0/16\""] {
        assert!(difference.lines().any(|shown| shown == line), "{line}\n{difference}");
    }

    let applied = said(&folder, "apply --auto-approve");
    assert!(matches(r"(?m)^(Apply complete!)", &applied), "{applied}");
    let nothing = said(&folder, "plan");
    let plan = Tfcmt::read(&nothing).unwrap();
    assert!(plan.sort == Sort::NoChanges && plan.changes.is_empty(), "{plan:?}");
    let summary = "No changes. Your infrastructure matches the configuration.";
    assert_eq!(atlantis_summary(&nothing).as_deref(), Some(summary));
}

#[test]
fn every_action_is_told_from_the_others() {
    let folder = Folder::with(&format!("{SMALL}\nmirror_filter \"old\" {{ rules = [] }}\n"));
    folder.done("apply --auto-approve");
    folder.edit("mirror_filter \"old\" { rules = [] }", "mirror_filter \"new\" { rules = [] }");
    folder.edit("port = 443", "port = 8443");
    folder.edit("default = \"10.0.0.0/16\"", "default = \"10.1.0.0/16\"");
    let plan = Tfcmt::read(&said(&folder, "plan")).unwrap();
    assert_eq!(plan.created, names(&["mirror_filter.new"]));
    assert_eq!(plan.updated, names(&["mirror_filter.web"]));
    assert_eq!(plan.deleted, names(&["mirror_filter.old"]));
    assert_eq!(plan.replaced, names(&["vpc.lab"]));
    assert!(plan.sort == Sort::Destroy && plan.warning.is_empty(), "{plan:?}");
    assert_eq!(plan.result, "Plan: 2 to add, 1 to change, 2 to destroy.");

    folder.edit("default = \"10.1.0.0/16\"", "default = \"10.0.0.0/16\"");
    let plan = Tfcmt::read(&said(&folder, "plan --replace vpc.lab --target vpc.lab")).unwrap();
    assert_eq!((plan.replaced, plan.updated), (names(&["vpc.lab"]), vec![]));
    assert_eq!(plan.warning.lines().next(), Some("Warning: Resource targeting is in effect"));
}

#[test]
fn an_error_is_found_in_a_plan_and_in_an_apply() {
    let folder = Folder::with(&SMALL.replace("cidr = var.cidr", "cidr = var.cdir\n  cdir = 1"));
    let plan = Tfcmt::read(&said(&folder, "plan")).unwrap();
    assert_eq!(plan.sort, Sort::Error);
    insta::assert_snapshot!(plan.result, @"
    Error: in a block of several lines, nothing may follow `{` on its line

      on small.mirror.hcl line 6:
       6: vpc \"lab\" { cidr = var.cdir

      begin a new line

        cidr = var.cdir

      `mirror explain MP0001` says more.
    ");
    let folder = Folder::with(
        "stack \"small\" { region = \"eu-west-1\" }\nvpc \"lab\" {\n  count = 6\n  cidr  = \"10.0.0.0/16\"\n}\n",
    );
    let applied = said(&folder, "apply --auto-approve");
    let failed = Regex::new(r"(?m)^(Error: ).*").unwrap().find(&applied).unwrap();
    assert_eq!(failed.as_str(), "Error: CreateVpc failed: VpcLimitExceeded");
    assert!(!matches(r"(?m)^(Apply complete!)", &applied), "{applied}");
}

#[test]
fn what_was_changed_outside_is_told_between_two_lines() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    super::drift::changed_outside(&folder, "port = 443", "port = 8443");
    let text = said(&folder, "plan");
    let plan = Tfcmt::read(&text).unwrap();
    assert_eq!(plan.outside, "mirror_filter.web");
    assert_eq!(plan.updated, names(&["mirror_filter.web"]));
    assert_eq!(plan.result, "Plan: 0 to add, 1 to change, 0 to destroy.");
    // The folded section ends before the note.
    assert!(plan.changes.ends_with(&plan.result), "{}", plan.changes);
}

#[test]
fn without_the_option_the_name_is_ours() {
    let folder = Folder::with(SMALL);
    let text = folder.done("plan");
    let plan = Tfcmt::read(&text).unwrap();
    assert_eq!(
        (plan.changes.as_str(), plan.result.as_str()),
        ("", "Plan: 2 to add, 0 to change, 0 to destroy.")
    );
    assert!(text.contains("\nmirror will perform the following actions:\n"), "{text}");
}
