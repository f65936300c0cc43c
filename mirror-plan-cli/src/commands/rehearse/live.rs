//! Live traffic: what this host sends into a TAP device.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_vxlan::capture::read::Record;
use mirror_vxlan::input::tap::{QUEUE, TapInput};
use mirror_vxlan::input::{Content, Input as _, Packet, Received};
use mirror_vxlan::tap::{MTU, TapError};

use super::account::Account;
use super::replay::Replay;
use crate::ui::{Interrupts, Ui};

/// How soon an interrupt is noticed while no frame comes.
const WAIT: Duration = Duration::from_millis(100);

impl Replay {
    /// Reads frames from a TAP device, as many as requested or until it is interrupted.
    pub(super) fn tap(
        mut self,
        device: &str,
        packets: Option<usize>,
        ui: &mut Ui,
    ) -> Result<Account, Diagnostics> {
        let name = device.parse().map_err(|error| refused(device, &error))?;
        let mut tap = TapInput::open(name, MTU).map_err(|error| unopened(device, &error))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let mut interrupts = Interrupts::listen();
        let listener = tokio::spawn({
            let is_over = Arc::clone(&is_over);
            async move {
                interrupts.next().await;
                is_over.store(true, Ordering::Relaxed);
            }
        });
        ui.note(format_args!("Reading from TAP device `{device}`; interrupt to end.\n"));
        let mut left = packets.unwrap_or(usize::MAX);
        let mut take = |left: &mut usize, wait| {
            let each = |packet: Packet<'_>| {
                // A call may bring more frames than are still wanted.
                if *left > 0
                    && let Content::Packet { link, bytes } = packet.content
                {
                    *left -= 1;
                    let original_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    self.offer(&Record { time: packet.time, link, bytes, original_len }, bytes);
                }
            };
            tap.receive(wait, each)
        };
        let unread = |error: io::Error| unread(device, &error);
        while left > 0 && !is_over.load(Ordering::Relaxed) {
            take(&mut left, WAIT).map_err(unread)?;
        }
        // Frames that wait in the device were sent before the end.
        left = left.min(QUEUE.into());
        while left > 0 && take(&mut left, Duration::ZERO).map_err(unread)? != Received::Nothing {}
        listener.abort();
        self.dropped(tap.dropped().map_err(unread)?);
        self.end()
    }
}

fn refused(device: &str, error: &dyn Error) -> Diagnostic {
    let title = format!("`{device}` cannot be used as a TAP device");
    Diagnostic::error(code::FILE, title).note(error.to_string())
}

fn unopened(device: &str, error: &TapError) -> Diagnostic {
    let cause = error.source().map(ToString::to_string);
    refused(device, error).note(cause.unwrap_or_default())
}

fn unread(device: &str, error: &io::Error) -> Diagnostic {
    let title = format!("TAP device `{device}` cannot be read any more");
    Diagnostic::error(code::FILE, title).note(error.to_string())
}
