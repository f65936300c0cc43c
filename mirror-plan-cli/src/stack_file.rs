//! The stack file: which file it is, and what it contains.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, Source};
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::lint;
use mirror_plan::stack::{Output, Stack};
use mirror_plan::value::{Origin, Value};

use crate::cli::Variables;
use crate::settings::Environment;
use crate::{plan_file, ui};

/// How often a mended file is checked again: an edit can bring another mistake to light.
const MENDED_AT_MOST: usize = 8;

/// The ending of a stack file's name.
const ENDING: &str = ".mirror.hcl";

/// A stack file that has been read, with the values for its variables.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The path, as the user gave it.
    pub(crate) path: PathBuf,
    file: StackFile,
    assignments: Vec<String>,
    var_files: Vec<(String, String)>,
    environment: Environment,
}

impl Loaded {
    /// Finds and parses the file. What is wrong with its syntax is found with all other mistakes.
    pub(crate) fn load(
        named: Option<&Path>,
        variables: &Variables,
        environment: &Environment,
    ) -> Result<Self, Diagnostics> {
        let path = find(named)?;
        let file = StackFile::parse_in_part(source(&path)?);
        let Variables { var, var_file } = variables;
        let var_files = var_file.iter().map(|path| source(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            path,
            file,
            assignments: var.clone(),
            var_files: var_files.into_iter().map(|source| (source.name, source.text)).collect(),
            environment: environment.clone(),
        })
    }

    /// The stack, with warnings.
    pub(crate) fn stack(&self) -> Result<(Stack, Diagnostics), Diagnostics> {
        let folder = self.folder();
        let read = |path: &str| read_within(folder, path);
        self.file.stack(&self.inputs().read_files_by(&read))
    }

    /// The stack as far as it can be read, what is wrong with the rest, and what the lints find.
    pub(crate) fn checked(&self) -> (Option<Stack>, Diagnostics) {
        let folder = self.folder();
        let read = |path: &str| read_within(folder, path);
        let (stack, mut found) = self.file.stack_in_part(&self.inputs().read_files_by(&read));
        found.extend(stack.iter().flat_map(lint::check));
        found.sort();
        (stack, found)
    }

    /// Makes the edits that findings propose, also in the file, until no more are proposed or they have
    /// been made [`MENDED_AT_MOST`] times; returns how many.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn mend(&mut self) -> Result<usize, Diagnostics> {
        let name = self.path.display().to_string();
        let (mut text, mut edits) = (None, 0);
        for _ in 0..MENDED_AT_MOST {
            let Some(mended) = lint::mended(&self.checked().1, &name) else { break };
            let source = Source { name: name.clone(), text: mended.text.clone() };
            // Text that is not HCL, before or after the edits, is left to the user.
            let Ok(file) = StackFile::parse(source) else { break };
            self.file = file;
            text = Some(mended.text);
            edits += mended.edits;
        }
        if let Some(text) = text {
            plan_file::write_whole(&self.path, &text)
                .map_err(|error| ui::file_error(format!("`{name}` cannot be written"), &error))?;
        }
        Ok(edits)
    }

    /// The outputs, with the values that `look_up` knows filled in.
    pub(crate) fn outputs(
        &self,
        look_up: &dyn Fn(&Origin) -> Option<Value>,
    ) -> Result<std::collections::BTreeMap<String, Output>, Diagnostics> {
        let folder = self.folder();
        let read = |path: &str| read_within(folder, path);
        self.file.outputs(&self.inputs().read_files_by(&read), look_up)
    }

    fn inputs<'f>(&self) -> Inputs<'f> {
        let mut inputs = Inputs::new().environment(self.environment.iter());
        for (name, text) in &self.var_files {
            inputs = inputs.file(Source { name: name.clone(), text: text.clone() });
        }
        self.assignments.iter().fold(inputs, |inputs, assignment| inputs.assignment(assignment))
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }
}

/// Whether a path that a user named is for a stack: a folder, or a file with the extension `hcl`.
pub(crate) fn is_stack(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|extension| extension == "hcl")
}

/// The stack file that is meant.
fn find(named: Option<&Path>) -> Result<PathBuf, Diagnostics> {
    match named {
        Some(path) if !path.is_dir() => Ok(path.to_owned()),
        folder => find_in(folder.unwrap_or_else(|| Path::new("."))),
    }
}

/// The only stack file in a folder.
fn find_in(folder: &Path) -> Result<PathBuf, Diagnostics> {
    let shown = if folder == Path::new(".") {
        "here".to_owned()
    } else {
        format!("in {}", folder.display())
    };
    let mut found = stack_files(folder)?;
    match (found.pop(), found.as_slice()) {
        (Some(path), []) => Ok(path),
        (None, _) => {
            Err(Diagnostic::error(code::NO_STACK_FILE, format!("there is no stack file {shown}"))
                .note(format!("a stack file is named NAME{ENDING}"))
                .help("name one, or write one to start from with `mirror init`")
                .into())
        }
        (Some(last), others) => {
            let names = others.iter().chain([&last]).map(|path| path.display().to_string());
            let title = format!("there are {} stack files {shown}", others.len() + 1);
            Err(Diagnostic::error(code::NO_STACK_FILE, title)
                .note(names.collect::<Vec<_>>().join(", "))
                .help("name the one to use")
                .into())
        }
    }
}

/// The stack files in a folder, sorted by name.
pub(crate) fn stack_files(folder: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let cannot = |error: &io::Error| {
        ui::file_error(format!("the folder `{}` cannot be read", folder.display()), error)
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| cannot(&error))? {
        let entry = entry.map_err(|error| cannot(&error))?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.ends_with(ENDING) && name != ENDING) {
            found.push(if folder == Path::new(".") {
                PathBuf::from(name)
            } else {
                folder.join(name)
            });
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file.
pub(crate) fn source(path: &Path) -> Result<Source, Diagnostics> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| ui::file_error(format!("`{name}` cannot be read"), &error))?;
    Ok(Source { name, text })
}

/// Reads a file for the function `file`, which may not leave the stack file's folder, even by a link.
fn read_within(folder: &Path, path: &str) -> io::Result<String> {
    let path = Path::new(path);
    let outside =
        || io::Error::new(io::ErrorKind::PermissionDenied, "it is outside the stack file's folder");
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let folder = folder.canonicalize()?;
    let path = folder.join(path).canonicalize()?;
    if path.starts_with(&folder) { fs::read_to_string(path) } else { Err(outside()) }
}
