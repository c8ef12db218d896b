//! Accounts for which the shop vouches: how their devices are called, and how they are found.

use serde_json::{Value, json};

use crate::account::accounts::{EMAIL, login, shop, signed_up};
use crate::admin::accounts::Office;
use crate::support::{Actor, Browser, Shop};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const AGENT: [(&str, &str); 1] = [("user-agent", FIREFOX)];
const SESSIONS: &str = "/v1/admin/accounts/customer-42/sessions";

/// The browser that the shop handed the token to.
fn relayed(shop: &Shop, vouched: &Value) -> Browser {
    let cookies = &vouched["set_cookie"];
    let line = cookies.as_str().or_else(|| cookies[0].as_str()).unwrap();
    shop.browser_with(line.trim_start_matches("__Host-trolley=").split(';').next().unwrap())
}

fn name(row: &Value) -> &str {
    row["name"].as_str().unwrap()
}

#[tokio::test]
async fn a_device_that_the_shop_signed_in_is_called_what_its_browser_says_on_its_first_visit() {
    let shop = shop();
    let office = Office::of(&shop).await;
    for remember in [false, true] {
        let guest = shop.browser();
        guest.with("POST", "/v1/cart/lines", &AGENT, json!({"sku": "a"})).await.expect(200);
        let session = guest.get("/v1/session").await.json["device"]["id"].clone();
        let body = json!({"session": session, "account": "customer-42", "remember": remember});
        let vouched = office.asks("POST", "/v1/admin/sign-ins", body).await.expect(200);
        let browser = relayed(&shop, &vouched.json);
        // What a proxy asks is not the browser's visit: its headers may be the proxy's own.
        let back_end = [("user-agent", "shop-backend/1.0")];
        browser.with("GET", "/v1/verify", &back_end, Value::Null).await.expect(200);
        browser.with("GET", "/v1/cart", &AGENT, Value::Null).await.expect(200);
        // The first visit names it, and no later one.
        browser.with("GET", "/v1/cart", &[("user-agent", "curl/8")], Value::Null).await.expect(200);
        let listed = browser.get("/v1/sessions").await.expect(200);
        let rows = listed.json["sessions"].as_array().unwrap();
        let row = rows.iter().find(|row| row["current"] == true).unwrap();
        assert!(name(row).contains("Firefox"), "{}", listed.text);
        assert_eq!(row["address"], "127.0.0.1");
        // And so what is remembered is called, where no session is left.
        shop.turn(trolley_core::time::Span::from_hours(3)).await;
        let rows = office.asks("GET", SESSIONS, Value::Null).await.expect(200).json["sessions"].clone();
        assert_eq!(rows.as_array().unwrap().len(), usize::from(remember));
        assert!(rows.as_array().unwrap().iter().all(|row| name(row).contains("Firefox")), "{rows}");
    }
}

#[tokio::test]
async fn a_session_that_was_signed_in_keeps_the_name_of_its_device_when_the_shop_signs_it_in() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let browser = shop.browser();
    signed_up(&shop, "somebody@example.com").await;
    browser
        .with(
            "POST",
            "/v1/session/sign-in",
            &AGENT,
            login("somebody@example.com", crate::account::accounts::PASSWORD),
        )
        .await
        .expect(200);
    let session = browser.get("/v1/session").await.json["device"]["id"].clone();
    let body = json!({"session": session, "account": "customer-42"});
    office.asks("POST", "/v1/admin/sign-ins", body).await.expect(200);
    let listed = office.asks("GET", SESSIONS, Value::Null).await.expect(200);
    assert!(name(&listed.json["sessions"][0]).contains("Firefox"), "{}", listed.text);
    assert_eq!(listed.json["sessions"][0]["address"], "127.0.0.1");
}

#[tokio::test]
async fn an_address_that_the_shop_vouched_for_finds_no_account_until_somebody_signs_up_with_it() {
    let shop = shop();
    let office = Office::of(&shop).await;
    let body = json!({"account": "customer-42", "email": EMAIL});
    let vouched = office.asks("POST", "/v1/admin/sign-ins", body).await.expect(200);
    assert_eq!(vouched.json["session"]["account"]["email"], EMAIL);
    let path = format!("/v1/admin/accounts?email={EMAIL}");
    let none = office.asks("GET", &path, Value::Null).await.problem(404, "account_not_found");
    // Who asks is told why, and where that account is.
    assert!(none.json["detail"].as_str().unwrap().contains("vouches"), "{}", none.text);
    let shown = office.asks("GET", "/v1/admin/accounts/customer-42", Value::Null).await.expect(200);
    assert_eq!((&shown.json["email"], &shown.json["has_password"]), (&json!(EMAIL), &json!(false)));
    signed_up(&shop, EMAIL).await;
    let found = office.asks("GET", &path, Value::Null).await.expect(200);
    assert_eq!(found.json["has_password"], true);
    let operation = &shop.anyone().get("/openapi.json").await.json["paths"]["/v1/admin/accounts"]["get"];
    assert!(operation["description"].as_str().unwrap().contains("vouches"), "{operation}");
}
