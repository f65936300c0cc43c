//! The commands, and the two channels for output.

pub(crate) mod check;
pub(crate) mod decap;
pub(crate) mod exit;
pub(crate) mod receive;
mod reload;
mod status;
pub(crate) mod upload;
mod uploader;

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use exit::Exit;
use mirror_vxlan::config::{Program, SelectArgs};
use mirror_vxlan::select::NameTable;

/// How a command ends.
pub(crate) type Ended = Result<Exit, Box<dyn Error>>;

/// Writes data to standard output; it is not an error if the reader closes its end early.
pub(crate) fn write_out(data: &[u8]) -> Ended {
    match io::stdout().lock().write_all(data).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(Exit::Done),
    }
}

/// Writes a line to standard error.
pub(crate) fn note(line: &str) {
    // If standard error is closed, nobody wants to see the line.
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Reports what failed, with every cause.
pub(crate) fn fail(error: &dyn Error, exit: Exit) -> Exit {
    note(&format!("mirror-vxlan: {}", chain(error)));
    exit
}

/// The text of an error and of all its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Reads the names of sessions, if there is a file of them.
pub(crate) fn names(options: &SelectArgs) -> Result<NameTable, Box<dyn Error>> {
    let Some(path) = &options.sessions else { return Ok(NameTable::default()) };
    let named =
        |error: &dyn Error| format!("cannot read the sessions in `{}`: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| named(&error))?;
    Ok(NameTable::parse(&text).map_err(|error| named(&error))?)
}

/// Writes a manual page for the program and each command.
pub(crate) fn man(folder: &Path) -> Ended {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Program::command(), folder))
        .map_err(|error| format!("cannot write manual pages to `{}`: {error}", folder.display()))?;
    Ok(Exit::Done)
}
