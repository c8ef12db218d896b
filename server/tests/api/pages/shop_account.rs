//! The demo shop's account: signing up, in and out, devices, another password, a forgotten one, and goodbye.

use crate::support::demo::{Form, add, form, shop};
use crate::support::reply::Reply;
use crate::support::{Actor, Browser};

const PASSWORD: &str = "three small boats";
const ANOTHER: &str = "four larger boats";

async fn sign(browser: &Browser, page: &str, password: &str) -> Reply {
    form(browser, page, page)
        .await
        .with("email", "ann@example.com")
        .with("password", password)
        .send(browser)
        .await
}

#[tokio::test]
async fn a_guest_signs_up_and_the_cart_comes_along_and_waits() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    let signed_up = sign(&browser, "/sign-up", PASSWORD).await.expect(303);
    let to = signed_up.header("location").unwrap();
    assert!(to.starts_with("/cart?at=") || to == "/account?check=1", "{to}");
    assert_eq!(browser.cart().await.shown(), "board=1");
    let account = browser.get("/account").await.expect(200);
    assert!(
        account.text.contains("ann@example.com") && account.text.contains("(this one)"),
        "{}",
        account.text
    );

    let signed_out = form(&browser, "/account", "/sign-out").await.send(&browser).await.expect(303);
    assert_eq!(signed_out.header("clear-site-data"), Some("\"storage\""));
    assert_eq!(browser.cart().await.shown(), "");
    assert_eq!(browser.get("/account").await.expect(303).header("location"), Some("/sign-in"));
    sign(&browser, "/sign-in", PASSWORD).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "board=1");
}

#[tokio::test]
async fn what_became_of_the_guests_cart_is_told_and_can_be_taken_back() {
    let shop = shop();
    let first = shop.browser();
    add(&first, "board").await;
    sign(&first, "/sign-up", PASSWORD).await.expect(303);
    let guest = shop.browser();
    add(&guest, "mill").await;
    assert!(guest.get("/sign-in").await.expect(200).text.contains("If your account has a cart already"));
    let merged = sign(&guest, "/sign-in", PASSWORD).await.expect(303);
    assert_eq!(guest.cart().await.shown(), "board=1 mill=1");
    let told = guest.get(merged.header("location").unwrap()).await.expect(200);
    assert!(told.text.contains("came in at a sign-in: Pepper mill"), "{}", told.text);
    Form::of(&told, "/cart/undo").send(&guest).await.expect(303);
    assert_eq!(guest.cart().await.shown(), "board=1");

    let third = shop.browser();
    add(&third, "tent").await;
    let keep = form(&third, "/sign-in", "/sign-in").await.with("email", "ann@example.com");
    keep.with("password", PASSWORD).with("merge", "keep_account").send(&third).await.expect(303);
    assert_eq!(third.cart().await.shown(), "board=1");
    assert!(third.get("/cart").await.expect(200).text.contains("Ridge tent"), "saved for later");
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_the_field_and_the_address_stays() {
    let shop = shop();
    let browser = shop.browser();
    sign(&browser, "/sign-up", PASSWORD).await.expect(303);
    let other = shop.browser();
    for (page, password, status) in
        [("/sign-in", "not this one at all", 401), ("/sign-up", PASSWORD, 409), ("/sign-up", "short", 422)]
    {
        let refused = sign(&other, page, password).await.expect(status);
        assert!(
            refused.text.contains("value=\"ann@example.com\"") && refused.text.contains("role=\"alert\"")
        );
        assert!(refused.text.contains("aria-invalid=\"true\" aria-describedby=\"wrong"), "{}", refused.text);
        assert!(!refused.text.contains(password), "a password is never sent back");
        assert_eq!(refused.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn devices_are_listed_in_words_and_ended_one_or_all() {
    let shop = shop();
    let (here, there, third) = (shop.browser(), shop.browser(), shop.browser());
    sign(&here, "/sign-up", PASSWORD).await.expect(303);
    sign(&there, "/sign-in", PASSWORD).await.expect(303);
    sign(&third, "/sign-in", PASSWORD).await.expect(303);
    let page = here.get("/account").await.expect(200);
    let ends: Vec<_> = Form::all(&page)
        .into_iter()
        .filter(|form| form.fields.iter().any(|(name, _)| name == "id"))
        .collect();
    assert_eq!(ends.len(), 2, "not this one");
    ends[0].send(&here).await.expect(303);
    let left = [&there, &third];
    let mut signed_in = 0;
    for browser in left {
        signed_in += usize::from(browser.get("/account").await.status == 200);
    }
    assert_eq!(signed_in, 1);
    let everywhere = Form { action: "/account/devices".to_owned(), fields: Vec::new() }.with("all", "1");
    everywhere.send(&here).await.expect(303);
    for browser in [&here, &there, &third] {
        browser.get("/account").await.expect(303);
    }
}

#[tokio::test]
async fn another_password_signs_the_others_out_and_a_wrong_one_changes_nothing() {
    let shop = shop();
    let (here, there) = (shop.browser(), shop.browser());
    sign(&here, "/sign-up", PASSWORD).await.expect(303);
    sign(&there, "/sign-in", PASSWORD).await.expect(303);
    let change = form(&here, "/account", "/account/password").await;
    let wrong =
        change.clone().with("current", "not this one").with("new", ANOTHER).send(&here).await.expect(401);
    assert!(wrong.text.contains("id=\"wrong\""), "{}", wrong.text);
    change.clone().with("current", PASSWORD).with("new", "short").send(&here).await.expect(422);
    change.with("current", PASSWORD).with("new", ANOTHER).send(&here).await.expect(303);
    here.get("/account").await.expect(200);
    there.get("/account").await.expect(303);
    sign(&there, "/sign-in", PASSWORD).await.expect(401);
    sign(&there, "/sign-in", ANOTHER).await.expect(303);
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_the_code_in_the_outbox_once() {
    let shop = shop();
    let browser = shop.browser();
    sign(&browser, "/sign-up", PASSWORD).await.expect(303);
    let other = shop.browser();
    for email in ["nobody@example.com", "not an address", "ann@example.com"] {
        let sent =
            form(&other, "/forgot", "/forgot").await.with("email", email).send(&other).await.expect(303);
        assert_eq!(sent.header("location"), Some("/outbox?sent=1"), "the same for all");
    }
    let outbox = other.get("/outbox").await.expect(200);
    assert_eq!(outbox.text.matches("class=\"code\"").count(), 1);
    let code = outbox.text.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let reset = form(&other, "/reset", "/reset").await.with("new", ANOTHER);
    reset.clone().with("code", "wrong").send(&other).await.expect(422);
    reset.clone().with("code", &code).with("new", "short").send(&other).await.expect(422);
    reset.clone().with("code", &code).send(&other).await.expect(303);
    reset.with("code", &code).send(&other).await.expect(422);
    browser.get("/account").await.expect(303);
    sign(&other, "/sign-in", ANOTHER).await.expect(303);
}

#[tokio::test]
async fn an_account_is_deleted_by_who_knows_its_password() {
    let shop = shop();
    let browser = shop.browser();
    sign(&browser, "/sign-up", PASSWORD).await.expect(303);
    let goodbye = form(&browser, "/account", "/account/delete").await;
    goodbye.clone().with("password", "not this one").send(&browser).await.expect(401);
    goodbye.with("password", PASSWORD).send(&browser).await.expect(303);
    sign(&browser, "/sign-in", PASSWORD).await.expect(401);
}

#[tokio::test]
async fn a_form_of_a_tab_whose_session_was_signed_out_is_a_page_and_sets_no_cookie() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    sign(&browser, "/sign-up", PASSWORD).await.expect(303);
    let stale = form(&browser, "/cart", "/cart/clear").await;
    let tab = shop.browser_with(&browser.cookie().unwrap());
    form(&browser, "/account", "/sign-out").await.send(&browser).await.expect(303);
    let refused = stale.send(&tab).await.expect(401);
    assert!(
        refused.text.contains("The session is over") && refused.text.contains("<html"),
        "{}",
        refused.text
    );
    assert_eq!(refused.header("set-cookie"), None);
}

#[tokio::test]
async fn the_history_names_the_device_that_did_it() {
    let shop = shop();
    let (here, phone) = (shop.browser(), shop.browser());
    sign(&here, "/sign-up", PASSWORD).await.expect(303);
    let agent =
        [("user-agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1")];
    let login = serde_json::json!({"email": "ann@example.com", "password": PASSWORD});
    phone.with("POST", "/v1/session/sign-in", &agent, login).await.expect(200);
    add(&phone, "mill").await;
    let history = here.get("/cart/history").await.expect(200);
    assert!(history.text.contains("just now, by you, with Safari on an iPhone"), "{}", history.text);
    assert!(here.get("/account").await.expect(200).text.contains("<strong>Safari on an iPhone</strong>"));
}
