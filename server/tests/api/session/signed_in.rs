//! Signed-in sessions as SESSION.md promises them, each by its number: a change of privilege, time, renewal, endings.

use axum::body::Body;
use serde_json::json;
use trolley::http::extract::cookie::NAME;
use trolley::http::server::state::HttpConfig;
use trolley::service::account::revoke::Revocation;
use trolley::service::settings::Settings;
use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::session::SessionPolicy;
use trolley_core::time::Span;
use trolley_store::port::{Listing, Store as _};
use trolley_store::records::{Key, Kind, Record};

use crate::support::faulty::Mode;
use crate::support::member::Device;
use crate::support::{Actor, Shop, request};

fn minutes(minutes: u64) -> Span {
    Span::from_s(minutes * 60)
}

/// A shop in which nothing is swept: what is judged is judged by the time alone.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.store.never_sweep();
    shop
}

/// Its token is renewed and the successor presented: the token before.
async fn renew(shop: &Shop, device: &Device) -> String {
    let before = device.token();
    shop.turn(minutes(61)).await;
    device.cart().await;
    device.cart().await;
    assert_ne!(device.token(), before);
    before
}

#[tokio::test]
async fn s06_a_sign_in_issues_a_new_token_and_the_old_one_is_dead_at_once() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.device();
    device.add("a", 1).await.expect(200);
    let guest = device.tab();
    let session = device.session().await;
    device.sign_in(&member, false).await;
    assert!(device.is_signed_in().await && device.session().await == session);
    assert_ne!(device.token(), guest.token());
    // It reads nothing, and a late write of another tab neither lands nor sets a cookie.
    assert_eq!(guest.cart().await.json["id"], json!(null));
    let late = guest.add("b", 1).await.problem(401, "session_ended");
    assert_eq!(late.set_cookie(), None);
    assert_eq!(guest.cart().await.set_cookie(), None);
    // Ten minutes later it counts as never issued.
    shop.turn(minutes(10)).await;
    assert!(guest.add("b", 1).await.expect(200).token().is_some());
}

#[tokio::test]
async fn s06_signing_in_again_and_a_new_password_rotate_too() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let first = device.tab();
    device.sign_in(&member, false).await;
    assert!(!first.is_signed_in().await && device.is_signed_in().await);
    assert_eq!(shop.sessions_of(&member).await.entries.len(), 1);
    let (second, session) = (device.tab(), device.session().await);
    let entered = shop.service.password_changed(member.account, Some(session)).await.unwrap().unwrap();
    device.take(&entered);
    assert!(!second.is_signed_in().await && device.session().await == session);
    second.add("a", 1).await.problem(401, "session_ended");
}

#[tokio::test]
async fn s06_who_signs_in_to_another_account_leaves_the_first_one_whole() {
    let shop = shop();
    let (ann, ben) = (shop.member(1).await, shop.member(2).await);
    let device = shop.signed_in(&ann, true).await;
    device.add("a", 1).await.expect(200);
    let (of_ann, session) = (device.tab(), device.session().await);
    device.sign_in(&ben, false).await;
    assert_ne!(device.session().await, session);
    assert_eq!(device.cart().await.json["lines"], json!([]));
    assert!(!of_ann.is_signed_in().await);
    let left = shop.sessions_of(&ann).await;
    assert_eq!((left.entries.len(), left.series.len()), (0, 0));
    assert_eq!(shop.signed_in(&ann, false).await.cart().await.shown(), "a=1");
}

#[tokio::test]
async fn s08_a_new_password_ends_every_other_session_and_a_reset_all() {
    let shop = shop();
    let member = shop.member(1).await;
    let (own, other) = (shop.signed_in(&member, true).await, shop.signed_in(&member, true).await);
    let session = own.session().await;
    let entered = shop.service.password_changed(member.account, Some(session)).await.unwrap().unwrap();
    own.take(&entered);
    assert!(own.is_signed_in().await && !other.is_signed_in().await);
    assert_eq!(other.cart().await.json["id"], json!(null), "nor does its remember-me bring it back");
    let sessions = shop.sessions_of(&member).await;
    assert_eq!((sessions.entries.len(), sessions.series.len()), (1, 1), "its own device is remembered anew");
    shop.service.password_changed(member.account, None).await.unwrap();
    assert_eq!(own.cart().await.json["id"], json!(null));
}

#[tokio::test]
async fn s09_past_two_idle_hours_nobody_is_signed_in_whatever_the_cookie_claims() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    shop.turn(minutes(119)).await;
    assert!(device.is_signed_in().await);
    shop.turn(minutes(121)).await;
    assert!(!device.is_signed_in().await);
    let cart = device.cart().await;
    assert_eq!((cart.json["id"].clone(), cart.set_cookie()), (json!(null), None));
}

#[tokio::test]
async fn s10_a_read_and_a_verification_count_as_activity() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    for _ in 0..5 {
        shop.turn(minutes(100)).await;
        device.cart().await;
        shop.turn(minutes(100)).await;
        let verified = device.get("/v1/verify").await.expect(200);
        assert_eq!(verified.header("trolley-signed-in"), Some("true"));
    }
}

#[tokio::test]
async fn s11_s12_activity_and_renewal_do_not_move_the_absolute_limit() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let ends = device.visit().await.unwrap().absolute_expires_at;
    for _ in 0..23 {
        renew(&shop, &device).await;
        assert_eq!(device.visit().await.unwrap().absolute_expires_at, ends);
    }
    shop.turn(minutes(60)).await;
    assert!(!device.is_signed_in().await);
    device.sign_in(&member, false).await;
    assert!(device.visit().await.unwrap().absolute_expires_at > ends, "signing in again moves it");
}

#[tokio::test]
async fn s14_a_successor_that_was_lost_on_the_way_is_handed_out_again_an_hour_later() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let old = device.tab();
    shop.turn(minutes(61)).await;
    let first = old.tab().cart().await.cookie(NAME).unwrap();
    shop.turn(minutes(60)).await;
    let again = old.tab().cart().await.cookie(NAME).unwrap();
    assert_eq!(first, again);
    // Once it was presented the old one has its grace, and is handed the same one still.
    device.put(NAME, &again);
    assert_eq!(device.cart().await.set_cookie(), None);
    shop.turn(Span::from_s(100)).await;
    assert_eq!(old.tab().cart().await.cookie(NAME), Some(again));
    assert_eq!(shop.trail_of(&member, "session_renewed").await, 1);
}

#[tokio::test]
async fn s15_a_replaced_token_after_its_grace_ends_the_session_with_one_event() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    device.add("a", 1).await.expect(200);
    let thief = device.tab();
    renew(&shop, &device).await;
    shop.turn(Span::from_s(121)).await;
    let read = thief.cart().await;
    assert_eq!((read.json["id"].clone(), read.set_cookie()), (json!(null), None));
    for _ in 0..3 {
        thief.cart().await;
        assert!(!device.is_signed_in().await);
    }
    assert_eq!(shop.trail_of(&member, "token_replayed").await, 1);
    let sessions = shop.sessions_of(&member).await;
    assert_eq!((sessions.entries.len(), sessions.series.len()), (0, 0));
}

#[tokio::test]
async fn s15_a_write_that_gives_a_copy_away_changes_nothing_and_sets_no_cookie() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let thief = device.tab();
    renew(&shop, &device).await;
    shop.turn(Span::from_s(121)).await;
    let refused = thief.add("a", 1).await.problem(401, "session_ended");
    assert_eq!(refused.set_cookie(), None);
    assert!(!device.is_signed_in().await);
}

#[tokio::test]
async fn s16_after_sign_out_the_token_is_dead_and_its_late_writes_are_told_so() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    device.add("a", 1).await.expect(200);
    device.sign_out().await;
    let read = device.cart().await;
    assert_eq!((read.json["id"].clone(), read.set_cookie()), (json!(null), None));
    let late = device.add("a", 1).await.problem(401, "session_ended");
    assert_eq!(late.set_cookie(), None);
    assert_eq!(device.get("/v1/verify").await.expect(401).text, "");
    assert_eq!(shop.signed_in(&member, false).await.cart().await.shown(), "a=1");
}

#[tokio::test]
async fn s16_a_device_is_ended_from_another_one_and_so_are_all_others() {
    let shop = shop();
    let member = shop.member(1).await;
    let [own, one, two] = [
        shop.signed_in(&member, false).await,
        shop.signed_in(&member, true).await,
        shop.signed_in(&member, true).await,
    ];
    let row = AuditEntry::new(shop.service.now(), EventKind::SessionRevoked);
    let ends = Revocation::Session(one.session().await);
    assert_eq!(shop.service.end(member.account, ends, row.clone()).await.unwrap(), 2);
    assert!(!one.is_signed_in().await && own.is_signed_in().await && two.is_signed_in().await);
    assert_eq!(shop.service.end(member.account, ends, row.clone()).await.unwrap(), 0, "it is gone already");
    let ends = Revocation::Others(own.session().await);
    shop.service.end(member.account, ends, row).await.unwrap();
    assert!(own.is_signed_in().await && !two.is_signed_in().await);
}

#[tokio::test]
async fn s19_over_the_cap_the_one_signed_in_longest_ago_leaves() {
    let policy = SessionPolicy { cap: 3, ..SessionPolicy::default() };
    let shop = Shop::with(HttpConfig::default(), Settings { policy, ..Settings::default() });
    let member = shop.member(1).await;
    let mut devices = Vec::new();
    for _ in 0..5 {
        devices.push(shop.signed_in(&member, false).await);
        shop.turn(Span::from_s(1)).await;
    }
    let mut live = Vec::new();
    for device in &devices {
        live.push(device.is_signed_in().await);
    }
    assert_eq!(live, [false, false, true, true, true]);
    // One that left for the cap is nobody; it was not signed out, and a write begins a guest.
    assert!(devices[0].add("a", 1).await.expect(200).token().is_some());
}

#[tokio::test]
async fn s21_s22_a_renewal_sets_one_cookie_with_all_attributes_and_is_not_stored() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    shop.turn(minutes(61)).await;
    let renewed = device.get("/v1/session").await;
    let lines: Vec<_> = renewed.headers.get_all("set-cookie").iter().collect();
    assert_eq!(lines.len(), 1);
    let line = lines[0].to_str().unwrap();
    assert!(line.len() <= 4_096 && line.starts_with(&format!("{NAME}=")), "{line}");
    // 23 hours less a minute: what is left of the absolute limit, and not a day.
    assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=82740"), "{line}");
    assert_eq!(renewed.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn s23_an_answer_to_a_dead_token_never_touches_the_cookie() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let dead = device.tab();
    device.sign_out().await;
    for reply in [dead.cart().await, dead.get("/v1/session").await, dead.get("/v1/verify").await] {
        assert_eq!(reply.set_cookie(), None);
    }
    assert_eq!(dead.delete("/v1/cart").await.problem(401, "session_ended").set_cookie(), None);
}

#[tokio::test]
async fn s32_a_store_that_is_down_signs_nobody_out_and_renews_nothing() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    let token = device.token();
    shop.turn(minutes(61)).await;
    // It reads, but takes no change: the old token is good, and there is no successor yet.
    shop.store.set(Mode::Full);
    let read = device.cart().await;
    assert_eq!((read.set_cookie(), device.token()), (None, token.clone()));
    shop.store.set(Mode::Well);
    let cold = Shop::over(shop.store.clone(), HttpConfig::default(), Settings::default());
    shop.store.fail_loads(true);
    for path in ["/v1/cart", "/v1/session", "/v1/verify"] {
        let request = request("GET", path).header("cookie", format!("{NAME}={token}"));
        let answer = cold.anyone().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(503, "store_down").set_cookie(), None);
    }
    shop.store.fail_loads(false);
    assert!(device.cart().await.cookie(NAME).is_some());
}

#[tokio::test]
async fn s33_nothing_that_is_kept_of_accounts_is_usable_as_a_cookie() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    let mut secrets = vec![device.token(), device.cookie("__Host-trolley-remember").unwrap()];
    secrets.push(device.cookie("__Host-trolley-device").unwrap());
    secrets.push(renew(&shop, &device).await);
    shop.turn(minutes(61)).await;
    secrets.extend(device.cart().await.cookie(NAME));
    secrets.push(device.token());
    let mut dump = String::new();
    for kind in Kind::ALL {
        for listed in shop.store.list(Listing::all(*kind), 10_000).await.unwrap() {
            let image = trolley_store::record::encode(&listed.record);
            dump.push_str(&format!("{:?}{}", listed.record, String::from_utf8_lossy(&image)));
        }
    }
    assert!(dump.len() > 2_000);
    for secret in secrets {
        assert!(!dump.contains(&secret));
    }
}

#[tokio::test]
async fn a_session_record_alone_proves_nothing() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let session = device.session().await;
    let mut sessions = shop.sessions_of(&member).await;
    let before = sessions.version;
    sessions.leave_all();
    let record = Record::AccountSessions(std::sync::Arc::new(sessions));
    shop.store.commit(vec![trolley_store::port::Write::swap(before, record, None)]).await.unwrap();
    assert!(shop.store.load(Key::Session(session)).await.unwrap().is_some());
    let other = Shop::over(shop.store.clone(), HttpConfig::default(), Settings::default());
    let elsewhere = other.device();
    elsewhere.put(NAME, &device.token());
    assert!(!elsewhere.is_signed_in().await);
}
