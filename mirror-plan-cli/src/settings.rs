//! Settings: options and environment, resolved. Nothing else reads the environment.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use mirror_plan::apply::journal::Holder;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::render::{Palette, Wording};
use tracing::{Level, Metadata};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::{Global, LOCAL, Style};
use crate::cloud::LocalAws;

/// The name of the journals' folder within that of a local AWS.
pub(crate) const JOURNALS: &str = "journals";

/// The environment of the process, as far as it is valid text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment as it is now.
    pub(crate) fn of_the_process() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self(texts.collect())
    }

    /// A variable; an empty one counts as unset.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone()))
    }
}

/// Where the AWS is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The real one.
    Aws,
    /// A local one, in a folder.
    Local(LocalAws),
}

impl Place {
    /// The option that selects it, with a blank in front; empty if none is needed.
    pub(crate) fn option(&self) -> String {
        match self {
            Self::Aws => String::new(),
            Self::Local(local) => local.option(),
        }
    }
}

/// The combined settings of the options and the environment.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where the AWS is.
    pub(crate) place: Place,
    /// The Region, if one was named.
    pub(crate) region: Option<String>,
    /// The profile, if one was named.
    pub(crate) profile: Option<String>,
    /// Who answers questions.
    pub(crate) input: Input,
    /// The wording of fixed lines in texts.
    pub(crate) wording: Wording,
    /// The styles of stdout.
    pub(crate) data: Palette,
    /// The styles of stderr.
    pub(crate) notes: Palette,
    /// Whether stderr is a terminal, on which lines can be drawn again.
    pub(crate) live: Live,
    /// The environment.
    pub(crate) environment: Environment,
}

/// Who answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A person.
    Person,
    /// Nobody: stdin is not a terminal, or `MIRROR_INPUT=0`.
    Nobody,
}

/// Whether stderr is a terminal, on which lines can be drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Live {
    Yes,
    No,
}

impl Settings {
    /// Resolves the settings. An option wins over a variable.
    pub(crate) fn new(global: &Global, environment: Environment) -> Self {
        let Global { local, region, profile, no_color, style } = global;
        let dumb = environment.get("TERM") == Some("dumb");
        let palette = |is_terminal: bool| {
            let forced = environment.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            let never = *no_color || environment.get("NO_COLOR").is_some();
            if !never && (forced || is_terminal && !dumb) {
                Palette::colored()
            } else {
                Palette::plain()
            }
        };
        let asked = environment.get("MIRROR_INPUT").is_none_or(|value| value != "0");
        let input = if asked && io::stdin().is_terminal() { Input::Person } else { Input::Nobody };
        let stderr = io::stderr().is_terminal();
        Self {
            place: local.clone().map_or(Place::Aws, |folder| Place::Local(LocalAws::new(folder))),
            region: region.clone(),
            profile: profile.clone(),
            input,
            wording: match style {
                Style::Mirror => Wording::Mirror,
                Style::Terraform => Wording::Terraform,
            },
            data: palette(io::stdout().is_terminal()),
            notes: palette(stderr),
            live: if stderr && !dumb { Live::Yes } else { Live::No },
            environment,
        }
    }

    /// The local AWS, for commands that are about it.
    pub(crate) fn local(&self) -> LocalAws {
        match &self.place {
            Place::Local(local) => local.clone(),
            Place::Aws => LocalAws::new(PathBuf::from(LOCAL)),
        }
    }

    /// The folder of the journals: the local AWS has its own; for the real one it is `MIRROR_STATE`, or
    /// the state folder of the XDG Base Directory Specification.
    pub(crate) fn journals(&self) -> PathBuf {
        if let Place::Local(local) = &self.place {
            return local.folder().join(JOURNALS);
        }
        let environment = |name: &str| self.environment.get(name).map(PathBuf::from);
        environment("MIRROR_STATE")
            .or_else(|| Some(environment("XDG_STATE_HOME")?.join("mirror")))
            .or_else(|| Some(environment("HOME")?.join(".local/state/mirror")))
            .unwrap_or_else(|| PathBuf::from(".mirror"))
    }

    /// How long AWS may take to show what it has created, if `MIRROR_SETTLE_WINDOW` is set.
    ///
    /// # Errors
    /// If that is not a number of seconds.
    pub(crate) fn settle_window(&self) -> Result<Option<Duration>, Diagnostics> {
        let Some(text) = self.environment.get("MIRROR_SETTLE_WINDOW") else { return Ok(None) };
        match text.parse() {
            Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
            Err(_) => {
                let title =
                    format!("MIRROR_SETTLE_WINDOW is `{text}`, which is not a number of seconds");
                let help = "unset it for the default, 300";
                Err(Diagnostic::error(code::SETTING, title).help(help).into())
            }
        }
    }

    /// Who runs `command`, shown to others who must wait.
    pub(crate) fn holder(&self, command: &str) -> Holder {
        let first = |names: &[&str]| names.iter().find_map(|name| self.environment.get(name));
        Holder {
            command: format!("mirror {command}"),
            user: first(&["USER", "LOGNAME", "USERNAME"]).map(str::to_owned),
            host: gethostname::gethostname().into_string().ok(),
            process: std::process::id(),
            since: jiff::Timestamp::now(),
        }
    }

    /// The Region that AWS's own variables name, for the local AWS, which reads no files.
    pub(crate) fn region_of_environment(&self) -> Option<&str> {
        let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
        named.filter_map(|name| self.environment.get(name)).next()
    }

    /// Logs to stderr what `MIRROR_LOG` or `RUST_LOG` asks for.
    pub(crate) fn start_log(&self) {
        let wanted = ["MIRROR_LOG", "RUST_LOG"].into_iter();
        if let Some(filter) = wanted.filter_map(|name| self.environment.get(name)).next() {
            let lines = tracing_subscriber::fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(self.notes != Palette::plain())
                .with_filter(filter_fn(shows_no_secret));
            tracing_subscriber::registry().with(directives(filter)).with(lines).init();
        }
    }
}

/// What to log, from a list such as `info,mirror_plan=trace`. Directives that only other programs
/// understand, such as spans, are ignored.
fn directives(list: &str) -> Targets {
    let directives = list.split(',').map(str::trim);
    let plain = directives.filter(|directive| !directive.is_empty() && !directive.contains('['));
    let directives = plain.filter_map(|directive| directive.parse().ok());
    directives.fold(Targets::new(), |all, directive: Targets| {
        let all = match directive.default_level() {
            Some(level) => all.with_default(level),
            None => all,
        };
        all.with_targets(directive)
    })
}

/// At the level `TRACE`, the SDK and the layers below it write out whole requests and answers, which
/// contain user data.
fn shows_no_secret(event: &Metadata<'_>) -> bool {
    event.target().starts_with("mirror") || *event.level() <= Level::DEBUG
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_options() -> Global {
        let style = Style::Mirror;
        Global { local: None, region: None, profile: None, no_color: false, style }
    }

    /// The palette of stdout with this environment, where nothing is a terminal.
    fn palette(variables: &[(&str, &str)]) -> Palette {
        with_option(variables, no_options())
    }

    fn with_option(variables: &[(&str, &str)], global: Global) -> Palette {
        let pairs = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Settings::new(&global, Environment(pairs.collect())).data
    }

    #[test]
    fn directives_of_a_log_are_levels_and_targets() {
        assert_eq!(directives("debug").to_string(), "debug");
        assert_eq!(directives("info, mirror_plan=trace").to_string(), "mirror_plan=trace,info");
        assert_eq!(directives("mirror=debug,hyper[span]=trace,,").to_string(), "mirror=debug");
    }

    #[test]
    fn colors_are_for_terminals_unless_someone_says_otherwise() {
        let (plain, colored) = (Palette::plain(), Palette::colored());
        assert_eq!(palette(&[]), plain);
        assert_eq!(palette(&[("CLICOLOR_FORCE", "1")]), colored);
        assert_eq!(palette(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]), colored);
        assert_eq!(palette(&[("CLICOLOR_FORCE", "0")]), plain);
        assert_eq!(palette(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), plain);
        assert_eq!(palette(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]), colored);
        let no_color = Global { no_color: true, ..no_options() };
        assert_eq!(with_option(&[("CLICOLOR_FORCE", "1")], no_color), plain);
    }
}
