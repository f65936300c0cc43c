//! The program `mirror-vxlan`: receives mirrored traffic and hands the frames on.
//!
//! It reads the command line, calls the library and reports; `cli` has a file for each command.

#![forbid(unsafe_code)]

mod cli;

use std::ffi::OsString;
use std::process::ExitCode;

use cli::exit::Exit;
use mirror_vxlan::config::{ConfigError, Program, Verb};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let program = match Program::from_arguments(&arguments) {
        Ok(program) => program,
        Err(ConfigError::Usage(error)) => {
            // A closed pipe is no error.
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
        Verb::Completions { shell } => cli::write_out(&completions(shell)),
        Verb::Man { folder } => cli::man(&folder),
    };
    exit.unwrap_or_else(|error| cli::fail(&*error, Exit::Failed)).into()
}

fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Program::command(), "mirror-vxlan", &mut script);
    script
}
