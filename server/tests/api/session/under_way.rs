//! S36: a token is judged again by the commit. A write of any route whose token goes out of use while it runs is told so, changes
//! nothing, sets no cookie, and leaves its key free.

use axum::body::Body;
use axum::http::HeaderName;
use serde_json::{Value, json};
use trolley::http::extract::cookie::NAME;
use trolley::http::server::app::description;
use trolley::service::settings::Settings;
use trolley_core::time::Span;
use trolley_store::port::{Listing, Store as _};
use trolley_store::records::Kind;

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login};
use crate::support::held::held;
use crate::support::member::Device;
use crate::support::reply::Reply;
use crate::support::{Actor, Shop, days, request};

const ANOTHER: &str = "a tin of seventeen sardines";
const CLIENT: &str = "00000000-0000-4000-8000-000000000001";

/// A write: its method, its path, and what it is sent with.
type Write = (&'static str, &'static str, Value);

/// Whatever a shopper may write, signed in or not.
fn shoppers() -> Vec<Write> {
    let op =
        json!({"seq": 1, "op_id": "00000000000000aa", "base": 2, "age_ms": 0, "op": "add", "sku": "pen"});
    vec![
        ("POST", "/v1/cart/lines", json!({"sku": "lamp", "quantity": 2})),
        ("PUT", "/v1/cart/lines/{line}", json!({"quantity": 7})),
        ("DELETE", "/v1/cart/lines/{line}", Value::Null),
        ("POST", "/v1/cart/lines/{line}/save", json!({})),
        ("POST", "/v1/cart/saved/{saved}/unsave", json!({})),
        ("DELETE", "/v1/cart/saved/{saved}", Value::Null),
        ("DELETE", "/v1/cart", Value::Null),
        ("POST", "/v1/cart/undo", json!({"revision": 1})),
        ("POST", "/v1/cart/sync", json!({"client": CLIENT, "ops": [op]})),
        ("POST", "/v1/cart/checkout", json!({"accept_available": true})),
        ("PATCH", "/v1/session/data", json!({"seen": ["lamp"]})),
    ]
}

/// What only an account's owner may.
fn owners() -> Vec<Write> {
    vec![
        ("DELETE", "/v1/sessions/{own}", json!({})),
        ("DELETE", "/v1/sessions/{other}", json!({})),
        ("DELETE", "/v1/sessions", json!({})),
        ("DELETE", "/v1/sessions?all=true", json!({})),
        ("POST", "/v1/account/password", json!({"current": PASSWORD, "new": "the tin of eighteen sardines"})),
        ("POST", "/v1/account/password", json!({"current": "wrong", "new": "the tin of eighteen sardines"})),
        ("DELETE", "/v1/account", json!({"password": PASSWORD})),
    ]
}

/// Those that bring their own proof or none, and a sign-out, which ends whoever is there.
const OTHERS: [&str; 5] =
    ["/v1/session", "/v1/accounts", "/v1/account/reset", "/v1/session/sign-in", "/v1/session/sign-out"];

/// What becomes of the token meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    SignIn,
    SignOut,
    Password,
    Everywhere,
    Device,
    Deleted,
    Expiry,
    /// The same, before anything was swept.
    Unswept,
}
use Ending::{Deleted, Device as Ended, Everywhere, Expiry, Password, SignIn, SignOut, Unswept};

pub const OF_GUESTS: [Ending; 4] = [SignIn, SignOut, Expiry, Unswept];
pub const OF_MEMBERS: [Ending; 8] = [SignIn, SignOut, Password, Everywhere, Ended, Deleted, Expiry, Unswept];

/// A shop, and the device that writes: a guest's, or signed in beside another one.
pub struct Scene {
    pub shop: Shop,
    pub device: Device,
    pub other: Device,
    names: [(&'static str, String); 4],
}

async fn session_of(device: &Device) -> String {
    let shown = device.get("/v1/session").await.expect(200).json;
    shown["device"]["id"].as_str().unwrap().to_owned()
}

impl Scene {
    pub async fn new(is_member: bool) -> Scene {
        let shop = Shop::with(Default::default(), Settings { rate_limits: false, ..cheap() });
        let (device, other) = (shop.device(), shop.device());
        other.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
        if is_member {
            let mut login = login(EMAIL, PASSWORD);
            login["remember"] = json!(true);
            device.json("POST", "/v1/session/sign-in", login).await.expect(200);
        }
        device.add("mug", 1).await.expect(200);
        let two = device.add("pot", 1).await.expect(200);
        let (line, saved) = (two.line("mug").to_owned(), two.line("pot").to_owned());
        device.json("POST", &format!("/v1/cart/lines/{saved}/save"), json!({})).await.expect(200);
        device.json("PATCH", "/v1/session/data", json!({"n": 1})).await.expect(200);
        let names = [
            ("{line}", line),
            ("{saved}", saved),
            ("{own}", session_of(&device).await),
            ("{other}", session_of(&other).await),
        ];
        Scene { shop, device, other, names }
    }

    fn path(&self, path: &str) -> String {
        self.names.iter().fold(path.to_owned(), |path, (name, is)| path.replace(name, is))
    }

    async fn send(&self, tab: &Device, (method, path, _): &Write, body: Body) -> Reply {
        let kind =
            if *path == "/v1/session/data" { "application/merge-patch+json" } else { "application/json" };
        let request = request(method, &self.path(path)).header("content-type", kind);
        let request = request.header(HeaderName::from_static("idempotency-key"), "the-key");
        tab.send(request.body(body).unwrap()).await
    }

    /// Ends the device's token, at this process or another one; what has a fresh one then, if anything.
    pub async fn end(&self, at: &Shop, how: Ending) -> Option<Device> {
        let (tab, other) = (self.device.at(at), self.other.at(at));
        match how {
            SignIn => drop(tab.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200)),
            Password => {
                let change = json!({"current": PASSWORD, "new": ANOTHER});
                tab.json("POST", "/v1/account/password", change).await.expect(204);
            }
            SignOut => drop(tab.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204)),
            Everywhere => drop(other.delete("/v1/sessions?all=true").await.expect(204)),
            Ended => drop(other.delete(&self.path("/v1/sessions/{own}")).await.expect(204)),
            Deleted => {
                other.json("DELETE", "/v1/account", json!({"password": PASSWORD})).await.expect(204);
            }
            Expiry => at.turn(days(40)).await,
            Unswept => {
                at.store.never_sweep();
                at.turn(days(40)).await;
            }
        }
        matches!(how, SignIn | Password).then_some(tab)
    }

    /// All that is kept.
    async fn kept(&self) -> String {
        let mut dump = Vec::new();
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Clock) {
            for listed in self.shop.store.list(Listing::all(*kind), 10_000).await.unwrap() {
                dump.push(format!("{:?}", listed.record));
            }
        }
        dump.join("\n")
    }
}

pub fn refused(reply: &Reply, what: &str) {
    assert_eq!((reply.status, &reply.json["code"]), (401, &json!("session_ended")), "{what}: {}", reply.text);
    assert_eq!(reply.set_cookie(), None, "{what}");
}

/// Nothing is kept under the key: with the fresh token it counts for the first time.
async fn counts(scene: &Scene, fresh: Option<Device>, write: &Write, what: &str) {
    let Some(fresh) = fresh else { return };
    let reply = scene.send(&fresh, write, body_of(write)).await;
    let code = reply.json["code"].as_str();
    assert!(
        ![Some("session_ended"), Some("idempotency_key_reused")].contains(&code),
        "{what}: {}",
        reply.text
    );
    assert_eq!(reply.header("idempotency-replayed"), None, "{what}");
}

fn body_of((.., body): &Write) -> Body {
    if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }
}

async fn held_at_its_last_byte(is_member: bool, write: &Write, how: Ending) {
    let what = format!("{} {} {how:?}", write.0, write.1);
    let scene = Scene::new(is_member).await;
    let (body, begun, rest) = held(&write.2.to_string());
    let tab = scene.device.tab();
    let late = scene.send(&tab, write, body);
    let ending = async {
        begun.reading().await;
        let fresh = scene.end(&scene.shop, how).await;
        let kept = scene.kept().await;
        rest.come();
        (fresh, kept)
    };
    let (reply, (fresh, kept)) = tokio::join!(late, ending);
    refused(&reply, &what);
    assert_eq!(scene.kept().await, kept, "{what}");
    assert_eq!(tab.cookie(NAME), scene.device.cookie(NAME), "{what}");
    counts(&scene, fresh, write, &what).await;
}

/// The commit is on its way when another process ends the token.
async fn held_at_its_commit(is_member: bool, write: &Write, how: Ending) {
    let what = format!("{} {} {how:?} at the commit", write.0, write.1);
    let scene = Scene::new(is_member).await;
    let elsewhere = Shop::over(scene.shop.store.clone(), Default::default(), cheap());
    let tab = scene.device.tab();
    tab.cart().await;
    scene.shop.store.shut_gate();
    let late = scene.send(&tab, write, body_of(write));
    let ending = async {
        scene.shop.store.until_waiting(1).await;
        scene.shop.store.let_others_by();
        let fresh = scene.end(&elsewhere, how).await;
        let kept = scene.kept().await;
        scene.shop.store.open_gate();
        (fresh, kept)
    };
    let (reply, (fresh, kept)) = tokio::join!(late, ending);
    refused(&reply, &what);
    assert_eq!(scene.kept().await, kept, "{what}");
    counts(&scene, fresh.map(|fresh| fresh.at(&elsewhere)), write, &what).await;
}

#[tokio::test]
async fn s36_every_write_whose_token_goes_while_its_last_byte_is_held_back_is_401_and_changes_nothing() {
    for write in shoppers().iter().filter(|(.., body)| !body.is_null()) {
        for how in OF_GUESTS {
            held_at_its_last_byte(false, write, how).await;
        }
    }
    for write in shoppers().iter().chain(&owners()).filter(|(.., body)| !body.is_null()) {
        for how in OF_MEMBERS {
            held_at_its_last_byte(true, write, how).await;
        }
    }
}

#[tokio::test]
async fn s36_every_write_whose_token_goes_while_its_commit_is_under_way_is_401_and_changes_nothing() {
    for write in &shoppers() {
        for how in [SignIn, SignOut, Expiry] {
            held_at_its_commit(false, write, how).await;
        }
    }
    for write in shoppers().iter().chain(owners().iter().filter(|write| write.2["current"] != "wrong")) {
        for how in [SignIn, SignOut, Password, Everywhere, Ended, Expiry] {
            held_at_its_commit(true, write, how).await;
        }
    }
}

#[test]
fn every_unsafe_route_is_in_the_table() {
    let listed: Vec<_> = shoppers().into_iter().chain(owners()).collect();
    let plain =
        |path: &str| path.split('?').next().unwrap().replace("{own}", "{id}").replace("{saved}", "{line}");
    for (path, methods) in description()["paths"].as_object().unwrap() {
        let is_ours = path.starts_with("/v1/") && !path.starts_with("/v1/admin/");
        for method in methods.as_object().unwrap().keys().filter(|method| is_ours && *method != "get") {
            let in_table = |(of, at, _): &Write| of.eq_ignore_ascii_case(method) && plain(at) == *path;
            let known = OTHERS.contains(&path.as_str()) || listed.iter().any(in_table);
            assert!(known, "{method} {path} is missing in {}", file!());
        }
    }
}

/// What changes nothing is told to nobody else either: a replay, and a wish that is fulfilled as it stands.
#[tokio::test]
async fn s36_a_replay_and_a_write_that_has_nothing_to_do_are_401_too() {
    let absent = "/v1/cart/lines/AAAAAAAAAAAAAAAAAAAAAA";
    let empty = ("POST", "/v1/cart/sync", json!({"client": CLIENT, "ops": []}));
    for write in [shoppers().remove(0), shoppers().pop().unwrap(), empty] {
        let scene = Scene::new(false).await;
        scene.send(&scene.device, &write, body_of(&write)).await.expect(200);
        let (body, begun, rest) = held(&write.2.to_string());
        let tab = scene.device.tab();
        let ending = async {
            begun.reading().await;
            scene.end(&scene.shop, SignIn).await;
            rest.come();
        };
        let (reply, ()) = tokio::join!(scene.send(&tab, &write, body), ending);
        refused(&reply, write.1);
    }
    // Without a body and without a commit: the token goes while the lane waits behind another order's commit.
    let scene = Scene::new(false).await;
    let elsewhere = Shop::over(scene.shop.store.clone(), Default::default(), cheap());
    scene.device.cart().await;
    scene.shop.store.shut_gate();
    let (one, two) = (scene.device.tab(), scene.device.tab());
    let ending = async {
        scene.shop.store.until_waiting(1).await;
        scene.shop.store.let_others_by();
        scene.end(&elsewhere, SignIn).await;
        scene.shop.store.open_gate();
    };
    let (first, second, ()) = tokio::join!(one.add("a", 1), two.delete(absent), ending);
    refused(&first, "an add");
    refused(&second, absent);
}

/// A renewal is no change of privilege: what came with the token before it counts, as long as the grace lasts.
#[tokio::test]
async fn a_write_whose_token_is_renewed_or_seen_while_it_runs_counts() {
    let scene = Scene::new(true).await;
    scene.shop.turn(Span::from_s(61 * 60)).await;
    let (body, begun, rest) = held(r#"{"sku": "late"}"#);
    let (old, write) = (scene.device.tab(), ("POST", "/v1/cart/lines", Value::Null));
    let before = old.token();
    let renewal = async {
        begun.reading().await;
        scene.device.cart().await;
        scene.device.cart().await;
        assert_ne!(scene.device.token(), before);
        scene.shop.turn(Span::from_s(100)).await;
        scene.device.cart().await;
        scene.shop.service.flush_touches().await.unwrap();
        rest.come();
    };
    let (reply, ()) = tokio::join!(scene.send(&old, &write, body), renewal);
    assert_eq!(reply.expect(200).line("late").len(), 22);
    // After the grace it does not, and whoever holds the successor stays signed in.
    let (body, begun, rest) = held(r#"{"sku": "later"}"#);
    let after = async {
        begun.reading().await;
        scene.shop.turn(Span::from_s(21)).await;
        rest.come();
    };
    old.put(NAME, &before);
    let (reply, ()) = tokio::join!(scene.send(&old, &write, body), after);
    refused(&reply, "after the grace");
    assert!(scene.device.is_signed_in().await);
}

/// The successor that a slow request was handed went with the new password: it is not put over the fresh cookie.
#[tokio::test]
async fn a_successor_that_went_out_of_use_before_its_answer_is_not_handed_out() {
    for how in [SignIn, Password, SignOut] {
        let scene = Scene::new(true).await;
        scene.shop.turn(Span::from_s(61 * 60)).await;
        let (body, begun, rest) = held(r#"{"sku": "pen", "quantity": 0}"#);
        let (tab, write) = (scene.device.tab(), ("POST", "/v1/cart/lines", Value::Null));
        let ending = async {
            begun.reading().await;
            scene.end(&scene.shop, how).await;
            rest.come();
        };
        let (reply, ()) = tokio::join!(scene.send(&tab, &write, body), ending);
        assert_eq!((reply.status, reply.set_cookie()), (422, None), "{how:?}: {}", reply.text);
    }
}
