//! Ending devices under an `Idempotency-Key`: a retry has the same status, and no second effect.

use serde_json::Value;

use crate::account::accounts::{EMAIL, is_signed_in, shop, signed_in, signed_up};
use crate::support::reply::Reply;
use crate::support::{Actor, Browser};

async fn end(browser: &Browser, path: &str, key: &str) -> Reply {
    browser.with("DELETE", path, &[("idempotency-key", key)], Value::Null).await
}

async fn device_of(browser: &Browser) -> String {
    browser.get("/v1/session").await.json["device"]["id"].as_str().unwrap().to_owned()
}

fn replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn to_end_a_device_again_under_its_key_is_the_same_204_and_names_no_device_as_gone() {
    let shop = shop();
    let (here, there) = (signed_up(&shop, EMAIL).await, signed_in(&shop, EMAIL).await);
    let path = format!("/v1/sessions/{}", device_of(&there).await);
    assert!(!replayed(&end(&here, &path, "one").await.expect(204)));
    assert!(!is_signed_in(&there).await);
    for _ in 0..2 {
        let again = end(&here, &path, "one").await.expect(204);
        assert!(replayed(&again));
        assert_eq!(again.set_cookie(), None);
    }
    end(&here, &path, "another").await.problem(404, "session_not_found");
    end(&here, "/v1/sessions", "one").await.problem(422, "idempotency_key_reused");
    end(&here, "/v1/sessions/nonsense", "one").await.problem(404, "session_not_found");
    let trail = here.get("/v1/account/audit").await.expect(200);
    assert_eq!(trail.text.matches("\"session_revoked\"").count(), 1, "{}", trail.text);
}

#[tokio::test]
async fn to_end_all_others_again_under_its_key_ends_none_that_signed_in_since() {
    let shop = shop();
    let (here, there) = (signed_up(&shop, EMAIL).await, signed_in(&shop, EMAIL).await);
    end(&here, "/v1/sessions", "one").await.expect(204);
    assert!(!is_signed_in(&there).await);
    let since = signed_in(&shop, EMAIL).await;
    for path in ["/v1/sessions", "/v1/sessions?all=false"] {
        assert!(replayed(&end(&here, path, "one").await.expect(204)), "{path} means the same");
    }
    assert!(is_signed_in(&since).await);
    end(&here, "/v1/sessions?all=true", "one").await.problem(422, "idempotency_key_reused");
    assert!(is_signed_in(&here).await && is_signed_in(&since).await);
    end(&here, "/v1/sessions", "two").await.expect(204);
    assert!(!is_signed_in(&since).await);
}

#[tokio::test]
async fn two_at_once_under_one_key_end_a_device_once() {
    let shop = shop();
    let (here, there) = (signed_up(&shop, EMAIL).await, signed_in(&shop, EMAIL).await);
    let path = format!("/v1/sessions/{}", device_of(&there).await);
    let (one, other) = tokio::join!(end(&here, &path, "one"), end(&here, &path, "one"));
    assert_eq!((one.status, other.status), (204, 204));
    assert!(replayed(&one) != replayed(&other));
}

/// Nothing can be replayed where the call ended the session whose keys these are: that token is out of use, and this is told first.
#[tokio::test]
async fn who_ended_its_own_session_is_told_so_by_the_retry() {
    let shop = shop();
    signed_up(&shop, EMAIL).await;
    for by_id in [true, false] {
        let this = signed_in(&shop, EMAIL).await;
        let path = match by_id {
            true => format!("/v1/sessions/{}", device_of(&this).await),
            false => "/v1/sessions?all=true".to_owned(),
        };
        let late = shop.browser_with(&this.cookie().unwrap());
        end(&this, &path, "one").await.expect(204);
        assert_eq!(end(&late, &path, "one").await.problem(401, "session_ended").set_cookie(), None);
    }
}
