//! The program `mirror-vxlan`: receives mirrored traffic and hands the frames on.
//!
//! It reads the command line, calls the library and reports; `cli` has a file for each command.

#![forbid(unsafe_code)]

mod cli;

use std::ffi::OsString;
use std::process::ExitCode;

use clap_complete::Shell;
use cli::exit::Exit;
use mirror_vxlan::config::{ConfigError, Program, Verb};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let program = match Program::from_arguments(&arguments) {
        Ok(program) => program,
        Err(ConfigError::Usage(error)) => {
            // A closed pipe is not an error.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
        Err(ConfigError::File(error)) => return cli::fail(&error, Exit::Usage).into(),
    };
    let exit = match program.command {
        Verb::Receive(options) => cli::receive::run(&options, &arguments),
        Verb::Decap(options) => cli::decap::run(&options),
        Verb::Check(options) => cli::check::run(&options),
        Verb::Upload(options) => cli::upload::run(&options),
        Verb::Completions { shell } => cli::write_out(completions(shell).as_bytes()),
        Verb::Man { folder } => cli::man(&folder),
    };
    exit.unwrap_or_else(|error| cli::fail(&*error, Exit::Failed)).into()
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Program::command(), "mirror-vxlan", &mut script);
    let script = String::from_utf8(script).expect("names of options are texts");
    match shell {
        // clap_complete 4.6 has two spellings of a program whose name has a dash, so that no option of
        // a command is found.
        Shell::Bash => script.replace("mirror__subcmd__vxlan", "mirror__vxlan"),
        _ => script,
    }
}
