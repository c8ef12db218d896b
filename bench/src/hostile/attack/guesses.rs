//! Against who is known: guests begun in a loop, tokens and passwords guessed, accounts made.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::raider::{Raider, Siege, pause};
/// Passwords that are guessed at once: more than any machine hashes.
const GUESSERS: usize = 20;

pub(super) fn begin(siege: &Arc<Siege>, loops: &mut JoinSet<()>) {
    loops.spawn(guests(Raider::new("guests begun", siege)));
    loops.spawn(tokens(Raider::new("tokens guessed", siege)));
    for number in 0..GUESSERS {
        loops.spawn(passwords(Raider::new("passwords guessed", siege), number));
    }
    loops.spawn(sign_ups(Raider::new("accounts made", siege)));
}

async fn guests(mut raider: Raider) {
    loop {
        raider.anew();
        let _ = raider.ask("POST", "/v1/cart/lines", r#"{"sku":"item-1","quantity":1}"#).await;
        pause(5).await;
    }
}

/// Well-formed ones, each another, by cookie and by header in turn.
async fn tokens(mut raider: Raider) {
    loop {
        let n = raider.siege.name();
        let token = format!("{n:016x}{}", "B".repeat(27));
        let header = if n.is_multiple_of(2) {
            format!("cookie: __Host-trolley={token}\r\n")
        } else {
            format!("authorization: Bearer {token}\r\n")
        };
        let _ = raider.ask_with("GET", "/v1/cart", &header, "").await;
        pause(5).await;
    }
}

/// Of the neighbours' accounts, one after the other.
async fn passwords(mut raider: Raider, number: usize) {
    for n in 0_usize.. {
        let emails = &raider.siege.emails;
        let Some(email) = emails.get((number + n * GUESSERS) % emails.len().max(1)) else { return };
        let body = format!(r#"{{"email":"{email}","password":"guess number {n} of {number}"}}"#);
        let _ = raider.ask("POST", "/v1/session/sign-in", &body).await;
        pause(100).await;
    }
}

async fn sign_ups(mut raider: Raider) {
    let ours = raider.siege.emails.first().cloned().unwrap_or_default();
    loop {
        raider.anew();
        let n = raider.siege.name();
        let body = format!(r#"{{"email":"raider-{n}-of-{ours}","password":"a raider's long phrase"}}"#);
        let _ = raider.ask("POST", "/v1/accounts", &body).await;
        pause(100).await;
    }
}
