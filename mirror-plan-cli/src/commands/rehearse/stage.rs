//! The stage: a local AWS in memory that holds what was observed, in which a plan is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use mirror_local::{Cloud, Durations, Settings as CloudSettings};
use mirror_plan::address::{Address, Kind, Name};
use mirror_plan::apply::recover::Next;
use mirror_plan::apply::report::Report;
use mirror_plan::apply::{Journal, Options, Stop, apply};
use mirror_plan::aws::{Aws, Wanted, surroundings};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::observed::{
    Bystanders, Found, Observed, Remade, Seen, remade, without_ingredients,
};
use mirror_plan::plan::{Mode, Request, plan};
use mirror_plan::render::report::Failures;
use mirror_plan::resource::Resource;
use mirror_plan::stack::Stack;

use crate::cli::SightArgs;
use crate::settings::{Place, Settings};
use crate::ui::Ui;
use crate::{cloud, inventory};

/// The stack that creates what the real one only uses.
const SURROUNDINGS: &str = "rehearsal-surroundings";

/// The stack that creates the instances that sources refer to.
const BYSTANDERS: &str = "rehearsal-bystanders";

/// The seed for ids if some ids are already given: any number that no local AWS uses by itself.
const SEED: u64 = 0x7265_6865_6172_7365;

/// A local AWS, which exists as long as this value, and the clients for it.
#[derive(Debug)]
pub(super) struct Stage {
    cloud: Cloud,
    aws: Aws,
    stack: Stack,
}

impl Stage {
    /// Sets the stage with what the cloud holds, or with a substitute for that.
    pub(super) async fn set(
        sight: &SightArgs,
        stack: &Stack,
        settings: &Settings,
        ui: &mut Ui,
    ) -> Result<Self, Diagnostics> {
        let seen = match sight {
            SightArgs { inventory: Some(path), offline: _ } => Some(inventory::read(path)?),
            SightArgs { inventory: None, offline: true } => None,
            SightArgs { inventory: None, offline: false } => match &settings.place {
                Place::Local(local) => {
                    return Self::over(local.open()?.fork(), stack, settings).await;
                }
                Place::Aws => {
                    let aws = cloud::connect_for(settings, stack).await?;
                    Some(cloud::look(&aws, (stack, Next::Plan(Mode::Apply)), settings, ui).await?)
                }
            },
        };
        // Everything that is recreated is in one account.
        let stack = &stack.in_one_account();
        let Some(observed) = seen.map(Observed::in_one_account) else {
            let stack = without_ingredients(stack.clone());
            return Self::over(Cloud::in_memory(), &stack, settings).await;
        };
        // A local AWS may have been observed, whose ids must not belong to something else here.
        let stage = Self::over(Cloud::in_memory().with_seed(SEED), stack, settings).await?;
        let stage = Self { stack: without_ingredients(stage.stack), ..stage };
        let Held { stand_ins, left_out } = stage.hold(&observed).await?;
        if !left_out.is_empty() {
            ui.note(format_args!(
                "Not rehearsed, because too little is known of them: {}\n",
                left_out.join(", ")
            ));
        }
        if !stand_ins.is_empty() {
            ui.note(format_args!(
                "Only the ids of these are known, so stand-ins that let everything through replace them: {}\n",
                stand_ins.join(", ")
            ));
        }
        let other = differing(&observed, &stage.observe().await?);
        if !other.is_empty() {
            ui.note(format_args!(
                "Reproduced only approximately, and so are their changes: {}\n",
                other.join(", ")
            ));
        }
        Ok(stage)
    }

    /// A stage over a cloud in memory.
    async fn over(cloud: Cloud, stack: &Stack, settings: &Settings) -> Result<Self, Diagnostics> {
        let mut instant = CloudSettings::default();
        instant.durations = Durations::instant();
        let cloud = cloud.with_settings(instant);
        let aws = cloud::connect_to(&cloud, settings, stack).await?;
        // The account and the coordination with others do not matter here.
        let stack = Stack { account: None, coordination: None, ..stack.clone() };
        Ok(Self { cloud, aws, stack })
    }

    pub(super) const fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    pub(super) const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What exists of the stack.
    pub(super) async fn observe(&self) -> Result<Observed, Diagnostics> {
        self.observe_of(&self.stack).await
    }

    /// Plans and applies the stack.
    pub(super) async fn apply(&self) -> Result<Report, Diagnostics> {
        self.apply_of(&self.stack).await
    }

    async fn observe_of(&self, stack: &Stack) -> Result<Observed, Diagnostics> {
        let images = stack.images();
        cloud::observe_alone(&self.aws, Wanted::to_plan(stack, &images, Mode::Apply)).await
    }

    async fn apply_of(&self, stack: &Stack) -> Result<Report, Diagnostics> {
        let observed = self.observe_of(stack).await?;
        let plan = plan(stack, &observed, &Request::default())?;
        let journal = Arc::new(Journal::in_memory(Arc::new(jiff::Timestamp::now)));
        let cloud = (&self.aws, &journal);
        // One after another, so that ids and addresses are the same every time.
        let options = Options::default().with_parallelism(NonZeroUsize::MIN);
        Ok(apply(&plan, cloud, &options, &Stop::new(), &mut ()).await)
    }

    /// Recreates what was observed, with the ids that were seen: first what the stack uses, then what it
    /// owns. Its sessions come last, since they may mirror interfaces of others in its own subnets.
    async fn hold(&self, observed: &Observed) -> Result<Held, Diagnostics> {
        let own = &self.stack.name;
        let name = |text: &str| -> Name { text.parse().expect("it is a name") };
        let existing: BTreeMap<&Address, &Found> = observed.existing.iter().collect();
        let owned = observed.current_objects();
        let bystanders = observed.bystanders();
        let mut stand_ins = BTreeSet::new();
        let used = Seen { objects: existing.clone(), ..Seen::default() };
        stand_ins.extend(self.make(&name(SURROUNDINGS), &used).await?);
        if !bystanders.interfaces.is_empty() {
            let is_session = |address: &Address| address.kind == Kind::MirrorSession;
            let mut objects = owned.clone();
            objects.retain(|address, _| !is_session(address));
            let before = existing.clone().into_iter().chain(objects.clone()).collect();
            let rest = Seen { objects, before: existing.clone(), interfaces: Vec::new() };
            stand_ins.extend(self.make(own, &rest).await?);
            let interfaces = bystanders.interfaces.values().collect();
            let hosts = bystanders.hosts.iter().collect();
            let seen = Seen { objects: hosts, interfaces, before };
            stand_ins.extend(self.make(&name(BYSTANDERS), &seen).await?);
            let made = surroundings::attach(&self.aws, &bystanders).await;
            let mut names = made.map_err(|error| unmade(&error.to_string()))?;
            names.insert(Bystanders::AWS.to_owned(), "aws".to_owned());
            self.cloud.rename(&names);
        }
        let all = Seen { objects: owned, before: existing, interfaces: Vec::new() };
        stand_ins.extend(self.make(own, &all).await?);
        let closed = surroundings::close(&self.aws, &observed.network_acls).await;
        self.cloud.rename(&closed.map_err(|error| unmade(&error.to_string()))?);
        let left_out = bystanders.left_out.iter().map(ToString::to_string).collect();
        Ok(Held { stand_ins: stand_ins.into_iter().collect(), left_out })
    }

    /// Recreates what was seen, and returns the ids of objects that have a stand-in.
    async fn make(&self, name: &Name, seen: &Seen<'_>) -> Result<Vec<String>, Diagnostics> {
        let Seen { objects, interfaces: _, before: _ } = seen;
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let Remade { stack: before, stand_ins } = remade(name.clone(), seen, &self.stack)?;
        let report = self.apply_of(&before).await?;
        if !report.is_complete() {
            return Err(unmade(&Failures::new(&report).rehearsed().to_string()).into());
        }
        let made = self.observe_of(&before).await?;
        let pairs =
            objects.iter().filter_map(|(address, was)| Some((made.current(address)?, *was)));
        let names = pairs.flat_map(|(is, was)| other_names(is, was));
        let stood_for = stand_ins
            .iter()
            .filter_map(|(address, id)| Some((made.current(address)?.id.to_string(), id.clone())));
        self.cloud.rename(&names.chain(stood_for).collect());
        Ok(stand_ins.into_values().collect())
    }
}

fn unmade(why: &str) -> Diagnostic {
    Diagnostic::error(code::FILE, "what exists cannot be recreated in a local AWS")
        .note(why.trim_end().to_owned())
        .help("rehearse it as a new stack: --offline")
}

/// What could not be recreated exactly as it was seen.
#[derive(Debug)]
struct Held {
    /// The ids of objects that have a stand-in.
    stand_ins: Vec<String>,
    /// The interfaces that were not recreated.
    left_out: Vec<String>,
}

/// The objects that differ here from how they were seen.
fn differing(seen: &Observed, here: &Observed) -> Vec<String> {
    let owned = seen.current_objects().into_iter();
    let owned = owned.map(|(address, was)| (address, was, here.current(address)));
    let existing = seen.existing.iter();
    let existing = existing.map(|(address, was)| (address, was, here.existing.get(address)));
    let other = owned.chain(existing).filter(|(_, was, is)| {
        is.is_none_or(|is| is.id != was.id && !was.id.as_str().starts_with("arn:"))
            || is.is_some_and(|is| without_own(&is.resource) != without_own(&was.resource))
    });
    other.map(|(address, ..)| address.to_string()).collect()
}

/// An object without the image and the key pair that it uses, which are specific to the account.
fn without_own(resource: &Resource) -> Resource {
    let mut resource = resource.clone();
    match &mut resource {
        Resource::Instance(it) => (it.ami, it.key_name) = (None, None),
        Resource::LaunchTemplate(it) => (it.ami, it.key_name) = (None, None),
        _ => {}
    }
    resource
}

/// The ids of a recreated object, each with the id that was seen.
fn other_names(is: &Found, was: &Found) -> Vec<(String, String)> {
    let part = |(key, id): (&String, _)| Some((id, was.parts.get(key)?.to_string()));
    let parts = is.parts.iter().filter_map(|(key, id)| part((key, id.to_string())));
    let computed = is
        .computed
        .iter()
        .filter_map(|(name, value)| Some((value.clone()?, was.computed.get(name)?.clone()?)));
    let own = (is.id.to_string(), was.id.to_string());
    let all = std::iter::once(own).chain(parts).chain(computed.filter(|(id, _)| is_id(id)));
    all.flat_map(|(is, was)| by_part(&is, &was)).collect()
}

/// Whether a text is an id: a word, a hyphen and hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(_, digits)| {
        digits.len() == 17 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// The parts in which two ids differ: for ARNs, the ids in them, since names and Regions are the same and
/// accounts do not matter.
fn by_part(is: &str, was: &str) -> Vec<(String, String)> {
    if !is.starts_with("arn:") {
        return vec![(is.to_owned(), was.to_owned())];
    }
    let last = |arn: &str| -> Vec<String> { arn.split('/').skip(1).map(str::to_owned).collect() };
    last(is).into_iter().zip(last(was)).filter(|(is, was)| is != was).collect()
}
