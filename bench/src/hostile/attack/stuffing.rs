//! Against memory and disk: the largest lines there may be, orders without end, session data, keys.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::raider::{Raider, Siege, pause};
use crate::hostile::line::Said;

/// Options of a line, at the most that there may be.
const OPTIONS: usize = 20;
/// Characters of an option's name and value, at the most.
const NAME: usize = 64;
const VALUE: usize = 256;
/// Lines of a cart, at the most.
const LINES: u64 = 200;
/// What a shop may keep with a visit, at the most, without the braces around it.
const DATA: usize = 16 * 1024 - 32;

pub(super) fn begin(siege: &Arc<Siege>, loops: &mut JoinSet<()>) {
    loops.spawn(orders(Raider::new("orders of one guest", siege), false));
    loops.spawn(orders(Raider::new("orders of guest after guest", siege), true));
    loops.spawn(carts(Raider::new("carts of the largest lines", siege)));
    loops.spawn(data(Raider::new("session data of 16 KiB", siege)));
    loops.spawn(keys(Raider::new("keyed adds", siege)));
}

/// An add of the largest line of this number: its characters take four bytes each.
pub(super) fn largest(n: u64) -> String {
    let mut options = serde_json::Map::new();
    for option in 0..OPTIONS {
        let name = format!("{option:02}{}", "\u{1d54f}".repeat(NAME - 2));
        options.insert(name, "\u{1f6d2}".repeat(VALUE).into());
    }
    serde_json::json!({"sku": format!("item-{n}"), "quantity": 1, "options": options}).to_string()
}

/// Adds and orders without a pause. Who is refused goes on as another guest, or insists.
async fn orders(mut raider: Raider, as_another: bool) {
    let lines: Vec<String> = (0..4).map(largest).collect();
    let key = |n: u64| format!("idempotency-key: order-{n}\r\n");
    for n in 0_usize.. {
        let added = raider.ask("POST", "/v1/cart/lines", &lines[n % lines.len()]).await;
        let key = key(raider.siege.name());
        let ordered = raider.ask_with("POST", "/v1/cart/checkout", &key, "{}").await;
        if is(&added, 200) && is(&ordered, 201) {
            continue;
        }
        if as_another {
            raider.anew();
        }
        pause(10).await;
    }
}

/// Fills a cart with the largest lines until it is full, then changes it and reads it.
async fn carts(mut raider: Raider) {
    loop {
        raider.anew();
        let mut line = None;
        for n in 0..LINES {
            match raider.ask("POST", "/v1/cart/lines", &largest(n)).await {
                Some(said) if said.status == 200 => {
                    line = said.body["lines"][0]["id"].as_str().map(str::to_owned).or(line);
                }
                _ => break,
            }
        }
        for n in 0..200 {
            if let Some(line) = &line {
                let body = format!(r#"{{"quantity":{}}}"#, 1 + n % 9);
                let _ = raider.ask("PUT", &format!("/v1/cart/lines/{line}"), &body).await;
            }
            let _ = raider.ask("GET", "/v1/cart", "").await;
            pause(5).await;
        }
    }
}

async fn data(mut raider: Raider) {
    let _ = raider.ask("POST", "/v1/cart/lines", r#"{"sku":"item-1"}"#).await;
    for n in 0_u64.. {
        let filling = (b'a' + (n % 26) as u8) as char;
        let body = format!(r#"{{"d":"{}"}}"#, filling.to_string().repeat(DATA));
        let said = raider.ask("PATCH", "/v1/session/data", &body).await;
        pause(if is(&said, 200) { 2 } else { 20 }).await;
    }
}

async fn keys(mut raider: Raider) {
    for n in 0_u64.. {
        let key = format!("idempotency-key: k{:0>120}\r\n", raider.siege.name());
        let body = format!(r#"{{"sku":"item-{}","quantity":1}}"#, n % 50);
        let said = raider.ask_with("POST", "/v1/cart/lines", &key, &body).await;
        pause(if is(&said, 200) { 2 } else { 20 }).await;
    }
}

fn is(said: &Option<Said>, status: u16) -> bool {
    said.as_ref().is_some_and(|said| said.status == status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_line_is_as_large_as_the_contract_lets_it_be() {
        let body = largest(1);
        assert!(body.len() > 20 * 256 * 4 && body.len() <= 64 * 1024, "{}", body.len());
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        let options = read["options"].as_object().unwrap();
        assert_eq!(options.len(), 20);
        assert!(options.iter().all(|(name, value)| {
            name.chars().count() == 64 && value.as_str().unwrap().chars().count() == 256
        }));
    }
}
