//! The report: one file, the same each time, which a browser opens without a network.

use std::process::{Command, Stdio};

use super::{Folder, SMALL, assert_shown};

/// A stack with a packet path, and values that would like to be more than text.
const HOSTILE: &str = r#"
stack "small" { region = "eu-west-1" }

mirror_target "nic" {
  network_interface = "eni-0a1b2c3d4e5f67890"
  description       = "</pre><script>document.title = 'broken out'</script><img src=x onerror=alert(1)>"
}

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", description = "<b onmouseover=alert(1)>'\"&amp;" }]
}

mirror_session "web" {
  source = "eni-0a1b2c3d4e5f67891"
  target = mirror_target.nic
  filter = mirror_filter.web
  number = 1
}
"#;

#[test]
fn a_report_is_the_same_of_a_stack_and_of_its_saved_plan() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local report --html one.html"), @"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    Wrote the report: one.html
    ");
    folder.done("plan --out plan.json");
    folder.done("report --html two.html plan.json");
    assert_eq!(folder.read("one.html"), folder.read("two.html"));
    folder.done("report --offline --html three.html");
    assert!(folder.read("three.html").contains("000000000000"));
}

/// A page for the headless browser that examines the report, which it has in a frame.
const ASKING: &str = r#"<!DOCTYPE html>
<iframe src="report.html" width="1200" height="900"></iframe>
<pre id="answer"></pre>
<script>
onload = () => {
  const framed = frames[0], page = framed.document, count = (what) => page.querySelectorAll(what).length;
  document.getElementById("answer").textContent = "@" + [
    "title: " + page.title,
    "headings: " + [...page.querySelectorAll("h2")].map((h) => h.textContent).join(", "),
    "boxes: " + count("svg .box") + ", scripts: " + count("script") + ", images: " + count("img, b"),
    "fetched: " + framed.performance.getEntriesByType("resource").length,
    "wider than its window: " + (page.documentElement.scrollWidth > page.documentElement.clientWidth),
    "paper: " + framed.getComputedStyle(page.documentElement).backgroundColor,
  ].join("\n") + "@";
};
</script>
"#;

#[test]
fn a_browser_opens_the_report_in_light_and_dark_and_prints_it() {
    let folder = Folder::with(HOSTILE);
    folder.done("report --html report.html");
    folder.write("asking.html", ASKING);
    let light = in_browser(&folder, &["--blink-settings=preferredColorScheme=1"]);
    let Some(light) = light else { return println!("skipped: there is no `chromium`") };
    insta::assert_snapshot!(light, @"
    title: Plan for stack small
    headings: The path of a mirrored packet, Cost and time, Changes, What the filters mirror
    boxes: 5, scripts: 0, images: 0
    fetched: 0
    wider than its window: false
    paper: rgb(255, 255, 255)
    ");
    let dark = in_browser(&folder, &["--blink-settings=preferredColorScheme=0"]).unwrap();
    assert_eq!(dark, light.replace("rgb(255, 255, 255)", "rgb(13, 17, 23)"));
    let pdf = folder.path().join("report.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    chromium(&folder, &[&print], "report.html").unwrap();
    assert!(std::fs::read(pdf).unwrap().starts_with(b"%PDF-"));
}

/// Returns what that page finds out; `None` where there is no browser.
fn in_browser(folder: &Folder, options: &[&str]) -> Option<String> {
    let options = [options, &["--dump-dom", "--allow-file-access-from-files"]].concat();
    let page = chromium(folder, &options, "asking.html")?;
    let answer = page.split('@').nth(1);
    Some(answer.unwrap_or_else(|| panic!("no answer in {page}")).to_owned())
}

/// Opens a file of the folder in a headless Chromium that has no network.
fn chromium(folder: &Folder, options: &[&str], file: &str) -> Option<String> {
    let home = folder.path().join("browser");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--proxy-server=127.0.0.1:9", "--virtual-time-budget=5000"])
        .arg(format!("--user-data-dir={}", home.display()))
        .args(options)
        .arg(format!("file://{}", folder.path().join(file).display()))
        .env("HOME", &home)
        .stdin(Stdio::null())
        .output();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        output => {
            let output = output.expect("chromium runs");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
    }
}
