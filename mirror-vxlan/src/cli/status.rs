//! What the health and metrics ports tell of a running receiver.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mirror_vxlan::health::Status;
use mirror_vxlan::metrics::{self, Labelled};
use mirror_vxlan::receive::Observer;
use mirror_vxlan::select::CurrentNames;
use mirror_vxlan::session::{SessionId, Sessions};
use mirror_vxlan::sink::SessionNames as _;

/// How long a thread may be silent; it says ten times a second that it runs.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// The receiver as others see it. The ports are open before it has started.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) observer: OnceLock<Observer>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) names: CurrentNames,
    pub(crate) draining: AtomicBool,
}

impl Status for Seen {
    fn ailments(&self) -> Vec<String> {
        let Some(observer) = self.observer.get() else {
            return vec!["the receiver is starting".to_owned()];
        };
        let mut reasons = Vec::new();
        if self.draining.load(Ordering::Relaxed) {
            reasons.push("the receiver was told to stop".to_owned());
        }
        let account = observer.snapshot();
        reasons.extend(account.ailments(SILENCE_MAX).iter().map(ToString::to_string));
        reasons
    }

    fn metrics(&self) -> String {
        let Some(observer) = self.observer.get() else { return String::new() };
        let account = observer.snapshot();
        let count = account.counts().sessions.len();
        let numbers = (0..u32::try_from(count).unwrap_or(u32::MAX)).map(SessionId::new);
        let sessions: Vec<Labelled> = numbers
            .map_while(|number| self.sessions.get(number))
            .map(|session| Labelled { session, name: self.names.name(session) })
            .collect();
        metrics::render(&account, &sessions, &self.ailments())
    }
}
