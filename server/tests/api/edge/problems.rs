//! Problems: every code has its page, and unknown paths and methods are problems too.

use crate::support::{Actor, Shop};
use serde_json::json;
use trolley::http::problem::code::Code;
use trolley::service::cart::command::kept_refusal;

#[tokio::test]
async fn every_code_has_a_page_that_tells_what_to_do() {
    let shop = Shop::new();
    for code in Code::ALL {
        let page = shop.anyone().get(&format!("/problems/{}", code.as_str())).await.expect(200);
        assert!(page.text.contains(code.as_str()) && page.text.contains("<h1>"), "{}", page.text);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    }
    shop.anyone().get("/problems/no_such_code").await.problem(404, "not_found");
    shop.anyone().get("/problems/%ff").await.problem(404, "not_found");
}

#[test]
fn every_refusal_of_core_has_a_code_whose_status_a_retry_repeats() {
    use trolley_core::cart::op::{NotUndoable, Refusal};
    use trolley_core::ids::CartId;
    for refusal in [
        Refusal::LineNotFound,
        Refusal::QuantityOverLimit(1),
        Refusal::QuantityZero,
        Refusal::TooManyLines(1),
        Refusal::TooManySaved(1),
        Refusal::TooMuchText(1),
        Refusal::UnknownSku,
        Refusal::TotalTooLarge,
        Refusal::NotUndoable(NotUndoable::Gone),
        Refusal::Invalid(String::new()),
        Refusal::Sealed(CartId::from_bytes([0; 16])),
    ] {
        let code = Code::named(refusal.code().as_str()).unwrap_or_else(|| panic!("no page for {refusal:?}"));
        assert_eq!(kept_refusal(&refusal).status, code.status(), "{refusal:?}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let shop = Shop::new();
    shop.anyone().get("/v1/nothing").await.problem(404, "not_found");
    shop.anyone().get("/v1/cart/").await.problem(404, "not_found");
    let refused = shop.anyone().json("PATCH", "/v1/cart", json!({})).await.problem(405, "method_not_allowed");
    let allow = refused.header("allow").unwrap();
    for method in ["GET", "HEAD", "DELETE"] {
        assert!(allow.contains(method), "{allow}");
    }
    shop.anyone().json("POST", "/test/clock", json!({"advance_ms": 1})).await.problem(404, "not_found");
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own_and_is_not_stored() {
    let shop = Shop::new();
    let (a, b) = (shop.anyone().cart().await, shop.anyone().get("/nowhere").await);
    assert_ne!(a.header("request-id").unwrap(), b.header("request-id").unwrap());
    assert_eq!((a.header("cache-control"), b.header("cache-control")), (Some("no-store"), Some("no-store")));
}

#[tokio::test]
async fn the_probes_answer() {
    let shop = Shop::new();
    shop.anyone().get("/healthz").await.expect(200);
    shop.anyone().get("/readyz").await.expect(200);
    shop.store.fail_loads(true);
    shop.anyone().get("/healthz").await.expect(200);
    shop.anyone().get("/readyz").await.problem(503, "store_down");
}
