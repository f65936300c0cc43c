//! The pages about the receiver: the program accepts every command that they show, and commands that
//! read files print what the page shows.
//!
//! A page is a shell session in a folder with `mirrored.pcap`, which holds 100 packets, and
//! `sessions.toml`. A program that a command pipes into is left out where it is not installed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mirror_vxlan::Timestamp;
use mirror_vxlan::capture::pcap;
use mirror_vxlan::config::Program;
use mirror_vxlan::frame::Frame;
use tempfile::TempDir;

use crate::live::network::{Network, Outer};
use crate::program::{DATAGRAM, program, program_path, until_receiving};
use crate::traffic::imix;

/// The commands that end by themselves and print the same everywhere.
const ENDING: [&str; 3] = ["mirror-vxlan decap", "mirror-vxlan man", "mirror-vxlan completions"];

#[test]
fn what_the_pages_show_is_so() {
    let folder = session();
    let mut ran = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (command, expected) in commands(&text) {
            let place = format!("{}: `{command}`", page.display());
            for part in command.split(" | ").filter_map(of_this_program) {
                let taken = Program::command().try_get_matches_from(words(part));
                assert!(taken.is_ok(), "{place}: {}", taken.unwrap_err());
            }
            if ENDING.iter().any(|verb| command.starts_with(verb)) {
                assert_eq!(run(&installed(&command), folder.path()), expected, "{place}");
                ran += 1;
            }
        }
    }
    assert!(ran > 1, "the pages show how captures are read");
}

/// Each runs on a host of its own, is sent five datagrams, and is then told to stop.
#[test]
fn every_receiver_that_the_pages_start_receives() {
    let is_receiver = |part: &&str| part.starts_with("mirror-vxlan receive");
    let texts: Vec<String> = pages().iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    let commands = texts.iter().flat_map(|text| commands(text));
    let started: BTreeSet<String> = commands
        .flat_map(|(command, _)| {
            command
                .split(" | ")
                .filter_map(of_this_program)
                .filter(is_receiver)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(started.len() > 6, "{started:?}");
    for command in started {
        let Some(network) = Network::new() else { return };
        network.ip_on_receiver("route add default dev cable");
        let folder = TempDir::new().unwrap();
        let in_folder = |word: String| match word.strip_suffix("/captures") {
            Some(_) => folder.path().join("captures").into_os_string(),
            None => word.into(),
        };
        let arguments = words(&command).into_iter().skip(1).map(in_folder);
        let mut child = network.receiver(|| {
            let piped = (Stdio::null(), Stdio::piped());
            program().args(arguments).stdout(piped.0).stderr(piped.1).spawn().unwrap()
        });
        let mut log = BufReader::new(child.stderr.take().unwrap());
        until_receiving(&mut log);
        network.send(Outer::V4, [DATAGRAM; 5]);
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut rest = String::new();
        log.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "`{command}`: {rest}");
        assert!(
            rest.contains("received=5 ") && rest.contains("balances=true"),
            "{command}: {rest}"
        );
    }
}

fn pages() -> Vec<PathBuf> {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let pages = ["receiver.md", "receiver/handover.md", "receiver/install.md"];
    pages.map(|page| book.join(page)).to_vec()
}

/// Returns the part of a command that is for this program, without the command that runs it.
fn of_this_program(part: &str) -> Option<&str> {
    let starts = ["mirror-vxlan receive", "mirror-vxlan "];
    starts.into_iter().find_map(|start| {
        let at = part.find(start)?;
        (at == 0 || start.ends_with("receive")).then(|| part[at..].split(" > ").next())?
    })
}

/// The words of a command, as a shell sees them.
fn words(command: &str) -> Vec<String> {
    let print = format!("printf '%s\\0' {command}");
    let output = Command::new("sh").args(["-c", &print]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// Returns a folder with the files that the pages' commands read.
fn session() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut capture = pcap::file_header(65_535).to_vec();
    for mirrored in imix(1).take(100) {
        let frame = Frame {
            time: Timestamp::from_parts(1_700_000_000, 0),
            session: mirrored.expected().session,
            bytes: &mirrored.packet,
            original_len: u32::try_from(mirrored.packet.len()).unwrap(),
        };
        pcap::push_record(&mut capture, &frame);
    }
    fs::write(folder.path().join("mirrored.pcap"), capture).unwrap();
    fs::write(folder.path().join("sessions.toml"), "web = 5569041\n").unwrap();
    folder
}

/// The commands of a page, and what each prints.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let prompted = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
        match (line.strip_prefix("```"), prompted) {
            (Some(language), _) => inside = !inside && language == "console",
            (None, Some(command)) if inside => commands.push((command.to_owned(), String::new())),
            (None, _) if inside => {
                let (_, printed) = commands.last_mut().expect("a block begins with a command");
                printed.push_str(line);
                printed.push('\n');
            }
            (None, _) => {}
        }
    }
    commands
}

/// Returns the command, reduced to the programs that are installed.
fn installed(command: &str) -> String {
    let there = |program: &str| {
        let output = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        output.is_ok_and(|output| output.status.success())
    };
    match command.split_once(" | ") {
        Some((first, rest)) if !there(rest.split(' ').next().unwrap()) => {
            println!("skipped: {rest}");
            format!("{first} >/dev/null")
        }
        // What the other program makes of the frames is not tested here.
        Some(_) => format!("{command} >/dev/null 2>&1"),
        None => command.to_owned(),
    }
}

fn run(command: &str, folder: &Path) -> String {
    let program = program_path();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let with_program = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&path)),
    );
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder)
        .env("PATH", with_program.unwrap())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "`{command}`: {printed}");
    printed
}
