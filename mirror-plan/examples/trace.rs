//! What becomes of a capture where a stack has been applied: `mirror trace --pcap` without the AWS SDK.
//!
//! `trace STACK.mirror.hcl CAPTURE`, where each instance of the stack has a `private_ip`. The benchmark
//! `benches/trace.sh` times it: it reads files by the same code as the program.

use std::error::Error;
use std::path::Path;

use mirror_plan::diagnostic::Source;
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::observed::Observed;
use mirror_plan::packet::trace::{Mirroring, Moment};
use mirror_plan::plan::{Request, plan};
use mirror_plan::render::trace::CaptureText;

#[path = "../../mirror-plan-cli/src/commands/trace/capture.rs"]
mod capture;

#[expect(clippy::print_stdout, reason = "it is an example")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [stack, file] = arguments.as_slice() else {
        return Err("usage: trace STACK CAPTURE".into());
    };
    let source = Source { name: stack.clone(), text: std::fs::read_to_string(stack)? };
    let (stack, _warnings) = StackFile::parse(source)?.stack(&Inputs::new())?;
    let nothing = Observed::nothing("123456789012".parse()?, "eu-west-1".parse()?);
    let plan = plan(&stack, &nothing, &Request::default())?;
    let after =
        Mirroring::at(Moment::After, &plan, &nothing).map_err(|errors| errors[0].clone())?;
    let mut moments = [capture::Running::new(after, 9001)];
    capture::read(Path::new(file), &mut moments)?;
    for moment in moments.into_iter().filter(|moment| !moment.is_empty()) {
        print!("{}", CaptureText::new(file, &moment.end(), None));
    }
    Ok(())
}
