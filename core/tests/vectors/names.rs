//! Readable names to ids: the first 16 bytes of SHA-256 of the name.

use sha2::{Digest, Sha256};
use trolley_core::ids::{CartId, ClientId, OpId, OrderId, Seq, SessionId};

pub(crate) fn cart(name: &str) -> CartId {
    CartId::from_bytes(first(name))
}

pub(crate) fn client(name: &str) -> ClientId {
    ClientId::from_bytes(first(name))
}

pub(crate) fn session(name: &str) -> SessionId {
    SessionId::from_bytes(first(name))
}

pub(crate) fn order(name: &str) -> OrderId {
    OrderId::from_bytes(first(name))
}

/// The op id of an op that names none: the first 8 bytes of SHA-256 of `<client>/<seq>`.
pub(crate) fn op_id(client: &str, seq: Seq) -> OpId {
    OpId::from_be_bytes(first(&format!("{client}/{seq}")))
}

fn first<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&Sha256::digest(name.as_bytes())[..N]);
    bytes
}
