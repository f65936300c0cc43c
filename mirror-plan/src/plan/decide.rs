//! Decisions: what happens to each resource, with everything that its calls need to know.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::{Comparison, Fates};
use super::moves::Moves;
use super::resolve::{self, Known};
use super::{Action, Capture, Change, Difference, Mode, OutputChange, Part, Reason, Request, part};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::graph::ResourceGraph;
use crate::observed::{Found, Observed};
use crate::resource::{Creation, ReplaceOrder, Resource, Vpc, computed};
use crate::scalar::{Ami, Scheme};
use crate::stack::Stack;
use crate::value::{Origin, Unknown, Value};

/// What happens to every resource.
#[derive(Debug)]
pub(super) struct Decisions<'p> {
    /// One decision for each address that is declared or owned, and one for each left-over object.
    pub(super) all: Vec<Decision<'p>>,
    /// Which resources are planned, and what refers to what.
    pub(super) fates: Fates<'p>,
    /// What is to be removed and does not look as the stack declares it: somebody has changed it, or it
    /// is so new that AWS shows only a part of it.
    pub(super) unlike: BTreeSet<Address>,
}

/// What happens to one resource or left-over object.
#[derive(Clone, Debug)]
pub(super) struct Decision<'p> {
    pub(super) address: Address,
    pub(super) deposed: bool,
    /// The address that its object had.
    pub(super) moved_from: Option<Address>,
    pub(super) action: Action,
    pub(super) reasons: Vec<Reason>,
    /// The existing object.
    pub(super) found: Option<&'p Found>,
    /// Its attributes, in canonical form.
    pub(super) observed: Option<Resource>,
    /// The attributes that it should have.
    pub(super) desired: Option<Resource>,
    pub(super) differences: Vec<Difference>,
}

/// Decides about everything that `request` asks for.
pub(super) fn decide<'p>(
    stack: &'p Stack,
    (observed, moves): (&'p Observed, &Moves),
    request: &'p Request,
) -> Result<Decisions<'p>, Diagnostics> {
    let scope = match &request.part {
        Part::Whole => scope(stack, request),
        Part::Sources { instances } => part::to_be_made(stack, observed, instances),
    };
    let fates = Fates::find(stack, observed, request, scope);
    let mut all = Vec::new();
    let mut diagnostics = Diagnostics::new();
    if request.mode == Mode::Apply {
        for address in fates.scope() {
            let decision = about_declared(stack, observed, &fates, address).after(moves);
            diagnostics.extend(name_in_the_way(stack, &decision));
            all.push(decision);
        }
    }
    let dragged_along = dragged_along(&fates, request);
    for (address, objects) in &observed.owned {
        let asked = request.targets.is_empty()
            || request.targets.contains(address)
            || fates.scope().contains(address);
        if !asked && !dragged_along.contains(address) {
            continue;
        }
        let about = about_objects(stack, request, address, objects);
        all.extend(about.into_iter().map(|decision| decision.after(moves)));
    }
    all.sort_by(|a, b| {
        let key = |decision: &Decision<'_>| {
            let generation = decision.found.map_or(0, |found| found.generation);
            (decision.deposed, if decision.deposed { generation } else { 0 })
        };
        a.address.cmp(&b.address).then_with(|| key(a).cmp(&key(b)))
    });
    if request.part != Part::Whole {
        all.retain(|decision| part::comes_or_goes(stack, decision));
        diagnostics.extend(part::too_early(&all));
    }
    let unlike = match request.mode {
        Mode::Apply => BTreeSet::new(), // What is removed is not declared, or the stack itself has changed.
        Mode::Destroy => unlike(stack, observed),
    };
    diagnostics.unless_errors(Decisions { all, fates, unlike }).map(|(decisions, _)| decisions)
}

/// The declared resources that do not look as the stack declares them, as far as that is known.
fn unlike(stack: &Stack, observed: &Observed) -> BTreeSet<Address> {
    let everything = Request::default();
    let fates = Fates::find(stack, observed, &everything, scope(stack, &everything));
    let differs = |address: &&Address| {
        let Some(Comparison { desired, differences, .. }) = fates.comparison(address) else {
            return false;
        };
        let desired = desired.attributes();
        // The objects of others that the stack uses are not looked up when it is destroyed.
        differences.iter().any(|differs| desired[&differs.attribute].is_known())
    };
    stack.resources.keys().filter(differs).cloned().collect()
}

/// The declared resources that are planned.
fn scope(stack: &Stack, request: &Request) -> BTreeSet<Address> {
    match (request.mode, request.targets.is_empty()) {
        (Mode::Destroy, _) => BTreeSet::new(),
        (Mode::Apply, true) => stack.resources.keys().cloned().collect(),
        (Mode::Apply, false) => {
            let mut scope = ResourceGraph::of(stack).with_dependencies(&request.targets);
            let gateways = gateways_for(stack, &scope);
            scope.extend(gateways);
            scope
        }
    }
}

/// The internet gateways without which AWS would refuse the load balancers in a part of the stack.
///
/// Source: ELBv2 API reference, `CreateLoadBalancer`: `InvalidSubnet`.
fn gateways_for(stack: &Stack, scope: &BTreeSet<Address>) -> BTreeSet<Address> {
    let resource = |address: &Address| stack.resources.get(address).map(|it| &it.resource);
    let balancers = scope.iter().filter_map(|address| match resource(address)? {
        Resource::LoadBalancer(it) if it.scheme == Scheme::InternetFacing => Some(it),
        _ => None,
    });
    let subnets = balancers.flat_map(|balancer| &balancer.subnets);
    let vpcs: BTreeSet<&Ref<Vpc>> = subnets
        .filter_map(|subnet| match subnet {
            Ref::To(address) => match resource(address)? {
                Resource::Subnet(subnet) => Some(&subnet.vpc),
                _ => None,
            },
            Ref::Id(_) => None,
        })
        .collect();
    let gateways = stack.resources.iter().filter(|(_, declared)| match &declared.resource {
        Resource::InternetGateway(it) => it.vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc)),
        _ => false,
    });
    gateways.map(|(address, _)| address.clone()).collect()
}

/// The decision about a declared resource.
fn about_declared<'p>(
    stack: &Stack,
    observed: &'p Observed,
    fates: &Fates<'p>,
    address: &Address,
) -> Decision<'p> {
    let declared = &stack.resources[address].resource;
    let found = observed.current(address);
    let generation = found.map_or(0, |found| found.generation) + 1;
    let creation = Creation { address, stack: stack.name.as_str(), generation };
    let anew = || pin_image(resolve::resolve(declared, fates), observed).chosen(&creation);
    let decided = |action, reasons, desired| Decision {
        address: address.clone(),
        deposed: false,
        moved_from: None,
        action,
        reasons,
        found,
        observed: None,
        desired: Some(desired),
        differences: Vec::new(),
    };
    let Some(comparison) = fates.comparison(address) else {
        return decided(Action::Create, vec![Reason::Absent], anew());
    };
    let (action, reasons, desired) = if let Some(replacement) = fates.replacement(address) {
        let reasons = replacement.reasons.iter().cloned().collect();
        let desired = anew().inheriting(&comparison.observed);
        (Action::Replace(replacement.order), reasons, desired)
    } else if comparison.differences.is_empty() {
        (Action::NoOp, Vec::new(), comparison.desired.clone())
    } else {
        let changed = comparison.differences.iter();
        let reasons = changed.map(|d| Reason::Changed { attribute: d.attribute.clone() }).collect();
        (Action::Update, reasons, comparison.desired.clone())
    };
    Decision {
        observed: Some(comparison.observed.clone()),
        differences: comparison.differences.clone(),
        ..decided(action, reasons, desired)
    }
}

/// The decisions about the objects of one address that are to be removed.
fn about_objects<'p>(
    stack: &Stack,
    request: &Request,
    address: &Address,
    objects: &'p [Found],
) -> Vec<Decision<'p>> {
    let declared = stack.resources.contains_key(address);
    let current = objects.iter().map(|found| found.generation).max();
    let goes = |found: &'p Found| {
        let deposed = Some(found.generation) != current;
        let reason = match (deposed, request.mode, declared) {
            (true, _, _) => Reason::LeftOver,
            (false, Mode::Destroy, _) => Reason::Destroy,
            (false, Mode::Apply, false) => Reason::NotInStack,
            (false, Mode::Apply, true) => return None,
        };
        Some(Decision {
            address: address.clone(),
            deposed,
            moved_from: None,
            action: Action::Delete,
            reasons: vec![reason],
            found: Some(found),
            observed: Some(resolve::canonical(&found.resource)),
            desired: None,
            differences: Vec::new(),
        })
    };
    objects.iter().filter_map(goes).collect()
}

/// What is removed when the targets are destroyed, because it uses one of them.
fn dragged_along<'f>(fates: &'f Fates<'_>, request: &'f Request) -> BTreeSet<&'f Address> {
    let mut seen: BTreeSet<&Address> = BTreeSet::new();
    if request.mode == Mode::Apply {
        return seen;
    }
    let mut open: Vec<&Address> = request.targets.iter().collect();
    while let Some(used) = open.pop() {
        let Some(object) = fates.uses.current(used) else { continue };
        let users = fates.uses.users(object).map(|(user, _)| &user.address);
        open.extend(users.filter(|user| seen.insert(user)));
    }
    seen
}

/// An instance or a launch template that is created gets the image that its parameter names now, so
/// that the plan states which.
fn pin_image(mut resource: Resource, observed: &Observed) -> Resource {
    let Some(ami) = resource.image_mut() else { return resource };
    let parameter = match ami {
        None => Ami::AMAZON_LINUX,
        Some(Ami::Parameter(name)) => name.as_str(),
        Some(Ami::Id(_)) => return resource,
    };
    if let Some(image) = observed.images.get(parameter) {
        *ami = Some(Ami::Id(image.clone()));
    }
    resource
}

/// Reports a replacement with the name of what it replaces: it cannot be created beside it.
fn name_in_the_way(stack: &Stack, decision: &Decision<'_>) -> Option<Diagnostic> {
    let (Action::Replace(ReplaceOrder::CreateThenDelete), Some(observed), Some(desired)) =
        (decision.action, &decision.observed, &decision.desired)
    else {
        return None;
    };
    let address = &decision.address;
    let name = desired.name_in_the_way(observed)?;
    let place = stack.resources[address].place.as_ref();
    let at = crate::value::Path::default().member("name");
    Some(
        Diagnostic::error(
            code::NAME_IN_THE_WAY,
            format!("`{address}` must be replaced, but AWS allows no second {} named `{name}`", address.kind.title()),
        )
        .of(address)
        .at(place.map(|place| place.of(&at).clone()), "the existing object uses this name")
        .note(decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        .help("leave `name` out so that the tool picks one, or give another name together with this change"),
    )
}

impl<'p> Decisions<'p> {
    /// The objects that the plan leaves as they are because it covers only a part of the stack.
    pub(super) fn left_out(&self) -> Vec<(&'p Address, &'p Found)> {
        let observed = self.fates.observed();
        let all = observed
            .owned
            .iter()
            .flat_map(|(address, all)| all.iter().map(move |it| (address, it)));
        if self.fates.is_of_all() {
            return Vec::new();
        }
        let planned: BTreeSet<&Address> =
            self.all.iter().map(|decision| &decision.address).collect();
        all.filter(|(address, _)| !planned.contains(address)).collect()
    }

    /// The changes, as the plan shows them.
    pub(super) fn into_changes(self) -> Vec<Change> {
        let Self { all, fates, unlike: _ } = self;
        all.into_iter().map(|decision| decision.into_change(&fates)).collect()
    }

    /// The outputs, as they are and as they will be.
    pub(super) fn outputs(
        &self,
        stack: &Stack,
        observed: &Observed,
        request: &Request,
    ) -> BTreeMap<String, OutputChange> {
        let then = Then::of(self);
        let all_goes = request.mode == Mode::Destroy && request.targets.is_empty();
        let outputs = stack.outputs.iter().map(|(name, output)| {
            let before = resolve::fill(output.value.clone(), &Now(observed));
            let after = resolve::fill(output.value.clone(), &then);
            let change = OutputChange {
                before: before.is_known().then_some(before),
                after: (!all_goes && !then.misses(&after)).then_some(after),
            };
            (name.clone(), change)
        });
        outputs.collect()
    }
}

/// The cloud as it will be, as far as that is known.
struct Then<'d> {
    decisions: BTreeMap<&'d Address, &'d Decision<'d>>,
    fates: &'d Fates<'d>,
}

impl<'d> Then<'d> {
    fn of(decisions: &'d Decisions<'_>) -> Self {
        let current = decisions.all.iter().filter(|decision| !decision.deposed);
        Self {
            decisions: current.map(|decision| (&decision.address, decision)).collect(),
            fates: &decisions.fates,
        }
    }

    fn goes(&self, address: &Address) -> bool {
        self.decisions.get(address).is_some_and(|decision| decision.action == Action::Delete)
    }

    /// Whether a value depends on something that will not be there.
    fn misses(&self, value: &Value) -> bool {
        let mut origins = BTreeSet::new();
        value.collect_origins(&mut origins);
        origins.iter().any(|origin| self.goes(&origin.address))
    }
}

impl Known for Then<'_> {
    fn look_up(&self, origin: &Origin) -> Option<Value> {
        if self.goes(&origin.address) {
            return None;
        }
        let desired = self.decisions.get(&origin.address).and_then(|d| d.desired.as_ref());
        let configured =
            desired.and_then(|resource| resource.attributes().remove(&origin.attribute));
        let known = configured.filter(|value| *value != Value::Null && value.is_known());
        known.or_else(|| self.fates.look_up(origin))
    }
}

/// The cloud as it is.
struct Now<'o>(&'o Observed);

impl Known for Now<'_> {
    fn look_up(&self, origin: &Origin) -> Option<Value> {
        self.0.attribute(origin)
    }
}

impl Decision<'_> {
    /// The decision with the effect of `moves` on it.
    fn after(mut self, moves: &Moves) -> Self {
        if self.deposed {
            return self;
        }
        if self.action == Action::Delete {
            self.reasons.extend(moves.hindrance(&self.address));
            return self;
        }
        self.moved_from = moves.from(&self.address).cloned();
        if self.moved_from.is_some() && self.action == Action::NoOp {
            self.action = Action::Move;
        }
        self
    }

    fn into_change(self, fates: &Fates<'_>) -> Change {
        let Self {
            address,
            deposed,
            moved_from,
            action,
            reasons,
            found,
            observed,
            desired,
            differences,
        } = self;
        let capture = (address.kind == Kind::MirrorSession).then(|| capture(action)).flatten();
        let kept = match action {
            Action::NoOp | Action::Move | Action::Update => found,
            Action::Create | Action::Replace(_) | Action::Delete => None,
        };
        let after = desired.map(|resource| {
            let attributes = match (&observed, action) {
                (Some(observed), Action::Replace(_)) => {
                    fates.filled_in(&address, &resource, observed)
                }
                _ => resource.to_value(),
            };
            with_computed(&address, attributes, kept)
        });
        let before = observed
            .zip(found)
            .map(|(resource, found)| with_computed(&address, resource.to_value(), Some(found)));
        Change {
            deposed: deposed.then(|| found.map(|found| found.generation)).flatten(),
            id: found.map(|found| found.id.clone()),
            address,
            moved_from,
            action,
            reasons,
            before,
            after,
            differences,
            capture,
        }
    }
}

/// The attributes, with those that only AWS determines: as they are on `found`, or known after apply.
pub(crate) fn with_computed(address: &Address, attributes: Value, found: Option<&Found>) -> Value {
    let Value::Object(mut members) = attributes else {
        unreachable!("a resource is an object");
    };
    for attribute in computed(address.kind) {
        let value = match found {
            Some(found) => found.computed.get(attribute.name).map(|value| match value {
                Some(text) => Value::String(text.clone()),
                None => Value::Null,
            }),
            None => Some(Value::Unknown(Unknown::attribute(Origin {
                address: address.clone(),
                attribute: attribute.name.to_owned(),
            }))),
        };
        // A configured attribute of that name takes precedence.
        let entry = members.entry(attribute.name.to_owned()).or_default();
        if *entry == Value::Null {
            *entry = value.unwrap_or_default();
        }
    }
    Value::Object(members)
}

/// What an action on a session means for its packets.
fn capture(action: Action) -> Option<Capture> {
    match action {
        Action::NoOp | Action::Move => None,
        Action::Create => Some(Capture::Begins),
        Action::Update => Some(Capture::Continues),
        Action::Replace(ReplaceOrder::CreateThenDelete) => Some(Capture::Continues),
        Action::Replace(ReplaceOrder::DeleteThenCreate) => Some(Capture::Gap),
        Action::Delete => Some(Capture::Ends),
    }
}
