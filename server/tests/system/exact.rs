//! Many clients on one cart: exact, and none refused.

use crate::folder::Folder;
use crate::program::Program;
use crate::wire::Wire;

const CLIENTS: usize = 64;
const ADDS: usize = 2_000;

/// `ADDS` adds of one unit to one cart by 64 clients at once, each sent `times` times under its own key.
fn add_at_once(times: usize) {
    let folder = Folder::new("exact");
    let program = Program::start(folder.path(), &[]);
    let first = program.wire().send("POST", "/v1/cart/lines", &[], r#"{"sku":"other"}"#).expect("an answer");
    let cookie = first.cookie().expect("a cookie");
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (cookie, address) = (&cookie, program.address);
            scope.spawn(move || {
                let mut wire = Wire::new(address);
                for add in (client..ADDS).step_by(CLIENTS) {
                    let key = format!("add-{add}");
                    for sent in 0..times {
                        let headers = [("Cookie", cookie.as_str()), ("Idempotency-Key", key.as_str())];
                        let answer = wire
                            .send("POST", "/v1/cart/lines", &headers, r#"{"sku":"mug"}"#)
                            .expect("an answer");
                        assert_eq!(answer.status, 200, "{answer:?}");
                        assert_eq!(answer.header("idempotency-replayed").is_some(), sent > 0);
                    }
                }
            });
        }
    });
    let cart = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert_eq!(cart.quantity(), ADDS as u64 + 1);
    assert_eq!(cart.body["revision"], ADDS as u64 + 1);
}

#[test]
#[ignore = "system: ./check runs it"]
fn two_thousand_adds_by_64_clients_to_one_cart_are_two_thousand() {
    add_at_once(1);
}

#[test]
#[ignore = "system: ./check runs it"]
fn the_same_sent_twice_under_one_key_are_two_thousand_too() {
    add_at_once(2);
}
