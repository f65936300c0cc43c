//! `mirror-vxlan check`: what should be set otherwise.

use std::path::Path;

use mirror_vxlan::check::{Question, Verdict, check};
use mirror_vxlan::config::Check;

use super::{Ended, Exit, write_out};

pub(crate) fn run(options: &Check) -> Ended {
    let Check { interface, port, folder, receive_buffer, json } = options;
    let question = Question {
        interface: interface.clone(),
        port: *port,
        folder: folder.clone(),
        receive_buffer: receive_buffer.bytes(),
    };
    let findings = check(&question, Path::new("/"));
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| if *json { finding.json().to_string() } else { finding.to_string() })
        .collect();
    write_out(format!("{}\n", lines.join("\n")).as_bytes())?;
    let is_good = findings.iter().all(|finding| finding.verdict == Verdict::Good);
    Ok(if is_good { Exit::Done } else { Exit::ToChange })
}
