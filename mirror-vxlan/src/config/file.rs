//! The configuration file: TOML that becomes arguments.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest file that is read.
const LENGTH_MAX: u64 = 1024 * 1024;

/// Why a configuration file was not used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read.
    #[error("the configuration file `{path}` cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something in the file is wrong; all faults are listed, one per line.
    #[error("the configuration file `{path}` is wrong:{}", Lines(.faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the order of the lines.
        faults: Vec<Fault>,
    },
}

/// One thing that is wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from one.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

struct Lines<'a>(&'a [Fault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Fault { line, message } in self.0 {
            write!(f, "\n  line {line}: {message}")?;
        }
        Ok(())
    }
}

/// Returns the arguments that a file stands for, without those that the command line already has.
pub(super) fn arguments(
    path: &Path,
    command: &Command,
    given: &ArgMatches,
) -> Result<Vec<OsString>, FileError> {
    let text = read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let is_given = |argument: &Arg| {
        given.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine)
    };
    translate(&text, command, is_given)
        .map_err(|faults| FileError::Faults { path: path.to_owned(), faults })
}

fn read(path: &Path) -> io::Result<String> {
    let length = fs::metadata(path)?.len();
    if length > LENGTH_MAX {
        let message = format!("it has {length} bytes, more than {LENGTH_MAX}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    fs::read_to_string(path)
}

/// Turns TOML into arguments of a command, and checks each value as the command would.
fn translate(
    text: &str,
    command: &Command,
    is_given: impl Fn(&Arg) -> bool,
) -> Result<Vec<OsString>, Vec<Fault>> {
    let ends: Vec<usize> = text.match_indices('\n').map(|(offset, _)| offset).collect();
    let line = |offset: usize| 1 + ends.partition_point(|end| *end < offset);
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        vec![Fault { line: line(offset), message: error.message().to_owned() }]
    })?;
    let (mut arguments, mut faults) = (Vec::new(), Vec::new());
    for (key, value) in table.get_ref() {
        match one(key.get_ref(), value, command) {
            Ok((argument, values)) if !is_given(argument) => arguments.extend(values),
            Ok(_) => {}
            Err(message) => faults.push(Fault { line: line(key.span().start), message }),
        }
    }
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(arguments) } else { Err(faults) }
}

/// The arguments that one key stands for.
fn one<'c>(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    command: &'c Command,
) -> Result<(&'c Arg, Vec<OsString>), String> {
    let is_option = |argument: &&Arg| argument.get_long().is_some_and(|long| long != "config");
    let mut options = command.get_arguments().filter(is_option);
    let Some(argument) = options.find(|option| option.get_long() == Some(key)) else {
        return Err(unknown(key, command.get_arguments().filter(is_option)));
    };
    if let (ArgAction::SetTrue, DeValue::Boolean(wanted)) = (argument.get_action(), value.get_ref())
    {
        return Ok((argument, if *wanted { vec![format!("--{key}").into()] } else { Vec::new() }));
    }
    let is_list = matches!(argument.get_action(), ArgAction::Append);
    let texts = match value.get_ref() {
        DeValue::Array(values) if is_list => {
            values.iter().map(|value| scalar(value.get_ref())).collect::<Option<Vec<_>>>()
        }
        value => scalar(value).map(|text| vec![text]),
    };
    let Some(texts) = texts.filter(|_| argument.get_action().takes_values()) else {
        return Err(format!("`{key}` must be {}", wanted(argument)));
    };
    let mut values = Vec::new();
    for text in &texts {
        let value = OsString::from(format!("--{key}={text}"));
        let alone = command.clone().no_binary_name(true).try_get_matches_from([&value]);
        match alone {
            // Other options that this one requires are checked when all arguments are together.
            Err(error) if error.kind() != ErrorKind::MissingRequiredArgument => {
                return Err(reason(key, text, &error));
            }
            Ok(_) | Err(_) => {}
        }
        values.push(value);
    }
    Ok((argument, values))
}

/// The text of a value as it would be on the command line.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => None,
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn wanted(argument: &Arg) -> &'static str {
    match argument.get_action() {
        ArgAction::SetTrue => "true or false",
        ArgAction::Append => "a string, or a list of strings in brackets",
        _ => "a string or a whole number",
    }
}

/// Explains in one line why a value is refused.
fn reason(key: &str, text: &str, error: &clap::Error) -> String {
    use std::error::Error as _;
    let why = error.source().map_or_else(
        || {
            let rendered = error.to_string();
            let lines: Vec<&str> = rendered.lines().map(str::trim).collect();
            let values = lines.iter().find(|line| line.starts_with("[possible"));
            values.map_or_else(|| lines.first().unwrap_or(&"").to_string(), |v| (*v).to_owned())
        },
        ToString::to_string,
    );
    format!("`{key}` cannot be `{text}`: {why}")
}

fn unknown<'c>(key: &str, options: impl Iterator<Item = &'c Arg>) -> String {
    let near = options
        .filter_map(Arg::get_long)
        .map(|option| (distance(key, option), option))
        .min()
        .filter(|(distance, _)| *distance <= 3.min(key.len() / 2));
    match near {
        Some((_, option)) => format!("there is no option `{key}`; did you mean `{option}`?"),
        None => format!("there is no option `{key}`; see `mirror-vxlan receive --help`"),
    }
}

/// How many letters have to be changed, added or removed (Levenshtein); `_` counts as `-`.
fn distance(one: &str, other: &str) -> usize {
    let one = one.replace('_', "-");
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
