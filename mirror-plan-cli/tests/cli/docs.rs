//! The documentation: every command that it shows runs, and prints the output that is shown.
//!
//! A page is a session in a folder of its own. In order, its blocks are:
//!
//! - `console`: after each `$ ` a command, which is `mirror` or `echo $?`, then what it prints, both
//!   streams together. A line `...` stands for any number of lines. A command that fails is followed
//!   by `$ echo $?`.
//! - `hcl`: added to the page's stack file, unless it is an excerpt of what is there already.
//! - `diff`: an edit of the stack file.
//!
//! Blocks of `sh` are run by [`shell`]; those of other languages are for readers only. Ids, digests, durations and whatever else
//! differs from run to run are compared by their shape.

mod shell;

use std::fs;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Folder;

#[test]
fn what_the_readme_shows_is_so() {
    let folder = Folder::empty();
    fs::create_dir(folder.path().join("examples")).unwrap();
    for example in ["examples/guide.mirror.hcl", "examples/lab.pcap"] {
        fs::copy(repository().join(example), folder.path().join(example)).unwrap();
    }
    assert_eq!(run_page(&repository().join("README.md"), &folder), Ok(()));
}

#[test]
fn what_the_book_shows_is_so() {
    let failures: Vec<String> =
        pages().iter().filter_map(|page| run_page(page, &Folder::empty()).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let first = blocks(&text).remove(0);
    let commands = first.lines.iter().map(|line| line.split('#').next().unwrap().trim());
    assert_eq!(commands.collect::<Vec<_>>(), ["examples/story.sh", "cargo test --workspace"]);
}

#[test]
fn the_story_is_told_to_its_end() {
    let folder = Folder::empty();
    let output = Command::new("bash")
        .arg(repository().join("examples/story.sh"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("MIRROR", env!("CARGO_BIN_EXE_mirror"))
        .output()
        .expect("bash is there");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let parts = [
        "Apply complete! Resources: 15 added, 0 changed, 0 destroyed.",
        "No changes. Your infrastructure matches the configuration.",
        "Plan: 0 to add, 1 to change, 0 to destroy.",
        "# capture gap: none",
        "Apply complete! Resources: 3 added, 1 changed, 3 destroyed.",
        "Destroy complete! Resources: 15 destroyed.",
        "Nothing in account 123456789012, Region eu-west-1.",
    ];
    let places: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?} in:\n{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it cleans up after itself");
}

#[test]
fn a_promise_names_tests_that_exist() {
    let text = fs::read_to_string(repository().join("docs/src/promises.md")).unwrap();
    let mut file = String::new();
    let mut found = 0;
    for name in text.split('`').skip(1).step_by(2) {
        if name.ends_with(".rs") {
            file = fs::read_to_string(repository().join(name)).expect(name);
        } else if name.contains('_') {
            let test = [format!("fn {name}("), format!(" {name}: ")];
            assert!(test.iter().any(|test| file.contains(test)), "there is no test `{name}`");
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn a_wrong_document_is_found() {
    let check = |text: &str| {
        let folder = Folder::empty();
        folder.write("page.md", text);
        run_page(&folder.path().join("page.md"), &Folder::empty())
    };
    let right = "```console\n$ mirror validate\nerror[MP0602]: there is no stack file here\n...\n\
                 $ echo $?\n1\n```\n";
    assert_eq!(check(right), Ok(()));
    for (wrong, finding) in [
        (right.replace("file here", "file there"), "prints something else"),
        (right.replace("...\n", ""), "prints something else"),
        (right.replace("$ echo $?\n1", "$ echo $?\n2"), "prints something else"),
        (right.replace("$ echo $?\n1\n", ""), "failed"),
        (right.replace("$ mirror validate", "$ ls"), "cannot be run"),
        ("```diff\n-a\n+b\n```\n".to_owned(), "no stack file"),
        ("```hcl\nstack \"x\" {}\n```\n```diff\n-a\n+b\n```\n".to_owned(), "not in the stack file"),
    ] {
        let error = check(&wrong).expect_err(&wrong);
        assert!(error.contains(finding), "{error}");
    }
}

#[test]
fn only_what_differs_from_run_to_run_is_not_compared() {
    assert_eq!(shape("[id=tmf-0537d03d98a91dee8] after 12s"), "[id=tmf-ID] after Ns");
    assert_eq!(
        shape("sha256:a384eaeef05cc2383c23b8c2bfb50575"),
        "sha256:a384eaeef05cc2383c23b8c2bfb50575"
    );
    assert_eq!(shape("ec2-user@54.179.55.70 in 10.0.1.0/24."), "ec2-user@IP in 10.0.1.0/24.");
    assert_eq!(shape("vni = 8268022, port = 4789"), "vni = N, port = 4789");
    assert_eq!(shape("2026-11-22T16:43:18Z eu-west-1 ec2"), "TIME eu-west-1 ec2");
}

/// The hand-written pages of the book.
///
/// The reference is printed from tables, and the receiver's page is checked by the receiver's own
/// tests.
fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("docs/src")).expect("the book is there");
    let mut pages: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.retain(|path| !path.ends_with("receiver.md"));
    pages.sort();
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a workspace")
}

/// A fenced block.
struct Block {
    language: String,
    /// The number of its first line of content.
    line: usize,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        match (inside, line.strip_prefix("```")) {
            (false, Some(language)) => {
                let language = language.to_owned();
                blocks.push(Block { language, line: number + 1, lines: Vec::new() });
                inside = true;
            }
            (true, Some(_)) => inside = false,
            (true, None) => {
                blocks.last_mut().expect("it was just begun").lines.push(line.to_owned());
            }
            (false, None) => {}
        }
    }
    blocks
}

/// Does what a page shows; the error names the line that is wrong.
fn run_page(page: &Path, folder: &Folder) -> Result<(), String> {
    let text = fs::read_to_string(page).expect("the page is there");
    let mut code = 0;
    for block in blocks(&text) {
        let at = |line: usize, error: String| {
            format!("{}:{}: {error}", page.display(), block.line + line)
        };
        match block.language.as_str() {
            "console" => {
                let commands = commands(&block.lines);
                for (index, (line, command, expected)) in commands.iter().enumerate() {
                    let actual = run(command, folder, &mut code).map_err(|e| at(*line, e))?;
                    let told =
                        commands.get(index + 1).is_some_and(|(_, next, _)| next == "echo $?");
                    compare(expected, &actual)
                        .map_err(|e| at(*line, format!("`{command}` {e}")))?;
                    if code != 0 && command != "echo $?" && !told {
                        return Err(at(*line, format!("`{command}` failed: {code}")));
                    }
                }
            }
            "hcl" => add(&block.lines.join("\n"), folder),
            "diff" => edit(&block.lines, folder).map_err(|error| at(0, error))?,
            _ => {}
        }
    }
    Ok(())
}

/// The commands of a block: for each, its line number, its text and what it prints.
fn commands(lines: &[String]) -> Vec<(usize, String, Vec<String>)> {
    let mut commands: Vec<(usize, String, Vec<String>)> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((number, command.to_owned(), Vec::new())),
            (None, Some((_, _, output))) => output.push(line.clone()),
            (None, None) => commands.push((number, String::new(), Vec::new())),
        }
    }
    commands
}

/// Runs a command and returns what it prints, both streams together.
fn run(command: &str, folder: &Folder, code: &mut i32) -> Result<String, String> {
    if command == "echo $?" {
        return Ok(code.to_string());
    }
    let Some(arguments) = command.strip_prefix("mirror ") else {
        return Err(format!("`{command}` cannot be run here: only `mirror` and `echo $?` can"));
    };
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut mirror = folder.command(arguments);
    mirror.stdout(writer.try_clone().expect("a second end")).stderr(writer);
    let mut child = mirror.spawn().expect("mirror runs");
    drop(mirror);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("the output is text");
    *code = child.wait().expect("it was started").code().unwrap_or(-1);
    Ok(text)
}

/// Adds a text to the stack file of the folder, unless it is already there.
fn add(text: &str, folder: &Folder) {
    let path = stack_file(folder).unwrap_or_else(|| folder.path().join("page.mirror.hcl"));
    let before = fs::read_to_string(&path).unwrap_or_default();
    if !before.contains(text) {
        fs::write(path, format!("{before}\n{text}\n")).expect("the folder can be written");
    }
}

/// Replaces the lines of the diff that begin with a minus by those that begin with a plus.
fn edit(diff: &[String], folder: &Folder) -> Result<(), String> {
    let side = |other: char| {
        let lines = diff.iter().filter(|line| !line.starts_with(other));
        lines.map(|line| format!("{}\n", line.get(1..).unwrap_or(""))).collect::<String>()
    };
    let (from, to) = (side('+'), side('-'));
    let path = stack_file(folder).ok_or("there is no stack file to edit")?;
    let text = fs::read_to_string(&path).expect("the stack file is there");
    if text.matches(&from).count() != 1 {
        return Err(format!("not in the stack file exactly once:\n{from}in:\n{text}"));
    }
    fs::write(path, text.replace(&from, &to)).expect("the folder can be written");
    Ok(())
}

fn stack_file(folder: &Folder) -> Option<PathBuf> {
    let entries = fs::read_dir(folder.path()).expect("the folder is there");
    let mut files = entries.map(|entry| entry.expect("it can be listed").path());
    files.find(|path| path.to_str().is_some_and(|path| path.ends_with(".mirror.hcl")))
}

fn compare(expected: &[String], actual: &str) -> Result<(), String> {
    let shapes: Vec<_> = expected.iter().map(|line| shape(line)).collect();
    let found: Vec<_> = actual.lines().map(shape).collect();
    if matches(trimmed(&shapes), trimmed(&found)) {
        return Ok(());
    }
    Err(format!("prints something else than\n{}\nnamely\n{actual}", expected.join("\n")))
}

/// Removes blank lines at the end, which a document leaves out or adds before the next command.
fn trimmed(mut lines: &[String]) -> &[String] {
    while let [rest @ .., last] = lines
        && last.trim().is_empty()
    {
        lines = rest;
    }
    lines
}

fn matches(expected: &[String], actual: &[String]) -> bool {
    match expected {
        [] => actual.is_empty(),
        [dots, rest @ ..] if dots.trim() == "..." => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        [line, rest @ ..] => actual.split_first().is_some_and(|(first, others)| {
            first.trim_end() == line.trim_end() && matches(rest, others)
        }),
    }
}

/// A line without what differs from run to run.
fn shape(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == ':';
    let mut shape = String::new();
    let mut rest = line;
    // A line of the log begins with the time.
    if let Some((time, call)) = line.split_once(' ')
        && time.starts_with("20")
        && time.ends_with('Z')
    {
        shape.push_str("TIME");
        rest = &line[line.len() - call.len() - 1..];
    }
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        shape.push_str(&token_shape(token, &shape));
        rest = after;
    }
    shape
}

/// Returns a token, with what differs from run to run replaced by its kind.
fn token_shape(token: &str, before: &str) -> String {
    let is_hex = |text: &str| text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let head = token.split('.').next().unwrap_or(token);
    if is_hex(head) && matches!(head.len(), 16 | 17) {
        return token.replacen(head, "ID", 1);
    }
    if let Some(digest) = token.strip_prefix("sha256:")
        && is_hex(digest)
        && digest.len() == 64
    {
        return "sha256:DIGEST".to_owned();
    }
    if token.strip_suffix('s').is_some_and(is_number) && before.ends_with("after ") {
        return "Ns".to_owned();
    }
    if token.parse::<Ipv4Addr>().is_ok_and(|address| address.octets()[3] != 0) {
        return "IP".to_owned();
    }
    if is_number(token) && before.trim_end_matches([' ', '=']).ends_with("vni") {
        return "N".to_owned();
    }
    token.to_owned()
}
