//! What the shop's own systems may ask of accounts, by an API key: look, end sessions, reset a password, vouch for somebody.

use serde_json::{Value, json};
use trolley::http::extract::cookie::DEVICE;
use trolley_core::access::Scope;
use trolley_core::time::Span;

use crate::account::accounts::{EMAIL, PASSWORD, is_signed_in, login, shop, signed_in, signed_up};
use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

/// A system of the shop's, with all scopes of accounts.
pub(crate) struct Office<'a> {
    shop: &'a Shop,
    bearer: String,
}

impl<'a> Office<'a> {
    pub(crate) async fn of(shop: &'a Shop) -> Office<'a> {
        let scopes = vec![Scope::AccountsRead, Scope::Accounts, Scope::SignIns, Scope::Audit];
        let (secret, _) = shop.service.make_key("the office", scopes).await.unwrap();
        Office { shop, bearer: format!("Bearer {}", secret.expose()) }
    }

    pub(crate) async fn asks(&self, method: &str, path: &str, body: Value) -> Reply {
        let headers = [("authorization", self.bearer.as_str())];
        self.shop.anyone().with(method, path, &headers, body).await
    }
}

async fn account_id(browser: &impl Actor) -> String {
    browser.get("/v1/session").await.json["account"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_office_sees_an_account_its_cart_and_its_devices_and_can_end_them() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let browser = signed_up(&shop, EMAIL).await;
    browser.add("a", 2).await.expect(200);
    let id = account_id(&browser).await;
    let path = format!("/v1/admin/accounts/{id}");
    let account = office.asks("GET", &path, Value::Null).await.expect(200);
    assert_eq!((&account.json["id"], &account.json["email"]), (&json!(id), &json!(EMAIL)));
    assert!(!account.text.contains("argon2"), "{}", account.text);
    assert_eq!(office.asks("GET", &format!("{path}/cart"), Value::Null).await.expect(200).shown(), "a=2");
    let sessions = office.asks("GET", &format!("{path}/sessions"), Value::Null).await.expect(200);
    assert_eq!(sessions.json["sessions"].as_array().unwrap().len(), 1);
    office.asks("DELETE", &format!("{path}/sessions"), Value::Null).await.expect(204);
    assert!(!is_signed_in(&browser).await);
    let nobody = "/v1/admin/accounts/018bcfe5-687b-7fff-bfff-ffffffffffff";
    for (method, path) in
        [("GET", ""), ("GET", "/cart"), ("GET", "/sessions"), ("DELETE", "/sessions"), ("POST", "/reset")]
    {
        office.asks(method, &format!("{nobody}{path}"), Value::Null).await.problem(404, "account_not_found");
    }
    browser.get(&path).await.problem(401, "api_key_missing");
}

#[tokio::test]
async fn the_office_finds_an_account_by_its_address_however_that_is_written_and_no_other() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let browser = signed_up(&shop, "Ann+shop@Example.com").await;
    signed_up(&shop, "bob@example.com").await;
    let shown =
        office.asks("GET", &format!("/v1/admin/accounts/{}", account_id(&browser).await), Value::Null).await;
    let shown = shown.expect(200);
    for written in ["ann%2Bshop@example.com", "ANN%2BSHOP@EXAMPLE.COM", "%20ann%2Bshop%40example.com%20"] {
        let found = office.asks("GET", &format!("/v1/admin/accounts?email={written}"), Value::Null).await;
        assert_eq!(found.expect(200).json, shown.json, "{written}");
    }
    for nobody in ["nobody@example.com", "ann@example.com", "ann%2Bshop@example.co"] {
        let none = office.asks("GET", &format!("/v1/admin/accounts?email={nobody}"), Value::Null).await;
        assert!(!none.problem(404, "account_not_found").text.contains("example"), "{nobody}");
    }
    for wrong in [
        "",
        "?email=",
        "?email=ann+shop@example.com",
        "?email=ann",
        "?email=a@b.c&email=a@b.c",
        "?mail=a@b.c",
    ] {
        let refused = office.asks("GET", &format!("/v1/admin/accounts{wrong}"), Value::Null).await;
        assert_eq!(refused.problem(422, "invalid_query").pointers(), ["#/query/email"], "{wrong}");
    }
    // An address that the shop told us of an account of its own leads nowhere: nobody proved it here.
    let vouched = json!({"account": "customer-42", "email": "bob@example.com"});
    office.asks("POST", "/v1/admin/sign-ins", vouched).await.expect(200);
    let path = "/v1/admin/accounts?email=bob@example.com";
    let bobs = office.asks("GET", path, Value::Null).await.expect(200);
    assert_eq!(bobs.json["has_password"], true);
    let (secret, _) = shop.service.make_key("orders alone", vec![Scope::Orders]).await.unwrap();
    let bearer = format!("Bearer {}", secret.expose());
    let refused = shop.anyone().with("GET", path, &[("authorization", &bearer)], Value::Null).await;
    refused.problem(403, "missing_scope");
    browser.get(path).await.problem(401, "api_key_missing");
    browser.with("DELETE", "/v1/account", &[], json!({"password": PASSWORD})).await.expect(204);
    let gone = office.asks("GET", "/v1/admin/accounts?email=ann%2Bshop@example.com", Value::Null).await;
    gone.problem(404, "account_not_found");
}

#[tokio::test]
async fn on_a_call_of_the_shops_own_systems_a_key_is_only_looked_at() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let headers = [("authorization", office.bearer.as_str()), ("idempotency-key", "one")];
    for customer in ["one", "two"] {
        let body = json!({"account": customer});
        for _ in 0..2 {
            let vouched =
                shop.anyone().with("POST", "/v1/admin/sign-ins", &headers, body.clone()).await.expect(200);
            assert_eq!(
                (&vouched.json["session"]["account"]["id"], vouched.header("idempotency-replayed")),
                (&json!(customer), None)
            );
        }
        let sessions =
            office.asks("GET", &format!("/v1/admin/accounts/{customer}/sessions"), Value::Null).await;
        assert_eq!(sessions.json["sessions"].as_array().unwrap().len(), 2, "done anew each time");
    }
}

#[tokio::test]
async fn a_reset_token_sets_a_password_once_within_its_hour_and_ends_every_session() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let browser = signed_up(&shop, EMAIL).await;
    let path = format!("/v1/admin/accounts/{}/reset", account_id(&browser).await);
    let issue = || async {
        office.asks("POST", &path, Value::Null).await.expect(201).json["token"].as_str().unwrap().to_owned()
    };
    let reset = |token: String, new: &'static str| {
        let anyone = shop.anyone();
        async move { anyone.json("POST", "/v1/account/reset", json!({"token": token, "new": new})).await }
    };
    let replaced = issue().await;
    let token = issue().await;
    reset(replaced, "a tin of seventeen sardines").await.problem(422, "invalid_reset_token");
    let weak = reset(token.clone(), "short").await.problem(422, "weak_password");
    assert_eq!(weak.pointers(), ["#/new"], "a weak password does not use the token up");
    let done = reset(token.clone(), "a tin of seventeen sardines").await.expect(204);
    let handed: Vec<_> = done.cookies().into_iter().map(|(name, _)| name).collect();
    assert_eq!(handed, [DEVICE], "it signs nobody in, and lets the account know the device");
    assert!(!is_signed_in(&browser).await);
    reset(token, "another tin of sardines").await.problem(422, "invalid_reset_token");
    let old = shop.browser().json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await;
    old.problem(401, "invalid_credentials");
    let new = login(EMAIL, "a tin of seventeen sardines");
    shop.browser().json("POST", "/v1/session/sign-in", new).await.expect(200);
    let late = issue().await;
    shop.turn(Span::from_s(3_600)).await;
    reset(late, "another tin of sardines").await.problem(422, "invalid_reset_token");
    for nonsense in ["", "x", &"A".repeat(43)] {
        reset(nonsense.to_owned(), "another tin of sardines").await.problem(422, "invalid_reset_token");
    }
}

#[tokio::test]
async fn a_shop_with_its_own_login_attaches_its_account_to_the_session_and_relays_the_cookie() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let guest = shop.browser();
    guest.add("a", 1).await.expect(200);
    let session = guest.get("/v1/session").await.json["device"]["id"].clone();
    let body = json!({"session": session, "account": "customer-42", "email": EMAIL});
    let vouched = office.asks("POST", "/v1/admin/sign-ins", body.clone()).await.expect(200);
    assert_eq!(vouched.json["session"]["account"], json!({"id": "customer-42", "email": EMAIL}));
    assert_eq!((&vouched.json["merge"]["lines"], vouched.set_cookie()), (&json!(1), None));
    let line = vouched.json["set_cookie"].as_str().unwrap();
    assert!(line.starts_with("__Host-trolley=") && line.contains("; HttpOnly;"), "{line}");
    let token = line.trim_start_matches("__Host-trolley=").split(';').next().unwrap();
    let browser = shop.browser_with(token);
    assert_eq!(browser.get("/v1/session").await.json["account"]["id"], "customer-42");
    assert_eq!(browser.cart().await.shown(), "a=1");
    guest.add("b", 1).await.problem(401, "session_ended");
    // On another device of the same customer: the same account, and nothing twice.
    let elsewhere =
        office.asks("POST", "/v1/admin/sign-ins", json!({"account": "customer-42"})).await.expect(200);
    assert_eq!(elsewhere.json["cart"]["quantity"], 1);
    let shown = office.asks("GET", "/v1/admin/accounts/customer-42", Value::Null).await.expect(200);
    assert_eq!((&shown.json["id"], &shown.json["has_password"]), (&json!("customer-42"), &json!(false)));
    office
        .asks("POST", "/v1/admin/accounts/customer-42/reset", Value::Null)
        .await
        .problem(409, "account_without_password");
    office.asks("POST", "/v1/admin/sign-ins", body).await.expect(200);
    let gone = json!({"session": "018bcfe5-687b-7fff-bfff-ffffffffffff", "account": "customer-42"});
    office.asks("POST", "/v1/admin/sign-ins", gone).await.problem(404, "session_not_found");
    for (wrong, pointer) in [
        (json!({"account": ""}), "#/account"),
        (json!({"account": "x".repeat(129)}), "#/account"),
        (json!({"account": "a", "email": "nobody"}), "#/email"),
        (json!({"account": "a", "session": "here"}), "#/session"),
    ] {
        let refused = office.asks("POST", "/v1/admin/sign-ins", wrong).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer]);
    }
}

#[tokio::test]
async fn s31_every_event_is_a_row_of_the_trail_and_of_the_audit_and_none_holds_a_token() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let guest = shop.browser();
    guest.add("a", 1).await.expect(200);
    guest.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    let other = signed_in(&shop, EMAIL).await;
    shop.browser().json("POST", "/v1/session/sign-in", login(EMAIL, "not the password")).await;
    shop.browser().json("POST", "/v1/session/sign-in", login("nobody@example.com", PASSWORD)).await;
    let wrong = json!({"current": "not the password", "new": "a tin of seventeen sardines"});
    guest.json("POST", "/v1/account/password", wrong).await.problem(401, "invalid_credentials");
    let change = json!({"current": PASSWORD, "new": "a tin of seventeen sardines"});
    guest.json("POST", "/v1/account/password", change).await.expect(204);
    let id = account_id(&guest).await;
    office.asks("POST", &format!("/v1/admin/accounts/{id}/reset"), Value::Null).await.expect(201);
    guest.delete("/v1/sessions").await.expect(204);
    let trail = guest.get("/v1/account/audit").await.expect(200);
    let events = |reply: &Reply| -> Vec<String> {
        let rows = reply.json["events"].as_array().unwrap();
        rows.iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
    };
    for expected in [
        "account_created",
        "signed_in",
        "carts_merged",
        "sign_in_failed",
        "password_change_failed",
        "password_changed",
        "reset_issued",
    ] {
        assert!(events(&trail).iter().any(|event| event == expected), "{expected}: {}", trail.text);
    }
    let newest_first = trail.json["events"].as_array().unwrap().iter().map(|row| row["at"].as_str().unwrap());
    assert!(newest_first.is_sorted_by(|a, b| a >= b));
    let audit = office.asks("GET", "/v1/admin/audit", Value::Null).await.expect(200);
    let of_nobody =
        audit.json["events"].as_array().unwrap().iter().filter(|row| row.get("account").is_none()).count();
    assert_eq!(of_nobody, 1, "the sign-in to an address that nobody has: {}", audit.text);
    let mut both = [events(&trail), events(&audit)];
    both[1].retain({
        let mut left = 1;
        move |event| {
            event != "sign_in_failed" || {
                let keep = left > 0;
                left -= 1;
                keep
            }
        }
    });
    both.iter_mut().for_each(|events| events.sort());
    assert_eq!(both[0], both[1], "each row is in both");
    for secret in [guest.cookie().unwrap(), other.cookie().unwrap(), PASSWORD.to_owned()] {
        assert!(!trail.text.contains(&secret) && !audit.text.contains(&secret));
    }
}

#[tokio::test]
async fn the_audit_is_paged_by_cursors() {
    let shop = shop();
    let office = Office::of(&shop).await;
    for n in 0..5 {
        signed_up(&shop, &format!("shopper-{n}@example.com")).await;
    }
    let (mut path, mut seen, mut pages) = ("/v1/admin/audit?limit=3".to_owned(), Vec::new(), 0);
    loop {
        let page = office.asks("GET", &path, Value::Null).await.expect(200);
        seen.extend(
            page.json["events"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some(next) = page.header("link") else {
            assert_eq!(page.json.get("next"), None);
            break;
        };
        assert!(next.contains(&format!("after={}&", page.json["next"].as_str().unwrap())), "{next}");
        path = next.trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
    assert!(seen.is_sorted() && seen.len() == 10 && pages == 4, "{pages} pages, {seen:?}");
    office.asks("GET", "/v1/admin/audit?after=x", Value::Null).await.problem(422, "invalid_query");
    office.asks("GET", "/v1/admin/audit?limit=0", Value::Null).await.problem(422, "invalid_query");
}

#[tokio::test]
async fn who_follows_the_audit_is_shown_nothing_before_what_was_begun_earlier() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let fails = |email: &'static str| {
        let browser = shop.browser();
        async move { browser.json("POST", "/v1/session/sign-in", login(email, PASSWORD)).await }
    };
    let events = async || {
        let audit = office.asks("GET", "/v1/admin/audit", Value::Null).await.expect(200);
        audit.json["events"].as_array().unwrap().len()
    };
    shop.store.shut_gate();
    let slow = tokio::spawn(fails("slow@example.com"));
    shop.store.until_waiting(1).await;
    shop.store.let_others_by();
    fails("quick@example.com").await.problem(401, "invalid_credentials");
    assert_eq!(events().await, 0, "a follower of the one would miss the other");
    shop.store.open_gate();
    slow.await.unwrap().problem(401, "invalid_credentials");
    assert_eq!(events().await, 2);
}

#[tokio::test]
async fn addresses_leave_the_audit_after_their_time_and_events_after_theirs() {
    let shop = shop();
    let office = Office::of(&shop).await;
    signed_up(&shop, EMAIL).await;
    let addresses = |reply: &Reply| {
        reply.json["events"].as_array().unwrap().iter().filter(|row| row.get("address").is_some()).count()
    };
    let audit = || office.asks("GET", "/v1/admin/audit", Value::Null);
    assert!(addresses(&audit().await) >= 2);
    shop.turn(Span::from_days(31)).await;
    let later = audit().await;
    assert_eq!(addresses(&later), 0, "{}", later.text);
    assert!(later.json["events"].as_array().unwrap().len() >= 2);
    let browser = signed_in(&shop, EMAIL).await;
    assert_eq!(addresses(&browser.get("/v1/account/audit").await.expect(200)), 1, "this sign-in's");
    shop.turn(Span::from_days(60)).await;
    let left = audit().await;
    let events = left.json["events"].as_array().unwrap();
    assert!(events.iter().all(|row| row["event"] != "account_created"), "{}", left.text);
}
