//! What shops use elsewhere, each from its own packages and set up as its own documentation says.

pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod vendure;

use std::io;
use std::net::SocketAddr;

use crate::host::child::Server;
use crate::mix::tongue::Tongue;
use crate::report::peers::{OneCart, PeerRow, Speed};

/// What a report says of a peer.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its short name, for who watches.
    pub(crate) short: &'static str,
    /// What it is, with its version.
    pub(crate) name: String,
    /// What it stands on, with versions.
    pub(crate) with: String,
    /// What a power cut takes of what was acknowledged.
    pub(crate) loses: &'static str,
}

impl Told {
    /// Its row in the report.
    pub(crate) fn row(&self, read: Speed, add: Speed, one_cart: OneCart) -> PeerRow {
        let (name, with, loses) = (self.name.clone(), self.with.clone(), self.loses.to_owned());
        PeerRow { name, with, loses, read, add, one_cart }
    }
}

/// A peer that serves carts over HTTP.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What is said of it.
    pub(crate) told: Told,
    /// How it is spoken to.
    pub(crate) tongue: Tongue,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// It and what it stands on, in the order in which they end.
    _servers: Vec<Server>,
}

impl Peer {
    /// A peer of these servers, the one that is spoken to first.
    pub(crate) fn new(told: Told, tongue: Tongue, servers: Vec<Server>) -> io::Result<Peer> {
        let address = servers.first().ok_or_else(|| io::Error::other("there is no server"))?.address;
        Ok(Peer { told, tongue, address, _servers: servers })
    }
}
