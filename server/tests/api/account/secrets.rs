//! S30 and S33: what is never told, by any answer, any log line, any record, or the time that an answer takes.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use trolley_core::access::Scope;
use trolley_store::port::{Listing, Store as _};
use trolley_store::record::encode;
use trolley_store::records::Kind;

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login, shop, signed_up};
use crate::support::{Actor, Shop};

const WRONG: &str = "a password that is wrong";

#[tokio::test]
async fn s30_a_failed_sign_in_says_the_same_whether_the_account_exists() {
    let shop = shop();
    signed_up(&shop, EMAIL).await;
    let known = shop.browser().json("POST", "/v1/session/sign-in", login(EMAIL, WRONG)).await;
    let unknown =
        shop.browser().json("POST", "/v1/session/sign-in", login("nobody@example.com", WRONG)).await;
    let no_address = shop.browser().json("POST", "/v1/session/sign-in", login("nobody", WRONG)).await;
    for other in [&unknown, &no_address] {
        assert_eq!((other.status, &other.text), (known.status, &known.text));
        let headers = |reply: &crate::support::reply::Reply| {
            let mut headers = reply.headers.clone();
            headers.remove("request-id");
            headers
        };
        assert_eq!(headers(other), headers(&known));
    }
    known.problem(401, "invalid_credentials");
}

/// In each round both kinds of failure are timed, now one first and now the other, and it is counted which took longer: were one
/// of them without a hash, it would be the same one in all forty. A fair coin falls outside of 6 to 34 once in 300,000 runs.
#[tokio::test]
async fn s30_a_failed_sign_in_takes_as_long_whether_the_account_exists() {
    let shop = Shop::new();
    signed_up(&shop, EMAIL).await;
    let time = |email: &'static str| {
        let browser = shop.browser();
        async move {
            let began = Instant::now();
            browser.json("POST", "/v1/session/sign-in", login(email, WRONG)).await.expect(401);
            began.elapsed()
        }
    };
    let mut known_took_longer = 0;
    for round in 0..40 {
        // Three in a row of one order, and then of the other: whatever else the machine does keeps another beat.
        let (known, unknown) = if round / 3 % 2 == 0 {
            let known = time(EMAIL).await;
            (known, time("nobody@example.com").await)
        } else {
            let unknown = time("nobody@example.com").await;
            (time(EMAIL).await, unknown)
        };
        known_took_longer += u32::from(known > unknown);
    }
    assert!((6..=34).contains(&known_took_longer), "{known_took_longer} of 40");
}

/// All that is logged, at the most verbose level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;
    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// Every record that there is: as bytes, and as it prints.
async fn dump(shop: &Shop) -> Vec<u8> {
    let mut dump = Vec::new();
    for kind in Kind::ALL {
        for listed in shop.store.list(Listing::all(*kind), 10_000).await.unwrap() {
            dump.extend(encode(&listed.record));
            dump.extend(format!("{:?}", listed.record).into_bytes());
        }
    }
    dump
}

#[tokio::test]
async fn s33_after_every_kind_of_call_neither_store_nor_log_holds_a_usable_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    // While there is only one, tracing asks the thread that first meets a log line, which may be another test's, whether anybody
    // wants it; with two it asks both.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let shop = Shop::with(Default::default(), cheap());
    let mut secrets = vec![PASSWORD.to_owned(), WRONG.to_owned(), "a tin of seventeen sardines".to_owned()];
    let (key, _) = shop.service.make_key("the office", vec![Scope::Accounts, Scope::SignIns]).await.unwrap();
    secrets.push(key.expose().to_owned());
    let office = format!("Bearer {}", key.expose());
    let office = [("authorization", office.as_str())];
    let browser = shop.browser();
    let keyed = [("idempotency-key", "one")];
    let mut login = login(EMAIL, PASSWORD);
    login["remember"] = json!(true);
    browser.add("a", 1).await.expect(200);
    secrets.push(browser.cookie().unwrap());
    for (method, path, body) in [
        ("POST", "/v1/accounts", login.clone()),
        ("POST", "/v1/accounts", login.clone()),
        ("POST", "/v1/session/sign-in", login.clone()),
        ("POST", "/v1/session/sign-in", crate::account::accounts::login(EMAIL, WRONG)),
        ("POST", "/v1/cart/lines", json!({"sku": "b"})),
        ("POST", "/v1/account/password", json!({"current": PASSWORD, "new": "a tin of seventeen sardines"})),
        ("POST", "/v1/account/password", json!({"current": PASSWORD, "new": "a tin of seventeen sardines"})),
        ("GET", "/v1/sessions", Value::Null),
        ("GET", "/v1/account/audit", Value::Null),
        ("DELETE", "/v1/sessions", Value::Null),
    ] {
        let reply = browser.with(method, path, &keyed, body).await;
        secrets.extend(cookie_values(&reply));
    }
    let id = browser.get("/v1/session").await.json["account"]["id"].as_str().unwrap().to_owned();
    let reset =
        shop.anyone().with("POST", &format!("/v1/admin/accounts/{id}/reset"), &office, Value::Null).await;
    let token = reset.expect(201).json["token"].as_str().unwrap().to_owned();
    secrets.push(token.clone());
    let vouch = json!({"account": "customer-42", "remember": true});
    let vouched = shop.anyone().with("POST", "/v1/admin/sign-ins", &office, vouch).await.expect(200);
    for line in vouched.json["set_cookies"].as_array().unwrap() {
        secrets.extend(line.as_str().and_then(value_of));
    }
    let app = shop.bearer().await;
    secrets.push(app.token.clone());
    let up = app
        .json("POST", "/v1/accounts", crate::account::accounts::login("app@example.com", PASSWORD))
        .await
        .expect(201);
    secrets.push(up.header("trolley-token").unwrap().to_owned());
    nothing_usable(&dump(&shop).await, &log, &secrets);
    let reset = json!({"token": token, "new": "another tin of sardines"});
    shop.anyone().json("POST", "/v1/account/reset", reset).await.expect(204);
    browser.json("POST", "/v1/session/sign-out", Value::Null).await;
    nothing_usable(&dump(&shop).await, &log, &secrets);
    assert!(String::from_utf8_lossy(&log.0.lock()).contains("signed_in"), "the log was read");
    assert!(secrets.len() > 12, "{}", secrets.len());
}

fn cookie_values(reply: &crate::support::reply::Reply) -> Vec<String> {
    let lines = reply.headers.get_all("set-cookie").iter();
    lines.filter_map(|line| value_of(line.to_str().unwrap())).collect()
}

fn value_of(line: &str) -> Option<String> {
    let value = line.split_once('=')?.1.split(';').next()?;
    (!value.is_empty()).then(|| value.to_owned())
}

fn nothing_usable(dump: &[u8], log: &Log, secrets: &[String]) {
    use base64::Engine as _;
    let log = log.0.lock();
    for secret in secrets {
        let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
        for needle in [secret.as_bytes(), &raw].into_iter().filter(|needle| needle.len() > 8) {
            for (name, hay) in [("store", dump), ("log", &log)] {
                let found = hay.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "the {name} holds {secret}");
            }
        }
    }
}
