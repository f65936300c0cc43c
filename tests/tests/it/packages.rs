//! Packages: what `cargo add` and `cargo install` get for each crate, which is less than the repository holds.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

/// The crates that are published, each after those that it depends on.
const PUBLISHED: [&str; 4] = ["mirror-vxlan", "mirror-local", "mirror-plan", "mirror-plan-cli"];

/// Returns the files of a package, as cargo would put it together.
fn files(package: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut list = Command::new(cargo);
    list.args(["package", "--list", "--offline", "--allow-dirty", "--package", package]);
    let output = list.current_dir(repository()).output().expect("cargo runs, as it runs this test");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package}: {errors}");
    let files = String::from_utf8(output.stdout).expect("file names are UTF-8");
    files.lines().map(str::to_owned).collect()
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn a_package_holds_its_licences_and_says_what_it_is() {
    let tops = PUBLISHED.map(|package| {
        let files = files(package);
        let tops: BTreeSet<&str> = files.iter().filter_map(|file| file.split('/').next()).collect();
        let tops =
            tops.into_iter().filter(|top| !top.starts_with("Cargo.") && !top.starts_with('.'));
        format!("{package}: {}", tops.collect::<Vec<_>>().join(" "))
    });
    assert_snapshot!(tops.join("\n"), @r"
    mirror-vxlan: LICENSE-APACHE LICENSE-MIT README.md benches examples packaging src tests
    mirror-local: LICENSE-APACHE LICENSE-MIT README.md benches conformance examples src tests
    mirror-plan: LICENSE-APACHE LICENSE-MIT README.md benches examples proptest-regressions src tests
    mirror-plan-cli: LICENSE-APACHE LICENSE-MIT README.md src tests
    ");
}
