//! `examples/review`, a repository with reviewed plans: its story, and the lines of its workflows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Folder, assert_shown};

const STACK: &str = "capture.mirror.hcl";
const RULE: &str = r#"action = "accept", protocol = "tcp", port = 443 }]"#;
const WORKFLOWS: [&str; 3] =
    [".github/workflows/plan.yml", ".github/workflows/apply.yml", ".gitlab-ci.yml"];
/// The steps that need a network and an account on GitHub.
const NOT_RUN: [&str; 2] = ["Install mirror", "Post the comment"];

#[test]
fn only_what_was_reviewed_is_applied() {
    let folder = copy();
    assert_shown!(folder.mirror("--local plan --check plans/prod.plan"), @"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    The plan is as reviewed: plans/prod.plan
    ");
    edit(&folder, RULE, &RULE.replace("443", "8443"));
    assert_shown!(folder.mirror("--local plan --check plans/prod.plan"), @r#"
    exit code: 2
    ----- stdout -----
    --- reviewed
    +++ now
    @@ -41,10 +41,10 @@
         rules[egress 100].destination = "0.0.0.0/0"
         rules[egress 100].protocol = "tcp"
         rules[egress 100].source = "0.0.0.0/0"
    -    rules[egress 100].source_port = 443
    +    rules[egress 100].source_port = 8443
         rules[ingress 100].action = "accept"
         rules[ingress 100].destination = "0.0.0.0/0"
    -    rules[ingress 100].destination_port = 443
    +    rules[ingress 100].destination_port = 8443
         rules[ingress 100].protocol = "tcp"
         rules[ingress 100].source = "0.0.0.0/0"
         tags["Name"] = "https"
    ----- stderr -----

    The plan is not what was reviewed. To accept the current plan:

      mirror plan --write plans/prod.plan --local
    "#);
    folder.done("plan --write plans/prod.plan");
    let applied = folder.done("apply --approved plans/prod.plan");
    assert!(applied.contains("Apply complete! Resources: 9 added, 0 changed, 0 destroyed."));
    assert_shown!(folder.mirror("--local plan --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack prod, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");

    let made = folder.mirror("--local show");
    assert!(made.contains("destination_port = 8443"), "{made}");
    edit(&folder, "port = 8443 }]", "port = 9443 }]");
    let refused = folder.mirror("--local apply --approved plans/prod.plan");
    // The snapshot already shows what the plan was.
    let lines = refused.lines().filter(|line| !line.starts_with('-') && !line.starts_with(' '));
    assert_shown!(lines.collect::<Vec<_>>().join("\n"), @r#"
    exit code: 3
    +++ now
    @@ -4,89 +4,12 @@
    +create 0
    +update 1
    +update mirror_filter.https
    +    id = "tmf-ID"
    +    rules[egress 100].source_port = 8443 -> 9443
    +    rules[ingress 100].destination_port = 8443 -> 9443
    error[MP0505]: the plan is not what `plans/prod.plan` says
    "#);
    assert_eq!(folder.mirror("--local show"), made);
}

#[test]
fn the_lines_of_the_workflows_run() {
    for [plan, apply] in [[0, 1], [2, 2]] {
        let folder = copy();
        let run = |workflow: usize, job: &str| -> Vec<Option<i32>> {
            let steps = steps(&folder.read(WORKFLOWS[workflow]));
            let steps =
                steps.iter().filter(|step| step.job == job && !NOT_RUN.contains(&&*step.name));
            steps.map(|step| bash(&folder, &step.script)).collect()
        };
        let last = |codes: Vec<Option<i32>>| {
            let (last, before) = codes.split_last().expect("there are steps");
            assert!(before.iter().all(|code| *code == Some(0)), "{codes:?}");
            *last
        };
        assert_eq!(last(run(plan, "plan")), Some(0));
        let comment = folder.read("comment.md");
        assert_eq!(comment.lines().next(), Some("<!-- mirror plan prod -->"));

        edit(&folder, RULE, &RULE.replace("443", "8443"));
        assert_eq!(last(run(plan, "plan")), Some(2), "nobody has reviewed it");
        assert_ne!(folder.read("comment.md"), comment, "the comment comes before");
        assert_eq!(last(run(apply, "apply")), Some(3), "nobody has reviewed it");
        assert!(folder.mirror("--local show").contains("Nothing in account"));

        folder.done("plan --write plans/prod.plan");
        assert_eq!(last(run(plan, "plan")), Some(0));
        assert_eq!(last(run(apply, "apply")), Some(0));
        assert!(folder.mirror("--local show").contains("destination_port = 8443"));
    }
}

#[test]
fn no_line_of_a_workflow_is_forgotten() {
    let is_mirror = |line: &&str| line.starts_with("mirror ");
    for workflow in WORKFLOWS {
        let text = fs::read_to_string(example().join(workflow)).unwrap();
        let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
        let lines = lines.map(|line| line.trim_start_matches("run: "));
        let run = steps(&text).into_iter().filter(|step| !NOT_RUN.contains(&&*step.name));
        let run: Vec<String> = run.map(|step| step.script).collect();
        let run: Vec<&str> = run.iter().flat_map(|script| script.lines()).collect();
        assert_eq!(
            run.iter().copied().filter(|line| is_mirror(line)).collect::<Vec<_>>(),
            lines.filter(is_mirror).collect::<Vec<_>>(),
            "{workflow}"
        );
    }
}

#[test]
fn the_page_shows_the_files() {
    let page = fs::read_to_string(example().join("../../docs/src/ci.md")).unwrap();
    for (language, file) in
        [("hcl", STACK)].into_iter().chain(WORKFLOWS.map(|workflow| ("yaml", workflow)))
    {
        let text = fs::read_to_string(example().join(file)).unwrap();
        assert!(page.contains(&format!("```{language}\n{text}```\n")), "{file}");
    }
}

/// A step of a workflow, or the whole script of a GitLab job.
struct Step {
    job: String,
    name: String,
    script: String,
}

/// Returns what a workflow runs, in order. It understands only the YAML that the example uses.
fn steps(text: &str) -> Vec<Step> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let (mut job, mut name) = (String::new(), String::new());
    let mut steps = Vec::new();
    for (position, line) in lines.iter().enumerate() {
        let word = line.trim_start().trim_start_matches("- ");
        let below = lines[position + 1..].iter().take_while(|below| indent(below) > indent(line));
        let script = match word.split_once(": ").unwrap_or((word, "")) {
            ("plan:" | "apply:", "") => {
                word.trim_end_matches(':').clone_into(&mut job);
                continue;
            }
            ("name", value) => {
                value.clone_into(&mut name);
                continue;
            }
            ("run", "|") => below.map(|line| line.trim_start()).collect::<Vec<_>>().join("\n"),
            ("run", line) => line.to_owned(),
            ("script:", "") => below
                .map(|line| line.trim_start().trim_start_matches("- "))
                .collect::<Vec<_>>()
                .join("\n"),
            _ => continue,
        };
        steps.push(Step { job: job.clone(), name: name.clone(), script });
    }
    steps
}

/// Runs a script as CI does, with the local AWS, and returns its exit code.
fn bash(folder: &Folder, script: &str) -> Option<i32> {
    let script = format!("mirror() {{ command \"$MIRROR\" --local \"$@\"; }}\n{script}");
    let mut bash = Command::new("bash");
    bash.args(["-eo", "pipefail", "-c", &script]).current_dir(folder.path()).env_clear();
    bash.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    bash.env("HOME", folder.path()).env("MIRROR", env!("CARGO_BIN_EXE_mirror"));
    bash.env("GITHUB_STEP_SUMMARY", folder.path().join("summary.md"));
    bash.output().expect("bash is there").status.code()
}

fn example() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/review"))
}

/// A copy of the example.
fn copy() -> Folder {
    let folder = Folder::empty();
    for file in [STACK, "plans/prod.plan"].into_iter().chain(WORKFLOWS) {
        let to: PathBuf = folder.path().join(file);
        fs::create_dir_all(to.parent().expect("it is in the folder")).expect("it can be made");
        fs::copy(example().join(file), to).expect(file);
    }
    folder
}

fn edit(folder: &Folder, from: &str, to: &str) {
    let text = folder.read(STACK);
    assert_eq!(text.matches(from).count(), 1, "{from}");
    folder.write(STACK, &text.replace(from, to));
}
