//! The two moments of a plan, and the objects that exist at each.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::address::{Address, Kind};
use crate::attribute::{AttributeType, Problems};
use crate::observed::{Found, Observed};
use crate::plan::Plan;
use crate::value::{Path, Value};

/// Before a plan is applied, or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// As the cloud is now.
    Before,
    /// As it will be.
    After,
}

type Members = BTreeMap<String, Value>;

/// An object of the stack, or one that it uses, with its attributes at the moment.
pub(super) struct Object<'p> {
    pub(super) address: &'p Address,
    /// Whether it is the object that the address stands for, and not a left-over of a replacement.
    is_current: bool,
    members: Cow<'p, Members>,
}

impl Object<'_> {
    /// An attribute as it stands.
    pub(super) fn value(&self, name: &str) -> &Value {
        self.members.get(name).unwrap_or(&Value::Null)
    }

    /// An attribute, if it is known and of its type.
    pub(super) fn read<T: AttributeType>(&self, name: &str) -> Option<T> {
        T::read(self.value(name), &Path::default(), &mut Problems::default())
    }
}

/// All objects at a moment, which references can be looked up in.
pub(super) struct Objects<'p> {
    all: Vec<Object<'p>>,
    by_address: HashMap<&'p Address, usize>,
    /// Objects by their ids, and instances also by the ids of their primary interfaces.
    by_id: HashMap<(Kind, String), usize>,
}

impl<'p> Objects<'p> {
    pub(super) fn at(moment: Moment, plan: &'p Plan, observed: &'p Observed) -> Self {
        let owned = plan.changes.iter().filter_map(|change| {
            let side = match moment {
                Moment::Before => &change.before,
                Moment::After => &change.after,
            };
            let Some(Value::Object(members)) = side else { return None };
            Some(Object {
                address: &change.address,
                is_current: change.deposed.is_none(),
                members: Cow::Borrowed(members),
            })
        });
        let used =
            observed.existing.iter().filter(|(address, _)| plan.existing.contains_key(*address));
        let used = used.map(|(address, found)| Object {
            address,
            is_current: true,
            members: Cow::Owned(members_of(found)),
        });
        let all: Vec<Object<'p>> = owned.chain(used).collect();
        let (mut by_address, mut by_id) = (HashMap::new(), HashMap::new());
        for (place, object) in all.iter().enumerate() {
            if object.is_current {
                by_address.insert(object.address, place);
            }
            for name in ["id", "arn", "network_interface"] {
                if let Value::String(id) = object.value(name) {
                    by_id.insert((object.address.kind, id.clone()), place);
                }
            }
        }
        Self { all, by_address, by_id }
    }

    /// The objects of a kind, in order.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Object<'p>> {
        self.all.iter().filter(move |object| object.address.kind == kind)
    }

    /// The object of a kind that a reference leads to; `None` if the stack does not know it.
    pub(super) fn find(&self, kind: Kind, reference: &Value) -> Option<&Object<'p>> {
        let place = match reference {
            Value::String(id) => self.by_id.get(&(kind, id.clone())),
            Value::Resource(address) => self.by_address.get(address),
            Value::Unknown(unknown) => {
                let mut addresses = unknown.origins.iter().map(|origin| &origin.address);
                addresses.find_map(|address| self.by_address.get(address))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Object(_)
            | Value::Secret(_) => None,
        };
        place.map(|place| &self.all[*place]).filter(|object| object.address.kind == kind)
    }
}

/// The attributes of an object that the stack uses, including those that only AWS reports.
fn members_of(found: &Found) -> Members {
    let mut members = match found.resource.to_value() {
        Value::Object(members) => members,
        _ => Members::new(),
    };
    members.insert("id".to_owned(), Value::String(found.id.to_string()));
    for (name, value) in &found.computed {
        members.insert(name.clone(), value.clone().map_or(Value::Null, Value::String));
    }
    members
}
