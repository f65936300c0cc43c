//! The stage: a local AWS in memory that holds what was observed, to apply a plan in.

use std::num::NonZeroUsize;
use std::sync::Arc;

use mirror_local::{Cloud, Durations, Settings as CloudSettings};
use mirror_plan::apply::report::Report;
use mirror_plan::apply::{Journal, Options, Stop, apply};
use mirror_plan::aws::{Aws, Wanted};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Mode, Request, plan};
use mirror_plan::stack::Stack;

use crate::cli::SightArgs;
use crate::settings::{Place, Settings};
use crate::ui::Ui;
use crate::{cloud, inventory};

/// A local AWS, gone with this, and the clients for it.
#[derive(Debug)]
pub(super) struct Stage {
    cloud: Cloud,
    aws: Aws,
    stack: Stack,
}

impl Stage {
    /// Sets it with what the cloud holds, or what stands for that.
    pub(super) async fn set(
        sight: &SightArgs,
        stack: &Stack,
        settings: &Settings,
        ui: &mut Ui,
    ) -> Result<Self, Diagnostics> {
        let cloud = match sight {
            SightArgs { inventory: Some(path), offline: _ } => holding(&inventory::read(path)?)?,
            SightArgs { inventory: None, offline: true } => Cloud::in_memory(),
            SightArgs { inventory: None, offline: false } => match &settings.place {
                Place::Local(folder) => cloud::open(folder)?.fork(),
                Place::Aws => {
                    let aws = cloud::connect(settings, stack.region.as_ref()).await?;
                    holding(&cloud::look(&aws, (stack, Mode::Apply), settings, ui).await?)?
                }
            },
        };
        let mut instant = CloudSettings::default();
        instant.durations = Durations::instant();
        let cloud = cloud.with_settings(instant);
        let aws = cloud::connect_to(&cloud, settings, stack.region.as_ref())?;
        // Whose account it is and who else works on it is of no consequence here.
        let stack = Stack { account: None, coordination: None, ..stack.clone() };
        Ok(Self { cloud, aws, stack })
    }

    pub(super) const fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    pub(super) const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What is there of the stack.
    pub(super) async fn observe(&self) -> Result<Observed, Diagnostics> {
        let images = self.stack.images();
        cloud::observe_alone(&self.aws, Wanted::to_plan(&self.stack, &images, Mode::Apply)).await
    }

    /// Plans and applies the stack.
    pub(super) async fn apply(&self) -> Result<Report, Diagnostics> {
        let observed = self.observe().await?;
        let plan = plan(&self.stack, &observed, &Request::default())?;
        let journal = Arc::new(Journal::in_memory(Arc::new(jiff::Timestamp::now)));
        let cloud = (&self.aws, &journal);
        // One after another, so that ids and addresses are the same every time.
        let options = Options::default().with_parallelism(NonZeroUsize::MIN);
        let report = apply(&plan, cloud, &options, &Stop::new(), &mut ()).await;
        Ok(report)
    }
}

/// A local AWS that holds what was observed.
fn holding(observed: &Observed) -> Result<Cloud, Diagnostics> {
    if observed.owned.is_empty() && observed.existing.is_empty() && observed.sources.is_empty() {
        return Ok(Cloud::in_memory());
    }
    Err(Diagnostic::error(code::FILE, "what is there already cannot be rehearsed yet")
        .note("only a stack of which nothing was made so far can be, or one in a local AWS")
        .help("rehearse it as new: --offline")
        .into())
}
