//! `mirror output`: the outputs of a stack, as the cloud is now.

use std::collections::BTreeMap;

use mirror_plan::apply::recover::Next;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::render::json;
use mirror_plan::render::report::Outputs;
use mirror_plan::value::Value;

use super::Ended;
use crate::cli::OutputArgs;
use crate::cloud;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::{Form, Ui};

pub(crate) async fn run(args: &OutputArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let OutputArgs { name, stack, variables, json, raw } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let observed = cloud::look(&aws, (&stack, Next::Nothing), settings, ui).await?;
    let outputs = loaded.outputs(&|origin| observed.attribute(origin))?;
    let outputs: BTreeMap<String, Value> =
        outputs.into_iter().map(|(name, output)| (name, output.value)).collect();
    match name {
        Some(name) => match (one(&outputs, name)?, json, raw) {
            (Value::Secret(secret), true, _) | (Value::Secret(secret), _, true) => {
                let title = format!("the output `{name}` is {secret}");
                return Err(Diagnostic::error(code::SENSITIVE, title)
                    .help("its value is not printed; without --raw and --json its hash is")
                    .into());
            }
            (value, true, _) => ui.data(format_args!("{}\n", value.to_json())),
            (Value::String(text), false, true) => ui.data(text),
            (value, false, _) => ui.data(format_args!("{value}\n")),
        },
        None => all(outputs, Form::from(*json), ui),
    }
    Ok(ExitStatus::Done)
}

/// One output, if it is declared and known.
fn one<'o>(outputs: &'o BTreeMap<String, Value>, name: &str) -> Result<&'o Value, Diagnostics> {
    match outputs.get(name) {
        None => {
            let names = outputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Err(Diagnostic::error(code::UNKNOWN_NAME, format!("there is no output `{name}`"))
                .note(format!("the stack declares: {names}"))
                .into())
        }
        Some(value) if !value.is_known() => {
            Err(Diagnostic::error(code::UNKNOWN_VALUE, format!("the output `{name}` is {value}"))
                .help("apply the stack first")
                .into())
        }
        Some(value) => Ok(value),
    }
}

/// All outputs that are known.
fn all(mut outputs: BTreeMap<String, Value>, form: Form, ui: &mut Ui) {
    outputs.retain(|_, value| value.is_known());
    if form == Form::Json {
        let members = outputs.iter().map(|(name, value)| (name.clone(), json::output(value)));
        let object: serde_json::Value = members.collect();
        ui.data(format_args!("{object:#}\n"));
    } else if outputs.is_empty() {
        ui.note("No outputs: the stack declares none, or none is known before it is applied.");
    } else {
        ui.data(format_args!("{}\n", Outputs(&outputs)));
    }
}
