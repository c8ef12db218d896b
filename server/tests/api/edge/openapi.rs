//! The API's description: complete, whole in itself, and readable offline. That answers are as described is checked of every
//! answer of every test (`support/described.rs`).

use std::collections::HashSet;

use crate::support::{Actor, Shop};
use serde_json::{Value, json};
use trolley::http::server::app::description;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

/// Method, path and description of each operation.
fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
    let paths = description()["paths"].as_object().unwrap();
    let of = |(path, operations): (&'static String, &'static Value)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(|(method, operation)| (method.as_str(), path.as_str(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[tokio::test]
async fn the_server_serves_the_description_that_the_program_prints() {
    let shop = Shop::new();
    let served = shop.anyone().get("/openapi.json").await.expect(200);
    assert_eq!((&served.json, &served.json["openapi"]), (description(), &json!("3.1.0")));
}

#[tokio::test]
async fn every_operation_is_a_route_and_has_a_name_of_its_own() {
    let shop = Shop::with(HttpConfig { test_clock: true, ..HttpConfig::default() }, Settings::default());
    let mut names = HashSet::new();
    for (method, path, operation) in operations() {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{path}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path}");
        let path = path.replace("{code}", "not_found").replace(['{', '}'], "");
        let reply = shop.anyone().json(&method.to_uppercase(), &path, json!({})).await;
        let refused = reply.json["code"].as_str().unwrap_or_default();
        assert!(!["method_not_allowed", "not_found"].contains(&refused), "{method} {path}: {}", reply.text);
    }
}

#[test]
fn who_reads_the_description_learns_that_a_first_write_goes_alone_and_where_pages_lead() {
    let says = |value: &Value| value.as_str().is_some_and(|text| text.contains("first write alone"));
    assert!(says(&description()["info"]["description"]));
    let add = &description()["paths"]["/v1/cart/lines"]["post"]["parameters"];
    let key =
        add.as_array().unwrap().iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
    assert!(
        says(&key["description"]) && key["description"].as_str().unwrap().contains("1 to 128 visible ASCII")
    );
    let paged = operations().into_iter().filter(|(_, _, operation)| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["name"] == "after")
    });
    let paged: Vec<_> = paged
        .map(|(_, path, operation)| (path, !operation["responses"]["200"]["headers"]["Link"].is_null()))
        .collect();
    assert!(paged.len() >= 3 && paged.iter().all(|(_, linked)| *linked), "{paged:?}");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, found: &mut usize) {
        match value {
            Value::Object(members) => {
                if let Some(to) = members.get("$ref").and_then(Value::as_str) {
                    assert!(description().pointer(to.trim_start_matches('#')).is_some(), "{to}");
                    *found += 1;
                }
                if let Some(id) = members.get("operationId").filter(|_| members.contains_key("parameters")) {
                    assert!(
                        operations().iter().any(|(_, _, operation)| &operation["operationId"] == id),
                        "{id}"
                    );
                }
                members.values().for_each(|member| walk(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = 0;
    walk(description(), &mut found);
    assert!(found > 100);
}

#[tokio::test]
async fn the_page_for_people_names_every_operation_and_needs_no_other_host() {
    let page = Shop::new().anyone().get("/docs").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for (_, path, operation) in operations() {
        assert!(
            page.text.contains(&format!("id=\"{}\"", operation["operationId"].as_str().unwrap())),
            "{path}"
        );
    }
    for foreign in ["http://", "https://", "src=", "<script", "url(", "@import"] {
        assert!(!page.text.contains(foreign), "{foreign}");
    }
    assert!(page.text.len() < 200_000, "{} bytes", page.text.len());
}
