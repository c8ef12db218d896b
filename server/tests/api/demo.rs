//! The demo shop as a browser without JavaScript uses it.

use trolley::http::front::Rules;
use trolley::service::settings::Settings;

use crate::support::reply::Reply;
use crate::support::{Actor, Browser, Shop, request};

fn shop() -> Shop {
    Shop::with(Rules { demo: true, ..Rules::default() }, Settings::default())
}

/// The values of a hidden field of that name, in the order of the page.
fn hidden<'a>(page: &'a Reply, name: &str) -> Vec<&'a str> {
    let start = format!("name=\"{name}\" value=\"");
    page.text.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Sends a form as the page has it.
async fn submit(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Reply {
    let encode =
        |text: &str| text.replace('%', "%25").replace('"', "%22").replace('&', "%26").replace("&#34;", "%22");
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let form = request("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    browser.send(form.body(body.join("&").into()).unwrap()).await
}

/// A page's hidden tag as the browser reads it.
fn seen(page: &Reply) -> String {
    hidden(page, "seen")[0].replace("&#34;", "\"").replace("&quot;", "\"")
}

async fn add(browser: &Browser, nth: usize) -> Reply {
    let page = browser.get("/").await.expect(200);
    let (key, sku) = (hidden(&page, "key")[nth].to_owned(), hidden(&page, "sku")[nth].to_owned());
    submit(browser, "/cart/add", &[("key", &key), ("seen", &seen(&page)), ("sku", &sku)]).await
}

#[tokio::test]
async fn a_guest_fills_changes_and_empties_a_cart() {
    let shop = shop();
    let browser = shop.browser();
    let added = add(&browser, 0).await.expect(303);
    assert_eq!(added.header("location"), Some("/cart?check=1"));
    let page = browser.get("/cart?check=1").await.expect(200);
    assert!(
        page.text.contains("Enamel mug") && !page.text.contains("did not keep our cookie"),
        "{}",
        page.text
    );
    assert_eq!(add(&browser, 1).await.expect(303).header("location"), Some("/cart"));
    assert_eq!(browser.cart().await.shown(), "mug-blue=1 notebook-a5=1");

    let page = browser.get("/cart").await.expect(200);
    let (keys, line) = (hidden(&page, "key"), hidden(&page, "line")[0]);
    let fields = [("key", keys[2]), ("seen", &seen(&page)), ("line", line), ("quantity", "7")];
    submit(&browser, "/cart/set", &fields).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "mug-blue=7 notebook-a5=1");
    let page = browser.get("/cart").await.expect(200);
    let fields = [("key", hidden(&page, "key")[3]), ("seen", &seen(&page)), ("line", line)];
    submit(&browser, "/cart/remove", &fields).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "notebook-a5=1");
    let page = browser.get("/cart").await.expect(200);
    let fields = [("key", *hidden(&page, "key").last().unwrap()), ("seen", &seen(&page))];
    submit(&browser, "/cart/clear", &fields).await.expect(303);
    assert!(browser.get("/cart").await.expect(200).text.contains("nothing in it yet"));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_counts_once() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, 0).await.expect(303);
    let page = browser.get("/").await.expect(200);
    let fields = [("key", hidden(&page, "key")[1]), ("seen", &seen(&page)), ("sku", hidden(&page, "sku")[1])];
    submit(&browser, "/cart/add", &fields).await.expect(303);
    submit(&browser, "/cart/add", &fields).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "mug-blue=1 notebook-a5=1");
}

#[tokio::test]
async fn each_form_of_a_page_has_a_key_of_its_own() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, 0).await.expect(303);
    for path in ["/", "/cart"] {
        let page = browser.get(path).await.expect(200);
        let mut keys = hidden(&page, "key");
        let forms = page.text.matches("<form").count();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), forms, "{path}");
    }
}

#[tokio::test]
async fn an_old_page_clears_only_what_it_showed() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, 0).await.expect(303);
    let old = browser.get("/cart").await.expect(200);
    add(&browser, 1).await.expect(303);
    let fields = [("key", *hidden(&old, "key").last().unwrap()), ("seen", &seen(&old))];
    submit(&browser, "/cart/clear", &fields).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "notebook-a5=1");
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookie_is_told_so_kindly() {
    let shop = shop();
    let page = shop.anyone().get("/cart?check=1").await.expect(200);
    assert!(page.text.contains("did not keep our cookie"));
    assert!(!shop.anyone().get("/cart").await.expect(200).text.contains("did not keep our cookie"));
}

#[tokio::test]
async fn the_pages_run_nothing_and_load_nothing_from_elsewhere() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, 0).await.expect(303);
    for path in ["/", "/cart"] {
        let page = browser.get(path).await.expect(200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for never in ["<script", "style=\"", "onclick", "http://", "https://", "src="] {
            assert!(!page.text.contains(never), "{path}: {never}");
        }
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    assert_eq!(
        browser.get("/style.css").await.expect(200).header("content-type"),
        Some("text/css; charset=utf-8")
    );
}

#[tokio::test]
async fn a_refused_form_is_a_page_that_says_why() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, 0).await.expect(303);
    let page = browser.get("/cart").await.expect(200);
    let line = hidden(&page, "line")[0];
    for (quantity, status) in [("10000", 422), ("x", 422), ("-1", 422), ("", 422)] {
        let refused =
            submit(&browser, "/cart/set", &[("line", line), ("quantity", quantity)]).await.expect(status);
        assert!(refused.text.contains("Nothing was changed"), "{}", refused.text);
    }
    submit(&browser, "/cart/set", &[("line", "gone"), ("quantity", "1")]).await.expect(303);
    submit(&browser, "/cart/add", &[("sku", ""), ("quantity", "1")]).await.expect(422);
    submit(&browser, "/cart/add", &[("sku", "a"), ("key", "")]).await.expect(400);
    assert_eq!(browser.cart().await.shown(), "mug-blue=1");
}

#[tokio::test]
async fn what_a_stranger_puts_into_a_cart_is_shown_as_text() {
    let shop = shop();
    let browser = shop.browser();
    browser.add("<script>alert(1)</script>", 1).await.expect(200);
    let page = browser.get("/cart").await.expect(200);
    assert!(!page.text.contains("<script") && page.text.contains("&#60;script&#62;"), "{}", page.text);
}
