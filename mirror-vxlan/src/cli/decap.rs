//! `mirror-vxlan decap`: the frames of a capture file.

use mirror_vxlan::config::Decap;
use mirror_vxlan::count::{Counts, Exclusion};
use mirror_vxlan::decap::{Decapsulator, Strictness};
use mirror_vxlan::offline::{self, Place, Task};
use mirror_vxlan::reason::{DropReason, Note};
use mirror_vxlan::receive::Select as _;
use mirror_vxlan::select::Control;

use super::{Ended, Exit, chain, names, note};

pub(crate) fn run(options: &Decap) -> Ended {
    let Decap { input, output, port, geneve, strict, select } = options;
    let names = names(select)?;
    let place = |path: &std::path::Path| Place::from(path.as_os_str().to_owned());
    let mut task = Task::new(vec![place(input)], place(output));
    task.decapsulator = Decapsulator {
        vxlan_port: *port,
        geneve_port: *geneve,
        strictness: if *strict { Strictness::Strict } else { Strictness::Lenient },
        ..Decapsulator::default()
    };
    let mut selection = Control::new(select.rules()).selection();
    let report = offline::decap(
        &task,
        |frame| selection.select(frame),
        |session| names.get(session).map(str::to_owned),
    )?;
    note(&account(&report.counts));
    for (place, error) in &report.damaged {
        note(&format!("mirror-vxlan: `{place}` is damaged: {}", chain(error)));
    }
    Ok(if report.damaged.is_empty() { Exit::Done } else { Exit::Failed })
}

/// The account of all packets in one line: what was read and what became of it.
fn account(counts: &Counts) -> String {
    let mut line = format!("{} packets, {} frames", counts.received.count, counts.accepted.count);
    let mut add = |what: &str, label: &str, count: u64| {
        if count > 0 {
            line.extend(["; ", &count.to_string(), " ", what, " ", label]);
        }
    };
    for reason in DropReason::ALL {
        add("dropped:", reason.label(), counts.dropped[reason.index()]);
    }
    for exclusion in Exclusion::ALL {
        add("excluded:", exclusion.label(), counts.excluded[exclusion.index()]);
    }
    for odd in Note::ALL {
        add("noted:", odd.label(), counts.noted[odd.index()]);
    }
    line
}
