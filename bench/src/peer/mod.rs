//! What shops use elsewhere, each from its own packages and set up as its own documentation says.

pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod vendure;

use std::net::SocketAddr;

use crate::host::child::Server;
use crate::mix::tongue::Tongue;

/// A peer that serves carts over HTTP.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What it is, with its versions.
    pub(crate) name: String,
    /// How it is spoken to.
    pub(crate) tongue: Tongue,
    /// What a power cut takes of what was acknowledged.
    pub(crate) durability: &'static str,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// It and what it stands on, in the order in which they end.
    _servers: Vec<Server>,
}

impl Peer {
    /// A peer of these servers, the one that is spoken to first.
    pub(crate) fn new(
        name: String,
        tongue: Tongue,
        durability: &'static str,
        servers: Vec<Server>,
    ) -> Option<Peer> {
        let address = servers.first()?.address;
        Some(Peer { name, tongue, durability, address, _servers: servers })
    }
}
