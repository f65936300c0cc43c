//! The files in `packaging/`: their options are those of the program, and what is generated from the command
//! line covers all of it. `packaging/check.sh` shows that the whole works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Command as CommandLine;
use mirror_vxlan::config::{Program, Receive, Verb};
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::program::program;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// The only document of a YAML file.
fn yaml(text: &str) -> Yaml<'_> {
    let mut documents = Yaml::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn list<'y>(value: &'y Yaml<'_>) -> Vec<&'y str> {
    let words = value.as_sequence().expect("it is a list").iter();
    words.map(|word| word.as_str().expect("of texts")).collect()
}

/// Returns the options of a receiver that is started with these arguments; all of them have to be valid.
fn receiver(arguments: &[&str]) -> Receive {
    let arguments: Vec<_> =
        ["mirror-vxlan"].iter().chain(arguments).map(|word| (*word).into()).collect();
    match Program::from_arguments(&arguments).unwrap().command {
        Verb::Receive(options) => *options,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_options_of_the_package_are_those_of_the_program() {
    let config = folder().join("mirror-vxlan.toml");
    let options = receiver(&["receive", "--config", config.to_str().unwrap()]);
    // The unit lets it write only there, and kills it that long after telling it to stop.
    assert_eq!(options.output.folders(), [Path::new("/var/lib/mirror-vxlan")]);
    let unit = text("mirror-vxlan.service");
    let value = |key: &str| {
        unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).expect(key)
    };
    assert_eq!(value("StateDirectory"), "mirror-vxlan");
    let patience: u64 = value("TimeoutStopSec").strip_suffix('s').unwrap().parse().unwrap();
    assert!(options.operate.drain.duration().as_secs() + 20 <= patience);
    let started: Vec<&str> = value("ExecStart").split_whitespace().skip(1).collect();
    assert_eq!(started, ["receive", "--config", "/etc/mirror-vxlan.toml"]);
}

#[test]
fn the_user_data_writes_options_of_the_program_and_runs_a_script() {
    let text = text("cloud-init.yaml");
    assert_eq!(text.lines().next(), Some("#cloud-config"));
    let user_data = yaml(&text);
    let files = user_data["write_files"].as_sequence().unwrap();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!(file["path"].as_str(), Some("/etc/mirror-vxlan.toml"));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, file["content"].as_str().unwrap()).unwrap();
    let options = receiver(&["receive", "--config", config.to_str().unwrap()]);
    assert!(!options.output.is_empty() && options.operate.health.is_some());
    let script = list(&user_data["runcmd"]).join("\n");
    let checked = Command::new("sh").args(["-n", "-c", &script]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // What cannot be verified is not installed.
    assert!(script.find("sha256sum --check").unwrap() < script.find("tar ").unwrap());
}

#[test]
fn the_containers_are_started_as_the_program_takes_it() {
    let text = text("compose.yaml");
    let compose = yaml(&text);
    let service = &compose["services"]["receiver"];
    let options = receiver(&list(&service["command"]));
    // The receiver is where mirrored traffic arrives, and may create the device that Suricata reads.
    assert_eq!(service["network_mode"].as_str(), Some("host"));
    assert_eq!(list(&service["cap_drop"]), ["ALL"]);
    assert_eq!(list(&service["cap_add"]), ["NET_RAW", "NET_ADMIN"]);
    assert_eq!(list(&service["devices"]), ["/dev/net/tun"]);
    let device = options.output.tap.unwrap();
    let read = list(&compose["services"]["suricata"]["command"]);
    assert!(read.windows(2).any(|words| words == ["-i", &device]), "{read:?}");
}

#[test]
fn the_playbook_installs_files_that_are_there() {
    let text = text("ansible.yaml");
    let playbook = yaml(&text);
    let play = &playbook.as_sequence().unwrap()[0];
    let tasks = play["tasks"].as_sequence().unwrap();
    let of = |module: &str| tasks.iter().find_map(|task| task.as_mapping_get(module)).unwrap();
    let copied = of("ansible.builtin.copy");
    assert!(folder().join(copied["src"].as_str().unwrap()).exists());
    assert_eq!(copied["dest"].as_str(), Some("/etc/mirror-vxlan.toml"));
    let service = of("ansible.builtin.systemd_service");
    assert_eq!(service["name"].as_str(), Some("mirror-vxlan"));
    assert_eq!(service["state"].as_str(), Some("started"));
}

/// The commands of the program that its help shows, with their options.
fn commands() -> Vec<CommandLine> {
    let program = Program::command();
    program.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect()
}

fn long_options(command: &CommandLine) -> impl Iterator<Item = &str> {
    command.get_arguments().filter(|option| !option.is_hide_set()).filter_map(|o| o.get_long())
}

#[test]
fn there_is_a_manual_page_for_every_command_with_all_its_options() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("man");
    assert!(program().arg("man").arg(&folder).status().unwrap().success());
    for command in commands() {
        let page = folder.join(format!("mirror-vxlan-{}.1", command.get_name()));
        let page = fs::read_to_string(page).unwrap().replace('\\', "");
        for option in long_options(&command) {
            assert!(page.contains(&format!("--{option}")), "{}: {option}", command.get_name());
        }
    }
    let program = fs::read_to_string(folder.join("mirror-vxlan.1")).unwrap();
    assert!(program.contains("Exit codes"), "{program}");
}

#[test]
fn completions_offer_every_command_and_option() {
    for shell in ["bash", "zsh", "fish"] {
        let output = program().args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        for command in commands() {
            for option in long_options(&command) {
                assert!(script.contains(option), "{shell}: {} {option}", command.get_name());
            }
        }
    }
    let complete = |words: &str, number: usize| {
        let script = format!(
            "source <($0 completions bash); COMP_WORDS=({words}); COMP_CWORD={number}; \
             _mirror__vxlan mirror-vxlan \"${{COMP_WORDS[COMP_CWORD]}}\" \
             \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        let output =
            Command::new("bash").args(["-c", &script]).arg(program().get_program()).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert_eq!(complete("mirror-vxlan rec", 1), "receive\n");
    assert_eq!(complete("mirror-vxlan receive --rotate-", 2), "--rotate-size --rotate-time\n");
    assert_eq!(complete("mirror-vxlan receive --input x", 3), "xdp\n");
}
