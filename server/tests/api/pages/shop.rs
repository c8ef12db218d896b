//! The demo shop as a browser without JavaScript uses it: pages, their forms, and what follows.

use serde_json::Value;

use crate::support::demo::{Form, add, form, shop};
use crate::support::{Actor, days, request};

/// Every page that a guest can open.
const PAGES: [&str; 10] = [
    "/",
    "/aisle/kitchen",
    "/aisle/all",
    "/search?q=red",
    "/product/tee",
    "/cart",
    "/cart/history",
    "/checkout",
    "/orders",
    "/back-room",
];

#[tokio::test]
async fn a_guest_fills_changes_and_empties_a_cart() {
    let shop = shop();
    let browser = shop.browser();
    assert_eq!(add(&browser, "mug").await.header("location"), Some("/cart?at=1&check=1"));
    let page = browser.get("/cart?at=1&check=1").await.expect(200);
    assert!(page.text.contains("Added 1 × Enamel mug, blue"), "{}", page.text);
    assert!(!page.text.contains("did not keep our cookie"));
    assert_eq!(add(&browser, "board").await.header("location"), Some("/cart?at=2"));
    assert_eq!(browser.cart().await.shown(), "mug=1 board=1");

    form(&browser, "/cart", "/cart/set").await.with("to", "7").send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "mug=7 board=1");
    form(&browser, "/cart", "/cart/remove").await.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "board=1");
    form(&browser, "/cart", "/cart/clear").await.send(&browser).await.expect(303);
    assert!(browser.get("/cart").await.expect(200).text.contains("nothing in it yet"));
}

#[tokio::test]
async fn what_was_done_can_be_taken_back_from_the_message_and_from_the_history() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    add(&browser, "mill").await;
    let removed = form(&browser, "/cart", "/cart/remove").await.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "mill=1");
    form(&browser, removed.header("location").unwrap(), "/cart/undo").await.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "mill=1 board=1");
    let history = browser.get("/cart/history").await.expect(200);
    let of_mill =
        Form::all(&history).into_iter().find(|form| form.fields.iter().any(|(_, value)| value == "2"));
    of_mill.unwrap().send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "board=1");
    assert!(history.text.contains("just now, by you, in this browser"));
    for wrong in ["x", "999", ""] {
        let undo = Form { action: "/cart/undo".to_owned(), fields: Vec::new() }.with("revision", wrong);
        undo.send(&browser).await.expect(409);
    }
}

#[tokio::test]
async fn a_line_is_saved_for_later_comes_back_and_is_dropped() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "tent").await;
    form(&browser, "/cart", "/cart/save").await.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "");
    form(&browser, "/cart", "/cart/unsave").await.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "tent=1");
    form(&browser, "/cart", "/cart/save").await.send(&browser).await.expect(303);
    form(&browser, "/cart", "/cart/discard").await.send(&browser).await.expect(303);
    assert!(!browser.get("/cart").await.expect(200).text.contains("Saved for later"));
}

#[tokio::test]
async fn options_are_chosen_from_those_on_sale() {
    let shop = shop();
    let browser = shop.browser();
    let tee = form(&browser, "/product/tee", "/cart/add").await;
    tee.clone().with("option.colour", "sky").with("option.size", "L").send(&browser).await.expect(303);
    let cart = browser.cart().await;
    assert_eq!(cart.json["lines"][0]["options"], serde_json::json!({"colour": "sky", "size": "L"}));
    let refused = tee.with("key", "another").with("option.colour", "gold").send(&browser).await.expect(422);
    assert!(refused.text.contains("Choose a colour first"), "{}", refused.text);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_counts_once() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    let again = form(&browser, "/product/mill", "/cart/add").await;
    again.send(&browser).await.expect(303);
    again.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "board=1 mill=1");
}

#[tokio::test]
async fn each_form_that_changes_the_cart_has_a_key_of_its_own_and_says_what_it_showed() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    for path in PAGES {
        let page = browser.get(path).await.expect(200);
        let forms: Vec<_> =
            Form::all(&page).into_iter().filter(|form| form.action.starts_with("/cart/")).collect();
        let mut keys: Vec<_> =
            forms.iter().filter_map(|form| form.fields.iter().find(|(name, _)| name == "key")).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), forms.len(), "{path}");
        assert!(forms.iter().all(|form| form.fields.iter().any(|(name, _)| name == "seen")), "{path}");
    }
}

#[tokio::test]
async fn an_old_page_clears_only_what_it_showed() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    let old = form(&browser, "/cart", "/cart/clear").await;
    add(&browser, "mill").await;
    old.send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "mill=1");
}

#[tokio::test]
async fn the_back_room_changes_a_price_and_the_stock_and_carts_say_so() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "stool").await;
    let stool = Form { action: "/back-room".to_owned(), fields: Vec::new() }.with("sku", "stool");
    stool.clone().with("price", "85,50").with("stock", "0").send(&browser).await.expect(303);
    let page = browser.get("/cart").await.expect(200);
    assert!(page.text.contains("Milking stool costs €85.50 now; it was €79.00."), "{}", page.text);
    assert!(page.text.contains("Only 0 of Milking stool left"), "{}", page.text);
    assert!(browser.get("/product/stool").await.expect(200).text.contains("Sold out"));
    for (price, stock) in [("x", "1"), ("-1", "1"), ("1", "x"), ("1", "100000"), ("100000.01", "1"), ("", "")]
    {
        stool.clone().with("price", price).with("stock", stock).send(&browser).await.expect(422);
    }
    stool.with("sku", "nothing").with("price", "1").with("stock", "1").send(&browser).await.expect(422);
}

#[tokio::test]
async fn a_search_finds_products_and_says_where_there_is_none() {
    let shop = shop();
    let found = shop.anyone().get("/search?q=walking+socks").await.expect(200);
    assert!(found.text.contains("1 thing for “walking socks”"), "{}", found.text);
    let none = shop.anyone().get("/search?q=%3Cscript%3E").await.expect(200);
    assert!(none.text.contains("Nothing for “&#60;script&#62;”"), "{}", none.text);
    shop.anyone().get("/search").await.expect(200);
    let long = format!("/search?q={}", "a".repeat(500));
    assert!(shop.anyone().get(&long).await.expect(200).text.len() < 20_000);
}

#[tokio::test]
async fn what_is_not_in_the_shop_is_said_in_its_own_words() {
    let shop = shop();
    for path in ["/product/nothing", "/aisle/nowhere"] {
        assert!(shop.anyone().get(path).await.expect(404).text.contains("looked on every shelf"));
    }
    for path in ["/shop/now/pictures/nothing.svg", "/shop/now/js/../mod.rs", "/shop/now/Cargo.toml"] {
        shop.anyone().get(path).await.expect(404);
    }
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookie_is_told_why_and_what_to_do() {
    let shop = shop();
    let page = shop.anyone().get("/cart?at=1&check=1").await.expect(200);
    assert!(page.text.contains("did not keep our cookie") && page.text.contains("https"));
    assert!(!shop.anyone().get("/cart").await.expect(200).text.contains("did not keep our cookie"));
}

#[tokio::test]
async fn after_expiry_the_cart_is_empty_in_a_friendly_way_and_a_new_one_begins() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    assert_eq!(browser.cart().await.shown(), "board=1");
    shop.turn(days(31)).await;
    let page = browser.get("/cart").await.expect(200);
    assert!(page.text.contains("It has been a while"), "{}", page.text);
    assert_eq!(page.header("set-cookie"), None);
    add(&browser, "mill").await;
    assert_eq!(browser.cart().await.shown(), "mill=1");
    assert!(!shop.anyone().get("/cart").await.expect(200).text.contains("It has been a while"));
}

#[tokio::test]
async fn the_pages_run_only_our_files_and_load_nothing_from_elsewhere() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    for path in PAGES {
        let page = browser.get(path).await.expect(200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"));
        for never in ["<script>", "style=\"", "onclick", "http://", "src=\"//", "javascript:"] {
            assert!(!page.text.contains(never), "{path}: {never}");
        }
        assert_eq!(page.header("cache-control"), Some("no-store"));
        for address in page
            .text
            .split(['"', '\''])
            .filter(|part| part.starts_with("/shop/") && !part.ends_with(".woff2"))
        {
            let file = shop.anyone().get(address).await.expect(200);
            assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{address}");
            assert!(file.header("cache-control").unwrap().ends_with("immutable"), "{address}");
        }
    }
}

#[tokio::test]
async fn a_refused_form_is_a_page_that_says_why() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    let set = form(&browser, "/cart", "/cart/set").await;
    for quantity in ["10000", "x", "-1", ""] {
        let refused = set.clone().with("key", "k").with("to", quantity).send(&browser).await.expect(422);
        assert!(refused.text.contains("Nothing was changed"), "{}", refused.text);
    }
    set.with("line", "gone").send(&browser).await.expect(303);
    let add = Form { action: "/cart/add".to_owned(), fields: Vec::new() };
    for (sku, key, status) in [("", "k", 422), ("nothing", "l", 422), ("board", "", 400)] {
        add.clone().with("sku", sku).with("key", key).send(&browser).await.expect(status);
    }
    assert_eq!(browser.cart().await.shown(), "board=1");
}

#[tokio::test]
async fn who_asked_for_a_page_gets_one_also_where_the_answer_is_a_problem() {
    const PAGE: [(&str, &str); 1] = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    let page = async |method: &str, path: &str, status: u16, title: &str| {
        let page = browser.with(method, path, &PAGE, Value::Null).await.expect(status);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{method} {path}");
        assert!(page.header("content-security-policy").is_some());
        assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{}", page.text);
        page
    };
    let nothing = page("GET", "/nothing", 404, "There is nothing here").await;
    assert!(nothing.text.contains("id=\"count\">1<") && !nothing.text.contains("Nothing was changed"));
    page("GET", "/search?q=a&q=b", 422, "We could not read that").await;
    let wrong = page("POST", "/aisle/kitchen", 405, "This is not the way in").await;
    assert_eq!(wrong.header("allow"), Some("GET,HEAD"));
    shop.store.fail_loads(true);
    let down = page("GET", "/orders", 503, "The store does not answer").await;
    assert_eq!(down.header("retry-after"), Some("1"));
    shop.store.fail_loads(false);
    browser.get("/nothing").await.problem(404, "not_found");
    browser.with("GET", "/v1/nothing", &PAGE, Value::Null).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_form_that_is_refused_before_it_is_read_is_a_page_too_also_to_the_pages_script() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    let big = format!("sku={}", "a".repeat(70_000));
    let send = async |path: &str, accept: Option<&str>, body: &str| {
        let form = request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let form = accept.into_iter().fold(form, |form, accept| form.header("accept", accept));
        browser.send(form.body(body.to_owned().into()).unwrap()).await
    };
    for accept in [Some("text/html,*/*;q=0.8"), Some("*/*"), None] {
        for (path, body, status, title) in [
            ("/cart/add", "sku=%zz", 422, "We could not read that"),
            ("/cart/add", "sku=%ff", 422, "We could not read that"),
            ("/cart/add", &big, 413, "That is too long for us"),
            ("/aisle/kitchen", "", 405, "This is not the way in"),
            ("/cart/add", "sku=board&quantity=10000", 422, "That is more than we can pack"),
            ("/cart/add", "sku=board&quantity=99999999999", 422, "That is more than we can pack"),
            ("/cart/add", "sku=board&quantity=x", 422, "That is no number of things"),
        ] {
            let page = send(path, accept, body).await.expect(status);
            assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{accept:?} {path}: {}", page.text);
            assert!(
                !page.text.contains("Allow header") && !page.text.contains("the errors"),
                "{}",
                page.text
            );
        }
    }
    send("/cart/add", Some("application/json"), "sku=%zz").await.problem(422, "invalid_body");
    assert_eq!(browser.cart().await.shown(), "board=1");
}

#[tokio::test]
async fn amounts_have_their_thousands_apart() {
    let shop = shop();
    let browser = shop.browser();
    let tents = form(&browser, "/product/tent", "/cart/add").await.with("quantity", "9999");
    tents.send(&browser).await.expect(303);
    let amount = browser.cart().await.json["subtotal"]["amount"].as_u64().unwrap();
    let (thousands, rest) = (amount / 100_000, amount % 100_000);
    let shown =
        format!("€{},{:03},{:03}.{:02}", thousands / 1_000, thousands % 1_000, rest / 100, rest % 100);
    for path in ["/cart", "/checkout"] {
        assert!(browser.get(path).await.expect(200).text.contains(&shown), "{path}: {shown}");
    }
}

#[tokio::test]
async fn what_a_stranger_puts_into_a_cart_is_shown_as_text() {
    let shop = shop();
    let browser = shop.browser();
    let line = serde_json::json!({"sku": "mug", "options": {"<b>": "<script>alert(1)</script>"}});
    browser.json("POST", "/v1/cart/lines", line).await.expect(200);
    for path in ["/cart", "/cart/history"] {
        let page = browser.get(path).await.expect(200);
        assert!(!page.text.contains("<script>") && page.text.contains("&#60;script&#62;"), "{}", page.text);
    }
}

#[tokio::test]
async fn an_order_is_what_was_agreed_to_and_comes_back_once_when_its_payment_fails() {
    let shop = shop();
    let browser = shop.browser();
    add(&browser, "board").await;
    add(&browser, "mill").await;
    let agreed = form(&browser, "/checkout", "/checkout").await;
    let placed = agreed.send(&browser).await.expect(303);
    let address = placed.header("location").unwrap().to_owned();
    assert_eq!(
        agreed.send(&browser).await.expect(303).header("location"),
        Some(address.as_str()),
        "sent twice"
    );
    assert_eq!(browser.cart().await.shown(), "");
    let page = browser.get(&address).await.expect(200);
    assert!(page.text.contains("Thank you!") && page.text.contains("€62.00"), "{}", page.text);
    assert!(browser.get("/orders").await.expect(200).text.contains("Chopping board and 1 more"));

    let path = address.split('?').next().unwrap();
    let other = shop.browser();
    add(&other, "tent").await;
    assert_eq!(other.get(path).await.status, 404, "somebody else's order");
    let fails = Form::of(&page, &format!("{path}/cancel"));
    fails.send(&other).await.expect(404);
    for _ in 0..2 {
        fails.send(&browser).await.expect(303);
        assert_eq!(browser.cart().await.shown(), "board=1 mill=1");
    }
    assert!(browser.get(path).await.expect(200).text.contains("This order is off"));
}

#[tokio::test]
async fn who_agreed_to_something_else_is_shown_what_it_is_now() {
    let shop = shop();
    let browser = shop.browser();
    assert_eq!(browser.get("/checkout").await.expect(303).header("location"), Some("/cart"));
    add(&browser, "stool").await;
    let old = form(&browser, "/checkout", "/checkout").await;
    add(&browser, "mill").await;
    let refused = old.send(&browser).await.expect(409);
    assert!(refused.text.contains("Your cart was changed while you looked"), "{}", refused.text);
    let dear = Form::of(&refused, "/checkout");
    let label = Form { action: "/back-room".to_owned(), fields: Vec::new() }.with("sku", "stool");
    label.clone().with("price", "90").with("stock", "6").send(&browser).await.expect(303);
    let refused = dear.send(&browser).await.expect(409);
    assert!(refused.text.contains("A price was changed") && refused.text.contains("€124.00"));
    label.with("price", "90").with("stock", "0").send(&browser).await.expect(303);
    let short = Form::of(&refused, "/checkout").send(&browser).await.expect(409);
    assert!(short.text.contains("less left than you want"), "{}", short.text);
    Form::of(&short, "/checkout").with("available", "1").send(&browser).await.expect(303);
    assert_eq!(browser.cart().await.shown(), "");
    assert!(browser.get("/cart").await.expect(200).text.contains("Milking stool"), "saved for later");
}
