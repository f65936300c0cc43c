//! Where output goes, in which form, and what happens when it cannot be written.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::{Folder, SMALL, assert_shown};

#[test]
fn json_is_a_stream_of_objects() {
    let folder = Folder::with(SMALL);
    let shown = folder.mirror("--local apply --auto-approve --parallelism 1 --json");
    // How often a state is polled depends on the machine.
    let lines = shown.lines().filter(|line| !line.contains("mirror_waiting"));
    assert_shown!(lines.collect::<Vec<_>>().join("\n"), @r#"
    exit code: 0
    ----- stdout -----
    {"@level":"info","@message":"mirror 0.1.0","@module":"mirror.ui","@timestamp":"TIME","mirror":"0.1.0","type":"version","ui":"1.3"}
    {"@level":"info","@message":"vpc.lab: Plan to create","@module":"mirror.ui","@timestamp":"TIME","change":{"action":"create","mirror_reasons":["there is no such object yet"],"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"planned_change"}
    {"@level":"info","@message":"mirror_filter.web: Plan to create","@module":"mirror.ui","@timestamp":"TIME","change":{"action":"create","mirror_reasons":["there is no such object yet"],"resource":{"addr":"mirror_filter.web","implied_provider":"mirror","module":"","resource":"mirror_filter.web","resource_key":null,"resource_name":"web","resource_type":"mirror_filter"}},"type":"planned_change"}
    {"@level":"info","@message":"Plan: 2 to add, 0 to change, 0 to destroy.","@module":"mirror.ui","@timestamp":"TIME","changes":{"action_invocation":0,"add":2,"change":0,"import":0,"operation":"plan","remove":0},"type":"change_summary"}
    {"@level":"info","@message":"Outputs: 1","@module":"mirror.ui","@timestamp":"TIME","outputs":{"vpc":{"action":"create","sensitive":false}},"type":"outputs"}
    {"@level":"info","@message":"Plan digest: sha256:DIGEST","@module":"mirror.ui","@timestamp":"TIME","digest":"sha256:DIGEST","type":"mirror_digest"}
    {"@level":"info","@message":"Estimates","@module":"mirror.ui","@timestamp":"TIME","estimates":{"apply_time":{"bound":"critical_path","critical_path":[{"resource":"mirror_filter.web","seconds":2}],"seconds":2,"source":"usual"},"monthly_cost":{"after":{"capacity_units":{"total":0.0},"endpoint_data":{"total":0.0},"endpoints":{"count":0,"total":0.0},"load_balancers":{"count":0,"total":0.0},"sessions":{"count":0,"total":0.0},"total":0.0},"before":{"capacity_units":{"total":0.0},"endpoint_data":{"total":0.0},"endpoints":{"count":0,"total":0.0},"load_balancers":{"count":0,"total":0.0},"sessions":{"count":0,"total":0.0},"total":0.0},"currency":"USD","load":null,"prices":{"as_of":"2026-09-20","region":"us-east-2"},"zone_crossing":0.0}},"type":"mirror_estimates"}
    {"@level":"info","@message":"2 to do","@module":"mirror.ui","@timestamp":"TIME","total":2,"type":"mirror_begun"}
    {"@level":"info","@message":"vpc.lab: Creating...","@module":"mirror.ui","@timestamp":"TIME","hook":{"action":"create","mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"apply_start"}
    {"@level":"info","@message":"vpc.lab: Creation complete after Ns [id=vpc-ID]","@module":"mirror.ui","@timestamp":"TIME","hook":{"action":"create","elapsed_seconds":N,"id_key":"id","id_value":"vpc-ID","mirror_generation":1,"resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"}},"type":"apply_complete"}
    {"@level":"info","@message":"mirror_filter.web: Creating...","@module":"mirror.ui","@timestamp":"TIME","hook":{"action":"create","mirror_generation":1,"resource":{"addr":"mirror_filter.web","implied_provider":"mirror","module":"","resource":"mirror_filter.web","resource_key":null,"resource_name":"web","resource_type":"mirror_filter"}},"type":"apply_start"}
    {"@level":"info","@message":"mirror_filter.web: Creation complete after Ns [id=tmf-ID]","@module":"mirror.ui","@timestamp":"TIME","hook":{"action":"create","elapsed_seconds":N,"id_key":"id","id_value":"tmf-ID","mirror_generation":1,"resource":{"addr":"mirror_filter.web","implied_provider":"mirror","module":"","resource":"mirror_filter.web","resource_key":null,"resource_name":"web","resource_type":"mirror_filter"}},"type":"apply_complete"}
    {"@level":"info","@message":"Apply complete! Resources: 2 added, 0 changed, 0 destroyed.","@module":"mirror.ui","@timestamp":"TIME","changes":{"action_invocation":0,"add":2,"change":0,"import":0,"operation":"apply","remove":0},"type":"change_summary"}
    {"@level":"info","@message":"Outputs: 1","@module":"mirror.ui","@timestamp":"TIME","outputs":{"vpc":{"sensitive":false,"type":"string","value":"vpc-ID"}},"type":"outputs"}
    ----- stderr -----
    "#);
}

#[test]
fn colors_are_only_where_they_are_wanted() {
    let folder = Folder::with(SMALL);
    let colored = |name: &str, value: &str| {
        let output = folder.command("--local plan").env(name, value).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!colored("TERM", "xterm-256color"));
    assert!(colored("CLICOLOR_FORCE", "1"));
    let both =
        folder.command("--local plan --no-color").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(!both.stdout.contains(&0x1b));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = Folder::with(SMALL);
    let mut child = folder
        .command("--local plan")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let folder = Folder::with(SMALL);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = folder.command("--local plan").stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stderr, @"
    error[MP0601]: the output cannot be written
     |
     = note: No space left on device (os error 28)
    ");
}

#[test]
fn any_endpoint_will_do() {
    let folder = Folder::with(SMALL);
    let mut server = folder
        .command("local serve --port 0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let output = folder
        .command("apply --auto-approve")
        .env("AWS_ENDPOINT_URL", url.trim())
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .output()
        .unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(output.status.success(), "{}", super::shown(&output));
    // It is the same cloud, however it is reached.
    assert_shown!(folder.mirror("--local plan"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack small, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
}
