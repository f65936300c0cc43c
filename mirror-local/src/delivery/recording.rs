//! Recordings: what receivers deliver, kept as the capture files that a receiver writes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use mirror_vxlan::Vni;
use mirror_vxlan::frame::Session;
use mirror_vxlan::sink::SessionNames;
use mirror_vxlan::sink::file::{FileError, FileOptions, Files, Prefix};

use crate::data_plane::{DataPlane, Receiver};

/// Where receivers keep what they deliver, each in its own pcapng files: the first part of a file's name is the
/// receiver's name, and each session is an interface in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The folder; it is created if it does not exist, but its parent is not.
    pub folder: PathBuf,
    /// The names of interfaces and sessions, by id; the others are called by their ids.
    pub names: BTreeMap<String, String>,
}

/// The recording of one delivery, as far as it has come.
#[derive(Debug)]
pub(super) struct Recorder {
    recording: Recording,
    prefixes: HashSet<String>,
}

/// The names of sessions, for all receivers.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Arc<HashMap<Session, String>>);

impl SessionNames for Names {
    fn name(&self, session: Session) -> Option<String> {
        self.0.get(&session).cloned()
    }
}

impl Recorder {
    pub(super) fn new(recording: Recording) -> Self {
        Self { recording, prefixes: HashSet::new() }
    }

    /// The names of all sessions, whose interfaces have these addresses at the receivers.
    pub(super) fn names(
        &self,
        plane: &DataPlane,
        mut stand_in: impl FnMut(Ipv4Addr) -> Ipv4Addr,
    ) -> Names {
        let mut names = HashMap::new();
        for interface in plane.interfaces() {
            for session in interface.sessions() {
                let Ok(vni) = Vni::try_from(session.vni()) else { continue };
                // What arrives in GENEVE still has the address of its source.
                let primary = interface.primary();
                for source in [stand_in(primary), primary].map(IpAddr::V4) {
                    names.insert(Session { vni, source }, self.name(session.id()).to_owned());
                }
            }
        }
        Names(Arc::new(names))
    }

    /// Opens the files of a receiver.
    pub(super) fn open(&mut self, receiver: &Receiver, names: &Names) -> Result<Files, FileError> {
        let id = receiver.interface();
        let mut prefix = prefix(self.name(id));
        if !self.prefixes.insert(prefix.clone()) {
            prefix = id.to_owned();
        }
        let prefix: Prefix = prefix.parse().expect("it has none but the characters of names");
        let options = FileOptions { prefix, ..FileOptions::new(&self.recording.folder) };
        Files::open(options, names.clone())
    }

    fn name<'n>(&'n self, id: &'n str) -> &'n str {
        self.recording.names.get(id).map_or(id, String::as_str)
    }
}

/// A name in a form with which a file name may begin.
fn prefix(name: &str) -> String {
    const LENGTH_MAX: usize = 80;
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    name.chars().take(LENGTH_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_file_is_named_for_its_receiver() {
        assert_eq!(prefix("instance.sensor"), "instance.sensor");
        assert_eq!(prefix("instance.sensor[\"a/b\"]"), "instance.sensor__a_b__");
        assert_eq!(prefix(&"a".repeat(200)).len(), 80);
    }
}
