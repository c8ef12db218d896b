//! S31: an account's owner is told of each use of a remembered device: by what, from where, and what it ended.

use axum::http::HeaderValue;
use serde_json::{Value, json};
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley_core::time::Span;

use crate::account::accounts::{EMAIL, PASSWORD, shop};
use crate::support::somebody::{Somebody, at};
use crate::support::{Actor, Shop};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0";

/// Who came by a copy of the token, elsewhere.
fn thief<'a>(shop: &'a Shop, remember: &str) -> Somebody<'a> {
    let mut thief = at(shop, "198.51.100.66");
    thief.headers.insert("cookie", HeaderValue::from_str(&format!("{REMEMBER}={remember}")).unwrap());
    thief.headers.insert("user-agent", HeaderValue::from_static(CHROME));
    thief
}

/// The rows about that, the newest first: by which device, and from where.
fn rows(audit: &Value, what: &str) -> Vec<(Value, Value)> {
    let events = audit["events"].as_array().unwrap().iter().filter(|row| row["event"] == what);
    events.map(|row| (row["device"].clone(), row["address"].clone())).collect()
}

#[tokio::test]
async fn s31_who_uses_a_remembered_device_is_recorded_and_shown_and_so_is_the_session_that_ends() {
    for lived in [true, false] {
        let shop = shop();
        shop.store.never_sweep();
        let owner = shop.device();
        let up = json!({"email": EMAIL, "password": PASSWORD, "remember": true});
        owner.json("POST", "/v1/accounts", up).await.expect(201);
        if !lived {
            shop.turn(Span::from_hours(3)).await;
        }
        let thief = thief(&shop, &owner.cookie(REMEMBER).unwrap());
        let used = thief.get("/v1/session").await.expect(200);
        assert_eq!(used.json["signed_in"], true);
        owner.drop_cookie(REMEMBER);
        assert!(!owner.is_signed_in().await, "the device has one session");
        // As the owner sees it from another device.
        owner.drop_cookie(NAME);
        owner
            .json("POST", "/v1/session/sign-in", json!({"email": EMAIL, "password": PASSWORD}))
            .await
            .expect(200);
        let audit = owner.get("/v1/account/audit").await.expect(200).json;
        let him = (json!("Chrome on Windows"), json!("198.51.100.66"));
        assert_eq!(rows(&audit, "remembered"), vec![him.clone()]);
        let (revoked, expired) = (rows(&audit, "session_revoked"), rows(&audit, "session_expired"));
        assert_eq!(revoked, if lived { vec![him] } else { vec![] }, "{audit}");
        assert_eq!(expired.len(), usize::from(!lived), "{audit}");
        // With the session, and after its time while the device is remembered.
        for _ in 0..2 {
            let list = owner.get("/v1/sessions").await.expect(200).json;
            let others = list["sessions"].as_array().unwrap().iter().filter(|row| row["current"] != true);
            let shown: Vec<_> = others.map(|row| (row["name"].clone(), row["address"].clone())).collect();
            assert_eq!(shown, [(json!("Chrome on Windows"), json!("198.51.100.66"))]);
            shop.turn(Span::from_s(70 * 60)).await;
            owner.cart().await;
            shop.turn(Span::from_s(70 * 60)).await;
            owner.cart().await;
        }
    }
}
