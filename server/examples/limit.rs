//! The limit server: what plain axum does with a cart's traffic and no cart. It answers GET with a body and headers of
//! the cart's size, and echoes a parsed POST. Our own speed is told as a share of its.
//!
//! `cargo run --release --example limit -- 127.0.0.1:8090 body.json`

use axum::http::{HeaderMap, HeaderValue, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What an add says.
#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("which address?")?;
    let body: &'static str = std::fs::read_to_string(arguments.next().ok_or("which body?")?)?.leak();
    let app = Router::new()
        .route("/v1/cart", get(move || async move { (headers(), body) }))
        .route("/v1/cart/lines", post(|Json(line): Json<Line>| async move { (headers(), Json(line)) }));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
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
