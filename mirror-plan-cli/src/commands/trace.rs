//! `mirror trace`: what becomes of a packet, or of a whole capture, before and after the plan.

pub(super) mod capture;

use std::path::Path;

use mirror_plan::apply::recover::Next;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::observed::Observed;
use mirror_plan::packet::trace::{Headers, Mirroring, Moment, Tracer, Untraceable, answers};
use mirror_plan::plan::{Mode, Request};
use mirror_plan::render::trace::{CaptureText, PacketText, json};
use mirror_plan::stack::Stack;
use mirror_vxlan::capture::read::ReadError;

use self::capture::Running;
use super::Ended;
use super::plan::Seen;
use crate::cli::{
    EndArgument, InterfaceArgument, NetworkArgs, PacketArgs, SightArgs, StackArgs, TraceArgs,
};
use crate::cloud;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;

pub(crate) async fn run(args: &TraceArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let TraceArgs { stack, packet, pcap, network, sight, detailed_exitcode, json: _ } = args;
    let packet = headers(packet)?;
    let StackArgs { stack, variables } = stack;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let observed = seen(sight, &stack, settings, ui).await?;
    let plan = mirror_plan::plan::plan(&stack, &observed, &Request::default())?;
    let at = |moment| Mirroring::at(moment, &plan, &observed).map_err(untraceable);
    let moments = named([at(Moment::Before)?, at(Moment::After)?], network)?;
    let changes = match (packet, pcap) {
        (Some(headers), _) => trace_packet(&moments, &headers, args, ui)?,
        (None, Some(path)) => trace_capture(moments, path, args, ui)?,
        (None, None) => unreachable!("the command line has a packet or a capture"),
    };
    let changed = *detailed_exitcode && changes == Changes::Yes;
    Ok(if changed { ExitStatus::Changes } else { ExitStatus::Done })
}

/// What the cloud holds, or a substitute for that. Of sessions that belong to others, only their existence is
/// known.
async fn seen(
    sight: &SightArgs,
    stack: &Stack,
    settings: &Settings,
    ui: &mut Ui,
) -> Result<Observed, Diagnostics> {
    let SightArgs { offline: false, inventory: None } = sight else {
        return Ok(Seen::of(sight, (stack, Mode::Apply), settings, ui).await?.observed);
    };
    let aws = cloud::connect_for(settings, stack).await?;
    let observed = cloud::look(&aws, (stack, Next::Nothing), settings, ui).await?;
    let strangers = cloud::strangers(&aws, &observed).await?;
    if !strangers.is_empty() {
        let strangers: Vec<String> = strangers.iter().map(ToString::to_string).collect();
        ui.note(format_args!(
            "Sessions of others, not in this trace; a session with a lower number is evaluated first:\n  {}\n",
            strangers.join("\n  ")
        ));
    }
    Ok(observed)
}

/// Whether the plan changes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changes {
    Yes,
    No,
}

impl From<bool> for Changes {
    fn from(differ: bool) -> Self {
        if differ { Self::Yes } else { Self::No }
    }
}

/// The packet that the options describe, if they describe one.
fn headers(args: &PacketArgs) -> Result<Option<Headers>, Diagnostics> {
    let PacketArgs { from: Some(from), to: Some(to), proto, length: _ } = args else {
        return Ok(None);
    };
    let wrong = |title: String| Diagnostic::error(code::WRONG_VALUE, title);
    let [
        EndArgument { address: source, port: from },
        EndArgument { address: destination, port: to },
    ] = [*from, *to];
    if source.is_ipv4() != destination.is_ipv4() {
        return Err(wrong(format!(
            "{source} and {destination} are not of the same address family"
        ))
        .into());
    }
    let Some(protocol) = proto.number() else {
        return Err(wrong("a packet has one protocol".to_owned())
            .help("name it: --proto tcp, udp, icmp, icmpv6 or a number")
            .into());
    };
    let ports = match (proto.has_ports(), from, to) {
        (true, Some(from), Some(to)) => Some([from, to]),
        (true, _, _) => {
            return Err(wrong(format!("a packet of {proto} has a port at both ends"))
                .help("give both: --from 10.0.1.5:50000 --to 10.0.9.9:443")
                .into());
        }
        (false, None, None) => None,
        (false, _, _) => return Err(wrong(format!("a packet of {proto} has no ports")).into()),
    };
    Ok(Some(Headers { protocol, source, destination, ports }))
}

/// Both moments, with what the options state about interfaces.
fn named(mut moments: [Mirroring; 2], args: &NetworkArgs) -> Result<[Mirroring; 2], Diagnostics> {
    let NetworkArgs { eni, resolver, mtu: _ } = args;
    for InterfaceArgument { name, address } in eni {
        if moments.iter().all(|moment| moment.interface(name).is_none()) {
            let title = format!("the stack has no interface `{name}`");
            return Err(no_interface(title, &moments).into());
        }
        for moment in &mut moments {
            if let (Some(place), Some(address)) = (moment.interface(name), address) {
                moment.interfaces[place].addresses = vec![*address];
            }
        }
    }
    let names: Vec<&str> = eni.iter().map(|InterfaceArgument { name, .. }| name.as_str()).collect();
    for moment in &mut moments {
        resolver.iter().for_each(|address| moment.add_resolver(*address));
        if !names.is_empty() {
            moment.keep(&names);
        }
    }
    Ok(moments)
}

fn trace_packet(
    moments: &[Mirroring; 2],
    headers: &Headers,
    args: &TraceArgs,
    ui: &mut Ui,
) -> Result<Changes, Diagnostics> {
    let tracers = moments.each_ref().map(|moment| Tracer::new(moment, args.network.mtu));
    let answer = |at: usize| answers((&moments[at], &tracers[at]), headers, args.packet.length);
    let (before, after) = (answer(0), answer(1));
    if before.is_empty() && after.is_empty() {
        let Headers { source, destination, .. } = headers;
        let title = format!("no interface of the stack has {source} or {destination}");
        return Err(no_interface(title, moments).into());
    }
    if args.json {
        ui.data(format_args!("{:#}\n", json::packet(headers, &before, &after)));
    } else {
        ui.data(PacketText::new(headers, &before, &after).style(ui.data_palette()));
    }
    Ok((before != after).into())
}

fn trace_capture(
    [before, after]: [Mirroring; 2],
    path: &Path,
    args: &TraceArgs,
    ui: &mut Ui,
) -> Result<Changes, Diagnostics> {
    let knows = |moment: &Mirroring| moment.interfaces.iter().any(|it| !it.addresses.is_empty());
    if !knows(&before) && !knows(&after) {
        let title = "no interface of the stack has a known address".to_owned();
        return Err(no_interface(title, &[before, after]).into());
    }
    let is_changed = before != after;
    let mut moments = vec![Running::new(before, args.network.mtu)];
    if is_changed {
        moments.push(Running::new(after, args.network.mtu));
    }
    let whole = capture::read(path, &mut moments).map_err(|error| unreadable(path, &error));
    // Even a damaged file gives a result, up to the damage.
    if moments[0].is_empty() {
        whole.clone()?;
    }
    let mut captured = moments.into_iter().map(Running::end);
    let before = captured.next().expect("there is one moment at least");
    let after = captured.next();
    let name = path.display().to_string();
    if args.json {
        let after = after.as_ref().unwrap_or(&before);
        ui.data(format_args!("{:#}\n", json::capture(&name, &before, after)));
    } else {
        let text = CaptureText::new(&name, &before, after.as_ref());
        ui.data(text.style(ui.data_palette()));
    }
    whole.map(|()| is_changed.into())
}

/// The error that lists the existing interfaces.
fn no_interface(title: String, moments: &[Mirroring]) -> Diagnostic {
    let mut lines: Vec<String> = moments
        .iter()
        .flat_map(|moment| &moment.interfaces)
        .map(|interface| {
            let addresses: Vec<String> =
                interface.addresses.iter().map(ToString::to_string).collect();
            let addresses = match addresses.as_slice() {
                [] => "an unknown address".to_owned(),
                addresses => addresses.join(", "),
            };
            format!("{} has {addresses}", interface.name)
        })
        .collect();
    lines.sort();
    lines.dedup();
    let diagnostic = Diagnostic::error(code::NO_INTERFACE, title);
    let diagnostic = match lines.len() {
        0 => diagnostic.note("the stack mirrors no interface and creates none"),
        _ => diagnostic.note(lines.join("\n")),
    };
    diagnostic.help("name its interface: --eni INTERFACE=ADDRESS")
}

pub(super) fn untraceable(errors: Vec<Untraceable>) -> Diagnostics {
    let diagnostics = errors.into_iter().map(|error| {
        Diagnostic::error(code::UNTRACEABLE, error.to_string())
            .of(&error.session)
            .help("declare the filter in the stack, or in an `existing` block")
    });
    diagnostics.collect()
}

pub(super) fn unreadable(path: &Path, error: &ReadError) -> Diagnostics {
    let title = format!("`{}` cannot be read", path.display());
    let mut texts = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    Diagnostic::error(code::FILE, title).note(texts.join(": ")).into()
}
