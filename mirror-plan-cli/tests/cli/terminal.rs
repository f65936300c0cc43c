//! What only a terminal shows: the live area, the question, colors, and Ctrl-C from a keyboard.
//!
//! The program runs on a pseudo-terminal, and what it writes is drawn on a screen that nobody sees.
//! Where something must take a while, its AWS has a clock that stands still until the test moves it.
#![cfg(unix)]

mod pty;
mod slow_aws;

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::{Folder, SMALL, assert_shown};
use pty::{Terminal, in_order};
use slow_aws::SlowAws;

const CTRL_C: &str = "\x03";

/// An instance and a load balancer that are made at the same time, and a filter after the instance.
const SLOW: &str = r#"
stack "slow" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

instance "source" {
  instance_type = "t3.micro"
  subnet        = subnet.a
}

load_balancer "receivers" { subnets = [subnet.a] }

mirror_filter "web" { description = "for ${instance.source.private_ip}" }
"#;

/// What the area shows of [`SLOW`] while the instance and the load balancer are being created.
const BOTH: &[&str] = &[" of 5 done", "instance.source", "pending", "receivers", "provisioning"];

#[test]
fn the_live_area_shows_what_is_in_flight_and_goes_at_the_end() {
    let (folder, aws) = (Folder::with(SLOW), SlowAws::start());
    let mut terminal = Terminal::start(&aws.command(&folder, "apply --auto-approve"), (16, 160));
    terminal.wait_for(BOTH);
    assert_shown!(terminal.text(), @"
    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    Estimated cost: 16.43 USD a month, 16.43 more than now: 0 sessions, 1 load balancer,
      at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
    Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    subnet.a: Creating...
    subnet.a: Creation complete after Ns [id=subnet-ID]
    instance.source: Creating...
    load_balancer.receivers: Creating...
    2 of 5 done, Ns
      * instance.source: Creating Ns waiting until running: state is pending
      * load_balancer.receivers: Creating Ns waiting until active: state is provisioning
    ");
    aws.advance(20);
    terminal.wait_for(&["web: Creation complete", " of 5 done", "receivers", "provisioning"]);
    assert_shown!(terminal.text(), @"
    Plan digest: sha256:DIGEST
    Estimated cost: 16.43 USD a month, 16.43 more than now: 0 sessions, 1 load balancer,
      at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
    Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    subnet.a: Creating...
    subnet.a: Creation complete after Ns [id=subnet-ID]
    instance.source: Creating...
    load_balancer.receivers: Creating...
    instance.source: Creation complete after Ns [id=i-ID]
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]
    4 of 5 done, Ns
      * load_balancer.receivers: Creating Ns waiting until active: state is provisioning
    ");
    aws.advance(100);
    assert_eq!(terminal.end().code(), Some(0));
    assert_shown!(terminal.text(), @"
      at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
    Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    subnet.a: Creating...
    subnet.a: Creation complete after Ns [id=subnet-ID]
    instance.source: Creating...
    load_balancer.receivers: Creating...
    instance.source: Creation complete after Ns [id=i-ID]
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]
    load_balancer.receivers: Creation complete after Ns [id=arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/slow-receivers/ID]

    Apply complete! Resources: 5 added, 0 changed, 0 destroyed.
    ");
    assert!(!terminal.screen().hide_cursor());
}

#[test]
fn only_a_typed_yes_approves() {
    let folder = Folder::with(SMALL);
    let ask = |command: &str, answer: &str| {
        let mut terminal = Terminal::start(&folder.command(command), (16, 100));
        terminal.wait_for(&["Enter a value:"]);
        terminal.press(answer);
        (terminal.end().code(), terminal.text())
    };
    let nothing = folder.mirror("--local show");
    let (code, screen) = ask("--local apply", "no\n");
    assert_shown!(screen, @"
    Plan: 2 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + vpc = (known after apply: vpc.lab.id)

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST

    Do you want to perform these actions?
      Only 'yes' will be accepted to approve.

      Enter a value: no

    Apply cancelled.
    ");
    assert_eq!(code, Some(1));
    // An empty line, the beginning of `yes`, and the end of the input (Ctrl-D) do not approve either.
    for answer in ["\n", "y\n", "\x04"] {
        let (code, screen) = ask("--local apply", answer);
        assert_eq!(code, Some(1));
        assert!(screen.ends_with("Apply cancelled."), "{screen}");
    }
    assert_eq!(folder.mirror("--local show"), nothing);
    let (code, screen) = ask("--local apply --parallelism 1", "yes\n");
    assert_shown!(screen, @r#"
    Do you want to perform these actions?
      Only 'yes' will be accepted to approve.

      Enter a value: yes

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]

    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.

    Outputs:

    vpc = "vpc-ID"
    "#);
    assert_eq!(code, Some(0));
    let (code, screen) = ask("--local destroy", "yes, please\n");
    assert_shown!(screen, @r#"
    Plan: 0 to add, 0 to change, 2 to destroy.

    Changes to Outputs:
      - vpc = "vpc-ID" -> null

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST

    Do you really want to destroy all resources?
      There is no undo. Only 'yes' will be accepted to confirm.

      Enter a value: yes, please

    Destroy cancelled.
    "#);
    assert_eq!(code, Some(1));
    assert_eq!(ask("--local destroy", "yes\n").0, Some(0));
    assert_eq!(folder.mirror("--local show"), nothing);
}

/// Returns the same command, which heeds Ctrl-C even if the tests were started so that programs ignore
/// it, as a shell's `&` in a script does.
fn heeding_ctrl_c(command: &Command) -> Command {
    let mut heeding = Command::new("env");
    heeding.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    heeding.current_dir(command.get_current_dir().expect("it has a folder of its own"));
    heeding.env_clear();
    heeding.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    heeding
}

#[test]
fn ctrl_c_at_the_question_ends_it_and_nothing_is_changed() {
    let folder = Folder::with(SMALL);
    let nothing = folder.mirror("--local show");
    let mut terminal = Terminal::start(&heeding_ctrl_c(&folder.command("--local apply")), (24, 80));
    terminal.wait_for(&["Enter a value:"]);
    terminal.press(CTRL_C);
    let interrupt = 2; // SIGINT
    assert_eq!(terminal.end().signal(), Some(interrupt));
    assert_eq!(folder.mirror("--local show"), nothing);
}

#[test]
fn ctrl_c_during_an_apply_starts_nothing_more_and_waits() {
    let (folder, aws) = (Folder::with(SLOW), SlowAws::start());
    let mut terminal = Terminal::start(&aws.command(&folder, "apply --auto-approve"), (20, 160));
    terminal.wait_for(BOTH);
    terminal.press(CTRL_C);
    terminal.wait_for(&[&["Interrupt received"], BOTH].concat());
    aws.advance(20);
    terminal.wait_for(&["source: Creation complete", " of 5 done", "receivers", "provisioning"]);
    assert_shown!(terminal.text(), @"
    Plan: 5 to add, 0 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    Estimated cost: 16.43 USD a month, 16.43 more than now: 0 sessions, 1 load balancer,
      at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
    Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    subnet.a: Creating...
    subnet.a: Creation complete after Ns [id=subnet-ID]
    instance.source: Creating...
    load_balancer.receivers: Creating...
    Interrupt received: nothing more is started. Waiting for 2 calls in flight; interrupt again to exit at once.
    instance.source: Creation complete after Ns [id=i-ID]
    3 of 5 done, Ns
      * load_balancer.receivers: Creating Ns waiting until active: state is provisioning
    ");
    aws.advance(100);
    assert_eq!(terminal.end().code(), Some(130));
    assert_shown!(terminal.text(), @"
    Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    subnet.a: Creating...
    subnet.a: Creation complete after Ns [id=subnet-ID]
    instance.source: Creating...
    load_balancer.receivers: Creating...
    Interrupt received: nothing more is started. Waiting for 2 calls in flight; interrupt again to exit at once.
    instance.source: Creation complete after Ns [id=i-ID]
    load_balancer.receivers: Creation complete after Ns [id=arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/slow-receivers/ID]

    Not done because the run was stopped:
      create mirror_filter.web

    Completed changes stay. Run the same command again to do the rest: it plans from the
    current state.

    Apply incomplete. Resources: 4 added, 0 changed, 0 destroyed.
    ");
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let (folder, aws) = (Folder::with(SLOW), SlowAws::start());
    let mut terminal = Terminal::start(&aws.command(&folder, "apply --auto-approve"), (12, 160));
    terminal.wait_for(BOTH);
    terminal.press(CTRL_C);
    terminal.wait_for(&[&["Interrupt received"], BOTH].concat());
    terminal.press(CTRL_C);
    assert_eq!(terminal.end().code(), Some(130));
    assert!(terminal.text().contains("Interrupted twice: exiting at once."), "{}", terminal.text());
}

#[test]
fn colors_are_for_terminals_that_have_them() {
    let folder = Folder::with(SMALL);
    let colored = |set: (&str, &str), command: &str| {
        let mut terminal = Terminal::start(folder.command(command).env(set.0, set.1), (60, 80));
        assert_eq!(terminal.end().code(), Some(0));
        (terminal.is_colored(), terminal.written.contains(&b'\x1b'))
    };
    let (any, none) = ((true, true), (false, false));
    assert_eq!(colored(("TERM", "xterm-256color"), "--local plan"), any);
    assert_eq!(colored(("NO_COLOR", "1"), "--local plan"), none);
    assert_eq!(colored(("TERM", "xterm-256color"), "--local plan --no-color"), none);
    assert_eq!(colored(("TERM", "dumb"), "--local plan"), none);
    // A terminal without colors still has a live area, and a dumb one has none.
    let apply = "--local apply --auto-approve";
    assert_eq!(colored(("NO_COLOR", "1"), apply), (false, true));
    assert_eq!(colored(("TERM", "dumb"), apply), none);
}

#[test]
fn a_plan_in_a_pipe_is_plain_and_the_question_is_on_the_terminal() {
    let folder = Folder::with(SMALL);
    let mut terminal = Terminal::start_with(
        &folder.command("--local apply --parallelism 1"),
        (24, 80),
        |mirror| mirror.stdout(Stdio::piped()),
    );
    terminal.wait_for(&["Enter a value:"]);
    terminal.press("yes\n");
    assert_eq!(terminal.end().code(), Some(0));
    assert_shown!(terminal.text(), @"

    Do you want to perform these actions?
      Only 'yes' will be accepted to approve.

      Enter a value: yes

    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]
    ");
    let mut data = String::new();
    terminal.child.stdout.take().unwrap().read_to_string(&mut data).unwrap();
    assert!(!data.contains('\x1b'));
    assert!(in_order(&data, &["Plan: 2 to add", "Apply complete!", "Outputs:"]), "{data}");
}

#[test]
fn a_narrow_terminal_breaks_lines_and_keeps_nothing_of_the_live_area() {
    let (folder, aws) = (Folder::with(SLOW), SlowAws::start());
    let mut terminal = Terminal::start(&aws.command(&folder, "apply --auto-approve"), (40, 50));
    terminal.wait_for(BOTH);
    aws.advance(20);
    terminal.wait_for(&["web: Creation complete", " of 5 done", "receivers", "provisioning"]);
    aws.advance(100);
    assert_eq!(terminal.end().code(), Some(0));
    let text = terminal.text();
    let rest = text.split_once("Plan digest").expect("the plan is on the screen").1;
    assert!(!rest.contains("done") && !rest.contains("waiting"), "{text}");
    assert!(in_order(rest, &["vpc.lab: Creating...", "Apply complete!"]), "{text}");
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    let folder = Folder::empty();
    let help = |columns: u16| {
        let mut terminal = Terminal::start(&folder.command("apply --help"), (200, columns));
        assert_eq!(terminal.end().code(), Some(0));
        let broken = (0..200).filter(|row| terminal.screen().row_wrapped(*row)).count();
        (broken, terminal.text().lines().count())
    };
    let ((narrow_broken, narrow), (wide_broken, wide)) = (help(60), help(120));
    assert_eq!((narrow_broken, wide_broken), (0, 0), "no word is broken by the terminal");
    assert!(narrow > wide, "{narrow} rows and {wide}");
}
