//! `mirror-vxlan check`: reports which settings should be changed.

use mirror_vxlan::check::{Facts, Question, Verdict, judge};
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
    let findings = judge(&question, &Facts::of_this_machine(&question));
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| if *json { finding.json().to_string() } else { finding.to_string() })
        .collect();
    write_out(format!("{}\n", lines.join("\n")).as_bytes())?;
    let fails = findings.iter().any(|finding| matches!(finding.verdict, Verdict::Failure(_)));
    Ok(if fails { Exit::ToChange } else { Exit::Done })
}
