//! A cart in a session in Redis: axum and tower-sessions as their documentation has them, and a cart in the session.

use std::io::Write as _;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};

/// The allocator that Trolley has, so that this is not what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Under this name the cart stands in the session.
const CART: &str = "cart";

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u64,
}

#[derive(Serialize)]
struct Shown {
    lines: Vec<Line>,
    quantity: u64,
}

type Answer = Result<Json<Shown>, StatusCode>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = std::env::args().nth(1).ok_or("which Redis? redis://127.0.0.1:6379")?;
    let pool = Pool::new(Config::from_url(&redis)?, None, None, None, 6)?;
    pool.connect();
    pool.wait_for_connect().await?;
    let sessions = SessionManagerLayer::new(RedisStore::new(pool))
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::days(30)));
    let app = Router::new()
        .route("/v1/cart", get(read).delete(clear))
        .route("/v1/cart/lines", post(add))
        .layer(sessions);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn read(session: Session) -> Answer {
    let cart = session.get::<Cart>(CART).await.map_err(failed)?;
    Ok(shown(cart.unwrap_or_default()))
}

async fn add(session: Session, Json(line): Json<Line>) -> Answer {
    let mut cart = session.get::<Cart>(CART).await.map_err(failed)?.unwrap_or_default();
    match cart.lines.iter_mut().find(|own| own.sku == line.sku) {
        Some(own) => own.quantity += line.quantity,
        None => cart.lines.push(line),
    }
    session.insert(CART, &cart).await.map_err(failed)?;
    Ok(shown(cart))
}

async fn clear(session: Session) -> Answer {
    session.insert(CART, Cart::default()).await.map_err(failed)?;
    Ok(shown(Cart::default()))
}

fn shown(cart: Cart) -> Json<Shown> {
    let quantity = cart.lines.iter().map(|line| line.quantity).sum();
    Json(Shown { lines: cart.lines, quantity })
}

fn failed(_: tower_sessions::session::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
