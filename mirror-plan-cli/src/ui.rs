//! The single channel for output: data on stdout, everything else on stderr.
//!
//! It is not an error if a reader has seen enough and closes its end, but a full disk is one.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use mirror_plan::apply::Stop;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::plan::Plan;
use mirror_plan::render::json::Line;
use mirror_plan::render::text::{Text, UserData};
use mirror_plan::render::{Palette, Wording, diagnostic, json};

use crate::exit::ExitStatus;
use crate::settings::Settings;

/// Writes the output of a command.
#[derive(Debug)]
pub(crate) struct Ui {
    data: AutoStream<io::Stdout>,
    data_palette: Palette,
    notes: AutoStream<io::Stderr>,
    notes_palette: Palette,
    form: Form,
    wording: Wording,
    user_data: UserData,
    /// The first failure to write data.
    failure: Option<io::Error>,
}

/// The form of stdout. A stream of JSON objects also contains the diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Text,
}

/// The form that the option `--json` selects.
impl From<bool> for Form {
    fn from(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

impl Ui {
    /// Writes to the process's own streams.
    pub(crate) fn new(settings: &Settings) -> Self {
        let choice = |palette: Palette| {
            if palette == Palette::plain() { ColorChoice::Never } else { ColorChoice::Always }
        };
        Self {
            data: AutoStream::new(io::stdout(), choice(settings.data)),
            data_palette: settings.data,
            notes: AutoStream::new(io::stderr(), choice(settings.notes)),
            notes_palette: settings.notes,
            form: Form::Text,
            wording: settings.wording,
            user_data: UserData::Hidden,
            failure: None,
        }
    }

    /// The styles of data.
    pub(crate) const fn data_palette(&self) -> Palette {
        self.data_palette
    }

    /// A plan as text, for output as data.
    pub(crate) const fn text_of<'p>(&self, plan: &'p Plan) -> Text<'p> {
        Text::new(plan).style(self.data_palette).wording(self.wording).user_data(self.user_data)
    }

    /// Lets the texts of plans show user data.
    pub(crate) const fn show_user_data(&mut self) {
        self.user_data = UserData::Shown;
    }

    /// The styles of everything else.
    pub(crate) const fn notes_palette(&self) -> Palette {
        self.notes_palette
    }

    /// Makes stdout a stream of JSON objects, if that is the form.
    pub(crate) fn set_form(&mut self, form: Form) {
        self.form = form;
        if form == Form::Json {
            self.line(json::version(env!("CARGO_PKG_VERSION")));
        }
    }

    /// Whether stdout is a stream of JSON objects.
    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// Writes data as it is.
    pub(crate) fn data(&mut self, data: impl Display) {
        if self.failure.is_none() {
            self.failure = write!(self.data, "{data}").and_then(|()| self.data.flush()).err();
        }
    }

    /// Writes a line of the JSON stream.
    pub(crate) fn line(&mut self, line: Line) {
        let line = line.at(&now());
        self.data(format_args!("{line}\n"));
    }

    /// Writes a line that is not data.
    pub(crate) fn note(&mut self, note: impl Display) {
        // If stderr is closed, nobody wants to see the note.
        drop(writeln!(self.notes, "{note}"));
    }

    /// Reports what is waited for, each thing once.
    pub(crate) fn waiting(&mut self) -> impl FnMut(&str) {
        let mut last = String::new();
        move |now| {
            if last != now {
                now.clone_into(&mut last);
                self.note(format_args!("Waiting for an earlier run: {now}"));
            }
        }
    }

    /// Writes diagnostics to the stream that they belong on.
    pub(crate) fn diagnostics(&mut self, diagnostics: &Diagnostics) {
        if diagnostics.is_empty() {
            return;
        }
        match self.form {
            Form::Json => diagnostics.iter().for_each(|found| self.line(json::diagnostic(found))),
            Form::Text => {
                let text = match self.wording {
                    Wording::Mirror => diagnostic::human(diagnostics, self.notes_palette),
                    Wording::Terraform => diagnostic::terraform(diagnostics),
                };
                self.note(text.trim_end());
            }
        }
    }

    /// Asks a question on stderr and reads a line of stdin.
    pub(crate) fn ask(&mut self, question: &str) -> io::Result<String> {
        write!(self.notes, "{question}")?;
        self.notes.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// The status of the process, once everything has been written.
    pub(crate) fn finish(mut self, status: ExitStatus) -> ExitStatus {
        match self.failure.take() {
            None => status,
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
            Some(error) => {
                self.form = Form::Text;
                self.diagnostics(&file_error("the output cannot be written", &error).into());
                ExitStatus::Failed
            }
        }
    }
}

/// A diagnostic about a file or a stream.
pub(crate) fn file_error(title: impl Into<String>, error: &io::Error) -> Diagnostic {
    Diagnostic::error(code::FILE, title).note(error.to_string())
}

/// The current time in the format of the JSON stream.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The current time in the format of Terraform's plans.
pub(crate) fn now_in_seconds() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Ready when the user interrupts, or when the parent of the process asks it to end.
pub(crate) async fn interrupted() {
    Interrupts::listen().next().await;
}

/// Requests to end, from the user or from the parent of the process. While this is held, no request is
/// missed, however soon it comes after another.
pub(crate) struct Interrupts {
    // If signals cannot be received, the first one ends the process, as it would by default.
    #[cfg(unix)]
    signals: [Option<tokio::signal::unix::Signal>; 2],
}

#[cfg(unix)]
impl Interrupts {
    /// How long a terminal may take to finish handling a Ctrl-C. It discards what was written but not
    /// read yet (termios(3), `NOFLSH`), possibly after the program has noticed the key, and then what
    /// the program writes about it would be lost.
    const FLUSH: Duration = Duration::from_millis(50);

    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Self { signals: kinds.map(|kind| signal(kind).ok()) }
    }

    pub(crate) async fn next(&mut self) {
        async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            () = heard(interrupt) => {}
            () = heard(terminate) => {}
        }
        // Without an `await`: a caller that also waits for something else must not lose the interrupt here.
        std::thread::sleep(Self::FLUSH);
    }
}

#[cfg(not(unix))]
impl Interrupts {
    pub(crate) fn listen() -> Self {
        Self {}
    }

    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Stops the run at the first interrupt, and exits at the second.
#[expect(clippy::exit, reason = "the second interrupt asks for exactly this")]
pub(crate) async fn stop_on_interrupt(stop: Stop) {
    let mut interrupts = Interrupts::listen();
    interrupts.next().await;
    stop.stop();
    interrupts.next().await;
    // The lock is not released: if the live area were drawn once more, it would erase this line.
    let mut stderr = io::stderr().lock();
    drop(writeln!(
        stderr,
        "\nInterrupted twice: exiting at once. The next run finds out what happened to the calls in flight."
    ));
    std::process::exit(130);
}
