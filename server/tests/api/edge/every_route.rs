//! The corpus of bad input over every route under `/v1`: one list of routes, and everything is tried on each of them.
//!
//! A new route joins by its line in [`ROUTES`]; a test finds one that is missing.

use axum::body::Body;
use axum::http::HeaderName;
use serde_json::{Value, json};
use trolley::http::server::app::description;
use trolley_core::access::Scope;

use crate::support::reply::Reply;
use crate::support::{Actor, Bearer, Shop, request};

/// Who may call a route.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    /// Anybody, whatever credentials come along.
    Anyone,
    /// A shopper, by cookie or bearer token, or a visitor without a session.
    Shopper,
    /// The same, for whose session or account it is: no cart's tag says anything here.
    Comer,
    /// Whoever is signed in.
    Owner,
    /// A system of the shop's own, by a key.
    System,
}
use Who::{Anyone, Comer, Owner, Shopper, System};

/// What a route makes of a body.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// It does not read one.
    Nothing,
    /// An object of fields that it knows, or no body at all.
    Perhaps,
    /// An object of fields that it knows.
    Fields,
    /// Any object: a merge patch.
    Members,
}
use Takes::{Fields, Members, Nothing, Perhaps};

const ROUTES: &[(&str, &str, Who, Takes)] = &[
    ("GET", "/v1/cart", Shopper, Nothing),
    ("DELETE", "/v1/cart", Shopper, Nothing),
    ("POST", "/v1/cart/lines", Shopper, Fields),
    ("PUT", "/v1/cart/lines/{line}", Shopper, Fields),
    ("DELETE", "/v1/cart/lines/{line}", Shopper, Nothing),
    ("POST", "/v1/cart/lines/{line}/save", Shopper, Perhaps),
    ("POST", "/v1/cart/saved/{line}/unsave", Shopper, Perhaps),
    ("DELETE", "/v1/cart/saved/{line}", Shopper, Nothing),
    ("POST", "/v1/cart/sync", Shopper, Fields),
    ("GET", "/v1/cart/history", Shopper, Nothing),
    ("POST", "/v1/cart/undo", Shopper, Fields),
    ("POST", "/v1/cart/checkout", Shopper, Perhaps),
    ("GET", "/v1/orders", Shopper, Nothing),
    ("GET", "/v1/orders/{id}", Shopper, Nothing),
    ("GET", "/v1/session", Shopper, Nothing),
    ("POST", "/v1/session", Anyone, Fields),
    ("GET", "/v1/verify", Shopper, Nothing),
    ("GET", "/v1/session/data", Shopper, Nothing),
    ("PATCH", "/v1/session/data", Shopper, Members),
    ("POST", "/v1/session/sign-in", Comer, Fields),
    ("POST", "/v1/session/sign-out", Comer, Perhaps),
    ("GET", "/v1/sessions", Owner, Nothing),
    ("DELETE", "/v1/sessions", Owner, Perhaps),
    ("DELETE", "/v1/sessions/{id}", Owner, Perhaps),
    ("POST", "/v1/accounts", Comer, Fields),
    ("DELETE", "/v1/account", Owner, Fields),
    ("POST", "/v1/account/password", Owner, Fields),
    ("POST", "/v1/account/reset", Comer, Fields),
    ("GET", "/v1/account/audit", Owner, Nothing),
    ("GET", "/v1/admin/accounts", System, Nothing),
    ("GET", "/v1/admin/accounts/{id}", System, Nothing),
    ("GET", "/v1/admin/accounts/{id}/cart", System, Nothing),
    ("GET", "/v1/admin/accounts/{id}/sessions", System, Nothing),
    ("DELETE", "/v1/admin/accounts/{id}/sessions", System, Perhaps),
    ("POST", "/v1/admin/accounts/{id}/reset", System, Perhaps),
    ("POST", "/v1/admin/sign-ins", System, Fields),
    ("GET", "/v1/admin/audit", System, Nothing),
    ("GET", "/v1/admin/orders", System, Nothing),
    ("GET", "/v1/admin/orders/{id}", System, Nothing),
    ("POST", "/v1/admin/orders/{id}/cancel", System, Perhaps),
];

/// An answer that has no end of its own: `events.rs` is about it.
const ENDLESS: &str = "/v1/cart/events";

/// A shop with a cart of one line, to which nothing may happen.
struct Scene {
    shop: Shop,
    app: Bearer,
    /// Of somebody who is signed in.
    owner: Bearer,
    key: String,
    before: Value,
}

impl Scene {
    async fn new() -> Scene {
        let shop = Shop::new();
        let app = shop.bearer().await;
        let before = app.add("a", 1).await.expect(200).json;
        let scopes = Scope::ALL.to_vec();
        let (secret, _) = shop.service.make_key("a system", scopes).await.unwrap();
        let mut owner = shop.bearer().await;
        let login = crate::account::accounts::login("owner@example.com", crate::account::accounts::PASSWORD);
        let up = owner.json("POST", "/v1/accounts", login).await.expect(201);
        owner.token = up.header("trolley-token").unwrap().to_owned();
        Scene { shop, app, owner, key: format!("Bearer {}", secret.expose()), before }
    }

    /// The path of a route, with names that are there or could be.
    fn path(&self, path: &str) -> String {
        let line = self.before["lines"][0]["id"].as_str().unwrap();
        let path = path.replace("{line}", line);
        path.replace("{id}", "018bcfe5-687b-7fff-bfff-ffffffffffff")
    }

    /// Calls as who may, with these headers too.
    async fn call(&self, method: &str, path: &str, who: Who, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = request(method, path);
        for (name, value) in headers {
            request = request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), *value);
        }
        if who == System {
            request = request.header("authorization", &self.key);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        match who {
            Shopper | Comer => self.app.send(request).await,
            Owner => self.owner.send(request).await,
            Anyone | System => self.shop.anyone().send(request).await,
        }
    }

    async fn unchanged(&self, what: &str) {
        assert_eq!(self.app.cart().await.json, self.before, "{what}");
        assert_eq!(self.app.get("/v1/orders").await.json, json!({"orders": []}), "{what}");
        assert_eq!(self.app.get("/v1/session/data").await.json, json!({}), "{what}");
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn is_unsafe(method: &str) -> bool {
    method != "GET"
}

#[tokio::test]
async fn every_route_has_its_line_in_the_list_and_answers() {
    for (path, methods) in
        description()["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/"))
    {
        for method in methods.as_object().unwrap().keys() {
            let is_it = |(listed, at, ..): &(&str, &str, Who, Takes)| {
                at == path && listed.eq_ignore_ascii_case(method)
            };
            let listed = path == ENDLESS || ROUTES.iter().any(is_it);
            assert!(listed, "{method} {path} is missing: give it a line in ROUTES of {}", file!());
        }
    }
    let scene = Scene::new().await;
    for (method, path, who, _) in ROUTES {
        let reply = scene.call(method, &scene.path(path), *who, &[], b"").await;
        let code = reply.json["code"].as_str();
        assert!(reply.status < 500 && code != Some("not_found"), "{method} {path}: {}", reply.text);
        assert_ne!(reply.status, 405, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_valid_changes_nothing_anywhere() {
    let scene = Scene::new().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let not_json: [&[u8]; 8] = [
        b"{",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{\"a\":\"\xff\"}",
        b"\xff\xfe{\0}\0",
        b"{} x",
        b"\0",
        deep.as_bytes(),
    ];
    for (method, path, who, takes) in ROUTES.iter().filter(|(.., takes)| *takes != Nothing) {
        let (at, what) = (scene.path(path), format!("{method} {path}"));
        let send = async |content_type, body: &[u8]| {
            scene.call(method, &at, *who, &[("content-type", content_type)], body).await
        };
        for body in not_json {
            let refused = send(JSON.1, body).await;
            assert_eq!(
                (refused.status, &refused.json["code"]),
                (400, &json!("invalid_json")),
                "{what} {body:?}"
            );
        }
        for body in ["[]", "7", "null", "\"text\"", r#"{"a":1,"a":1}"#] {
            let refused = send(JSON.1, body.as_bytes()).await;
            assert_eq!(
                (refused.status, &refused.json["code"]),
                (422, &json!("invalid_body")),
                "{what} {body}"
            );
        }
        if *takes != Members {
            let refused = send(JSON.1, br#"{"no such/field":1}"#).await.problem(422, "invalid_body");
            assert!(refused.pointers().contains(&"#/no%20such~1field"), "{what}: {}", refused.text);
        }
        let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
        send(JSON.1, huge.as_bytes()).await.problem(413, "body_too_large");
        for content_type in ["text/plain", "application/xml", "application/json; charset=latin1", ""] {
            send(content_type, b"{}").await.problem(415, "unsupported_media_type");
        }
        scene.unchanged(&what).await;
    }
}

#[tokio::test]
async fn a_malformed_key_or_tag_changes_nothing_anywhere() {
    let scene = Scene::new().await;
    let long = "k".repeat(129);
    for (method, path, who, _) in ROUTES {
        let (at, what) = (scene.path(path), format!("{method} {path}"));
        if !is_unsafe(method) {
            continue;
        }
        for key in ["", "a b", &long] {
            let headers = [JSON, ("idempotency-key", key)];
            let refused = scene.call(method, &at, *who, &headers, b"{}").await;
            refused.problem(400, "invalid_idempotency_key");
        }
        for tag in ["x", "\"\"", "\"a", "\"a b\""].iter().filter(|_| *who == Shopper) {
            let refused = scene.call(method, &at, *who, &[JSON, ("if-match", tag)], b"{}").await;
            let refused = refused.problem(400, "invalid_etag");
            assert_eq!(refused.pointers(), ["#/header/If-Match"], "{what} {tag}");
        }
        scene.unchanged(&what).await;
    }
}

/// Headers that say how a request is meant, and a value that is none.
const TERMS: [(&str, &str); 4] =
    [("Idempotency-Key", "a b"), ("If-Match", "x"), ("If-None-Match", "x"), ("Trolley-Strict", "perhaps")];

#[tokio::test]
async fn each_route_is_described_with_the_headers_that_it_reads_and_no_others() {
    let mut scene = Scene::new().await;
    for (method, path, who, _) in ROUTES {
        let operation = &description()["paths"][path][method.to_lowercase()];
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (name, wrong) in TERMS {
            let described =
                parameters.iter().find(|parameter| parameter["in"] == "header" && parameter["name"] == name);
            let headers = [JSON, (&*name.to_lowercase(), wrong)];
            let reply = scene.call(method, &scene.path(path), *who, &headers, b"{}").await;
            let read = reply.pointers().contains(&&*format!("#/header/{name}"));
            assert_eq!(described.is_some(), read, "{method} {path} {name}: {}", reply.text);
            if read {
                scene.unchanged(name).await;
            } else if is_unsafe(method) {
                // It may have been done: a sign-out reads no tag.
                scene = Scene::new().await;
            }
            if let Some(described) = described {
                assert!(!described["description"].as_str().unwrap().is_empty(), "{method} {path} {name}");
                let pattern = described["schema"]["pattern"].as_str().unwrap_or("^(true|false)$");
                assert!(!regex_lite::Regex::new(pattern).unwrap().is_match(wrong), "{method} {path} {name}");
            }
        }
        let keyed = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(keyed, is_unsafe(method), "{method} {path}");
    }
}

#[tokio::test]
async fn who_calls_is_told_before_anything_else_is_looked_at() {
    let scene = Scene::new().await;
    let dead = format!("Bearer {}", "x".repeat(43));
    let token = "a".repeat(43);
    let cookie = format!("__Host-trolley={token}");
    let twice = format!("{cookie}; {cookie}");
    for (method, path, who, _) in ROUTES {
        let (at, what) = (scene.path(path), format!("{method} {path}"));
        let asked = async |headers: &[(&str, &str)]| {
            scene.call(method, &at, Anyone, &[&[JSON], headers].concat(), b"not json").await
        };
        match who {
            Anyone => {}
            // What a proxy is told has no body: 401 is all that it understands.
            Shopper if *path == "/v1/verify" => {
                assert_eq!(asked(&[("authorization", &dead)]).await.expect(401).text, "");
                assert_eq!(asked(&[("authorization", &token)]).await.expect(401).text, "");
            }
            Shopper | Comer | Owner => {
                asked(&[("authorization", &dead)]).await.problem(401, "session_ended");
                asked(&[("authorization", &token)]).await.problem(401, "unsupported_authorization");
                asked(&[("authorization", &dead), ("cookie", &cookie)]).await.problem(400, "two_credentials");
                asked(&[("cookie", &twice)]).await.problem(400, "duplicate_cookie");
            }
            System => {
                asked(&[]).await.problem(401, "api_key_missing");
                asked(&[("authorization", "Basic YTpi")]).await.problem(401, "api_key_missing");
                asked(&[("authorization", &dead)]).await.problem(401, "api_key_unknown");
                asked(&[("authorization", &scene.key), ("cookie", &cookie)])
                    .await
                    .problem(400, "two_credentials");
            }
        }
        if is_unsafe(method) {
            let elsewhere = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
            asked(&elsewhere).await.problem(403, "cross_site");
        }
        let large = "x".repeat(33 * 1024);
        asked(&[("x-large", &large)]).await.problem(431, "headers_too_large");
        scene.unchanged(&what).await;
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_405_and_says_which_it_knows() {
    let scene = Scene::new().await;
    for (_, path, ..) in ROUTES {
        let known: Vec<_> = ROUTES.iter().filter(|(_, other, ..)| other == path).map(|(m, ..)| *m).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"] {
            if known.contains(&method) {
                continue;
            }
            let refused = scene.call(method, &scene.path(path), Shopper, &[JSON], b"{}").await;
            let refused = refused.problem(405, "method_not_allowed");
            let allow = refused.header("allow").unwrap();
            assert!(known.iter().all(|known| allow.contains(known)), "{method} {path}: {allow}");
        }
    }
    scene.unchanged("methods").await;
}

#[tokio::test]
async fn nonsense_in_a_path_or_a_query_is_never_a_5xx_and_changes_nothing() {
    let scene = Scene::new().await;
    let long = "a".repeat(5_000);
    let names = ["x", "%00", "%ff", "..", "%2e%2e", "a%2Fb", "'%20OR%201=1", "%F0%9F%9B%92", &long];
    let queries =
        ["%zz", "limit=x", "limit=1&limit=1", "after=%00", "after=x", "%ff=%ff", "&&&=&", "token=secret"];
    for (method, path, who, _) in ROUTES {
        let what = format!("{method} {path}");
        // What would succeed as it stands is not what this is about.
        let harmless = !is_unsafe(method) || path.contains('{');
        for name in names.iter().filter(|_| path.contains('{')) {
            let at = path.replace("{line}", name).replace("{id}", name);
            let reply = scene.call(method, &at, *who, &[JSON], b"{}").await;
            assert!(reply.status < 500 && !reply.text.contains("OR 1=1"), "{what} {name}: {}", reply.text);
        }
        for query in queries.iter().filter(|_| harmless && !path.contains("{line}")) {
            let at = format!("{}?{query}", scene.path(path));
            let reply = scene.call(method, &at, *who, &[JSON], b"{}").await;
            assert!(reply.status < 500, "{what} {query}: {}", reply.text);
        }
        scene.unchanged(&what).await;
    }
}
