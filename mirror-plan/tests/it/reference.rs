//! The reference pages of the book match the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mirror_plan::address::Kind;
use mirror_plan::schema;

/// The first line of each file, for anyone who would edit it.
const GENERATED: &str =
    "<!-- Written from the tables in the code; MIRROR_BLESS=1 cargo test writes it anew. -->\n";

/// Compares a page with the one in the repository, or writes it if `MIRROR_BLESS` is set.
#[track_caller]
fn check(file: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src").join(file);
    let page = format!("{GENERATED}{page}");
    if std::env::var_os("MIRROR_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "{file} is stale: run `MIRROR_BLESS=1 cargo test -p mirror-plan`");
}

#[test]
fn the_reference_pages_are_up_to_date() {
    for kind in Kind::all() {
        check(&format!("reference/{kind}.md"), &schema::reference_markdown(kind));
    }
    check("reference/stack-file.md", &schema::blocks_markdown());
    check("reference/functions.md", &schema::functions_markdown());
    check("reference/findings.md", &schema::findings_markdown());
    check("errors.md", &schema::errors_markdown());
}

#[test]
fn every_reference_page_is_in_the_summary() {
    let summary = include_str!("../../../docs/src/SUMMARY.md");
    let pages = Kind::all().map(|kind| format!("(reference/{kind}.md)"));
    let others = [
        "(reference/stack-file.md)",
        "(reference/functions.md)",
        "(reference/findings.md)",
        "(errors.md)",
    ];
    for page in pages.chain(others.map(str::to_owned)) {
        assert!(summary.contains(&page), "{page}");
    }
}

/// A code that is explained but never reported would send readers looking for something that does
/// not happen.
#[test]
fn every_code_that_is_explained_is_reported() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "../mirror-plan-cli/src"] {
        collect(&source.join(folder), &mut files);
    }
    let (tables, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|path| path.ends_with("src/code.rs") || path.ends_with("code/finding.rs"));
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let (tables, others): (String, String) =
        (tables.into_iter().map(read).collect(), others.into_iter().map(read).collect());
    let names =
        tables.lines().filter_map(|line| line.split_once(" = \"MP")?.0.split(' ').next_back());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), mirror_plan::code::all().count());
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = others.split(|c| !is_name(c)).collect();
    let unsaid: Vec<&&str> = names.iter().filter(|name| !words.contains(**name)).collect();
    assert!(unsaid.is_empty(), "explained and never reported: {unsaid:?}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
