//! A bench on which single resources are created, seen, changed and removed through the real SDK,
//! without a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use mirror_local::{Cloud, Durations, LoggedCall, Settings};
use mirror_plan::address::Address;
use mirror_plan::attribute::Presence;
use mirror_plan::aws::act::{Note, Recording, Sent};
use mirror_plan::aws::{
    Act, ActError, Aws, Known, Made, Pace, Sight, Token, Waiting, Wanted, observe,
};
use mirror_plan::observed::Found;
use mirror_plan::resource::{Creation, Operation, Resource, object_type};
use mirror_plan::value::Value;

/// The stack that everything on the bench belongs to.
pub(crate) const STACK: &str = "bench";

/// A cloud, its clients, and what has been learned.
pub(crate) struct Bench {
    pub(crate) cloud: Cloud,
    pub(crate) aws: Aws,
    pub(crate) known: Known,
    /// What calls reported while they waited.
    pub(crate) waits: Mutex<BTreeSet<String>>,
    nonce: u32,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        Self::over(Cloud::in_memory().with_settings(settings))
    }

    pub(crate) fn over(cloud: Cloud) -> Self {
        let aws = Aws::new(&mirror_tests::config(&cloud), Pace::Local).unwrap();
        Self { cloud, aws, known: Known::default(), waits: Mutex::default(), nonce: 0 }
    }

    /// Sends one call.
    pub(crate) async fn act(&mut self, operation: &Operation) -> Result<Made, ActError> {
        self.nonce += 1;
        let token = Token::new(format!("token-{}", self.nonce)).unwrap();
        let on_wait = |waiting: Waiting| {
            self.waits.lock().unwrap().insert(waiting.to_string());
        };
        let (known, on_wait) = (&self.known, &on_wait);
        let record = |_: Note| -> Recording { Box::pin(std::future::ready(Ok(()))) };
        let (token, record) = (&token, &record);
        let act = Act { operation, known, token, sent: Sent::Never, record, on_wait };
        mirror_plan::aws::act(&self.aws, act).await
    }

    /// Sends the calls for a resource, which must succeed, and keeps what they return.
    pub(crate) async fn act_all(&mut self, address: &Address, operations: &[Operation]) {
        for operation in operations {
            match self.act(operation).await {
                Ok(made) => self.known.add_made(address, &made),
                Err(error) => panic!("{address}: {}: {error}", operation.call()),
            }
        }
    }

    /// Creates a resource, and checks that it is seen exactly as declared.
    pub(crate) async fn make(&mut self, address: &str, declared: impl Into<Resource>) -> Address {
        let (address, declared) = (address.parse().unwrap(), declared.into());
        let operations = self.creation(&address, &declared);
        self.act_all(&address, &operations).await;
        self.check(&address, &declared).await;
        address
    }

    /// The calls that create a resource.
    pub(crate) fn creation(&self, address: &Address, declared: &Resource) -> Vec<Operation> {
        declared.create(&Creation { address, stack: STACK, generation: 1 })
    }

    /// Changes a resource, and checks that it is seen exactly as declared. Returns the calls.
    pub(crate) async fn change(
        &mut self,
        address: &Address,
        declared: impl Into<Resource>,
    ) -> Vec<&'static str> {
        let declared = declared.into();
        let found = self.found(address).await;
        let settled = declared.clone().settled(&found.resource);
        let creation = Creation { address, stack: STACK, generation: found.generation };
        let operations = settled.update(&found, &creation);
        self.act_all(address, &operations).await;
        self.check(address, &declared).await;
        operations.iter().map(Operation::call).collect()
    }

    /// Removes a resource, and checks that it is no longer seen.
    pub(crate) async fn remove(&mut self, address: &Address) {
        let found = self.found(address).await;
        self.act_all(address, &found.resource.delete(&found)).await;
        let sight = self.observe().await;
        assert!(!sight.observed.owned.contains_key(address), "{address} is still there");
    }

    pub(crate) async fn observe(&self) -> Sight {
        let images = BTreeSet::new();
        observe(
            &self.aws,
            Wanted {
                stack: STACK,
                images: &images,
                existing: &Default::default(),
                sources: &Default::default(),
                planned: None,
            },
        )
        .await
        .unwrap()
    }

    pub(crate) async fn found(&self, address: &Address) -> Found {
        let sight = self.observe().await;
        assert_eq!(sight.findings, []);
        match sight.observed.owned.get(address).map(Vec::as_slice) {
            Some([found]) => found.clone(),
            other => panic!("{address}: {other:#?}"),
        }
    }

    /// Checks that what is seen is what was declared, and that its parts and attributes are known.
    async fn check(&mut self, address: &Address, declared: &Resource) {
        let found = self.found(address).await;
        let declared = declared.clone().settled(&found.resource);
        let (declared, seen) = (self.filled(&declared), members(found.resource.to_value()));
        let chosen = |name: &str| {
            let attribute = object_type(address.kind).attribute(name).unwrap();
            matches!(attribute.presence, Presence::Chosen)
        };
        for (name, declared) in declared {
            if !(declared == Value::Null && chosen(&name)) {
                assert_eq!(sorted(seen[&name].clone()), sorted(declared), "{address}.{name}");
            }
        }
        for computed in mirror_plan::resource::computed(address.kind) {
            assert!(found.computed.contains_key(computed.name), "{address}.{}", computed.name);
        }
        self.known.add_found(address, &found);
    }

    /// What was declared, with references filled in.
    fn filled(&self, declared: &Resource) -> BTreeMap<String, Value> {
        let fill = |value| self.fill(value);
        members(declared.to_value()).into_iter().map(|(name, v)| (name, fill(v))).collect()
    }

    fn fill(&self, value: Value) -> Value {
        match value {
            Value::Unknown(unknown) => {
                let look_up = |origin: &_| self.known.get(origin).flatten().map(str::to_owned);
                Value::String(unknown.template.unwrap().fill(look_up).unwrap())
            }
            Value::List(items) => Value::List(items.into_iter().map(|v| self.fill(v)).collect()),
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(n, v)| (n, self.fill(v))).collect())
            }
            other => other,
        }
    }

    /// Returns all actions that were called so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.log().into_iter().map(|call| call.action).collect()
    }

    /// How often an action was called.
    pub(crate) fn count(&self, action: &str) -> usize {
        self.calls().iter().filter(|call| *call == action).count()
    }

    fn log(&self) -> Vec<LoggedCall> {
        self.cloud.log().unwrap()
    }
}

fn members(value: Value) -> BTreeMap<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("a resource is an object and not {other}"),
    }
}

/// Sorts every list in a value, so that lists compare as sets.
fn sorted(value: Value) -> Value {
    match value {
        Value::List(items) => {
            let mut items: Vec<Value> = items.into_iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            Value::List(items)
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(n, v)| (n, sorted(v))).collect())
        }
        other => other,
    }
}
