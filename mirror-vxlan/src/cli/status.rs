//! What the health and metrics ports report about a running receiver.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use mirror_vxlan::count::FileCounts;
use mirror_vxlan::health::{Backlog, Status};
use mirror_vxlan::metrics::{self, Labelled};
use mirror_vxlan::receive::Observer;
use mirror_vxlan::select::CurrentNames;
use mirror_vxlan::session::{SessionId, Sessions};
use mirror_vxlan::sink::SessionNames as _;
use mirror_vxlan::sink::file::Removed;

use super::uploader::Told;

/// How long a thread may be silent; it reports ten times a second that it runs.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// The receiver as seen from outside. The ports are open before it has started.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) observer: OnceLock<Observer>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) names: CurrentNames,
    pub(crate) draining: AtomicBool,
    /// The files that the budget of each file sink has removed.
    pub(crate) removed: OnceLock<Vec<Removed>>,
    /// What the uploading process has reported, if there is one.
    pub(crate) upload: OnceLock<Arc<Told>>,
    pub(crate) backlog: Mutex<Backlog>,
}

impl Seen {
    /// What became of finished files.
    pub(crate) fn files(&self) -> FileCounts {
        let mut counts = FileCounts::default();
        for removed in self.removed.get().into_iter().flatten().map(Removed::tally) {
            counts.removed.count += removed.count;
            counts.removed.bytes += removed.bytes;
        }
        counts.upload = self.upload.get().map(|told| told.counts());
        counts
    }

    fn upload_ailments(&self) -> Vec<String> {
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ailments = backlog.ailments(&self.files());
        if self.upload.get().is_some_and(|told| told.has_ended()) {
            ailments.push("the upload process has ended".to_owned());
        }
        ailments
    }
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
        reasons.extend(self.upload_ailments());
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
        metrics::render(&account, &sessions, &self.files(), &self.ailments())
    }
}
