//! `/healthz`: the process is up. `/readyz`: its store answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::error::Problem;
use super::front::Front;

/// The probes' routes.
pub fn routes() -> Router<Arc<Front>> {
    Router::new().route("/healthz", get(|| async { "up\n" })).route("/readyz", get(ready))
}

async fn ready(State(front): State<Arc<Front>>) -> Result<&'static str, Problem> {
    front.service.ready().await?;
    Ok("ready\n")
}
