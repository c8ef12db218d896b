//! What the service manager is told (sd_notify): that requests are served, that the end has begun, and again and again that
//! all is well. One datagram each; where there is no manager nothing is said.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use crate::service::Service;

/// The manager that started this process, if one did.
pub struct Manager {
    socket: Option<UnixDatagram>,
    /// It ends a process that says nothing for this long.
    patience: Option<Duration>,
}

impl Manager {
    /// As these variables of the process name it.
    pub fn named_by(variable: impl Fn(&str) -> Option<String>) -> Manager {
        let socket = variable("NOTIFY_SOCKET").and_then(|name| match connect(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told how it goes");
                None
            }
        });
        let pid = std::process::id().to_string();
        let ours = variable("WATCHDOG_PID").is_none_or(|watched| watched == pid);
        let us = variable("WATCHDOG_USEC").filter(|_| ours).and_then(|us| us.parse().ok());
        Manager { socket, patience: us.filter(|us| *us > 0).map(Duration::from_micros) }
    }

    /// Requests are served.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that all is well, twice within the manager's patience, for as long as the runtime turns and the store answers. It
    /// has no end.
    pub async fn keep_telling(&self, service: &Arc<Service>) {
        let Some(patience) = self.patience else { return std::future::pending().await };
        loop {
            match tokio::time::timeout(patience, service.ready()).await {
                Ok(Ok(())) => self.say("WATCHDOG=1"),
                troubled => tracing::warn!(?troubled, "the service manager is not told that all is well"),
            }
            tokio::time::sleep(patience / 2).await;
        }
    }

    fn say(&self, state: &str) {
        if let Some(Err(error)) = self.socket.as_ref().map(|socket| socket.send(state.as_bytes())) {
            tracing::warn!(%error, state, "the service manager does not listen");
        }
    }
}

/// A path, or after `@` a name without one.
fn connect(name: &str) -> io::Result<UnixDatagram> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
