//! `/healthz`: the process is up. `/readyz`: its store answers.

use std::sync::Arc;

use axum::extract::State;

use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;

/// Whether it is a probe's path: these answer whoever else is there.
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// The probes' routes.
pub fn routes() -> Routes {
    Routes::about("Running")
        .get("/healthz", up, op("healthz", "Whether the process is up").text(200, "text/plain"))
        .get("/readyz", ready, op("readyz", "Whether its store answers").text(200, "text/plain"))
}

async fn up() -> &'static str {
    "up\n"
}

async fn ready(State(front): State<Arc<AppState>>) -> Result<&'static str, Problem> {
    front.service.ready().await?;
    Ok("ready\n")
}
