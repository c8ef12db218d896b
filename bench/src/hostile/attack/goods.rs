//! Against the catalogue: skus that it trips over, and more unknown ones than anybody can ask for.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::raider::{Raider, Siege, pause};

/// Each makes the catalogue answer something else that is no product.
const ODD: [&str; 10] =
    ["400", "500", "502", "page", "moved", "fraction", "dollars", "long", "never", "\\u0000"];
/// What is answered at once, and badly: five of them in a row are there sooner than a good one.
const BROKEN: [&str; 4] = ["400", "500", "502", "\\u0000"];
/// Odd lines in one cart, which asks for all of them whenever it is read.
const IN_A_CART: usize = 8;
/// So many devices sync at once.
const DEVICES: usize = 60;
/// Ops of one sync.
const OPS: u64 = 500;

pub(super) fn begin(siege: &Arc<Siege>, loops: &mut JoinSet<()>) {
    loops.spawn(odd_posts(Raider::new("odd skus", siege)));
    loops.spawn(odd_carts(Raider::new("carts of odd skus", siege)));
    for device in 0..DEVICES {
        loops.spawn(unknown(Raider::new("syncs of 500 unknown skus", siege), device));
    }
}

/// Five a second, one of each kind in turn.
async fn odd_posts(mut raider: Raider) {
    for n in 0_usize.. {
        let body = format!(r#"{{"sku":"odd-{}-{n}"}}"#, ODD[n % ODD.len()]);
        let _ = raider.ask("POST", "/v1/cart/lines", &body).await;
        if n % 100 == 99 {
            raider.anew();
        }
        pause(200).await;
    }
}

/// A cart of nothing but odd things, read again and again.
async fn odd_carts(mut raider: Raider) {
    for n in 0_usize.. {
        if n % 40 == 0 {
            raider.anew();
            for line in 0..IN_A_CART {
                let sku = format!("odd-{}-{n}-{line}", BROKEN[line % BROKEN.len()]);
                let _ = raider.ask("POST", "/v1/cart/lines", &format!(r#"{{"sku":"{sku}"}}"#)).await;
            }
        }
        let _ = raider.ask("GET", "/v1/cart", "").await;
        pause(250).await;
    }
}

/// A device that offers what nobody sells. A queue that is refused is sent again, as a device does.
async fn unknown(mut raider: Raider, device: usize) {
    pause(device as u64 * 10).await;
    let (mut client, mut seq) = (String::new(), 1);
    for n in 0_u64.. {
        if client.is_empty() {
            client = format!("{:08x}-0000-4000-8000-{device:012x}", raider.siege.name());
            seq = 1;
        }
        let body = call(&client, seq, device, n);
        match raider.ask("POST", "/v1/cart/sync", &body).await.map(|said| said.status) {
            Some(200) => seq += OPS,
            Some(409 | 410 | 422) => client.clear(),
            _ => {}
        }
        pause(250).await;
    }
}

fn call(client: &str, first: u64, device: usize, n: u64) -> String {
    let mut body = format!(r#"{{"client":"{client}","ops":["#);
    for seq in first..first + OPS {
        let comma = if seq == first { "" } else { "," };
        // A string takes everything.
        let _ = write!(
            body,
            r#"{comma}{{"seq":{seq},"op_id":"{seq:016x}","base":0,"age_ms":0,"op":"add","sku":"gone-{device}-{n}-{seq}","quantity":1}}"#
        );
    }
    body + "]}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_json_of_so_many_ops_within_what_a_sync_may_hold() {
        let body = call("00000001-0000-4000-8000-000000000002", 501, 2, 3);
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["ops"].as_array().map(Vec::len), Some(500));
        assert!(body.len() < 256 * 1024, "{}", body.len());
    }
}
