//! Who may send: networks of outer sources, and sessions.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::count::Exclusion;
use crate::frame::Session;
use crate::vni::{ParseVniError, Vni};

/// One entry of the list: `10.0.0.0/16`, or `5569041@10.0.1.35` for one session only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allow {
    /// The session's VNI; `None` for any.
    pub vni: Option<Vni>,
    /// The network that the outer source address is in.
    pub source: IpNet,
}

/// The senders that are allowed; all if the list is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    /// Networks that may send any VNI, in order, with adjacent ones merged.
    sources: Vec<IpNet>,
    /// Networks that may send only one VNI, by that VNI.
    sessions: BTreeMap<Vni, Vec<IpNet>>,
}

/// Why a text is not an entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAllowError {
    /// The text behind the `@`, or the whole text without one, is neither an address nor a network.
    #[error("`{text}` is not an address or network such as 10.0.0.0/16")]
    Source {
        /// What stands there.
        text: String,
    },
    /// The text before the `@` is not a VNI.
    #[error("`{text}` before the `@` is not a VNI")]
    Vni {
        /// What stands there.
        text: String,
        /// Why it is not a VNI.
        #[source]
        reason: ParseVniError,
    },
}

impl FromStr for Allow {
    type Err = ParseAllowError;

    fn from_str(text: &str) -> Result<Self, ParseAllowError> {
        let (vni, source) = match text.split_once('@') {
            None => (None, text),
            Some((vni, source)) => {
                let parsed = vni.parse();
                let text = vni.to_owned();
                (Some(parsed.map_err(|reason| ParseAllowError::Vni { text, reason })?), source)
            }
        };
        let net = source.parse::<IpNet>().or_else(|_| source.parse::<IpAddr>().map(IpNet::from));
        let source = net.map_err(|_| ParseAllowError::Source { text: source.to_owned() })?;
        Ok(Self { vni, source: source.trunc() })
    }
}

impl FromIterator<Allow> for AllowList {
    fn from_iter<T: IntoIterator<Item = Allow>>(entries: T) -> Self {
        let (mut sources, mut sessions) = (Vec::new(), BTreeMap::<Vni, Vec<IpNet>>::new());
        for Allow { vni, source } in entries {
            match vni {
                None => sources.push(source),
                Some(vni) => sessions.entry(vni).or_default().push(source),
            }
        }
        let mut sources = IpNet::aggregate(&sources);
        sources.sort();
        Self { sources, sessions }
    }
}

impl AllowList {
    /// Returns whether everybody may send.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.sessions.is_empty()
    }

    /// Checks that a session may send.
    ///
    /// # Errors
    ///
    /// [`Exclusion::Session`] if its source may only send with other VNIs, [`Exclusion::Source`]
    /// if it may not send at all.
    pub fn check(&self, session: Session) -> Result<(), Exclusion> {
        if self.is_empty() {
            return Ok(());
        }
        let Session { vni, source } = session;
        let has = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&source));
        if self.is_source(source) || self.sessions.get(&vni).is_some_and(|networks| has(networks)) {
            return Ok(());
        }
        let sends_others = self.sessions.values().any(|networks| has(networks));
        Err(if sends_others { Exclusion::Session } else { Exclusion::Source })
    }

    /// Whether an address is in the networks that may send any VNI.
    fn is_source(&self, source: IpAddr) -> bool {
        // The networks do not overlap: only the last that starts at or before the address can
        // contain it.
        let behind = self.sources.partition_point(|network| network.network() <= source);
        behind.checked_sub(1).is_some_and(|last| self.sources[last].contains(&source))
    }
}
