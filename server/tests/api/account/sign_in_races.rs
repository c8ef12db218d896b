//! Many at once on one account: each race two hundred times, from a barrier, on two threads.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley::http::server::state::HttpConfig;
use trolley::service::account::revoke::Revocation;
use trolley::service::error::ServiceError;
use trolley::service::settings::Settings;
use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::session::SessionPolicy;
use trolley_core::time::Span;
use trolley_store::port::Store as _;
use trolley_store::records::counts::Counts;

use crate::support::member::Device;
use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

const ROUNDS: usize = 200;

fn shop(cap: usize) -> Shop {
    let policy = SessionPolicy { cap, ..SessionPolicy::default() };
    let shop = Shop::with(HttpConfig::default(), Settings { policy, ..Settings::default() });
    shop.store.never_sweep();
    shop
}

/// So many tabs of the device read the cart at once.
async fn read_at_once(device: &Device, tabs: usize) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(tabs));
    let mut reads = JoinSet::new();
    for _ in 0..tabs {
        let (tab, barrier) = (device.tab(), Arc::clone(&barrier));
        reads.spawn(async move {
            barrier.wait().await;
            tab.get("/v1/cart").await
        });
    }
    reads.join_all().await
}

/// The one value that all of the answers set the cookie to.
fn the_one(replies: &[Reply], name: &str) -> String {
    let values: HashSet<_> = replies.iter().map(|reply| reply.cookie(name)).collect();
    assert_eq!(values.len(), 1, "{name}");
    values.into_iter().next().flatten().expect("each of them sets it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s13_sixty_four_requests_at_the_renewal_are_handed_one_successor() {
    let shop = shop(20);
    let member = shop.member(1).await;
    for _ in 0..ROUNDS {
        let device = shop.signed_in(&member, false).await;
        shop.turn(Span::from_s(61 * 60)).await;
        let replies = read_at_once(&device, 64).await;
        assert!(replies.iter().all(|reply| reply.status == 200));
        let (old, successor) = (device.tab(), the_one(&replies, NAME));
        device.put(NAME, &successor);
        let session = device.session().await;
        assert_eq!(old.session().await, session, "in its grace");
        device.sign_out().await;
        assert_eq!(shop.sessions_of(&member).await.entries.len(), 0, "it was the one live session");
    }
    assert_eq!(shop.store.count().await.unwrap(), Counts::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s17_what_began_before_a_sign_out_neither_revives_the_session_nor_issues_a_token() {
    let shop = shop(20);
    let member = shop.member(1).await;
    for _ in 0..ROUNDS {
        let device = shop.signed_in(&member, true).await;
        shop.turn(Span::from_s(61 * 60)).await;
        let barrier = Arc::new(Barrier::new(5));
        let mut requests = JoinSet::new();
        for n in 0..4 {
            let (tab, barrier) = (device.tab(), Arc::clone(&barrier));
            requests.spawn(async move {
                barrier.wait().await;
                if n % 2 == 0 { tab.add("a", 1).await } else { tab.get("/v1/cart").await }
            });
        }
        barrier.wait().await;
        device.sign_out().await;
        for reply in requests.join_all().await {
            assert!([200, 401].contains(&reply.status), "{}", reply.text);
            let handed = device.tab();
            for (name, value) in reply.cookies() {
                handed.put(&name, &value);
            }
            assert!(!handed.is_signed_in().await, "whatever it was handed is dead");
        }
        let left = shop.sessions_of(&member).await;
        assert_eq!((left.entries.len(), left.series.len()), (0, 0));
        assert_eq!(shop.store.count().await.unwrap().sessions(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s18_sign_ins_that_race_a_sign_out_everywhere_are_dead_after_it() {
    let shop = shop(20);
    let member = shop.member(1).await;
    let (mut entered, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let before = shop.service.epoch(member.account).await.unwrap();
        let barrier = Arc::new(Barrier::new(9));
        let mut sign_ins = JoinSet::new();
        for _ in 0..8 {
            let (device, barrier) = (shop.device(), Arc::clone(&barrier));
            sign_ins.spawn(async move {
                let entering = device.entering(&member, true).await;
                barrier.wait().await;
                let entered = device.enter(&entering).await;
                (device, entered.map(drop))
            });
        }
        barrier.wait().await;
        let row = AuditEntry::new(shop.service.now(), EventKind::SessionsRevoked);
        shop.service.end(member.account, Revocation::All, row).await.unwrap();
        for (device, outcome) in sign_ins.join_all().await {
            match outcome {
                Ok(()) => entered += 1,
                Err(ServiceError::Overtaken) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
            assert!(!device.is_signed_in().await);
            assert_eq!(device.get("/v1/cart").await.cookie(NAME), None, "its remember-me is dead too");
        }
        let left = shop.sessions_of(&member).await;
        assert_eq!((left.entries.len(), left.series.len(), left.epoch), (0, 0, before + 1));
    }
    assert!(entered > 0 && refused > 0, "{entered} came before it, {refused} after: both are seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s19_with_a_cap_so_many_simultaneous_sign_ins_leave_as_many_as_it_allows() {
    const CAP: usize = 5;
    let shop = shop(CAP);
    for round in 0..ROUNDS {
        let member = shop.member(u8::try_from(round).unwrap()).await;
        let sign_ins = [3, CAP, 12][round % 3];
        let barrier = Arc::new(Barrier::new(sign_ins));
        let mut running = JoinSet::new();
        for _ in 0..sign_ins {
            let (device, barrier) = (shop.device(), Arc::clone(&barrier));
            running.spawn(async move {
                let entering = device.entering(&member, false).await;
                barrier.wait().await;
                device.enter(&entering).await.unwrap();
                device
            });
        }
        let mut live = 0;
        for device in running.join_all().await {
            live += usize::from(device.is_signed_in().await);
        }
        assert_eq!(live, sign_ins.min(CAP));
        assert_eq!(shop.sessions_of(&member).await.entries.len(), live);
        let row = AuditEntry::new(shop.service.now(), EventKind::SessionsRevoked);
        shop.service.end(member.account, Revocation::All, row).await.unwrap();
        assert_eq!(shop.store.count().await.unwrap().sessions(), 0, "no record is left behind");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_tabs_of_a_remembered_device_begin_one_session() {
    let shop = shop(20);
    let member = shop.member(1).await;
    for _ in 0..ROUNDS {
        let device = shop.signed_in(&member, true).await;
        shop.turn(Span::from_hours(3)).await;
        assert!(!device.is_signed_in().await);
        let replies = read_at_once(&device, 32).await;
        assert!(replies.iter().all(|reply| reply.status == 200 && !reply.json["id"].is_null()));
        let (token, remember) = (the_one(&replies, NAME), the_one(&replies, REMEMBER));
        assert_ne!(Some(&remember), device.cookie(REMEMBER).as_ref());
        device.put(NAME, &token);
        device.put(REMEMBER, &remember);
        assert!(device.is_signed_in().await);
        let sessions = shop.sessions_of(&member).await;
        assert_eq!((sessions.entries.len(), sessions.series.len()), (1, 1));
        device.sign_out().await;
        assert_eq!(shop.store.count().await.unwrap().sessions(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_sixty_four_present_at_once_ends_the_session_with_one_event() {
    let shop = shop(20);
    let member = shop.member(1).await;
    for round in 1..=ROUNDS.min(50) {
        let device = shop.signed_in(&member, true).await;
        let thief = device.tab();
        shop.turn(Span::from_s(61 * 60)).await;
        device.cart().await;
        device.cart().await;
        shop.turn(Span::from_s(121)).await;
        let replies = read_at_once(&thief, 64).await;
        assert!(replies.iter().all(|reply| reply.json["id"].is_null() && reply.set_cookie().is_none()));
        assert!(!device.is_signed_in().await);
        assert_eq!(shop.trail_of(&member, "token_replayed").await, round);
    }
}
