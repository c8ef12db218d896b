//! A session that is gone uses up nobody's tries: however many end at once, each of their writes is told so, and the others go on.

use tokio::task::JoinSet;
use trolley::service::account::revoke::Revocation;
use trolley::service::settings::Settings;
use trolley_core::account::audit::{AuditEntry, EventKind};

use crate::session::under_way::refused;
use crate::support::{Actor, Shop};

/// Many sessions of one account end at once, each with a write in the account's cart.
#[tokio::test]
async fn writes_of_fourteen_sessions_that_end_at_once_are_all_401_and_others_go_on() {
    let shop = Shop::new();
    let member = shop.member(1).await;
    let mut devices = Vec::new();
    for _ in 0..14 {
        let device = shop.signed_in(&member, false).await;
        device.cart().await;
        devices.push(device);
    }
    let stays = shop.signed_in(&member, false).await;
    stays.add("first", 1).await.expect(200);
    shop.store.shut_gate();
    let mut writes = JoinSet::new();
    // One commit stands before the gate, the others wait behind it and are one batch.
    let first = stays.tab();
    let first = tokio::spawn(async move { first.add("second", 1).await });
    shop.store.until_waiting(1).await;
    for device in &devices {
        let tab = device.tab();
        writes.spawn(async move { tab.add("late", 1).await });
    }
    let also = stays.tab();
    let also = tokio::spawn(async move { also.add("third", 1).await });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    shop.store.let_others_by();
    let elsewhere = Shop::over(shop.store.clone(), Default::default(), Settings::default());
    let keep = stays.session().await;
    let row = AuditEntry::new(shop.service.now(), EventKind::SessionsRevoked);
    elsewhere.service.end(member.account, Revocation::Others(keep), row).await.unwrap();
    shop.store.open_gate();
    for reply in writes.join_all().await {
        refused(&reply, "a session that ended");
    }
    first.await.unwrap().expect(200);
    also.await.unwrap().expect(200);
    assert_eq!(stays.cart().await.shown(), "first=1 second=1 third=1");
}
