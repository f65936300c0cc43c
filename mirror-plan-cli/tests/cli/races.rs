//! Races: two processes of the real binary start at once, and one of them changes nothing.
//!
//! `MIRROR_RACES` sets the number of races; each is between two processes with a cloud of their own.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "a test prints what it has tried")]

use std::process::{Child, Output, Stdio};

use mirror_local::{Calls, Faults};

use super::Folder;
use super::killed::{NETWORK, Served};

/// Races in each place, unless the environment says otherwise.
const RACES: u64 = 5;

fn races() -> u64 {
    let given = std::env::var_os("MIRROR_RACES").and_then(|races| races.into_string().ok());
    given.map_or(RACES, |races| races.parse().expect("MIRROR_RACES is a number"))
}

/// Where the two processes of a race meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In one folder of journals.
    Machine,
    /// In a bucket; nothing else is shared.
    Bucket,
}

/// How a race ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// One was told that the other holds the stack.
    Told,
    /// The second began after the first had ended, and found nothing to do.
    OneAfterTheOther,
}

/// Runs two processes, and returns how they ended or what is wrong with that.
fn race(place: Place, calls: usize) -> Result<End, String> {
    let served = Served::among_others();
    let others = served.holds();
    let stack = match place {
        Place::Machine => NETWORK.to_owned(),
        Place::Bucket => {
            served.make_bucket("team-journals");
            let region = "region = \"eu-west-1\"";
            let both = format!("\n  {region}\n  coordination = \"s3://team-journals/mirror\"\n");
            NETWORK.replace(&format!(" {region} "), &both)
        }
    };
    // So that neither ends before the other has begun.
    let slowly = Calls::Action("CreateVpc".to_owned());
    let delay = std::time::Duration::from_millis(300);
    served.cloud.set_faults(Faults::none().delay(slowly, delay));
    let (first, second) = (Folder::with(&stack), Folder::with(&stack));
    let start = |folder: &Folder| -> Child {
        let mut command = served.command(folder, "apply --auto-approve");
        if place == Place::Machine {
            command.env("MIRROR_STATE", first.path());
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("mirror runs")
    };
    let children = [start(&first), start(&second)];
    let ids = children.each_ref().map(Child::id);
    let outputs = children.map(|child| child.wait_with_output().expect("it is our child"));
    let made = served.changes_of_account();
    if made != calls {
        return Err(format!("{made} calls instead of {calls}: {}", both(&outputs)));
    }
    let now = served.holds();
    if others.iter().any(|(object, record)| now.get(object) != Some(record)) {
        return Err(format!("what others have has changed: {}", both(&outputs)));
    }
    match outputs.each_ref().map(|output| output.status.code()) {
        [Some(0), Some(4)] if names(&outputs[1], ids[0]) => Ok(End::Told),
        [Some(4), Some(0)] if names(&outputs[0], ids[1]) => Ok(End::Told),
        [Some(0), Some(0)] => Ok(End::OneAfterTheOther),
        _ => Err(both(&outputs)),
    }
}

/// Whether a loser was told which process holds the stack.
fn names(output: &Output, process: u32) -> bool {
    let told = String::from_utf8_lossy(&output.stderr);
    told.contains("error[MP0503]") && told.contains(&format!("process {process}, since"))
}

fn both(outputs: &[Output; 2]) -> String {
    outputs.each_ref().map(super::shown).join("\n")
}

/// Races until there were enough.
fn all(place: Place) {
    let (served, folder) = (Served::start(), Folder::with(NETWORK));
    let (code, shown) = served.run(&folder, "apply --auto-approve");
    assert_eq!(code, Some(0), "{shown}");
    let calls = served.changes_of_account();
    let (mut told, mut after) = (0, 0);
    while told < races() {
        match race(place, calls) {
            Ok(End::Told) => told += 1,
            Ok(End::OneAfterTheOther) => after += 1,
            Err(why) => panic!("{place:?}, race {}: {why}", told + after + 1),
        }
        assert!(after <= races() * 2 + 10, "hardly two processes ran at once");
    }
    println!(
        "{place:?}: {told} races of two processes, one winner each, 0 calls of losers that change \
         something; {after} more ran one after the other"
    );
}

#[test]
fn of_two_processes_on_one_machine_one_wins() {
    all(Place::Machine);
}

#[test]
fn of_two_processes_that_share_a_bucket_one_wins() {
    all(Place::Bucket);
}

#[test]
fn a_store_that_ignores_conditions_is_refused() {
    let served = Served::with(|settings| {
        settings.conditional_writes = mirror_local::ConditionalWrites::Ignored;
    });
    served.make_bucket("team-journals");
    let folder = Folder::with(
        "stack \"team\" {\n  region = \"eu-west-1\"\n  coordination = \"s3://team-journals\"\n}\n\
         vpc \"lab\" { cidr = \"10.0.0.0/16\" }\n",
    );
    let (_, shown) = served.run(&folder, "apply --auto-approve");
    super::assert_shown!(shown, @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0512]: the store of `s3://team-journals/team.123456789012.eu-west-1.journal` ignores the condition If-None-Match of a PutObject
     |
     = note: two runs could not exclude each other there, so nothing was done
     = help: name a bucket of Amazon S3, or of a store that honours conditional writes
     = help: or omit `coordination`: then only runs on one machine exclude each other
    ");
    assert_eq!(served.changes_of_account(), 0);
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let served = Served::start();
    let folder = Folder::with(
        "stack \"team\" {\n  region = \"eu-west-1\"\n  coordination = \"s3://team-journals\"\n}\n\
         vpc \"lab\" { cidr = \"10.0.0.0/16\" }\n",
    );
    let (_, shown) = served.run(&folder, "apply --auto-approve");
    super::assert_shown!(shown, @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0504]: the journal `s3://team-journals/team.123456789012.eu-west-1.journal` cannot be read
     |
     = note: GetObject was refused: NoSuchBucket: The specified bucket does not exist (request REQUEST)
     = help: create the bucket, or correct `coordination` in the `stack` block
    ");
}

#[test]
fn a_local_aws_has_the_bucket_of_a_team() {
    let folder = Folder::with(
        "stack \"team\" {\n  region = \"eu-west-1\"\n  coordination = \"s3://team-journals/x\"\n}\n\
         vpc \"lab\" { cidr = \"10.0.0.0/16\" }\n",
    );
    folder.done("apply --auto-approve");
    assert!(folder.done("plan").contains("No changes."));
    folder.done("plan --destroy --out destroy.plan");
    // A saved plan knows where the runs meet.
    let log = folder.done("local log");
    let puts = |log: &str| log.matches(" s3 PutObject ").count();
    folder.done("apply destroy.plan --auto-approve");
    assert!(puts(&folder.done("local log")) > puts(&log));
}
