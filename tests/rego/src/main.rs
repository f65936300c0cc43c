//! Queries a Rego policy: `mirror-rego POLICY INPUT QUERY` prints the answer as JSON.

use std::process::ExitCode;

use regorus::{Engine, Value};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [policy, input, query] = arguments.as_slice() else {
        eprintln!("usage: mirror-rego POLICY INPUT QUERY");
        return ExitCode::FAILURE;
    };
    let mut engine = Engine::new();
    let answer = engine
        .add_policy_from_file(policy)
        .and_then(|_| Value::from_json_file(input))
        .map(|input| engine.set_input(input))
        .and_then(|()| engine.eval_rule(query.clone()))
        .and_then(|answer| answer.to_json_str());
    match answer {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
