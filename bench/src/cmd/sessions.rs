//! Sessions of a server: begun before a run, and their carts counted before and after.

use std::io;
use std::net::SocketAddr;

use crate::mix::step::Step;
use crate::mix::tongue::{Held, Tongue, add};
use crate::mix::visit::Visit;
use crate::wire::client::{Client, Reply};

/// Begins `count` sessions, each with `lines` lines in its cart.
pub(crate) fn begin(address: SocketAddr, tongue: Tongue, count: usize, lines: u64) -> io::Result<Vec<Visit>> {
    let mut client = Client::new(address);
    (0..count).map(|session| begin_one(&mut client, address, tongue, session, lines)).collect()
}

fn begin_one(
    client: &mut Client,
    address: SocketAddr,
    tongue: Tongue,
    session: usize,
    lines: u64,
) -> io::Result<Visit> {
    let mut visit = Visit { session, ..Visit::default() };
    for item in 0..lines.max(1) {
        let mut bytes = Vec::new();
        tongue.put(&mut bytes, &address.to_string(), &mut visit, Step::Add, item, "");
        let reply = client.send_bytes(&bytes)?;
        if reply.status != 200 {
            return Err(unexpected("beginning a session", &reply));
        }
        // Some servers give the cookie anew with every answer.
        if !reply.cookies.is_empty() {
            visit = Visit::new(session, &reply.cookies);
        }
    }
    if visit.cookie.is_empty() {
        return Err(io::Error::other("the first add set no cookie: there is no session to speak of"));
    }
    Ok(visit)
}

/// What stands in the cart of each session.
pub(crate) fn held(address: SocketAddr, tongue: Tongue, sessions: &[Visit]) -> io::Result<Vec<Held>> {
    let mut client = Client::new(address);
    let one = |visit: &Visit| {
        let mut bytes = Vec::new();
        tongue.put(&mut bytes, &address.to_string(), &mut visit.clone(), Step::Read, 0, "");
        let reply = client.send_bytes(&bytes)?;
        tongue.held(&reply.json()).ok_or_else(|| unexpected("reading a cart", &reply))
    };
    sessions.iter().map(one).collect()
}

/// The body of a session's cart, as it is read.
pub(crate) fn body(address: SocketAddr, visit: &Visit) -> io::Result<Vec<u8>> {
    let reply = Client::new(address).send("GET", "/v1/cart", &[&visit.cookie], "")?;
    if reply.status == 200 { Ok(reply.body) } else { Err(unexpected("reading a cart", &reply)) }
}

/// Whether the server has this route: an empty request is refused for what it says, not for where it goes.
pub(crate) fn has_route(address: SocketAddr, visit: &Visit, path: &str) -> io::Result<bool> {
    let reply = Client::new(address).send("POST", path, &[&visit.cookie], "[]")?;
    Ok(!matches!(reply.status, 404 | 405))
}

/// What a server said where something else was due.
pub(crate) fn unexpected(doing: &str, reply: &Reply) -> io::Error {
    let body = String::from_utf8_lossy(&reply.body);
    let start: String = body.chars().take(300).collect();
    io::Error::other(format!("{doing} was answered {}: {start}", reply.status))
}

/// The body of an add of the first line, for whoever speaks by other means than ours.
pub(crate) fn first_add() -> String {
    add(0)
}
