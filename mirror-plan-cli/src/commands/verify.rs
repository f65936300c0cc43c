//! `mirror verify`: whether the stack exists as its file says, its receivers are healthy and packets can
//! reach them.

use mirror_plan::apply::recover::Next;
use mirror_plan::metrics::Window;
use mirror_plan::plan::Request;
use mirror_plan::render::verify::{self, Probe, Text};
use mirror_plan::verify::Verification;

use super::Ended;
use crate::cli::{StackArgs, VerifyArgs};
use crate::cloud;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;

pub(crate) async fn run(args: &VerifyArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let VerifyArgs { stack: StackArgs { stack, variables }, metrics, probe, json } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let observed = cloud::look(&aws, (&stack, Next::Nothing), settings, ui).await?;
    let plan = mirror_plan::plan::plan(&stack, &observed, &Request::default())?;
    let groups = cloud::target_health(&aws, &observed).await?;
    let mut found = Verification::of(&plan, &observed, groups);
    if let Some(minutes) = metrics {
        let window = Window::before(jiff::Timestamp::now(), *minutes);
        found = found.with_metrics(cloud::metrics(&aws, &observed, window).await?);
    }
    let probe = if *probe { Probe::Asked } else { Probe::Unasked };
    if *json {
        ui.data(format_args!("{:#}\n", verify::json(&found, probe)));
    } else {
        ui.data(Text::new(&found).probe(probe).style(ui.data_palette()));
    }
    Ok(if found.is_well() { ExitStatus::Done } else { ExitStatus::Changes })
}
