//! `mirror rehearse`: what an apply would do and what would then become of packets, tried out on a local AWS
//! with real receivers.

mod account;
mod json;
mod live;
mod replay;
mod stage;
mod text;

use std::net::IpAddr;
use std::path::Path;
use std::{fs, io};

use mirror_local::StoreError;
use mirror_local::data_plane::DataPlane;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, with_causes};
use mirror_plan::packet::trace::{Mirroring, Moment};
use mirror_plan::plan::Request;
use mirror_plan::render::report::Failures;

use self::account::{Account, Rehearsed, Traffic};
use self::replay::Replay;
use self::stage::Stage;
use super::Ended;
use super::trace::untraceable;
use crate::cli::{NamedArgument, RehearseArgs, StackArgs, TrafficArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;

/// The default number of packets that are made up.
const MADE_UP: usize = 1_000;

pub(crate) async fn run(args: &RehearseArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let RehearseArgs { stack, traffic, eni, mtu, out, sight, lost_max, json } = args;
    if let Some(folder) = out {
        must_be_empty(folder)?;
    }
    let StackArgs { stack, variables } = stack;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let stage = Stage::set(sight, &stack, settings, ui).await?;
    let report = stage.apply().await?;
    let failures = Failures::new(&report).rehearsed().style(ui.notes_palette()).to_string();
    if !failures.is_empty() {
        ui.note(format_args!("{}\n", failures.trim_end()));
    }
    let observed = stage.observe().await?;
    let rest = mirror_plan::plan::plan(stage.stack(), &observed, &Request::default())?;
    let mut mirroring = Mirroring::at(Moment::Before, &rest, &observed).map_err(untraceable)?;
    let mut plane = DataPlane::of(stage.cloud(), observed.region.as_str(), *mtu)
        .map_err(|error| unusable(&error))?;
    acquaint(&mut mirroring, &plane);
    name(&mut mirroring, &mut plane, eni)?;
    if mirroring.interfaces.iter().all(|interface| interface.sessions.is_empty()) {
        return Err(Diagnostic::error(
            code::NO_INTERFACE,
            "nothing is mirrored, so there is nothing to rehearse",
        )
        .help("declare a `mirror_session`, or see above why it could not be created")
        .into());
    }
    let replay = Replay::start(plane, (mirroring, *mtu), &observed, out.as_deref())?;
    let traffic = Traffic::of(traffic);
    let account = match &traffic {
        Traffic::Capture(path) => replay.capture(path)?,
        Traffic::Tap { device, packets } => replay.tap(device, *packets, ui)?,
        Traffic::MadeUp { seed, packets } => replay.mix(*seed, *packets)?,
    };
    if account.offered().packets == 0 {
        return Err(unmirrored(&account));
    }
    let rehearsed = Rehearsed { stack: stage.stack().name.to_string(), traffic, report, account };
    if *json {
        ui.data(format_args!("{:#}\n", json::rehearsed(&rehearsed)));
    } else {
        ui.data(text::Text(&rehearsed));
    }
    Ok(rehearsed.status(*lost_max))
}

impl Traffic {
    fn of(args: &TrafficArgs) -> Self {
        let TrafficArgs { pcap, tap, seed, packets } = args;
        match (pcap, tap) {
            (Some(path), _) => Self::Capture(path.clone()),
            (None, Some(device)) => Self::Tap { device: device.clone(), packets: *packets },
            (None, None) => Self::MadeUp { seed: *seed, packets: packets.unwrap_or(MADE_UP) },
        }
    }
}

/// Tells the trace the address of Amazon's DNS server, which it cannot know if the VPC is not part of the
/// stack.
fn acquaint(mirroring: &mut Mirroring, plane: &DataPlane) {
    for interface in &mut mirroring.interfaces {
        let id = interface.id.as_deref();
        let known = plane.interfaces().iter().find(|it| Some(it.id()) == id);
        interface.resolvers.extend(known.and_then(|it| it.resolver()).map(IpAddr::V4));
    }
}

/// Gives interfaces the addresses that they have in the capture.
fn name(
    mirroring: &mut Mirroring,
    plane: &mut DataPlane,
    named: &[NamedArgument],
) -> Result<(), Diagnostics> {
    for NamedArgument { name, address } in named {
        let interface = mirroring.interface(name).map(|place| &mut mirroring.interfaces[place]);
        let Some(interface) = interface else {
            let title = format!("the stack has no interface `{name}`");
            let names: Vec<&str> = mirroring.interfaces.iter().map(|it| it.name.as_str()).collect();
            return Err(Diagnostic::error(code::NO_INTERFACE, title)
                .note(format!("the stack has: {}", names.join(", ")))
                .into());
        };
        interface.addresses = vec![*address];
        let id = interface.id.as_deref();
        let place = plane.interfaces().iter().position(|it| Some(it.id()) == id);
        if let Some(place) = place {
            plane.set_addresses(place, vec![*address]);
        }
    }
    Ok(())
}

/// Refuses a folder that already holds files, which would be mistaken for those of this rehearsal.
fn must_be_empty(folder: &Path) -> Result<(), Diagnostics> {
    let entries = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            let title = format!("`{}` cannot be used", folder.display());
            return Err(Diagnostic::error(code::FILE, title).note(error.to_string()).into());
        }
    };
    if !entries {
        return Ok(());
    }
    let title = format!("`{}` is not empty", folder.display());
    Err(Diagnostic::error(code::FILE, title)
        .note("its contents would be mistaken for what receivers deliver")
        .help("name a new folder")
        .into())
}

/// The error that no packet belongs to a mirrored interface, so that nothing was rehearsed.
fn unmirrored(account: &Account) -> Diagnostics {
    let title = "no packet belongs to a mirrored interface, so nothing was rehearsed";
    let lines = account.sources.values().map(|source| {
        let addresses: Vec<String> = source.addresses.iter().map(ToString::to_string).collect();
        format!("{} has {}", source.name, addresses.join(", "))
    });
    Diagnostic::error(code::NO_INTERFACE, title)
        .note(lines.collect::<Vec<_>>().join("\n"))
        .help("name their interface: --eni INTERFACE=ADDRESS")
        .into()
}

fn unusable(error: &StoreError) -> Diagnostic {
    Diagnostic::error(code::FILE, "cannot read the local AWS that the rehearsal runs on")
        .note(with_causes(error))
}

impl Rehearsed {
    /// The status of the command: success if AWS would refuse nothing, everything is accounted for and was
    /// foretold, and not too much is lost.
    fn status(&self, lost_max: f64) -> ExitStatus {
        let is_well = self.report.is_complete()
            && self.account.is_sound()
            && self.account.lost_share() * 100.0 <= lost_max;
        if is_well { ExitStatus::Done } else { ExitStatus::Failed }
    }
}
