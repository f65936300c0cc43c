//! A program on a pseudo-terminal, with a keyboard and a screen that nobody sees.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::Pty;
use vt100::{Color, Parser, Screen};

/// A test that waits longer than this has failed; nothing takes so long even on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// A program on a terminal.
pub(super) struct Terminal {
    pub(super) child: Child,
    pty: Arc<Pty>,
    output: Receiver<Vec<u8>>,
    parser: Parser,
    /// Everything that was written.
    pub(super) written: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a terminal with this many rows and columns.
    pub(super) fn start(command: &Command, (rows, columns): (u16, u16)) -> Self {
        Self::start_with(command, (rows, columns), |command| command)
    }

    /// Starts a command with only some of its streams on the terminal.
    pub(super) fn start_with(
        command: &Command,
        (rows, columns): (u16, u16),
        redirect: impl FnOnce(pty_process::blocking::Command) -> pty_process::blocking::Command,
    ) -> Self {
        let (pty, end) = pty_process::blocking::open().expect("there are pseudo-terminals");
        pty.resize(Size::new(rows, columns)).expect("it can be resized");
        let mut started = pty_process::blocking::Command::new(command.get_program())
            .args(command.get_args())
            .current_dir(command.get_current_dir().expect("it has a folder of its own"))
            .env_clear()
            .env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            started = started.env(name, value.unwrap_or_default());
        }
        let child = redirect(started).spawn(end).expect("mirror runs");
        let pty = Arc::new(pty);
        let (sender, output) = channel();
        let reader = Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // On Linux, reading fails once the program has ended.
            while let Ok(length @ 1..) = (&*reader).read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let size = |length| NonZeroU16::new(length).expect("no screen is empty");
        let parser = Parser::new(size(rows), size(columns), 0);
        Self { child, pty, output, parser, written: Vec::new() }
    }

    pub(super) fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// The rows of the screen, without the blanks at their ends.
    pub(super) fn text(&self) -> String {
        let (_, columns) = self.screen().size();
        let rows = self.screen().rows(0, columns.get());
        let text: String = rows.map(|row| format!("{}\n", row.trim_end())).collect();
        text.trim_end().to_owned()
    }

    /// Whether anything on the screen is colored or bold.
    pub(super) fn is_colored(&self) -> bool {
        let (rows, columns) = self.screen().size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |at| (row, at)));
        let mut cells = cells.filter_map(|(row, at)| self.screen().cell(row, at));
        cells.any(|cell| cell.fgcolor() != Color::Default || cell.bold())
    }

    /// Waits until the screen shows all of these, each after the one before it.
    pub(super) fn wait_for(&mut self, texts: &[&str]) {
        let deadline = deadline();
        while !in_order(&self.text(), texts) {
            let more = self.draw(deadline);
            assert!(more, "it ended before {texts:?}:\n{}", self.text());
        }
    }

    /// Draws what comes next; `false` when the program has ended.
    fn draw(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(now());
        match self.output.recv_timeout(left) {
            Ok(bytes) => {
                self.parser.process(&bytes);
                self.written.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => {
                panic!("nothing more comes:\n{}", self.text())
            }
        }
    }

    /// Types at the keyboard.
    pub(super) fn press(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("somebody reads the keyboard");
    }

    /// Waits for the program to end.
    pub(super) fn end(&mut self) -> ExitStatus {
        let deadline = deadline();
        while self.draw(deadline) {}
        self.child.wait().expect("it was started")
    }
}

/// A test that fails leaves nothing running.
impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Whether a text has all of these, each after the one before it.
pub(super) fn in_order(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[expect(clippy::disallowed_methods, reason = "it only ends a test that hangs")]
fn now() -> Instant {
    Instant::now()
}

fn deadline() -> Instant {
    now() + DEADLINE
}
