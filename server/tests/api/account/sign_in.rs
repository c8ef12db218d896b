//! The guest's cart comes along when its shopper signs in: by every policy, once, told, undoable, and whatever fails.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use trolley_core::cart::op::MergePolicy;

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login, shop, signed_in, signed_up};
use crate::support::faulty::Mode;
use crate::support::reply::Reply;
use crate::support::{Actor, Browser, Shop};

/// An account with X = 2, and a guest with X = 1 and Y = 1 (CART.md, case 11).
async fn met(shop: &Shop) -> Browser {
    signed_up(shop, EMAIL).await.add("X", 2).await.expect(200);
    let guest = shop.browser();
    guest.add("X", 1).await.expect(200);
    guest.add("Y", 1).await.expect(200);
    guest
}

async fn sign_in(browser: &Browser, merge: Option<&str>) -> Reply {
    let mut body = login(EMAIL, PASSWORD);
    if let Some(policy) = merge {
        body["merge"] = json!(policy);
    }
    browser.json("POST", "/v1/session/sign-in", body).await
}

fn saved(reply: &Reply) -> String {
    let cart = if reply.json["cart"].is_object() { &reply.json["cart"] } else { &reply.json };
    let line = |line: &Value| format!("{}={}", line["sku"].as_str().unwrap(), line["quantity"]);
    cart["saved"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(" ")
}

fn notices(cart: &Value) -> Vec<&str> {
    cart["notices"].as_array().unwrap().iter().filter_map(|notice| notice["code"].as_str()).collect()
}

#[tokio::test]
async fn s07_the_guests_cart_survives_sign_in_and_its_old_token_reads_nothing_of_it() {
    let shop = shop();
    let guest = met(&shop).await;
    let before = guest.cookie().unwrap();
    let signed = sign_in(&guest, None).await.expect(200);
    assert_eq!(signed.json["cart"]["quantity"], 4);
    assert_eq!(guest.cart().await.shown(), "X=3 Y=1");
    let late = shop.browser_with(&before);
    assert_eq!(late.cart().await.json["id"], json!(null));
    late.add("Z", 1).await.problem(401, "session_ended");
    assert_eq!(guest.cart().await.shown(), "X=3 Y=1");
}

#[tokio::test]
async fn every_policy_gives_what_it_says_and_drops_nothing() {
    for (policy, shown, put_aside) in [
        ("sum", "X=3 Y=1", ""),
        ("max", "X=2 Y=1", ""),
        ("keep_account", "X=2", "X=1 Y=1"),
        ("keep_guest", "X=1 Y=1", "X=2"),
    ] {
        let shop = shop();
        let guest = met(&shop).await;
        let signed = sign_in(&guest, Some(policy)).await.expect(200);
        let merge = &signed.json["merge"];
        assert_eq!((merge["policy"].as_str(), merge["lines"].as_u64()), (Some(policy), Some(2)));
        assert!(notices(&signed.json["cart"]).contains(&"carts_merged"), "{}", signed.text);
        let cart = guest.cart().await;
        assert_eq!((cart.shown().as_str(), saved(&cart).as_str()), (shown, put_aside), "{policy}");
        assert!(notices(&cart.json).contains(&"carts_merged"));
        assert_eq!(merge["revision"], cart.json["revision"]);
        // Once more, as after a lost answer, and on another device: nothing comes in twice.
        sign_in(&guest, Some(policy)).await.expect(200);
        let other = signed_in(&shop, EMAIL).await;
        assert_eq!((other.cart().await.shown().as_str(), saved(&signed).as_str()), (shown, put_aside));
    }
    let unknown = sign_in(&shop().browser(), Some("newest")).await.problem(422, "invalid_body");
    assert_eq!(unknown.pointers(), ["#/merge"]);
}

#[tokio::test]
async fn the_setting_decides_where_the_sign_in_does_not_say() {
    let settings = trolley::service::settings::Settings { merge: MergePolicy::Max, ..cheap() };
    let shop = Shop::with(Default::default(), settings);
    let guest = met(&shop).await;
    assert_eq!(sign_in(&guest, None).await.expect(200).json["merge"]["policy"], "max");
    assert_eq!(guest.cart().await.shown(), "X=2 Y=1");
}

#[tokio::test]
async fn a_merge_can_be_taken_back_and_is_told_in_the_history() {
    let shop = shop();
    let guest = met(&shop).await;
    let revision = sign_in(&guest, None).await.expect(200).json["merge"]["revision"].clone();
    let history = guest.get("/v1/cart/history").await.expect(200);
    assert_eq!(
        (&history.json["changes"][0]["op"], &history.json["changes"][0]["revision"]),
        (&json!("merge"), &revision)
    );
    guest.json("POST", "/v1/cart/undo", json!({"revision": revision})).await.expect(200);
    assert_eq!(guest.cart().await.shown(), "X=2");
}

#[tokio::test]
async fn a_sign_up_takes_the_guests_cart_along() {
    let shop = shop();
    let guest = shop.browser();
    guest.add("X", 1).await.expect(200);
    let up = guest.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    assert_eq!((&up.json["merge"]["lines"], &up.json["cart"]["quantity"]), (&json!(1), &json!(1)));
    assert_eq!(signed_in(&shop, EMAIL).await.cart().await.shown(), "X=1");
}

#[tokio::test]
async fn what_a_guest_ordered_is_the_accounts_after_sign_in() {
    let shop = shop();
    let guest = met(&shop).await;
    let ordered = guest.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    let path = format!("/v1/orders/{}", ordered.json["order"]["id"].as_str().unwrap());
    guest.add("X", 1).await.expect(200);
    sign_in(&guest, None).await.expect(200);
    let elsewhere = signed_in(&shop, EMAIL).await;
    for browser in [&guest, &elsewhere] {
        assert_eq!(browser.get(&path).await.expect(200).json["lines"], ordered.json["order"]["lines"]);
        assert_eq!(browser.get("/v1/orders").await.expect(200).json["orders"].as_array().unwrap().len(), 1);
    }
    shop.browser().get(&path).await.problem(404, "order_not_found");
}

#[tokio::test]
async fn what_a_shop_keeps_with_a_visit_follows_it_through_sign_in() {
    let shop = shop();
    let guest = met(&shop).await;
    guest.json("PATCH", "/v1/session/data", json!({"recent": ["lamp"]})).await.expect(200);
    sign_in(&guest, None).await.expect(200);
    assert_eq!(guest.get("/v1/session/data").await.expect(200).json, json!({"recent": ["lamp"]}));
    guest.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    assert_eq!(guest.get("/v1/session/data").await.expect(200).json, json!({}));
}

#[tokio::test]
async fn signing_in_to_another_account_merges_nothing() {
    let shop = shop();
    signed_up(&shop, EMAIL).await.add("X", 2).await.expect(200);
    let browser = signed_up(&shop, "bob@example.com").await;
    browser.add("Y", 1).await.expect(200);
    let bobs = browser.cookie().unwrap();
    let signed = sign_in(&browser, None).await.expect(200);
    assert_eq!(signed.json.get("merge"), None);
    assert_eq!(browser.cart().await.shown(), "X=2");
    assert!(
        !crate::account::accounts::is_signed_in(&shop.browser_with(&bobs)).await,
        "bob's session is over"
    );
    assert_eq!(signed_in(&shop, "bob@example.com").await.cart().await.shown(), "Y=1");
}

#[tokio::test]
async fn signing_out_copies_nothing_and_signing_in_again_doubles_nothing() {
    let shop = shop();
    let browser = met(&shop).await;
    for _ in 0..3 {
        sign_in(&browser, None).await.expect(200);
        assert_eq!(browser.cart().await.shown(), "X=3 Y=1");
        browser.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
        assert_eq!(browser.cart().await.quantity(), 0);
    }
}

#[tokio::test]
async fn a_sign_in_that_was_answered_into_the_void_can_be_sent_again() {
    let shop = shop();
    let guest = met(&shop).await;
    let lost = shop.browser_with(&guest.cookie().unwrap());
    sign_in(&lost, None).await.expect(200);
    let again = sign_in(&guest, None).await.expect(200);
    assert_eq!(again.json.get("merge"), None);
    assert_eq!(guest.cart().await.shown(), "X=3 Y=1");
}

/// At whichever commit the store goes, before it or just after, a restart and a second try give the exact total.
#[tokio::test]
async fn no_crash_between_two_steps_loses_an_item_or_merges_twice() {
    let mut cut_short = 0;
    for commit in 0..8 {
        for mode in [Mode::Down, Mode::Unknown] {
            let before = shop();
            let guest = met(&before).await;
            guest.cart().await;
            before.store.set_later(commit, mode);
            let cut = sign_in(&guest, None).await;
            before.store.set(Mode::Well);
            if cut.status == 200 {
                assert!(commit > 0, "a sign-in commits something");
                continue;
            }
            cut_short += 1;
            assert_eq!((cut.status, cut.set_cookie()), (503, None), "{}", cut.text);
            let after = Shop::over(before.store.clone(), Default::default(), cheap());
            let again = after.browser_with(&guest.cookie().unwrap());
            sign_in(&again, None).await.expect(200);
            assert_eq!(again.cart().await.shown(), "X=3 Y=1", "commit {commit}, {mode:?}");
            assert_eq!(signed_in(&after, EMAIL).await.cart().await.shown(), "X=3 Y=1");
        }
    }
    assert!(cut_short >= 2, "{cut_short}");
}

/// Where the store keeps only a part of what a sign-in lays down (sessions in one engine, carts in another), the parts in
/// their order leave states from which a second try goes on.
#[tokio::test]
async fn a_cart_that_was_sealed_and_not_merged_comes_in_at_the_next_sign_in() {
    use trolley_store::port::{Store as _, Write};
    use trolley_store::records::{Key, Record};
    let shop = shop();
    let guest = met(&shop).await;
    let accounts = signed_in(&shop, EMAIL).await.cart().await.json["id"].as_str().unwrap().parse().unwrap();
    let guests = guest.cart().await.json["id"].as_str().unwrap().parse().unwrap();
    let Some(Record::Cart(cart)) = shop.store.load(Key::Cart(guests)).await.unwrap() else { panic!() };
    let mut sealed = (*cart).clone();
    assert!(sealed.seal(accounts));
    let write = Write::swap(cart.version, Record::Cart(Arc::new(sealed)), None);
    shop.store.commit(vec![write]).await.unwrap();
    guest.add("Z", 1).await.problem(401, "session_ended");
    sign_in(&guest, None).await.expect(200);
    assert_eq!(guest.cart().await.shown(), "X=3 Y=1");
    sign_in(&guest, None).await.expect(200);
    assert_eq!(guest.cart().await.shown(), "X=3 Y=1");
}

/// Adds of the guest's other tab race the sign-in: each is answered 200 and is in the account's cart, or is refused and is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_add_that_races_a_merge_is_there_or_was_refused_in_200_rounds() {
    let (mut kept, mut refused) = (0, 0);
    for round in 0..200 {
        let shop = shop();
        signed_up(&shop, EMAIL).await;
        let guest = Arc::new(shop.browser());
        guest.add("X", 1).await.expect(200);
        let token = guest.cookie().unwrap();
        let start = Arc::new(Barrier::new(5));
        let adds: Vec<_> = (0..4)
            .map(|_| {
                let (tab, start) = (shop.browser_with(&token), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    tab.add("X", 1).await
                })
            })
            .collect();
        start.wait().await;
        sign_in(&guest, None).await.expect(200);
        let mut expected = 1;
        for add in adds {
            let add = add.await.unwrap();
            match add.status {
                200 => expected += 1,
                _ => drop(add.problem(401, "session_ended")),
            }
        }
        assert_eq!(guest.cart().await.shown(), format!("X={expected}"), "round {round}");
        kept += expected - 1;
        refused += 5 - expected;
    }
    assert!(kept > 0 && refused > 0, "both sides of the race were seen: {kept} kept, {refused} refused");
}

/// Two guests sign in to one account at once, one of them twice, while the account's cart is changed: the total is exact.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merges_that_race_each_other_give_the_exact_total_in_200_rounds() {
    for round in 0..200 {
        let shop = shop();
        let owner = signed_up(&shop, EMAIL).await;
        let guests = [shop.browser(), shop.browser()];
        guests[0].add("X", 1).await.expect(200);
        guests[1].add("X", 10).await.expect(200);
        let twice = shop.browser_with(&guests[0].cookie().unwrap());
        let start = Arc::new(Barrier::new(4));
        let [one, other] = guests;
        let racing: Vec<_> = [one, other, twice]
            .into_iter()
            .map(|browser| {
                let start = start.clone();
                tokio::spawn(async move {
                    start.wait().await;
                    sign_in(&browser, None).await.expect(200);
                })
            })
            .collect();
        start.wait().await;
        owner.add("X", 100).await.expect(200);
        for one in racing {
            one.await.unwrap();
        }
        assert_eq!(owner.cart().await.shown(), "X=111", "round {round}");
    }
}
