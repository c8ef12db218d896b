//! What a refusal says: the trouble by its name, and what to do about it. A text that leads astray costs an adopter an hour.

use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::limits::addresses::GUESSES;
use trolley::service::settings::{Bounds, Settings};
use trolley_core::access::Scope;

use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::{Actor, Shop, days, request};

/// Each of these words stands in the detail.
#[track_caller]
fn says(reply: &Reply, words: &[&str]) {
    let detail = reply.json["detail"].as_str().unwrap();
    assert!(words.iter().all(|word| detail.contains(word)), "{words:?}: {detail}");
    assert!(detail.ends_with('.'), "{detail}");
}

async fn post(shop: &Shop, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut request = request("POST", path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    shop.anyone().send(request.body(body.to_vec().into()).unwrap()).await
}

#[tokio::test]
async fn what_curl_sends_as_a_form_is_told_by_its_content_type_and_not_by_its_site() {
    let shop = Shop::new();
    let app = format!("Bearer {}", shop.bearer().await.token);
    for (content_type, names) in [
        ("application/x-www-form-urlencoded", "curl -d"),
        ("multipart/form-data; boundary=x", "curl -F"),
        ("text/plain", "text/plain"),
    ] {
        for path in ["/v1/cart/lines", "/v1/cart/checkout", "/v1/session/sign-in", "/v1/session"] {
            for more in [None, Some(("authorization", app.as_str()))] {
                let mut headers = vec![("content-type", content_type)];
                headers.extend(more);
                let told = post(&shop, path, &headers, br#"{"sku":"a"}"#).await;
                let told = told.problem(415, "unsupported_media_type");
                says(&told, &[names, "Content-Type: application/json", "--json"]);
                assert!(!told.text.contains("site"), "{}", told.text);
            }
        }
    }
    let patch = request("PATCH", "/v1/session/data")
        .header("content-type", "text/csv")
        .header("origin", "http://shop.test");
    let told =
        shop.anyone().send(patch.body("{}".into()).unwrap()).await.problem(415, "unsupported_media_type");
    says(&told, &["text/csv", "Content-Type: application/merge-patch+json"]);
}

#[tokio::test]
async fn a_body_without_a_type_or_of_several_is_told_so() {
    let shop = Shop::new();
    for (types, names) in [
        (&[][..], "without a Content-Type"),
        (&["application/json; charset=latin1"], "charset"),
        (&["application/json", "application/json"], "several"),
        (&["application/xml"], "application/xml"),
        (&["a/b <script>"], "something else"),
    ] {
        let headers: Vec<_> = types.iter().map(|value| ("content-type", *value)).collect();
        let told =
            post(&shop, "/v1/cart/lines", &headers, b"{}").await.problem(415, "unsupported_media_type");
        says(&told, &[names, "application/json"]);
    }
}

#[tokio::test]
async fn an_empty_body_is_told_to_be_empty_and_one_in_another_encoding_what_it_is() {
    let shop = Shop::new();
    let json = [("content-type", "application/json")];
    for (headers, body, names) in [
        (&[][..], b"".as_slice(), "empty"),
        (&json, b"", "empty"),
        (&json, b"\xef\xbb\xbf \n", "empty"),
        (&json, b"\xff\xfe{\x00}\x00", "UTF-16"),
        (&json, b"\x1f\x8b\x08\x00", "gzip"),
        (&json, b"{\"a\":\"\xff\"}", "not UTF-8"),
    ] {
        says(&post(&shop, "/v1/cart/lines", headers, body).await.problem(400, "invalid_json"), &[names]);
    }
    for coding in ["gzip", "br", "identity, deflate", "aes128gcm"] {
        let headers = [("content-type", "application/json"), ("content-encoding", coding)];
        let told = post(&shop, "/v1/cart/lines", &headers, b"\x1f\x8b\x08").await;
        let told = told.problem(415, "unsupported_media_type");
        says(&told, &["Content-Encoding", coding.trim_start_matches("identity, ")]);
        assert_eq!(told.header("accept-encoding"), Some("identity"));
    }
    let as_it_is = [("content-type", "application/json"), ("content-encoding", "identity")];
    post(&shop, "/v1/cart/lines", &as_it_is, br#"{"sku":"a"}"#).await.expect(200);
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let shop = Shop::new();
    let json = [("content-type", "application/json")];
    let added = post(&shop, "/v1/cart/lines", &json, b"\xef\xbb\xbf{\"sku\":\"a\"}").await.expect(200);
    assert_eq!(added.shown(), "a=1");
}

#[tokio::test]
async fn what_stands_in_authorization_by_mistake_is_named_and_is_no_guess() {
    let shop = Shop::still(HttpConfig::default(), Settings { rate_limits: true, ..Settings::default() });
    let (secret, _) = shop.service.make_key("warehouse", vec![Scope::Orders]).await.unwrap();
    let key = secret.expose();
    let with = async |path: &str, value: &str| {
        let mut somebody = at(&shop, "192.0.2.1");
        somebody.headers.insert("authorization", value.parse().unwrap());
        somebody.get(path).await
    };
    for _ in 0..=GUESSES.most / 8 {
        for (value, names) in [
            (format!("Bearer {key}"), "it opens /v1/admin"),
            (key.to_owned(), "write Authorization: Bearer"),
            ("Bearer undefined".to_owned(), "\"undefined\""),
            ("Bearer null".to_owned(), "\"null\""),
            ("bearer \"NULL\"".to_owned(), "\"null\""),
            ("Bearer [object Object]".to_owned(), "had no token yet"),
            ("Bearer ".to_owned(), "nothing after Bearer"),
            ("Bearer".to_owned(), "nothing after Bearer"),
        ] {
            let told = with("/v1/cart", &value).await.problem(401, "unsupported_authorization");
            says(&told, &[names]);
            assert_eq!(told.header("www-authenticate"), Some("Bearer"));
            assert!(!told.text.contains(key), "no answer holds a key");
        }
        for (value, names) in [
            (key, "write Authorization: Bearer"),
            ("Bearer undefined", "api-key new"),
            ("Bearer", "api-key new"),
        ] {
            says(&with("/v1/admin/orders", value).await.problem(401, "unsupported_authorization"), &[names]);
        }
    }
    says(
        &with("/v1/admin/orders", "Basic dXNlcjpwYXNz").await.problem(401, "api_key_missing"),
        &["api-key new"],
    );
    with("/v1/cart", "Bearer x").await.problem(401, "session_ended");
    says(&with("/v1/admin/orders", "Bearer x").await.problem(401, "api_key_unknown"), &["trk_"]);
    with("/v1/admin/orders", &format!("Bearer {key}")).await.expect(200);
}

#[tokio::test]
async fn a_stream_too_many_is_told_the_limit() {
    let most = Bounds::default().session_streams;
    let shop = Shop::new();
    let app = shop.bearer().await;
    let mut open = Vec::new();
    for _ in 0..most {
        let mut request = request("GET", "/v1/cart/events").body(axum::body::Body::empty()).unwrap();
        app.credentials(request.headers_mut());
        open.push(app.app().answer(request, app.peer()).await);
    }
    let told = app.get("/v1/cart/events").await.problem(429, "too_many_streams");
    says(&told, &[&format!("At most {most}"), "session"]);
}

#[tokio::test]
async fn a_session_that_is_over_is_told_so_where_the_shop_vouches() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let id = app.get("/v1/session").await.expect(200).json["device"]["id"].clone();
    shop.turn(days(200)).await;
    let (secret, _) = shop.service.make_key("login", vec![Scope::SignIns]).await.unwrap();
    let key = [("authorization", &*format!("Bearer {}", secret.expose()))];
    let vouch = json!({"session": id, "account": "c-1"});
    let told = shop.anyone().with("POST", "/v1/admin/sign-ins", &key, vouch).await;
    let told = told.problem(404, "session_not_found");
    says(&told, &["is over", "/v1/verify", "leave it out"]);
    assert_eq!(told.pointers(), ["#/session"]);
}

/// A device's op with everything that an op may leave out said to be null.
fn op(seq: u64, said: &Value) -> Value {
    let mut op = json!({"seq": seq, "op_id": format!("{seq:016x}"), "base": null, "age_ms": null});
    for name in ["cart", "generation", "line", "sku", "options", "quantity", "lines", "undo_seq"] {
        op[name] = Value::Null;
    }
    op.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
    op
}

#[tokio::test]
async fn null_says_the_same_as_leaving_out_what_may_be_left_out() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let line = json!({"sku": "a", "quantity": null, "options": null});
    assert_eq!(app.json("POST", "/v1/cart/lines", line).await.expect(200).shown(), "a=1");
    let ops = json!([
        op(1, &json!({"op": "add", "sku": "b", "quantity": 2})),
        op(2, &json!({"op": "set", "sku": "b", "quantity": 5})),
        op(3, &json!({"op": "undo", "undo_seq": 2})),
        op(4, &json!({"op": "remove", "sku": "c"})),
        op(5, &json!({"op": "clear", "lines": []})),
    ]);
    let sync = json!({"client": "00000000-0000-4000-8000-000000000001", "ops": ops});
    let synced = app.json("POST", "/v1/cart/sync", sync).await.expect(200);
    let codes: Vec<_> =
        synced.json["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert_eq!(codes, [&Value::Null; 5], "{}", synced.text);
    for (path, body) in [
        ("/v1/cart/checkout", json!({"seen": null, "accept_available": null})),
        (
            "/v1/accounts",
            json!({"email": "a@example.com", "password": "a long enough one", "remember": null, "merge": null}),
        ),
    ] {
        app.json("POST", path, body).await.expect(201);
    }
    let missing = shop.anyone().json("POST", "/v1/cart/lines", json!({"sku": null})).await;
    assert_eq!(missing.problem(422, "invalid_body").pointers(), ["#/sku"]);
    let null = request("POST", "/v1/cart/lines").header("content-type", "application/json");
    let null = null.body(r#"{"sku":"a","quantity":null,"quantity":2}"#.into()).unwrap();
    assert_eq!(shop.anyone().send(null).await.problem(422, "invalid_body").pointers(), ["#/quantity"]);
}

#[tokio::test]
async fn a_whole_number_is_one_on_every_route_however_it_is_written() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let send = async |method: &str, path: &str, body: &str| {
        let request =
            request(method, path).header("content-type", "application/json").header("idempotency-key", path);
        app.send(request.body(body.to_owned().into()).unwrap()).await
    };
    let added = send("POST", "/v1/cart/lines", r#"{"sku":"a","quantity":2.0}"#).await.expect(200);
    let line = format!("/v1/cart/lines/{}", added.line("a"));
    let again = send("POST", "/v1/cart/lines", r#"{"sku":"a","quantity":2e0}"#).await.expect(200);
    assert_eq!((again.shown().as_str(), again.header("idempotency-replayed")), ("a=2", Some("true")));
    assert_eq!(send("PUT", &line, r#"{"quantity":70e-1}"#).await.expect(200).shown(), "a=7");
    let ops = r#"{"client":"00000000-0000-4000-8000-000000000001","ops":[
        {"seq":1e0,"op_id":"0000000000000001","base":2.0,"age_ms":-1.5e1,"op":"add","sku":"b","quantity":1.0},
        {"seq":2.00,"op_id":"0000000000000002","base":2,"age_ms":1e400,"op":"undo","undo_seq":10e-1}]}"#;
    let synced = send("POST", "/v1/cart/sync", ops).await.expect(200);
    assert_eq!(
        (synced.json["acked"].clone(), &synced.json["results"][1]["outcome"]),
        (json!(2), &json!("applied"))
    );
    send("POST", "/v1/cart/undo", r#"{"revision":2E0}"#).await.expect(200);
    send("POST", "/v1/cart/checkout", r#"{"seen":{"revision":0.5e1}}"#).await.expect(201);
    for (method, path, body, pointer) in [
        ("PUT", line.as_str(), r#"{"quantity":1.5}"#, "#/quantity"),
        ("POST", "/v1/cart/undo", r#"{"revision":1.5}"#, "#/revision"),
        ("POST", "/v1/cart/undo", r#"{"revision":9007199254740992}"#, "#/revision"),
        ("POST", "/v1/cart/undo", r#"{"revision":1e99999999999999999999}"#, "#/revision"),
        ("POST", "/v1/cart/checkout", r#"{"seen":{"revision":1e-1}}"#, "#/seen/revision"),
        (
            "POST",
            "/v1/cart/sync",
            r#"{"client":"00000000-0000-4000-8000-000000000001","ops":[{"seq":1.5,"op_id":"0000000000000001"}]}"#,
            "#/ops/0/seq",
        ),
    ] {
        let refused = request(method, path).header("content-type", "application/json");
        let refused = app.send(refused.body(body.into()).unwrap()).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
}

#[tokio::test]
async fn that_the_first_write_goes_alone_stands_where_a_reader_meets_the_first_add() {
    let shop = Shop::new();
    let docs = shop.anyone().get("/docs").await.expect(200).text;
    let readme = include_str!("../../../../README.md");
    let concepts = include_str!("../../../../docs/concepts.md");
    for (paper, text) in [("/docs", docs.as_str()), ("README", readme), ("concepts", concepts)] {
        let plain: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains("first write alone"), "{paper}");
    }
}
