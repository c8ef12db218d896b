//! `/v1/session`: what a caller may know of its session, and a fresh one for an app without cookies.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::http::extract::address::Address;
use crate::http::extract::idempotency::Again;
use crate::http::extract::json::{Fields, FromJson, Json, answer};
use crate::http::extract::visitor::Visitor;
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{Components, Object, Schema, one_of, time, uuid, words, yes_or_no};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::http::wire::account::{AccountView, SignedInSession};
use crate::http::wire::rate_limit;
use crate::http::wire::time::Rfc3339;
use crate::service::session::recognise::Visit;

/// The session's routes.
pub fn routes() -> Routes {
    let shown = op("show_session", "What the caller may know of its session");
    let begun = op("begin_session", "A fresh guest session for an app without cookies");
    Routes::about("Session").get("/v1/session", show, shown.answers::<SessionView<'_>>(200)).post(
        "/v1/session",
        begin,
        begun.refuses(&[Code::RateLimited]).answers::<SessionView<'_>>(201),
    )
}

async fn show(State(front): State<Arc<AppState>>, visitor: Visitor) -> Result<Response<Body>, Problem> {
    let Visitor::Known(visit) = visitor else {
        return Ok(answer(StatusCode::OK, &Nobody { signed_in: false }));
    };
    let account = match visit.session.account() {
        Some(account) => front.service.account(account).await?,
        None => None,
    };
    Ok(match account {
        Some(account) => answer(StatusCode::OK, &SignedInSession::of(&visit, &account)),
        None => answer(StatusCode::OK, &SessionView::of(&visit, None)),
    })
}

/// Always a fresh guest, whoever asks: credentials that come along are not looked at.
async fn begin(
    State(front): State<Arc<AppState>>,
    Address(from): Address,
    _: Again,
    Json(Bearer): Json<Bearer>,
) -> Result<Response<Body>, Problem> {
    let begun = front.service.begin_bearer(from).await?;
    let mut response =
        answer(StatusCode::CREATED, &SessionView::of(&begun.visit, Some(begun.token.expose())));
    if let Some(standing) = &begun.standing {
        rate_limit::tell(response.headers_mut(), standing);
    }
    Ok(response)
}

/// `{"transport": "bearer"}`: the only transport one asks for; a browser's session begins with its first write.
struct Bearer;

impl FromJson for Bearer {
    fn take(fields: &mut Fields<'_>) -> Option<Bearer> {
        let transport = fields.string("transport")?;
        if transport != "bearer" {
            fields.fault("transport", "Send \"bearer\"; a browser's session begins with its first write.");
            return None;
        }
        Some(Bearer)
    }
}

#[derive(Serialize)]
struct Nobody {
    signed_in: bool,
}

#[derive(Serialize)]
struct SessionView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    signed_in: bool,
    device: Device,
    expires_at: Rfc3339,
    absolute_expires_at: Rfc3339,
}

#[derive(Serialize)]
struct Device {
    id: String,
}

impl<'a> SessionView<'a> {
    fn of(visit: &Visit, token: Option<&'a str>) -> SessionView<'a> {
        SessionView {
            token,
            signed_in: false,
            device: Device { id: visit.session.id.to_string() },
            expires_at: Rfc3339::new(visit.expires_at),
            absolute_expires_at: Rfc3339::new(visit.absolute_expires_at),
        }
    }
}

impl Schema for Bearer {
    const NAME: &'static str = "Transport";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("transport", one_of(&["bearer"])).schema()
    }
}

impl Schema for SessionView<'_> {
    const NAME: &'static str = "Session";

    fn schema(parts: &mut Components) -> Value {
        Object::new()
            .may("token", words())
            .must("signed_in", yes_or_no())
            .may("account", parts.refer::<AccountView<'_>>())
            .may("device", Object::new().must("id", uuid()).schema())
            .may("expires_at", time())
            .may("absolute_expires_at", time())
            .schema()
    }
}
