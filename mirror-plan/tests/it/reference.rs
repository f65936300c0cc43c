//! The reference pages of the book are what the code says.

use std::fs;
use std::path::Path;

use mirror_plan::address::Kind;
use mirror_plan::schema;

/// What the file says first, to whoever would edit it.
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
