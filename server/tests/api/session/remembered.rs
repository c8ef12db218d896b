//! A remembered device: it comes back by itself, its token changes at each use, and a copy of it is noticed.

use serde_json::json;
use trolley::http::extract::cookie::{DEVICE, NAME, REMEMBER};
use trolley::service::account::revoke::Revocation;
use trolley::service::session::token::Token;
use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::time::Span;

use crate::support::{Actor, Shop, days};

fn shop() -> Shop {
    let shop = Shop::new();
    shop.store.never_sweep();
    shop
}

#[tokio::test]
async fn a_remembered_device_signs_in_by_itself_and_gets_another_token_each_time() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    device.add("a", 1).await.expect(200);
    let mut seen = vec![device.cookie(REMEMBER).unwrap()];
    for _ in 0..3 {
        shop.turn(Span::from_hours(30)).await;
        let back = device.cart().await;
        assert_eq!((back.shown().as_str(), back.cookies().len()), ("a=1", 2));
        assert!(device.is_signed_in().await && !seen.contains(&device.cookie(REMEMBER).unwrap()));
        seen.push(device.cookie(REMEMBER).unwrap());
        assert_eq!(device.cart().await.cookies(), [], "once is enough");
    }
    let line = {
        shop.turn(Span::from_hours(3)).await;
        let back = device.cart().await;
        let lines: Vec<_> = back.headers.get_all("set-cookie").iter().collect();
        lines[1].to_str().unwrap().to_owned()
    };
    // 30 days from the password, of which 93 hours have passed.
    let left = days(30).as_ms() / 1_000 - 93 * 3_600;
    assert!(line.ends_with(&format!("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={left}")), "{line}");
}

#[tokio::test]
async fn a_device_is_forgotten_thirty_days_after_the_password_however_much_it_is_used() {
    let shop = Shop::new();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    for _ in 0..29 {
        shop.turn(days(1)).await;
        device.cart().await;
        assert!(device.is_signed_in().await);
    }
    shop.turn(days(1)).await;
    device.cart().await;
    assert!(!device.is_signed_in().await);
    let sessions = shop.sessions_of(&member).await;
    assert_eq!((sessions.entries.len(), sessions.series.len()), (0, 0), "and it was swept");
}

#[tokio::test]
async fn an_answer_that_was_lost_on_the_way_costs_nothing() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    shop.turn(Span::from_hours(3)).await;
    let lost = device.tab().cart().await;
    shop.turn(Span::from_hours(1)).await;
    let again = device.tab().cart().await;
    assert_eq!(lost.cookies(), again.cookies(), "the same session and the same successor");
    // The session that nobody ever saw is over by now: the same token begins another one.
    shop.turn(Span::from_hours(3)).await;
    let back = device.cart().await;
    assert_ne!(back.cookie(NAME), lost.cookie(NAME));
    assert_eq!(back.cookie(REMEMBER), lost.cookie(REMEMBER));
    assert_eq!(shop.sessions_of(&member).await.entries.len(), 1);
}

#[tokio::test]
async fn a_copy_of_a_remember_token_is_noticed_and_ends_what_it_began() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    let thief = device.tab();
    thief.drop_cookie(NAME);
    shop.turn(Span::from_hours(3)).await;
    device.cart().await;
    device.cart().await;
    shop.turn(Span::from_s(100)).await;
    assert!(thief.tab().cart().await.cookie(NAME).is_some(), "in its grace it is a tab that was slow");
    shop.turn(Span::from_s(30)).await;
    let late = thief.cart().await;
    assert_eq!((late.json["id"].clone(), late.set_cookie()), (json!(null), None));
    assert_eq!(shop.trail_of(&member, "token_replayed").await, 1);
    device.cart().await;
    assert!(!device.is_signed_in().await);
    assert_eq!(shop.sessions_of(&member).await.series.len(), 0);
}

#[tokio::test]
async fn a_late_write_under_a_retired_token_never_uses_remember_me() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.device();
    device.add("a", 1).await.expect(200);
    let late = device.tab();
    device.sign_in(&member, true).await;
    late.put(REMEMBER, &device.cookie(REMEMBER).unwrap());
    assert_eq!(late.add("b", 1).await.problem(401, "session_ended").set_cookie(), None);
    assert_eq!(late.get("/v1/cart").await.set_cookie(), None);
    assert_eq!(shop.sessions_of(&member).await.entries.len(), 1);
}

#[tokio::test]
async fn a_device_without_a_live_session_can_be_ended_too() {
    let shop = Shop::new();
    let member = shop.member(1).await;
    let (own, away) = (shop.signed_in(&member, true).await, shop.signed_in(&member, true).await);
    shop.turn(Span::from_hours(3)).await;
    own.cart().await;
    let sessions = shop.sessions_of(&member).await;
    let gone = sessions.series.iter().find(|series| series.session.is_none()).unwrap().id;
    let row = AuditEntry::new(shop.service.now(), EventKind::SessionRevoked);
    assert_eq!(shop.service.end(member.account, Revocation::Series(gone), row).await.unwrap(), 1);
    away.cart().await;
    assert!(!away.is_signed_in().await && own.is_signed_in().await);
}

#[tokio::test]
async fn to_sign_in_again_without_being_remembered_forgets_the_device() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    let before = device.tab();
    device.sign_in(&member, false).await;
    assert_eq!(device.cookie(REMEMBER), None);
    before.drop_cookie(NAME);
    assert_eq!(before.cart().await.set_cookie(), None);
}

#[tokio::test]
async fn an_account_knows_its_owners_devices_and_no_cookie_of_another_account() {
    let shop = shop();
    let (ann, ben) = (shop.member(1).await, shop.member(2).await);
    let device = shop.signed_in(&ann, false).await;
    let cookie = Token::parse(device.cookie(DEVICE).unwrap().as_bytes()).unwrap();
    assert!(shop.service.knows_device(ann.account, &cookie).await.unwrap());
    assert!(!shop.service.knows_device(ben.account, &cookie).await.unwrap());
    device.sign_out().await;
    device.sign_in(&ben, false).await;
    assert_eq!(device.cookie(DEVICE).as_deref(), Some(cookie.expose()), "one cookie serves both");
    assert!(shop.service.knows_device(ben.account, &cookie).await.unwrap());
    shop.service.password_changed(ann.account, None).await.unwrap();
    assert!(shop.service.knows_device(ann.account, &cookie).await.unwrap(), "it opens nothing by itself");
}

#[tokio::test]
async fn it_is_no_session_by_itself_and_a_verification_does_not_use_it() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    shop.turn(Span::from_hours(3)).await;
    assert_eq!(device.get("/v1/verify").await.expect(401).set_cookie(), None);
    assert_eq!(shop.sessions_of(&member).await.series[0].uses, 0);
}
