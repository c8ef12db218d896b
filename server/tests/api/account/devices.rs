//! S20: an account's devices, as its owner and the shop see them, and how they are ended.

use serde_json::{Value, json};

use crate::account::accounts::{EMAIL, PASSWORD, is_signed_in, login, shop, signed_in, signed_up};
use crate::support::Actor;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[tokio::test]
async fn s20_the_list_names_devices_and_holds_no_usable_secret() {
    let shop = shop();
    let here = signed_up(&shop, EMAIL).await;
    let there = shop.browser();
    let agent = [("user-agent", FIREFOX)];
    there.with("POST", "/v1/session/sign-in", &agent, login(EMAIL, PASSWORD)).await.expect(200);
    let list = here.get("/v1/sessions").await.expect(200);
    let rows = list.json["sessions"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let current: Vec<_> = rows.iter().filter(|row| row["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["id"], here.get("/v1/session").await.json["device"]["id"]);
    let other = rows.iter().find(|row| row["current"] == false).unwrap();
    assert!(other["name"].as_str().unwrap().contains("Firefox"), "{other}");
    assert_eq!(other["address"], "127.0.0.1");
    assert!(other["first_seen"].is_string() && other["last_seen"].is_string());
    for secret in [here.cookie().unwrap(), there.cookie().unwrap()] {
        assert!(!list.text.contains(&secret));
    }
    for row in rows {
        let id = row["id"].as_str().unwrap();
        assert!(!is_signed_in(&shop.browser_with(id)).await, "an id opens nothing");
    }
}

#[tokio::test]
async fn s20_one_or_all_others_or_all_can_be_ended() {
    let shop = shop();
    let here = signed_up(&shop, EMAIL).await;
    let others =
        [signed_in(&shop, EMAIL).await, signed_in(&shop, EMAIL).await, signed_in(&shop, EMAIL).await];
    let id = others[0].get("/v1/session").await.json["device"]["id"].as_str().unwrap().to_owned();
    let ended = here.delete(&format!("/v1/sessions/{id}")).await.expect(204);
    assert_eq!(ended.set_cookie(), None);
    assert!(!is_signed_in(&others[0]).await && is_signed_in(&others[1]).await);
    here.delete(&format!("/v1/sessions/{id}")).await.problem(404, "session_not_found");
    here.delete("/v1/sessions/nonsense").await.problem(404, "session_not_found");
    here.delete("/v1/sessions").await.expect(204);
    assert!(is_signed_in(&here).await && !is_signed_in(&others[1]).await && !is_signed_in(&others[2]).await);
    let again = signed_in(&shop, EMAIL).await;
    let out = here.delete("/v1/sessions?all=true").await.expect(204);
    assert_eq!(out.token().as_deref(), Some(""), "this one too: its cookie is taken back");
    assert!(!is_signed_in(&here).await && !is_signed_in(&again).await);
    let last = signed_in(&shop, EMAIL).await;
    last.delete("/v1/sessions?all=perhaps").await.problem(422, "invalid_query");
    assert!(is_signed_in(&last).await);
}

#[tokio::test]
async fn s20_nobody_ends_anothers_device() {
    let shop = shop();
    let ann = signed_up(&shop, EMAIL).await;
    let bob = signed_up(&shop, "bob@example.com").await;
    let id = ann.get("/v1/session").await.json["device"]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/v1/sessions/{id}")).await.problem(404, "session_not_found");
    assert!(is_signed_in(&ann).await);
}

#[tokio::test]
async fn ending_this_device_by_its_id_is_a_sign_out() {
    let shop = shop();
    let here = signed_up(&shop, EMAIL).await;
    let id = here.get("/v1/session").await.json["device"]["id"].as_str().unwrap().to_owned();
    let out = here.delete(&format!("/v1/sessions/{id}")).await.expect(204);
    assert_eq!(out.header("clear-site-data"), Some("\"storage\""));
    assert_eq!(here.get("/v1/session").await.json, json!({"signed_in": false}));
    here.json("POST", "/v1/session/sign-out", Value::Null).await;
}
