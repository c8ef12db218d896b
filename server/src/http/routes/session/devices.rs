//! `/v1/sessions`: the devices of an account, and how its owner ends them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::ids::SessionId;

use crate::http::extract::account_caller::AccountOwner;
use crate::http::extract::json::{NoBody, answer};
use crate::http::extract::path::DeviceName;
use crate::http::extract::query::{Query, refused};
use crate::http::openapi::op::{OF_AN_END, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{one_of, or};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::account::accounts::{ENTRY, no_content};
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::account::SessionsView;
use crate::service::account::revoke::Revocation;

/// The routes of devices.
pub fn routes() -> Routes {
    let listed = op("sessions", "The account's devices").answers::<SessionsView>(200);
    let one =
        op("end_session", "End a device; this one is signed out").refuses(&ENTRY).empty(204).tells(OF_AN_END);
    let all = op("end_sessions", "End all other devices, or with all=true this one too").refuses(&ENTRY);
    Routes::about("Session")
        .get("/v1/sessions", list, listed.leads("end_session", "id", "/sessions/0/id"))
        .delete(
            "/v1/sessions",
            end_many,
            all.query("all", or(one_of(&["true", "false"]), "false")).empty(204).tells(OF_AN_END),
        )
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
    _: NoBody,
) -> HandlerResult {
    let mut response = no_content();
    if end_named(&front, &owner, id).await? {
        front.forget(&mut response, owner.visit.session.transport);
    }
    Ok(response)
}

/// Ends the device of that id, and says whether it was this one.
pub async fn end_named(
    front: &AppState,
    owner: &AccountOwner,
    id: Option<SessionId>,
) -> Result<bool, Problem> {
    let unknown = || Problem::new(Code::SessionNotFound);
    let (id, claim) = (id.ok_or_else(unknown)?, owner.visit.claim());
    // Where this session was ended meanwhile, that is what is told, and not that the device is gone.
    front.service.require(&claim).await?;
    let ends = front.service.device_named(owner.account, *id.bytes()).await?.ok_or_else(unknown)?;
    let (is_this, now) = (ends == Revocation::Session(owner.visit.session.id), front.service.now());
    let row = if is_this {
        AuditEntry::new(now, EventKind::SignedOut).within(id)
    } else {
        owner.from.row(now, EventKind::SessionRevoked).within(id)
    };
    front.service.end_by(&claim, owner.account, ends, row).await?;
    Ok(is_this)
}

/// Ends all others, or with `?all=true` this one too.
async fn end_many(
    State(front): State<Arc<AppState>>,
    owner: AccountOwner,
    query: Query,
    _: NoBody,
) -> HandlerResult {
    let all = match query.once("all")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(refused("all", "Send true or false.".to_owned())),
    };
    end_several(&front, &owner, all).await?;
    let mut response = no_content();
    if all {
        front.forget(&mut response, owner.visit.session.transport);
    }
    Ok(response)
}

/// Ends all others, or all.
pub async fn end_several(front: &AppState, owner: &AccountOwner, all: bool) -> Result<(), Problem> {
    let ends = if all { Revocation::All } else { Revocation::Others(owner.visit.session.id) };
    let row = owner.from.row(front.service.now(), EventKind::SessionsRevoked).within(owner.visit.session.id);
    front.service.end_by(&owner.visit.claim(), owner.account, ends, row).await?;
    Ok(())
}
