//! An event stream belongs to the token that opened it: it ends with that, is never moved to another cart, and keeps no session
//! alive.

use std::collections::HashSet;
use std::time::Duration;

use axum::body::Body;
use serde_json::json;
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley_core::time::Span;

use crate::account::accounts;
use crate::live::events::Stream;
use crate::session::under_way::{Ending, OF_GUESTS, OF_MEMBERS, Scene};
use crate::support::reply::Reply;
use crate::support::{Actor, Shop, request};

const PATH: &str = "/v1/cart/events";
/// What a stream says that is over before it began.
const NOTHING_ELSE: &str = "retry: 3000\n\nevent: end\ndata: {}\n\n";

fn minutes(minutes: u64) -> Span {
    Span::from_s(minutes * 60)
}

/// The whole of what is answered. A stream that goes on fails the test and does not hang it.
async fn whole(actor: &impl Actor, last: Option<&str>) -> Reply {
    let mut request = request("GET", PATH);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let answer = actor.send(request.body(Body::empty()).unwrap());
    tokio::time::timeout(Duration::from_secs(10), answer).await.expect("an answer that has an end")
}

/// It is told to come back, and nothing else.
async fn over(actor: &impl Actor) {
    let reply = whole(actor, None).await.expect(200);
    assert_eq!((reply.text.as_str(), reply.set_cookie()), (NOTHING_ELSE, None));
    let header = |name| reply.header(name);
    assert_eq!(
        (header("content-type"), header("cache-control")),
        (Some("text/event-stream"), Some("no-store"))
    );
}

#[tokio::test]
async fn a_stream_ends_at_once_when_its_token_is_retired_by_whatever_way() {
    let cases = OF_GUESTS.map(|how| (false, how)).into_iter().chain(OF_MEMBERS.map(|how| (true, how)));
    for (is_member, how) in cases {
        let scene = Scene::new(is_member).await;
        let (mut one, mut two) =
            (Stream::open(&scene.device, None).await, Stream::open(&scene.device, None).await);
        one.cart().await;
        two.cart().await;
        scene.end(&scene.shop, how).await;
        one.ends().await;
        two.ends().await;
        assert_eq!(scene.shop.service.events().open(), 0, "{how:?}");
        match how {
            Ending::Expiry | Ending::Unswept => {
                whole(&scene.device.tab(), None).await.expect(204);
            }
            _ => {
                over(&scene.device.tab()).await;
                scene.shop.turn(minutes(10)).await;
                whole(&scene.device.tab(), None).await.expect(204);
            }
        }
    }
}

/// Whoever had copied a guest's cookie is shown nothing of its owner's account.
#[tokio::test]
async fn a_guests_stream_is_not_moved_to_the_accounts_cart_and_the_browser_comes_back_to_that_by_itself() {
    let scene = Scene::new(false).await;
    let copied = scene.device.tab();
    let mut stolen = Stream::open(&copied, None).await;
    let guests = stolen.cart().await;
    let fresh = scene.end(&scene.shop, Ending::SignIn).await.unwrap();
    fresh.add("secret", 1).await.expect(200);
    stolen.ends().await;
    over(&copied).await;
    // An EventSource comes back with what it had seen, and the cookie that the browser has by then.
    let mut own = Stream::open(&fresh, guests.id.as_deref()).await;
    let accounts = own.cart().await.data;
    assert_eq!(accounts, fresh.cart().await.json);
    assert_ne!(accounts["id"], guests.data["id"]);
    fresh.add("lamp", 1).await.expect(200);
    assert_eq!(own.cart().await.data["revision"], accounts["revision"].as_u64().unwrap() + 1);
}

#[tokio::test]
async fn who_begins_to_watch_while_its_token_is_being_retired_hears_of_the_end() {
    let scene = Scene::new(false).await;
    scene.device.cart().await;
    scene.shop.store.shut_gate();
    let ending = scene.end(&scene.shop, Ending::SignIn);
    let watching = async {
        scene.shop.store.until_waiting(1).await;
        let stream = Stream::open(&scene.device, None).await;
        scene.shop.store.open_gate();
        stream
    };
    let (_, mut stream) = tokio::join!(ending, watching);
    while stream.next().await.expect("an end").name != "end" {}
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_stream_of_a_replaced_token_ends_after_the_grace_and_its_successors_goes_on() {
    let shop = Shop::new();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    device.add("a", 1).await.expect(200);
    let mut old = Stream::open(&device, None).await;
    old.cart().await;
    shop.turn(minutes(61)).await;
    device.cart().await;
    device.cart().await;
    let mut new = Stream::open(&device, None).await;
    new.cart().await;
    shop.turn(Span::from_s(119)).await;
    device.add("a", 1).await.expect(200);
    assert_eq!(
        (old.cart().await.data["quantity"].clone(), new.cart().await.data["quantity"].clone()),
        (json!(2), json!(2))
    );
    shop.turn(Span::from_s(1)).await;
    old.ends().await;
    assert!(new.is_silent().await);
    assert!(device.is_signed_in().await, "a stream that stayed open is no theft");
    assert_eq!(shop.trail_of(&member, "token_replayed").await, 0);
}

/// A tab that nobody looks at, whose stream comes back again and again.
#[tokio::test]
async fn s10_coming_back_to_a_stream_keeps_no_session_alive_and_brings_no_remembered_device_back() {
    let shop = Shop::new();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    let seen = format!("{}.0", device.cart().await.json["id"].as_str().unwrap_or("none"));
    for n in 0..11 {
        shop.turn(minutes(10)).await;
        drop(Stream::open(&device, Some(&seen).filter(|_| n % 2 == 0).map(String::as_str)).await);
    }
    shop.turn(minutes(10)).await;
    let gone = whole(&device, Some(&seen)).await.expect(204);
    assert_eq!(gone.set_cookie(), None);
    assert!(device.visit().await.is_none());
    // A page that is opened anew is a visit: the device is remembered.
    let tab = device.tab();
    tab.drop_cookie(NAME);
    assert!(tab.cookie(REMEMBER).is_some());
    Stream::open(&tab, None).await.cart().await;
}

#[tokio::test]
async fn each_stream_names_a_pause_of_its_own_before_it_is_opened_again() {
    use http_body_util::BodyExt as _;
    let scene = Scene::new(false).await;
    let mut pauses = HashSet::new();
    for _ in 0..20 {
        let mut request = request("GET", PATH).body(Body::empty()).unwrap();
        scene.device.credentials(request.headers_mut());
        let answer = scene.device.app().answer(request, scene.device.peer()).await;
        let first = answer.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
        let text = std::str::from_utf8(&first).unwrap();
        let pause: u64 = text.strip_prefix("retry: ").unwrap().trim_end().parse().unwrap();
        assert!((1_000..=10_000).contains(&pause), "{pause}");
        pauses.insert(pause);
    }
    assert!(pauses.len() > 10, "{pauses:?}");
}

/// An app has its fresh token in the answer that retired the old one, and its stream comes back with that.
#[tokio::test]
async fn an_apps_stream_of_a_retired_token_is_told_to_come_back_and_a_dead_one_is_401() {
    let shop = accounts::shop();
    let mut app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    let mut stream = Stream::open(&app, None).await;
    stream.cart().await;
    let login = accounts::login(accounts::EMAIL, accounts::PASSWORD);
    let up = app.json("POST", "/v1/accounts", login).await.expect(201);
    stream.ends().await;
    over(&app).await;
    app.token = up.header("trolley-token").unwrap().to_owned();
    assert_eq!(Stream::open(&app, None).await.cart().await.data["quantity"], 1);
    app.token = "x".repeat(43);
    whole(&app, None).await.problem(401, "session_ended");
}
