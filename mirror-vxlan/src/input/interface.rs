//! The interface that packets are received on, identified by its name and its number when found.

#![forbid(unsafe_code)]

use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use socket2::{Domain, Socket, Type};

use super::live::OpenError;

/// An interface, by the name it was requested with and the number it had then.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) index: NonZeroU32,
    /// A socket of the network namespace it was found in, whichever one the asking thread is in.
    namespace: Arc<Socket>,
}

impl Interface {
    /// Finds an interface.
    pub(super) fn find(name: &str) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Interface { interface: name.to_owned(), source };
        let namespace = Socket::new(Domain::UNIX, Type::DGRAM, None).map_err(failed)?;
        let index = name_to_index(&namespace, name).map_err(|error| failed(error.into()))?;
        let index = NonZeroU32::new(index).ok_or_else(|| failed(Errno::NODEV.into()))?;
        Ok(Self { name: name.to_owned(), index, namespace: Arc::new(namespace) })
    }

    /// Fails if the interface no longer exists, even if another one now has its name.
    pub(super) fn is_there(&self) -> io::Result<()> {
        if name_to_index(&*self.namespace, &self.name) == Ok(self.index.get()) {
            return Ok(());
        }
        let message = format!("the interface `{}` was removed or renamed", self.name);
        Err(io::Error::new(io::ErrorKind::NotFound, message))
    }
}
