//! SIGHUP: reads the configuration and the names again, and applies what can take effect.

use std::ffi::OsString;
use std::sync::Arc;

use mirror_vxlan::config::{Program, Receive, Verb};
use mirror_vxlan::select::{Control, CurrentNames};
use tracing::{error, info, warn};

use super::{chain, names};

/// Reads everything again; nothing changes if anything is wrong.
pub(crate) fn reload(
    running: &Receive,
    arguments: &[OsString],
    control: &Arc<Control>,
    current: &CurrentNames,
) {
    let options = match Program::from_arguments(arguments) {
        Ok(Program { command: Verb::Receive(options) }) => options,
        Ok(_) => return,
        Err(fault) => return error!("not reloaded: {}", chain(&fault)),
    };
    match names(&options.select) {
        Ok(names) => current.replace(names),
        Err(fault) => return error!("not reloaded: {}", chain(&*fault)),
    }
    control.replace(options.select.rules());
    info!("reloaded: the selection and the names of sessions");
    let Receive { config: _, input, output, select: _, operate } = &*options;
    let parts = [
        ("input", *input != running.input),
        ("output", *output != running.output),
        ("operation", *operate != running.operate),
    ];
    for (part, _) in parts.iter().filter(|(_, is_other)| *is_other) {
        warn!("{part} options were changed; they take effect after a restart");
    }
}
