//! `bench limit`: what plain axum does with a cart's traffic and no cart. Speed is told as a share of its.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Args;
use serde::{Deserialize, Serialize};

/// Where it listens and what it answers.
#[derive(Args, Debug)]
pub(crate) struct Limit {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A file with the body of its reads: a cart's, for a fair comparison
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
}

/// What an add says.
#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

/// What a device's call says.
#[derive(Deserialize)]
struct Queue {
    client: String,
    ops: Vec<Op>,
}

#[derive(Deserialize)]
struct Op {
    seq: u64,
    #[serde(flatten)]
    _line: Line,
}

/// Serves until it is ended.
pub(crate) fn run(asked: &Limit) -> io::Result<()> {
    // It lives as long as the process does.
    let body: &'static str = std::fs::read_to_string(&asked.body)?.leak();
    let app = Router::new()
        .route("/v1/cart", get(move |request: HeaderMap| async move { read(&request, body) }))
        .route("/v1/cart/lines", post(|Json(line): Json<Line>| async move { (headers(), Json(line)) }))
        .route(
            "/v1/cart/checkout",
            post(|| async { (StatusCode::CREATED, headers(), r#"{"order":{"quantity":0}}"#) }),
        )
        .route("/v1/cart/sync", post(|Json(queue): Json<Queue>| async move { taken_in(&queue) }));
    // The settings of the server that it is compared with: as many threads as there are cores.
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(asked.listen).await?;
        writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
        axum::serve(listener, app).await
    })
}

fn read(request: &HeaderMap, body: &'static str) -> Response {
    if request.contains_key(header::IF_NONE_MATCH) {
        return (StatusCode::NOT_MODIFIED, headers()).into_response();
    }
    (headers(), body).into_response()
}

fn taken_in(queue: &Queue) -> Response {
    let results: Vec<_> =
        queue.ops.iter().map(|op| serde_json::json!({"seq": op.seq, "outcome": "applied"})).collect();
    let acked = queue.ops.last().map_or(0, |op| op.seq);
    let body = serde_json::json!({"client": queue.client, "acked": acked, "results": results});
    (headers(), Json(body)).into_response()
}

/// As many bytes of headers as an answer with a cart has.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::ETAG, HeaderValue::from_static("\"019aab5c-0000-7000-8000-000000000000.123\""));
    headers.insert("request-id", HeaderValue::from_static("0123456789abcdef"));
    headers
}
