//! `/v1/sessions`: the devices of an account, and how its owner ends them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use trolley_core::ids::SessionId;

use crate::http::extract::account_caller::AccountOwner;
use crate::http::extract::idempotency::{Key, Under};
use crate::http::extract::json::{NoBody, answer};
use crate::http::extract::path::DeviceName;
use crate::http::extract::query::{Query, refused};
use crate::http::openapi::op::{OF_AN_END, REPLAYED, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{one_of, or};
use crate::http::problem::code::Code;
use crate::http::problem::response::{IDEMPOTENCY_REPLAYED, Problem};
use crate::http::routes::account::accounts::{ENTRY, no_content};
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::account::SessionsView;
use crate::service::account::end_devices::{Devices, EndRequest, Ended};
use crate::service::cart::preconditions::SeenByCaller;

/// What a key is good for where a call may end the session whose keys are kept.
const OWN: &str = "Where the call ends the caller's own session its keys end with it: the same call again is 401 session_ended, with or without \
    an Idempotency-Key, and there is nothing left to end.";

/// The routes of devices.
pub fn routes() -> Routes {
    let listed = op("sessions", "The account's devices").answers::<SessionsView>(200);
    let one = op("end_session", "End a device; this one is signed out").says(OWN).refuses(&ENTRY);
    let one = one.empty(204).tells(OF_AN_END).tells(&[REPLAYED]);
    let all = op("end_sessions", "End all other devices, or with all=true this one too").says(OWN);
    let all = all.refuses(&ENTRY).query("all", or(one_of(&["true", "false"]), "false"));
    Routes::about("Session")
        .get("/v1/sessions", list, listed.leads("end_session", "id", "/sessions/0/id"))
        .delete("/v1/sessions", end_many, all.empty(204).tells(OF_AN_END).tells(&[REPLAYED]))
        .delete("/v1/sessions/{id}", end_one, one)
}

async fn list(State(front): State<Arc<AppState>>, owner: AccountOwner) -> HandlerResult {
    let rows = front.service.devices(owner.account).await?;
    Ok(answer(StatusCode::OK, &SessionsView::of(rows, Some(&owner.visit))))
}

/// Ends one; this one is a sign-out.
async fn end_one(
    State(front): State<Arc<AppState>>,
    owner: AccountOwner,
    DeviceName(id): DeviceName,
    Under(key): Under,
    _: NoBody,
) -> HandlerResult {
    let devices = device_of_id(id)?;
    Ok(front.told(&owner, end(&front, &owner, devices, key).await?))
}

/// Ends all others, or with `?all=true` this one too.
async fn end_many(
    State(front): State<Arc<AppState>>,
    owner: AccountOwner,
    query: Query,
    Under(key): Under,
    _: NoBody,
) -> HandlerResult {
    let devices = match query.once("all")? {
        None | Some("false") => Devices::Others,
        Some("true") => Devices::All,
        Some(_) => return Err(refused("all", "Send true or false.".to_owned())),
    };
    Ok(front.told(&owner, end(&front, &owner, devices, key).await?))
}

/// The device of that id.
pub fn device_of_id(id: Option<SessionId>) -> Result<Devices, Problem> {
    id.map(|id| Devices::Named(*id.bytes())).ok_or_else(|| Problem::new(Code::SessionNotFound))
}

/// Ends devices of the caller's account, under its key where it sent one.
pub async fn end(
    front: &AppState,
    owner: &AccountOwner,
    devices: Devices,
    key: Option<Key>,
) -> Result<Ended, Problem> {
    let keyed = key.map(|key| {
        let (what, parts) = match devices {
            Devices::Named(id) => ("device", vec![id.to_vec()]),
            Devices::Others => ("other devices", Vec::new()),
            Devices::All => ("all devices", Vec::new()),
        };
        key.with_parts(&Method::DELETE, what, &parts, SeenByCaller::Newest, false)
    });
    let (claim, account, from) = (owner.visit.claim(), owner.account, owner.from.clone());
    match front.service.end_devices(&EndRequest { claim, account, devices, from, keyed }).await? {
        Ended::Unknown => Err(Problem::new(Code::SessionNotFound)),
        ended => Ok(ended),
    }
}

impl AppState {
    fn told(&self, owner: &AccountOwner, ended: Ended) -> Response<Body> {
        let mut response = no_content();
        match ended {
            Ended::Done { this: true } => self.forget(&mut response, owner.visit.session.transport),
            Ended::Before => {
                response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
            }
            Ended::Done { this: false } | Ended::Unknown => {}
        }
        response
    }
}
