//! `/v1/accounts` and `/v1/account`: sign up, another password, what happened, and goodbye.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use trolley_core::account::password::Password;

use crate::http::extract::account_caller::{AccountOwner, Caller, ProvenCaller};
use crate::http::extract::address::Address;
use crate::http::extract::json::{Json, answer};
use crate::http::openapi::op::{OF_A_CART, OF_AN_END, op};
use crate::http::openapi::routes::Routes;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::account::credentials::{Change, Confirm, Login, Reset, choose};
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::account::{EventsView, RowView, SignedInView};
use crate::service::error::ServiceError;
use crate::service::limits::addresses::Guess;
use crate::service::session::token::Token;

/// The routes of accounts.
pub fn routes() -> Routes {
    let made = op("sign_up", "Make an account, and sign in").refuses(&ENTRY);
    let made = made
        .refuses(&[Code::EmailTaken, Code::WeakPassword])
        .answers::<SignedInView<'_>>(201)
        .tells(&OF_A_CART[..1]);
    let changed = op("change_password", "Another password: every other session ends").refuses(&ENTRY);
    let changed = changed.refuses(&[Code::InvalidCredentials, Code::WeakPassword]).empty(204);
    let reset = op("reset_password", "Another password, by a one-time token of the shop's");
    let reset = reset.refuses(&ENTRY).refuses(&[Code::InvalidResetToken, Code::WeakPassword]).empty(204);
    let gone = op("delete_account", "Delete the account, its sessions and its cart").refuses(&ENTRY);
    let gone = gone.refuses(&[Code::InvalidCredentials]).empty(204).tells(OF_AN_END);
    let told = op("account_audit", "What happened to the account, the newest first");
    Routes::about("Account")
        .post("/v1/accounts", sign_up, made)
        .delete("/v1/account", say_goodbye, gone)
        .post("/v1/account/password", change_password, changed)
        .post("/v1/account/reset", reset_password, reset)
        .get("/v1/account/audit", audit, told.answers::<EventsView<'_>>(200))
}

/// What whoever comes in may be refused with besides.
pub const ENTRY: [Code; 5] =
    [Code::RateLimited, Code::Busy, Code::StoreFull, Code::CartTooLarge, Code::TooManyLeftovers];

async fn sign_up(
    State(front): State<Arc<AppState>>,
    ProvenCaller(calling): ProvenCaller,
    Json(login): Json<Login>,
) -> HandlerResult {
    let (email, password) = login.chosen()?;
    let arrival = calling.arrival(login.remember, login.merge);
    let signed_in = front.service.sign_up(email, password, &arrival).await?;
    Ok(front.signed_in(StatusCode::CREATED, &signed_in))
}

async fn change_password(
    State(front): State<Arc<AppState>>,
    owner: AccountOwner,
    Json(change): Json<Change>,
) -> HandlerResult {
    front.service.require(&owner.visit.claim()).await?;
    let account =
        front.service.account(owner.account).await?.ok_or_else(|| Problem::new(Code::NotSignedIn))?;
    let new = choose(&change.new, account.email.as_ref(), "#/new")?;
    let current = Password::said(&change.current);
    let entered = front.service.change_password(&owner.visit, current, new, &owner.from).await?;
    let mut response = no_content();
    front.hand_over(&mut response, &entered);
    Ok(response)
}

/// The token stands for the person: no session is needed, and none begins.
async fn reset_password(
    State(front): State<Arc<AppState>>,
    Address(address): Address,
    ProvenCaller(calling): ProvenCaller,
    Json(reset): Json<Reset>,
) -> HandlerResult {
    let known_by = set_by_token(&front, address, &calling, reset).await?;
    let mut response = no_content();
    front.know(&mut response, known_by.as_ref());
    Ok(response)
}

/// Sets a password by a one-time token: the one way, for the API and for the demo's form. Gives back what the device is to be
/// known by.
pub async fn set_by_token(
    front: &AppState,
    address: IpAddr,
    calling: &Caller,
    reset: Reset,
) -> Result<Option<Token>, Problem> {
    let unknown = || Problem::at(Code::InvalidResetToken, "#/token", Code::InvalidResetToken.advice());
    let account = match &reset.token {
        Some(token) => front.service.resets(token).await,
        None => Err(ServiceError::InvalidResetToken),
    };
    let (token, account) = match (reset.token, account) {
        (Some(token), Ok(account)) => (token, account),
        (_, Err(ServiceError::InvalidResetToken)) | (None, _) => {
            front.service.guessed(address, Guess::Bearer)?;
            return Err(unknown());
        }
        (_, Err(failure)) => return Err(failure.into()),
    };
    let new = choose(&reset.new, account.email.as_ref(), "#/new")?;
    Ok(front.service.reset_password(&token, new, &calling.from, calling.transport).await?)
}

async fn say_goodbye(
    State(front): State<Arc<AppState>>,
    owner: AccountOwner,
    Json(confirm): Json<Confirm>,
) -> HandlerResult {
    let password = Password::said(&confirm.password);
    front.service.delete_account(&owner.visit, password, &owner.from).await?;
    let mut response = no_content();
    front.forget(&mut response, owner.visit.session.transport);
    Ok(response)
}

async fn audit(State(front): State<Arc<AppState>>, owner: AccountOwner) -> HandlerResult {
    let rows = front.service.trail(owner.account).await?;
    Ok(answer(StatusCode::OK, &EventsView { events: rows.iter().map(RowView::of).collect() }))
}

/// 204.
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
