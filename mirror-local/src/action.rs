//! The actions of a service, and what they all have in common.
//!
//! A call is atomic: if its action fails or is a dry run, every table is put back as it was.

use crate::authorization::authorize;
use crate::document::Document;
use crate::failure::{Failure, Outcome};
use crate::id::request_id;
use crate::parameters::Parameters;
use crate::request::{Request, Service, Wire};
use crate::response::{Response, ResultElement};
use crate::token;
use crate::world::{Call, View, World};
use crate::xml::Xml;
use crate::{autoscaling, cloudwatch, ec2, elbv2, ram, s3, ssm, sts};
use jiff::Timestamp;

/// One action: its name, what it does, and how it may be called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    name: &'static str,
    run: Run,
    dry_run: DryRun,
    token: TokenEcho,
    result: ResultElement,
}

/// What an action does.
#[derive(Debug, Clone, Copy)]
enum Run {
    Create { create: Create, answer: Answer },
    Read(Read),
    Report(Report),
    Write(Write),
}

/// Reads the world and writes the answer.
pub(crate) type Read = fn(View<'_>, &Parameters, &mut Xml) -> Outcome;
/// Reads the world and returns the answer, for either protocol of its service.
pub(crate) type Report = fn(View<'_>, &Parameters) -> Outcome<Document>;
/// Changes the world and writes the answer.
pub(crate) type Write = fn(&mut Call<'_>, &mut Xml) -> Outcome;
/// Makes an object and returns its id.
pub(crate) type Create = fn(&mut Call<'_>) -> Outcome<String>;
/// Writes the answer about an object that was made now or earlier; `None` if it no longer exists.
pub(crate) type Answer = fn(View<'_>, &str, &mut Xml) -> Option<()>;

/// Whether an action has the parameter `DryRun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DryRun {
    Absent,
    Accepted,
}

/// Whether the answer to a create repeats the client token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenEcho {
    Absent,
    Present,
}

impl Action {
    /// An action that only reads.
    pub(crate) const fn read(name: &'static str, read: Read) -> Self {
        Self::new(name, Run::Read(read))
    }

    /// An action that only reads, of a service that speaks two protocols.
    pub(crate) const fn report(name: &'static str, report: Report) -> Self {
        Self::new(name, Run::Report(report))
    }

    /// An action that changes something.
    pub(crate) const fn write(name: &'static str, write: Write) -> Self {
        Self::new(name, Run::Write(write))
    }

    /// An action that makes an object and accepts a client token.
    pub(crate) const fn create(name: &'static str, create: Create, answer: Answer) -> Self {
        Self::new(name, Run::Create { create, answer })
    }

    const fn new(name: &'static str, run: Run) -> Self {
        let (dry_run, token) = (DryRun::Accepted, TokenEcho::Present);
        Self { name, run, dry_run, token, result: ResultElement::Present }
    }

    /// The same action, with an answer that does not repeat the client token.
    pub(crate) const fn without_token_echo(self) -> Self {
        Self { token: TokenEcho::Absent, ..self }
    }

    /// The same action without the parameter `DryRun`.
    pub(crate) const fn without_dry_run(self) -> Self {
        Self { dry_run: DryRun::Absent, ..self }
    }

    /// The same action, with an answer that has no element for a result.
    pub(crate) const fn without_result(self) -> Self {
        Self { result: ResultElement::Absent, ..self }
    }

    /// Returns its name.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns whether the action can change something.
    fn mutates(self) -> bool {
        !matches!(self.run, Run::Read(_) | Run::Report(_))
    }
}

/// Handles one call.
///
/// What is due by `now` happens first. A refused call changes nothing else.
pub fn handle(world: &mut World, request: &Request, now: Timestamp) -> Response {
    if request.service == Service::Storage {
        return s3::handle(world, request, now);
    }
    let request_id = next_request_id(world);
    let settings = world.settings.clone();
    let (region, neighbours) = world.around(&request.place(), (&settings, now));
    let action = match find(request.service, &request.action) {
        Ok(action) => action,
        Err(failure) => return Response::failure(request.speech(), request_id, &failure),
    };
    region.seal();
    let (neighbours, parameters) = (&*neighbours, &request.parameters);
    let mut call = Call { region, neighbours, parameters, settings: &settings, now };
    let named = (action.name, action.result);
    let response = Response::success(request.speech(), named, request_id, |xml| {
        authorize(request, call.view())?;
        let dry = dry_run(action, request)?;
        match run((action, request.wire), &mut call, xml) {
            // A dry run is about what the caller may do, not about what exists: EC2 API reference, the parameter
            // `DryRun`.
            Err(failure) if !(dry && failure.is_of_state()) => Err(failure),
            Ok(()) | Err(_) if dry => Err(Failure::dry_run()),
            done => done,
        }
    });
    if response.error.is_some() {
        call.region.rollback();
    } else if action.mutates() {
        autoscaling::take_notice(&mut call);
    }
    response
}

/// Returns whether a request can change something; an unknown action cannot.
pub(crate) fn mutates(request: &Request) -> bool {
    is_mutating(request.service, &request.action)
}

/// Returns whether an action can change something; an unknown one cannot.
pub(crate) fn is_mutating(service: Service, action: &str) -> bool {
    let changes =
        |(name, effect): &(&str, s3::Effect)| action == *name && *effect == s3::Effect::Changes;
    match service {
        Service::Storage => s3::ACTIONS.iter().any(changes),
        service => find(service, action).is_ok_and(Action::mutates),
    }
}

/// Takes the next request id of a world.
pub(crate) fn next_request_id(world: &mut World) -> String {
    world.calls += 1;
    request_id(world.seed, world.calls)
}

/// Returns the names of the actions of a service.
pub fn action_names(service: Service) -> Vec<&'static str> {
    let mut names: Vec<_> =
        actions(service).iter().flat_map(|group| group.iter()).map(|a| a.name).collect();
    if service == Service::Storage {
        names.extend(s3::ACTIONS.map(|(name, _)| name));
    }
    names.sort_unstable();
    names
}

fn actions(service: Service) -> &'static [&'static [Action]] {
    match service {
        Service::AutoScaling => autoscaling::ACTIONS,
        Service::Ec2 => ec2::ACTIONS,
        Service::LoadBalancing => elbv2::ACTIONS,
        Service::Metrics => cloudwatch::ACTIONS,
        Service::Parameters => ssm::ACTIONS,
        Service::Sharing => ram::ACTIONS,
        Service::Tokens => sts::ACTIONS,
        Service::Storage => &[], // not of the Query protocol
    }
}

fn find(service: Service, name: &str) -> Outcome<Action> {
    let mut all = actions(service).iter().flat_map(|group| group.iter());
    all.find(|action| action.name == name).copied().ok_or_else(|| Failure::unknown_action(name))
}

fn dry_run(action: Action, request: &Request) -> Outcome<bool> {
    let parameters = &request.parameters;
    match action.dry_run {
        DryRun::Absent
            if request.service == Service::Ec2 && parameters.text("DryRun").is_some() =>
        {
            Err(Failure::new("UnknownParameter", "The parameter DryRun is not recognized"))
        }
        DryRun::Absent => Ok(false),
        DryRun::Accepted => Ok(parameters.boolean("DryRun")?.unwrap_or(false)),
    }
}

fn run((action, wire): (Action, Wire), call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    match action.run {
        Run::Read(read) => read(call.view(), call.parameters, xml),
        Run::Report(report) => {
            report(call.view(), call.parameters)?.write(wire, xml);
            Ok(())
        }
        Run::Write(write) => write(call, xml),
        Run::Create { create, answer } => {
            let key = token::key(action.name, call.parameters)?;
            if let Some(key) = &key {
                let made = call.region.made_before(key, call.parameters, call.now)?;
                if made.is_some_and(|id| answer(call.view(), &id, xml).is_some()) {
                    write_token(action, call.parameters, xml);
                    return Ok(());
                }
            }
            let id = create(call)?;
            if let Some(key) = key {
                call.region.remember(key, call.parameters, (&id, call.now));
            }
            answer(call.view(), &id, xml)
                .ok_or_else(|| Failure::internal(format_args!("{id} was made but is not there")))?;
            write_token(action, call.parameters, xml);
            Ok(())
        }
    }
}

fn write_token(action: Action, parameters: &Parameters, xml: &mut Xml) {
    if action.token == TokenEcho::Present {
        xml.optional("clientToken", parameters.text("ClientToken"));
    }
}
