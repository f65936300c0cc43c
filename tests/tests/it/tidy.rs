//! Repository rules that no compiler enforces: layers, file names, file lengths, module docs.
//!
//! A rule is a function from one file to its findings. Each has two tests: that it holds for the
//! repository, and that it finds an offence when there is one. Rules read tokens, so that
//! comments and string literals may name anything.

use std::fs;
use std::path::Path;

/// The number of lines above which a file is split by noun.
const FILE_LINES_MAX: usize = 600;

/// Names that say nothing about what a file holds.
const NAMES_OF_NOTHING: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

/// The modules of mirror-plan that are functions of their inputs; `*` stands for any ending.
const PURE_MODULES: [&str; 23] = [
    "address",
    "attribute",
    "code",
    "diagnostic",
    "drift*",
    "graph",
    "hash",
    "iam",
    "id",
    "lint*",
    "metrics",
    "observed",
    "packet*",
    "permission",
    "plan*",
    "price",
    "reach*",
    "render*",
    "resource*",
    "scalar",
    "stack",
    "value",
    "verify",
];

/// The families of crates that the AWS SDK is made of; a function may be named `aws_default`.
const AWS_CRATES: [&str; 7] = [
    "aws_config",
    "aws_credential_types",
    "aws_runtime*",
    "aws_sdk_*",
    "aws_sig*",
    "aws_smithy_*",
    "aws_types",
];

/// What else a pure module may not name; `*` stands for any ending.
const IMPURE: [&str; 7] =
    ["Instant", "SystemTime", "crate::apply", "crate::aws", "std::env", "std::fs", "tokio*"];

/// Says what is wrong with the file at `path`, one entry per offence.
///
/// The path is relative to the workspace and has `/` between its parts.
type Rule = fn(path: &str, text: &str) -> Vec<String>;

// The rules.

fn a_file_has_at_most_600_lines(_path: &str, text: &str) -> Vec<String> {
    let count = text.lines().count();
    if count > FILE_LINES_MAX {
        vec![format!("{count} lines, at most {FILE_LINES_MAX}: split it by noun")]
    } else {
        Vec::new()
    }
}

fn a_module_starts_by_saying_what_it_is(path: &str, text: &str) -> Vec<String> {
    let is_module = path.contains("/src/") && path.ends_with(".rs");
    let says = text.strip_prefix("//! ").is_some_and(|rest| !rest.trim_start().is_empty());
    if is_module && !says { vec!["line 1: no `//!` with a noun phrase".into()] } else { Vec::new() }
}

fn a_file_is_named_for_what_it_holds(path: &str, _text: &str) -> Vec<String> {
    path.split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part))
        .filter(|stem| NAMES_OF_NOTHING.contains(stem))
        .map(|stem| format!("`{stem}` names nothing: put each item on the noun it serves"))
        .collect()
}

fn pure_modules_stay_pure(path: &str, text: &str) -> Vec<String> {
    let Some(inside) = path.strip_prefix("mirror-plan/src/") else { return Vec::new() };
    let module = inside.split('/').next().unwrap_or(inside);
    let module = module.strip_suffix(".rs").unwrap_or(module);
    if PURE_MODULES.iter().any(|pattern| matches(pattern, module)) {
        forbid(path, text, &[&IMPURE[..], &AWS_CRATES].concat())
    } else {
        Vec::new()
    }
}

fn only_one_module_names_the_sdk(path: &str, text: &str) -> Vec<String> {
    let is_the_module =
        path == "mirror-plan/src/aws.rs" || path.starts_with("mirror-plan/src/aws/");
    if path.contains("/src/") && !is_the_module && !is_test(path) {
        forbid(path, text, &["aws_sdk_*"])
    } else {
        Vec::new()
    }
}

fn the_planner_and_the_local_aws_are_strangers(path: &str, text: &str) -> Vec<String> {
    match path.split('/').next() {
        Some("mirror-local") => forbid(path, text, &["mirror_plan*"]),
        Some("mirror-plan") => forbid(path, text, &["mirror_local*"]),
        _ => Vec::new(),
    }
}

/// The uploader, a feature that is off by default, has a runtime on a thread of its own.
fn the_receiver_knows_no_aws_crate_and_no_async_runtime(path: &str, text: &str) -> Vec<String> {
    match path {
        "mirror-vxlan/src/upload.rs" => forbid(path, text, &AWS_CRATES),
        "mirror-vxlan/Cargo.toml" => {
            let is_default = |line: &&str| !line.contains("upload") && !line.contains("optional");
            let rest: Vec<&str> =
                text.lines().map(|line| if is_default(&line) { line } else { "" }).collect();
            forbid(path, &rest.join("\n"), &[&AWS_CRATES[..], &["tokio*"]].concat())
        }
        _ if path.starts_with("mirror-vxlan/") => {
            forbid(path, text, &[&AWS_CRATES[..], &["tokio*"]].concat())
        }
        _ => Vec::new(),
    }
}

fn expect_says_why(path: &str, text: &str) -> Vec<String> {
    if is_test(path) || !path.ends_with(".rs") {
        return Vec::new();
    }
    let tokens = tokens(text);
    before_tests(&tokens)
        .windows(4)
        .filter(|window| {
            let [dot, name, open, message] = window else { return false };
            let calls = dot.text == "." && name.text == "expect" && open.text == "(";
            calls && message.content().is_some_and(|message| message.trim().is_empty())
        })
        .map(|window| format!("line {}: `expect` with an empty message", window[1].line(text)))
        .collect()
}

fn unsafe_stays_in_the_receivers_socket_code(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("mirror-vxlan/src/socket") {
        Vec::new()
    } else {
        forbid(path, text, &["unsafe"])
    }
}

// Each rule, on the repository.

#[test]
fn the_repository_has_no_file_over_600_lines() {
    hold(a_file_has_at_most_600_lines);
}

#[test]
fn the_repository_has_module_docs_everywhere() {
    hold(a_module_starts_by_saying_what_it_is);
}

#[test]
fn the_repository_has_no_file_named_for_nothing() {
    hold(a_file_is_named_for_what_it_holds);
}

#[test]
fn the_repository_keeps_its_pure_modules_pure() {
    hold(pure_modules_stay_pure);
}

#[test]
fn the_repository_names_the_sdk_in_one_module() {
    hold(only_one_module_names_the_sdk);
}

#[test]
fn the_repository_keeps_planner_and_local_aws_apart() {
    hold(the_planner_and_the_local_aws_are_strangers);
}

#[test]
fn the_repository_keeps_the_receiver_small() {
    hold(the_receiver_knows_no_aws_crate_and_no_async_runtime);
}

#[test]
fn the_repository_says_why_it_expects() {
    hold(expect_says_why);
}

#[test]
fn the_repository_has_unsafe_code_in_one_place() {
    hold(unsafe_stays_in_the_receivers_socket_code);
}

#[test]
fn the_rules_see_every_crate() {
    let files = files();
    for member in members() {
        for file in ["Cargo.toml", "src/"] {
            let start = format!("{member}/{file}");
            assert!(files.iter().any(|(path, _)| path.starts_with(&start)), "no {start}");
        }
    }
    assert!(files.iter().any(|(path, _)| path == "tests/tests/it/tidy.rs"), "not this file");
}

// Each rule, on an offence and on its nearest innocent neighbour.

#[test]
fn a_long_file_is_found() {
    check(
        a_file_has_at_most_600_lines,
        "a.rs",
        &"\n".repeat(601),
        &["601 lines, at most 600: split it by noun"],
    );
    check(a_file_has_at_most_600_lines, "a.rs", &"\n".repeat(600), &[]);
}

#[test]
fn a_missing_module_doc_is_found() {
    let rule = a_module_starts_by_saying_what_it_is;
    let finding = ["line 1: no `//!` with a noun phrase"];
    check(rule, "mirror-vxlan/src/wire.rs", "use std::fmt;\n//! Too late.", &finding);
    check(rule, "mirror-vxlan/src/wire.rs", "//! \n", &finding);
    check(rule, "mirror-vxlan/src/wire.rs", "", &finding);
    check(rule, "mirror-vxlan/src/wire.rs", "//! The header.\n", &[]);
    check(rule, "mirror-vxlan/tests/it/laws.rs", "use std::fmt;", &[]);
}

#[test]
fn a_name_of_nothing_is_found_in_files_and_folders() {
    let rule = a_file_is_named_for_what_it_holds;
    let finding = |stem| format!("`{stem}` names nothing: put each item on the noun it serves");
    check(rule, "mirror-plan/src/utils.rs", "", &[&finding("utils")]);
    check(rule, "mirror-plan/src/common/tag.rs", "", &[&finding("common")]);
    check(rule, "mirror-plan/src/common_tag.rs", "", &[]);
}

#[test]
fn a_pure_module_that_reaches_out_is_found() {
    let rule = pure_modules_stay_pure;
    let each = [
        ("use tokio::sync::mpsc;", "line 1: names `tokio`"),
        ("//! A plan.\nuse aws_sdk_ec2 as ec2;", "line 2: names `aws_sdk_ec2`"),
        ("let text = std::fs::read(path);", "line 1: names `std::fs`"),
        ("use std::{\n    fmt,\n    env::var,\n};", "line 1: names `std::env`"),
        ("use std::time::{Duration, Instant};", "line 1: names `Instant`"),
        ("fn at(time: SystemTime) {}", "line 1: names `SystemTime`"),
        ("use crate::apply::Outcome;", "line 1: names `crate::apply`"),
        ("use crate::{address::Address, aws};", "line 1: names `crate::aws`"),
    ];
    for (text, finding) in each {
        for path in ["plan.rs", "plan/steps.rs", "lint.rs", "resource/vpc.rs", "id.rs"] {
            check(rule, &format!("mirror-plan/src/{path}"), text, &[finding]);
        }
        for path in ["apply.rs", "aws/observe.rs", "identity.rs", "lib.rs"] {
            check(rule, &format!("mirror-plan/src/{path}"), text, &[]);
        }
    }
    let innocent = "// no tokio
        use std::{fmt, io::{env, fs}};
        let a = \"std::fs\"; my::fs(); aws_default(); crate::plan::apply()";
    check(rule, "mirror-plan/src/plan.rs", innocent, &[]);
}

#[test]
fn a_second_module_that_names_the_sdk_is_found() {
    let rule = only_one_module_names_the_sdk;
    let text = "fn of(id: aws_sdk_ec2::types::Vpc) {}";
    let finding = ["line 1: names `aws_sdk_ec2`"];
    check(rule, "mirror-plan/src/apply.rs", text, &finding);
    check(rule, "mirror-plan/src/aws_errors.rs", text, &finding);
    check(rule, "mirror-plan-cli/src/main.rs", text, &finding);
    check(rule, "mirror-plan/src/aws.rs", text, &[]);
    check(rule, "mirror-plan/src/aws/act/vpc.rs", text, &[]);
    check(rule, "tests/src/lib.rs", text, &[]);
    check(rule, "mirror-plan/src/apply.rs", "use aws_types::SdkConfig;", &[]);
}

#[test]
fn acquaintance_between_planner_and_local_aws_is_found() {
    let rule = the_planner_and_the_local_aws_are_strangers;
    let plan = "use mirror_plan::plan;";
    let local = "let cloud = mirror_local::World::new();";
    check(rule, "mirror-local/src/lib.rs", plan, &["line 1: names `mirror_plan`"]);
    check(rule, "mirror-local/tests/it/main.rs", plan, &["line 1: names `mirror_plan`"]);
    check(rule, "mirror-plan/src/aws.rs", local, &["line 1: names `mirror_local`"]);
    let manifest = "[dev-dependencies]\nmirror-local.workspace = true # for tests";
    check(rule, "mirror-plan/Cargo.toml", manifest, &["line 2: names `mirror_local`"]);
    check(rule, "mirror-plan/src/lib.rs", plan, &[]);
    check(rule, "mirror-plan-cli/src/main.rs", local, &[]);
}

#[test]
fn a_receiver_that_grows_is_found() {
    let rule = the_receiver_knows_no_aws_crate_and_no_async_runtime;
    let path = "mirror-vxlan/src/worker.rs";
    check(rule, path, "tokio::spawn(f);", &["line 1: names `tokio`"]);
    check(rule, path, "use aws_types::Region;", &["line 1: names `aws_types`"]);
    let manifest = "[dependencies]\ntokio-util = \"0.7\"\n# aws-config";
    check(rule, "mirror-vxlan/Cargo.toml", manifest, &["line 2: names `tokio_util`"]);
    let manifest = "[dependencies]\ntokio = { version = \"1\", optional = true }";
    check(rule, "mirror-vxlan/Cargo.toml", manifest, &[]);
    check(rule, "mirror-vxlan/src/upload.rs", "tokio::spawn(f);", &[]);
    check(rule, path, "//! No tokio.\nconst AWS: &str = \"aws_types\";", &[]);
}

#[test]
fn an_expect_without_a_reason_is_found() {
    let rule = expect_says_why;
    let path = "mirror-plan/src/graph.rs";
    let finding = ["line 2: `expect` with an empty message"];
    check(rule, path, "fn f() {\n    g().expect(\"\");\n}", &finding);
    check(rule, path, "fn f() {\n    g().expect(\n        r#\"  \"#,\n    );\n}", &finding);
    check(rule, path, "f().expect(\"the graph holds it\"); // .expect(\"\")", &[]);
    check(rule, path, "#[cfg(test)]\nmod tests {\n    fn f() { g().expect(\"\") }\n}", &[]);
    check(rule, "tests/tests/it/sweep.rs", "g().expect(\"\")", &[]);
}

#[test]
fn unsafe_code_out_of_place_is_found() {
    let rule = unsafe_stays_in_the_receivers_socket_code;
    let text = "let n = unsafe { recv() };";
    check(rule, "mirror-vxlan/src/wire.rs", text, &["line 1: names `unsafe`"]);
    check(rule, "mirror-plan/tests/it/main.rs", text, &["line 1: names `unsafe`"]);
    check(rule, "mirror-vxlan/src/socket.rs", text, &[]);
    check(rule, "mirror-vxlan/src/socket/cmsg.rs", text, &[]);
    check(rule, "mirror-vxlan/src/lib.rs", "#![forbid(unsafe_code)] // no unsafe", &[]);
}

// The tokens that the rules read, where a mistake would blind all of them.

#[test]
fn comments_and_texts_hide_nothing_behind_them() {
    let text = r##"
        a /* b /* c */ d */ e // f
        "g \" h" i r#"j " k"# l b"m" '"' n '\'' o '\u{22}' p: &'q str r#s
    "##;
    let words: Vec<&str> = tokens(text)
        .into_iter()
        .map(|token| token.text)
        .filter(|text| text.starts_with(char::is_alphabetic) && !text.contains('"'))
        .collect();
    assert_eq!(words, ["a", "e", "i", "l", "n", "o", "p", "q", "str", "r", "s"]);
}

#[test]
fn the_content_of_a_text_is_what_stands_between_its_quotes() {
    let texts = tokens(r###""a" b"" r##"c"d"## "\"" x"###);
    let contents: Vec<Option<&str>> = texts.iter().map(Token::content).collect();
    assert_eq!(contents, [Some("a"), Some(""), Some("c\"d"), Some("\\\""), None]);
}

/// Asserts that `rule` finds exactly `expected` in the file given.
#[track_caller]
fn check(rule: Rule, path: &str, text: &str, expected: &[&str]) {
    assert_eq!(rule(path, text), expected, "{path}: {text:?}");
}

/// Asserts that `rule` finds nothing in the repository.
#[track_caller]
fn hold(rule: Rule) {
    let findings: Vec<String> = files()
        .iter()
        .flat_map(|(path, text)| {
            rule(path, text).into_iter().map(move |finding| format!("{path}: {finding}"))
        })
        .collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Names every token of `text` that one of `patterns` forbids.
fn forbid(path: &str, text: &str, patterns: &[&str]) -> Vec<String> {
    // A manifest writes the crate `mirror_plan` as mirror-plan, and `#` where Rust has `//`.
    let manifest = path.ends_with(".toml").then(|| text.replace('-', "_").replace('#', "//"));
    let text = manifest.as_deref().unwrap_or(text);
    let tokens = tokens(text);
    let finding =
        |token: &Token<'_>, name: &str| format!("line {}: names `{name}`", token.line(text));
    let mut findings = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        for pattern in patterns {
            match pattern.split_once("::") {
                Some((from, name)) if token.text == from && imports(&tokens[place + 1..], name) => {
                    findings.push(finding(token, pattern));
                }
                None if matches(pattern, token.text) => findings.push(finding(token, token.text)),
                Some(_) | None => {}
            }
        }
    }
    findings
}

/// Returns whether `rest`, which follows a path's first part, continues with `name`.
///
/// Both `::name` and `::{other, name::item}` do.
fn imports(rest: &[Token<'_>], name: &str) -> bool {
    let [colons, first, ..] = rest else { return false };
    if colons.text != "::" || first.text != "{" {
        return colons.text == "::" && first.text == name;
    }
    let mut depth = 0;
    for pair in rest[1..].windows(2) {
        match pair[0].text {
            "{" => depth += 1,
            "}" if depth == 1 => return false,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 1 && matches!(pair[0].text, "{" | ",") && pair[1].text == name {
            return true;
        }
    }
    false
}

/// Returns whether `pattern` is `name`, or its start if the pattern ends with `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// Returns whether all of the file is test code.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.contains("/benches/")
}

/// Returns the tokens before the test module, which comes last in a file.
fn before_tests<'a, 'b>(tokens: &'a [Token<'b>]) -> &'a [Token<'b>] {
    const TESTS: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let is_start = |window: &[Token<'_>]| window.iter().map(|token| token.text).eq(TESTS);
    let end = tokens.windows(TESTS.len()).position(is_start);
    &tokens[..end.unwrap_or(tokens.len())]
}

/// A piece of Rust: a word, a string or character literal, `::`, or any other single character.
struct Token<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Token<'a> {
    /// Returns the line of the token in the text it was read from, from 1.
    fn line(&self, text: &str) -> usize {
        1 + text[..self.offset].matches('\n').count()
    }

    /// Returns what stands between the quotes, if the token is a string literal.
    fn content(&self) -> Option<&'a str> {
        let (_, rest) = self.text.split_once('"')?;
        rest.rsplit_once('"').map(|(content, _)| content)
    }
}

/// Splits Rust code into its tokens; comments and whitespace are left out.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    while let Some(first) = code[offset..].chars().next() {
        let rest = &code[offset..];
        let (length, is_token) = if first.is_whitespace() {
            (first.len_utf8(), false)
        } else if let Some(length) = comment(rest) {
            (length, false)
        } else {
            let length = quoted(rest).or_else(|| character(rest)).unwrap_or_else(|| word(rest));
            (length, true)
        };
        if is_token {
            tokens.push(Token { text: &rest[..length], offset });
        }
        offset += length;
    }
    tokens
}

/// Returns the length of the comment that `code` starts with; block comments nest.
fn comment(code: &str) -> Option<usize> {
    if code.starts_with("//") {
        return Some(code.find('\n').unwrap_or(code.len()));
    }
    let mut inside = code.strip_prefix("/*")?;
    let mut depth = 1;
    while depth > 0 {
        let Some(mark) = inside.find(['/', '*']) else { return Some(code.len()) };
        inside = &inside[mark..];
        if let Some(rest) = inside.strip_prefix("/*") {
            (inside, depth) = (rest, depth + 1);
        } else if let Some(rest) = inside.strip_prefix("*/") {
            (inside, depth) = (rest, depth - 1);
        } else {
            inside = &inside[1..];
        }
    }
    Some(code.len() - inside.len())
}

/// Returns the length of the string literal that `code` starts with: plain, byte, C or raw.
fn quoted(code: &str) -> Option<usize> {
    let after_kind = code.trim_start_matches(['b', 'c', 'r']);
    let kind = &code[..code.len() - after_kind.len()];
    if !["", "b", "c", "r", "br", "cr"].contains(&kind) {
        return None;
    }
    let after_hashes = after_kind.trim_start_matches('#');
    let hashes = &after_kind[..after_kind.len() - after_hashes.len()];
    let inside = after_hashes.strip_prefix('"')?;
    let start = code.len() - inside.len();
    if kind.ends_with('r') {
        let end = format!("\"{hashes}");
        return Some(inside.find(&end).map_or(code.len(), |at| start + at + end.len()));
    }
    if !hashes.is_empty() {
        return None;
    }
    let mut escaped = false;
    let end = inside.char_indices().find(|&(_, character)| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    Some(end.map_or(code.len(), |(at, _)| start + at + 1))
}

/// Returns the length of the character literal that `code` starts with; a lifetime is not one.
fn character(code: &str) -> Option<usize> {
    let inside = code.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let first = escape.chars().next()?.len_utf8();
        return escape[first..].find('\'').map(|at| 2 + first + at + 1);
    }
    let length = inside.chars().next()?.len_utf8();
    inside[length..].starts_with('\'').then_some(1 + length + 1)
}

/// Returns the length of a word, of `::`, or of the one character that `code` starts with.
fn word(code: &str) -> usize {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    match code.find(|character| !is_part(character)).unwrap_or(code.len()) {
        0 if code.starts_with("::") => 2,
        0 => code.chars().next().map_or(0, char::len_utf8),
        length => length,
    }
}

/// Returns the manifests and Rust files of all members, each as its path in the workspace and its text.
fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for member in members() {
        collect(&member, &mut files);
    }
    files
}

/// Returns the folders of the workspace's members, as its manifest lists them.
fn members() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let (_, rest) = manifest.split_once("members = [").expect("the workspace lists its members");
    let (list, _) = rest.split_once(']').expect("the list of members is closed");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Adds the files below `folder`, in the order of their names.
fn collect(folder: &str, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(workspace().join(folder)).expect("a member's folder is readable");
    let mut names: Vec<(String, bool)> = entries
        .map(|entry| entry.expect("a member's folder is readable to its end"))
        .map(|entry| (entry.file_name().into_string(), entry.path().is_dir()))
        .map(|(name, is_folder)| (name.expect("file names are UTF-8"), is_folder))
        .collect();
    names.sort();
    for (name, is_folder) in names {
        let path = format!("{folder}/{name}");
        if is_folder && name != "target" && !name.starts_with('.') {
            collect(&path, files);
        } else if !is_folder && (name == "Cargo.toml" || name.ends_with(".rs")) {
            let text = read(&path);
            files.push((path, text));
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
