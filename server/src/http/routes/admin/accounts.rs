//! `/v1/admin/accounts`, `sign-ins` and `audit`: what the shop's own systems ask of accounts, each by a key with its scope.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use serde_json::Value;
use trolley_core::account::Account as AccountRecord;
use trolley_core::account::SHOP_ID_CHARS_MAX;
use trolley_core::account::audit::{AuditEntry, AuditEvent, EventKind};
use trolley_core::account::email::Email;
use trolley_core::ids::{AccountId, EventId, SessionId};
use trolley_core::session::{Device, Transport};

use crate::http::extract::api_key::{Accounts, AccountsRead, ApiKey, Audit, SignIns};
use crate::http::extract::cursor::Paging;
use crate::http::extract::idempotency::Again;
use crate::http::extract::json::{Fields, FromJson, Json, NoBody, answer};
use crate::http::extract::path::AccountName;
use crate::http::extract::query::{Query, refused};
use crate::http::openapi::op::{OF_A_CART, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{
    Components, Object, Schema, email, or, pattern, time, uuid, words, yes_or_no,
};
use crate::http::problem::code::Code;
use crate::http::problem::response::{Problem, sentence};
use crate::http::routes::account::accounts::{ENTRY, no_content};
use crate::http::routes::cart::change::cart_response;
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::account::{AdminAccountView, EventsView, Relay, RowView, SessionsView, SignedInView};
use crate::http::wire::cart::CartView;
use crate::http::wire::time::Rfc3339;
use crate::service::account::credentials::ClientDevice;
use crate::service::account::revoke::Revocation;
use crate::service::account::sign_in::SignInRequest;
use crate::service::session::recognise::Visit;

/// What an address finds: one that the shop told us of proves nothing here, and several accounts may have been told of with one.
const SIGNED_UP_ALONE: &str = "Finds who signed up with the address. An account for which the shop vouches (POST /v1/admin/sign-ins) is found by the \
    shop's own id alone: its e-mail address is what the shop said of it, was proved by nobody here, and may be the same for several.";

const UNKNOWN_ADDRESS: &str = "Nobody signed up with this address. An account for which the shop vouches is found by the shop's own id.";

/// The routes.
pub fn routes() -> Routes {
    let shown = op("any_account", "An account").answers::<AdminAccountView<'_>>(200);
    let cart = op("account_cart", "An account's cart").cart();
    let devices = op("account_sessions", "An account's devices").answers::<SessionsView>(200);
    let ended = op("end_account_sessions", "End all sessions of an account").refuses(&ENTRY).empty(204);
    let reset = op("issue_reset", "A one-time token that sets a password, for the shop's own mail");
    let reset = reset.refuses(&ENTRY).refuses(&[Code::NoPassword]).answers::<ResetView<'_>>(201);
    let vouched = op("vouch", "Sign in an account of the shop's own login").refuses(&ENTRY);
    let vouched =
        vouched.refuses(&[Code::SessionNotFound]).answers::<SignedInView<'_>>(200).tells(&OF_A_CART[..1]);
    let told = op(
        "audit",
        "What happened to all accounts, the oldest first; nothing comes up behind what was listed",
    )
    .pages();
    let found = op("account_of_address", "The account of an e-mail address, in whatever form it is written");
    let found =
        found.says(SIGNED_UP_ALONE).refuses(&[Code::AccountNotFound]).answers::<AdminAccountView<'_>>(200);
    Routes::about("Admin")
        .get("/v1/admin/accounts", find, found.needs_query("email", email()))
        .get("/v1/admin/accounts/{id}", show, shown)
        .get("/v1/admin/accounts/{id}/cart", crate::http::routes::admin::accounts::cart, cart)
        .get("/v1/admin/accounts/{id}/sessions", sessions, devices)
        .delete("/v1/admin/accounts/{id}/sessions", end_sessions, ended)
        .post("/v1/admin/accounts/{id}/reset", crate::http::routes::admin::accounts::reset, reset)
        .post("/v1/admin/sign-ins", sign_in, vouched)
        .get("/v1/admin/audit", audit, told.answers::<EventsView<'_>>(200))
}

async fn show(
    State(front): State<Arc<AppState>>,
    _: ApiKey<AccountsRead>,
    AccountName(id): AccountName,
) -> HandlerResult {
    let account = front.account_of(id).await?;
    Ok(answer(StatusCode::OK, &AdminAccountView::of(&account)))
}

/// For a form that asks who has forgotten a password: it knows an address and nothing else.
async fn find(State(front): State<Arc<AppState>>, _: ApiKey<AccountsRead>, query: Query) -> HandlerResult {
    let advice = "Send one e-mail address, percent-encoded (a + as %2B).";
    let email = query.once("email")?.and_then(|text| Email::parse(text).ok());
    let email = email.ok_or_else(|| refused("email", advice.to_owned()))?;
    let nobodys = || Problem::with(Code::AccountNotFound, UNKNOWN_ADDRESS);
    let owner = front.service.owner_of(&email).await?.ok_or_else(nobodys)?;
    let account = front.service.account(owner).await?.ok_or_else(nobodys)?;
    Ok(answer(StatusCode::OK, &AdminAccountView::of(&account)))
}

async fn cart(
    State(front): State<Arc<AppState>>,
    _: ApiKey<AccountsRead>,
    AccountName(id): AccountName,
) -> HandlerResult {
    let account = front.account_of(id).await?;
    Ok(cart_response(&front.service.cart_shown(account.cart).await?))
}

async fn sessions(
    State(front): State<Arc<AppState>>,
    _: ApiKey<AccountsRead>,
    AccountName(id): AccountName,
) -> HandlerResult {
    let account = front.account_of(id).await?;
    let rows = front.service.devices(account.id).await?;
    Ok(answer(StatusCode::OK, &SessionsView::of(rows, None)))
}

async fn end_sessions(
    State(front): State<Arc<AppState>>,
    _: ApiKey<Accounts>,
    AccountName(id): AccountName,
    _: Again,
    _: NoBody,
) -> HandlerResult {
    let account = front.account_of(id).await?;
    let row = AuditEntry::new(front.service.now(), EventKind::SessionsRevoked);
    front.service.end(account.id, Revocation::All, row).await?;
    Ok(no_content())
}

async fn reset(
    State(front): State<Arc<AppState>>,
    _: ApiKey<Accounts>,
    AccountName(id): AccountName,
    _: Again,
    _: NoBody,
) -> HandlerResult {
    let account = front.account_of(id).await?;
    let (token, expires_at) = front.service.issue_reset(account.id).await?;
    let view = ResetView { token: token.expose(), expires_at: Rfc3339::new(expires_at) };
    Ok(answer(StatusCode::CREATED, &view))
}

#[derive(serde::Serialize)]
struct ResetView<'a> {
    token: &'a str,
    expires_at: Rfc3339,
}

/// Attaches the shop's own account to the session that `GET /v1/verify` named, or to a new one.
async fn sign_in(
    State(front): State<Arc<AppState>>,
    _: ApiKey<SignIns>,
    _: Again,
    Json(vouch): Json<Vouch>,
) -> HandlerResult {
    let visit = match vouch.session {
        Some(session) => Some(front.visit_named(session).await?),
        None => None,
    };
    // The call comes from the shop's back end. A session that was signed in has a device; of another one the browser's first visit tells.
    let signed_in = visit.as_ref().and_then(|visit| visit.session.sign_in.as_ref());
    let unknown = || Device { name: "".into(), address: "".into() };
    let device = signed_in.map_or_else(unknown, |sign_in| sign_in.device.clone());
    let arrival = SignInRequest {
        visit,
        retired: None,
        transport: Transport::Cookie,
        remember: vouch.remember,
        merge: None,
        from: ClientDevice { device, known_by: None },
    };
    let signed_in = front.service.vouch(&vouch.account, vouch.email, &arrival).await?;
    let entered = &signed_in.entered;
    let relay = match entered.visit.session.transport {
        Transport::Bearer => Relay::Token(entered.token.expose().to_owned()),
        Transport::Cookie => {
            let lines = front.cookie_lines(entered).into_iter();
            Relay::Cookies(lines.filter_map(|line| line.to_str().ok().map(str::to_owned)).collect())
        }
    };
    let mut response = answer(StatusCode::OK, &SignedInView { signed_in: &signed_in, relay: Some(relay) });
    response.headers_mut().insert(ETAG, CartView(&signed_in.cart).etag());
    Ok(response)
}

/// `{session?, account, email?, remember?}`.
struct Vouch {
    session: Option<SessionId>,
    account: String,
    email: Option<Email>,
    remember: bool,
}

impl FromJson for Vouch {
    fn take(fields: &mut Fields<'_>) -> Option<Vouch> {
        let id = "Send the id that GET /v1/verify named.";
        let session = perhaps(fields, "session", str::parse, |_| id.into());
        let email = perhaps(fields, "email", Email::parse, |wrong| sentence(&wrong.to_string()).into());
        let remember = fields.flag("remember", false);
        let account = fields.string("account")?;
        let fits = (1..=SHOP_ID_CHARS_MAX).contains(&account.len());
        if !fits || !account.bytes().all(|b| b.is_ascii_graphic()) {
            fields.fault(
                "account",
                format!("Send an id of 1 to {SHOP_ID_CHARS_MAX} visible ASCII characters."),
            );
            return None;
        }
        Some(Vouch { session: session?, account, email: email?, remember: remember? })
    }
}

/// The member `name`, if it is there; no answer where it is wrong.
fn perhaps<T, E>(
    fields: &mut Fields<'_>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    advice: impl Fn(E) -> Cow<'static, str>,
) -> Option<Option<T>> {
    if !fields.has(name) {
        return Some(None);
    }
    match parse(&fields.string(name)?) {
        Ok(parsed) => Some(Some(parsed)),
        Err(wrong) => {
            fields.fault(name, advice(wrong));
            None
        }
    }
}

/// The oldest first: who comes back with the last one it saw is told what happened since.
async fn audit(State(front): State<Arc<AppState>>, _: ApiKey<Audit>, query: Query) -> HandlerResult {
    let page: Paging<EventId> = Paging::of(&query)?;
    let events = front.service.audit_after(page.after, page.looked_for()).await?;
    Ok(page.answer("/v1/admin/audit", events, |event| event.id, AuditView))
}

/// A page of events, which it holds.
struct AuditView(Vec<Arc<AuditEvent>>);

impl serde::Serialize for AuditView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EventsView { events: self.0.iter().map(|event| RowView::of_event(event)).collect() }
            .serialize(serializer)
    }
}

impl AppState {
    /// The account that the shop means.
    async fn account_of(&self, id: AccountId) -> Result<Arc<AccountRecord>, Problem> {
        let account = self.service.account(id).await?;
        account.ok_or_else(|| Problem::new(Code::AccountNotFound))
    }

    /// The live session of that public id.
    async fn visit_named(&self, id: SessionId) -> Result<Visit, Problem> {
        let visit = self.service.visit_named(id).await?;
        visit.ok_or_else(|| {
            let detail = "That session is over, or never was: ask GET /v1/verify again, or leave it out and a new one begins.";
            Problem::at(Code::SessionNotFound, "#/session", detail)
        })
    }
}

impl Schema for ResetView<'_> {
    const NAME: &'static str = "ResetToken";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("token", words()).must("expires_at", time()).schema()
    }
}

impl Schema for Vouch {
    const NAME: &'static str = "Vouch";

    fn schema(_: &mut Components) -> Value {
        Object::new()
            .perhaps("session", uuid())
            .must("account", pattern("^[!-~]{1,128}$"))
            .perhaps("email", email())
            .perhaps("remember", or(yes_or_no(), false))
            .schema()
    }
}
