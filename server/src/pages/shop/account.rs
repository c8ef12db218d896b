//! The account's page: its devices, what happened lately, another password, and goodbye.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use trolley_core::account::password::Password;

use crate::http::extract::account_caller::{AccountOwner, Caller};
use crate::http::extract::form::Form;
use crate::http::extract::visitor::Visitor;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::account::credentials::choose;
use crate::http::routes::session::devices::{device_of_id, end as end_devices};
use crate::http::server::state::AppState;
use crate::pages::shop::actions::redirect;
use crate::pages::shop::frame::{Frame, PageVisit, account_of, refused, shown};
use crate::pages::shop::told::ago;
use crate::service::account::devices::DeviceId;
use crate::service::account::end_devices::{Devices, Ended};

/// What happened lately that is shown.
const EVENTS_MAX: usize = 12;

#[derive(Template)]
#[template(path = "shop/account.html")]
struct AccountPage {
    frame: Frame,
    email: String,
    devices: Vec<Device>,
    events: Vec<Event>,
    told: Option<&'static str>,
    wrong: Option<Wrong>,
}

struct Device {
    id: String,
    name: String,
    address: String,
    first_seen: String,
    last_seen: String,
    is_this: bool,
}

struct Event {
    what: &'static str,
    when: String,
    whence: String,
}

/// What is wrong with a form of this page.
struct Wrong {
    field: &'static str,
    says: String,
}

/// `GET /account`.
pub async fn show(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    if account_of(&visit.visitor).is_none() {
        // Just signed in and nobody: the browser did not keep the cookie, and the cart's page says why.
        let kept_nothing = visit.query.once("check")? == Some("1");
        return Ok(redirect(if kept_nothing { "/cart?check=1" } else { "/sign-in" }, None));
    }
    let told = match visit.query.once("done")? {
        Some("password") => Some("Your password is another one now, and every other device was signed out."),
        Some("ended") => Some("That device was signed out."),
        Some("others") => Some("Every other device was signed out."),
        _ => None,
    };
    account(&front, &visit.visitor, told, None).await
}

/// `POST /account/password`: `current`, `new`.
pub async fn password(State(front): State<Arc<AppState>>, calling: Caller, form: Form) -> Response {
    let visitor = calling.visitor.clone();
    let Some(owner) = owner(calling) else { return redirect("/sign-in", None) };
    match changed(&front, &owner, &form).await {
        Ok(response) => response,
        Err(problem) => {
            let field = if problem.code() == Code::InvalidCredentials { "current" } else { "new" };
            again(&front, &visitor, field, &problem).await
        }
    }
}

async fn changed(front: &AppState, owner: &AccountOwner, form: &Form) -> Result<Response, Problem> {
    let account =
        front.service.account(owner.account).await?.ok_or_else(|| Problem::new(Code::NotSignedIn))?;
    let new = choose(form.get("new").unwrap_or_default(), account.email.as_ref(), "#/new")?;
    let current = Password::said(form.get("current").unwrap_or_default());
    let entered = front.service.change_password(&owner.visit, current, new, &owner.from).await?;
    let mut response = redirect("/account?done=password", None);
    front.hand_over(&mut response, &entered);
    Ok(response)
}

/// `POST /account/devices`: `id` ends that one, `all` everything, nothing all others.
pub async fn end(State(front): State<Arc<AppState>>, calling: Caller, form: Form) -> Response {
    let visitor = calling.visitor.clone();
    let Some(owner) = owner(calling) else { return redirect("/sign-in", None) };
    let (devices, to) = match form.get("id") {
        Some(id) => (device_of_id(id.parse().ok()), "/account?done=ended"),
        None if form.get("all").is_some() => (Ok(Devices::All), "/"),
        None => (Ok(Devices::Others), "/account?done=others"),
    };
    let ended = match devices {
        Ok(devices) => end_devices(&front, &owner, devices, None).await,
        Err(problem) => Err(problem),
    };
    match ended {
        Ok(Ended::Done { this: true }) => {
            let mut response = redirect("/", None);
            front.forget(&mut response, owner.visit.session.transport);
            response
        }
        Ok(_) => redirect(to, None),
        Err(problem) => refused(&front, &visitor, &problem).await,
    }
}

/// `POST /account/delete`: `password`.
pub async fn delete(State(front): State<Arc<AppState>>, calling: Caller, form: Form) -> Response {
    let visitor = calling.visitor.clone();
    let Some(owner) = owner(calling) else { return redirect("/sign-in", None) };
    let password = Password::said(form.get("password").unwrap_or_default());
    match front.service.delete_account(&owner.visit, password, &owner.from).await {
        Ok(()) => {
            let mut response = redirect("/", None);
            front.forget(&mut response, owner.visit.session.transport);
            response
        }
        Err(failure) => again(&front, &visitor, "password", &failure.into()).await,
    }
}

fn owner(calling: Caller) -> Option<AccountOwner> {
    let account = account_of(&calling.visitor)?;
    match calling.visitor {
        Visitor::Known(visit) => Some(AccountOwner { visit, account, from: calling.from }),
        Visitor::Unknown => None,
    }
}

async fn again(front: &AppState, visitor: &Visitor, field: &'static str, problem: &Problem) -> Response {
    if !matches!(problem.code(), Code::InvalidCredentials | Code::WeakPassword) {
        return refused(front, visitor, problem).await;
    }
    let wrong = Wrong { field, says: problem.detail().to_owned() };
    let page = account(front, visitor, None, Some(wrong)).await;
    let mut page = page.unwrap_or_else(IntoResponse::into_response);
    *page.status_mut() = problem.code().status_code();
    page
}

async fn account(
    front: &AppState,
    visitor: &Visitor,
    told: Option<&'static str>,
    wrong: Option<Wrong>,
) -> Result<Response, Problem> {
    let (Visitor::Known(visit), Some(id)) = (visitor, account_of(visitor)) else {
        return Ok(redirect("/sign-in", None));
    };
    let account = front.service.account(id).await?.ok_or_else(|| Problem::new(Code::NotSignedIn))?;
    let now = front.service.now();
    let devices = front.service.devices(id).await?.into_iter().map(|row| Device {
        is_this: row.id == DeviceId::Session(visit.session.id),
        id: match row.id {
            DeviceId::Session(id) => id.to_string(),
            DeviceId::Series(id) => id.to_string(),
        },
        name: named(&row.device.name),
        address: row.device.address.to_string(),
        first_seen: ago(row.first_seen, now),
        last_seen: ago(row.last_seen, now),
    });
    let trail = front.service.trail(id).await?;
    let mut events: Vec<_> = trail
        .iter()
        .map(|row| Event {
            what: happened(row.what.as_str()),
            when: ago(row.at, now),
            whence: row.device.as_deref().map(named).unwrap_or_default(),
        })
        .collect();
    // The newest first, whichever way the trail is kept.
    if trail.first().map(|row| row.at) < trail.last().map(|row| row.at) {
        events.reverse();
    }
    events.truncate(EVENTS_MAX);
    let cart = front.shown(visitor).await?;
    shown(
        StatusCode::OK,
        &AccountPage {
            frame: Frame::of(visitor, &cart),
            email: account.email.as_ref().map(|email| email.as_str().to_owned()).unwrap_or_default(),
            devices: devices.collect(),
            events,
            told,
            wrong,
        },
    )
}

fn named(device: &str) -> String {
    if device.is_empty() { "an unnamed device".to_owned() } else { device.to_owned() }
}

/// The trail's names in the owner's words.
fn happened(event: &str) -> &'static str {
    match event {
        "account_created" => "Account made",
        "signed_in" => "Signed in",
        "remembered" => "Came back to a remembered device",
        "sign_in_failed" => "Somebody tried a wrong password",
        "signed_out" => "Signed out",
        "session_renewed" => "Session renewed",
        "session_expired" => "Session ran out",
        "session_revoked" => "A device was signed out",
        "sessions_revoked" => "Devices were signed out",
        "token_replayed" => "A copied session was shut out",
        "password_changed" => "Password changed",
        "password_change_failed" => "Wrong password while changing it",
        "reset_issued" => "A new password was asked for",
        "password_reset" => "Password set by mail",
        "carts_merged" => "The cart of a visit came in",
        _ => "Something happened",
    }
}
