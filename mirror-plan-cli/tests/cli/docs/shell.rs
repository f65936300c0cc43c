//! What the book tells a shell: each line of its `sh` blocks that runs `mirror` runs, one block after the other, in an
//! account that has what the block names.
//!
//! Lines of other programs are left out. A line with `mirror` is run as it is, except that it is for a local AWS unless
//! an endpoint is in the environment, that nobody is asked, and that a server takes any free port.

use std::fs;
use std::process::{Command, Stdio};

use super::super::{Folder, SMALL, accounts, adopt, import, shown};
use super::{Block, blocks, pages, repository};

/// What stands for an object in the book, and what it is in a test.
type Names = Vec<(&'static str, String)>;

/// Makes an account, and the folder to run in.
type Account = fn() -> (Folder, Names);

/// The blocks, by page and first line, each with what makes the account for it.
const BLOCKS: &[(&str, &str, Account)] = &[
    ("iam.md", "mirror iam --apply > apply.json", small),
    ("iam.md", "mirror iam --apply --as sensors", two_accounts),
    ("local.md", "mirror local serve --port 4566 &", small),
    ("moving.md", "mirror adopt vpc.lab vpc-0a1b2c3d4e5f67890", to_adopt),
    ("moving.md", "mirror import terraform terraform.tfstate --name lab", from_terraform),
    ("moving.md", "mirror discover --vpc vpc-0a1b2c3d4e5f67890 --name lab", to_discover),
    ("moving.md", "mirror adopt --from adoptions.txt", to_adopt),
    ("moving.md", "mirror export terraform --out terraform", small),
    ("sources.md", "cd examples/sources", the_sources),
    ("terraform-json.md", "mirror plan --format tfjson > plan.json", small),
];

/// What makes `mirror` one for a local AWS, and ends what was started when the shell ends.
const PRELUDE: &str = r#"
set -euo pipefail
trap 'for job in $(jobs -p); do kill "$job"; done' EXIT
export AWS_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
mirror() {
  case "${AWS_ENDPOINT_URL:+there} $* " in
    there* | *' --local '*) "$MIRROR" "$@" ;;
    *) "$MIRROR" --local "$@" ;;
  esac
}
"#;

#[test]
fn what_the_book_tells_a_shell_runs() {
    let mut left: Vec<_> = BLOCKS.iter().collect();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("the page is there");
        let name = page.file_name().and_then(|name| name.to_str()).expect("it has a name");
        for block in blocks(&text).iter().filter(|block| tells_mirror(block)) {
            let is_it = |(page, first, _): &&(_, _, _)| (name, &*block.lines[0]) == (*page, *first);
            let known = BLOCKS.iter().find(is_it);
            let (_, _, account) = known.unwrap_or_else(|| {
                panic!("{name}:{}: the tests have no account for this block", block.line)
            });
            left.retain(|entry| !is_it(entry));
            let (folder, names) = account();
            run(&names.iter().fold(script(block), |text, (of, is)| text.replace(of, is)), &folder);
        }
    }
    assert!(left.is_empty(), "no block of the book begins like this: {:?}", left[0].1);
}

fn tells_mirror(block: &Block) -> bool {
    block.language == "sh" && block.lines.iter().any(|line| line.starts_with("mirror "))
}

/// Returns the lines of a block for the shell of the tests.
fn script(block: &Block) -> String {
    let is_run = |line: &&String| {
        ["mirror ", "cd ", "export "].iter().any(|beginning| line.starts_with(beginning))
    };
    let line = |line: &String| {
        let line = line.split("  #").next().unwrap_or_default().trim_end();
        if let Some(server) = line.strip_suffix('&') {
            let server = server.replace("mirror", "\"$MIRROR\"").replace("--port 4566", "");
            let waits = "for _ in {1..100}; do grep -q http url && break; sleep 0.1; done";
            return format!("{server} --port 0 > url 2> said &\n{waits}\n");
        }
        let line = line.replace("http://127.0.0.1:4566", "$(cat url)");
        let asks = line.starts_with("mirror adopt") || line.starts_with("mirror apply");
        format!("{line}{}\n", if asks { " --auto-approve" } else { "" })
    };
    block.lines.iter().filter(is_run).map(line).collect()
}

fn run(script: &str, folder: &Folder) {
    let output = Command::new("bash")
        .args(["-c", &format!("{PRELUDE}{script}")])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("MIRROR", env!("CARGO_BIN_EXE_mirror"))
        .stdin(Stdio::null())
        .output()
        .expect("bash is there");
    assert!(output.status.success(), "{script}\n{}", shown(&output));
}

/// An account in which a stack is applied.
fn small() -> (Folder, Names) {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    (folder, Names::new())
}

/// A stack that reaches another account, which is not asked.
fn two_accounts() -> (Folder, Names) {
    let by_id = "id   = \"vpc-0a1b2c3d4e5f67890\"";
    let stack = accounts::SOURCES.replace("name = \"sensors\"", by_id);
    (Folder::with(&stack), Names::new())
}

/// A VPC that nobody owns, which the stack and a list name.
fn to_adopt() -> (Folder, Names) {
    let (folder, vpc, _) = adopt::free_estate();
    fs::remove_file(folder.path().join("other.mirror.hcl")).expect("it was written");
    folder.write("adoptions.txt", &format!("vpc.lab {vpc}\n"));
    (folder, vec![("vpc-0a1b2c3d4e5f67890", vpc)])
}

fn to_discover() -> (Folder, Names) {
    let (folder, names) = to_adopt();
    fs::remove_file(folder.path().join("small.mirror.hcl")).expect("it was written");
    (folder, names)
}

fn from_terraform() -> (Folder, Names) {
    (import::folder(), Names::new())
}

fn the_sources() -> (Folder, Names) {
    let folder = Folder::empty();
    fs::create_dir_all(folder.path().join("examples/sources")).expect("it can be made");
    for name in ["sources/estate.mirror.hcl", "sources/sensors.mirror.hcl"] {
        let from = repository().join("examples").join(name);
        let to = folder.path().join("examples").join(name);
        fs::copy(from, to).expect("the example is there");
    }
    (folder, Names::new())
}
