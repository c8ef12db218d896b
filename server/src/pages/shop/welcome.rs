//! Signing up, in and out, and a forgotten password. Plain forms that leave the page: password managers know those.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use trolley_core::account::email::Email;
use trolley_core::account::password::Password;
use trolley_core::cart::op::MergePolicy;
use trolley_core::session::Transport;

use crate::http::extract::account_caller::ProvenCaller;
use crate::http::extract::address::Address;
use crate::http::extract::form::Form;
use crate::http::extract::leaver::Leaver;
use crate::http::extract::visitor::Visitor;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::account::accounts::set_by_token;
use crate::http::routes::account::credentials::{Login, Reset};
use crate::http::server::state::AppState;
use crate::http::wire::account::POLICIES;
use crate::pages::shop::actions::redirect;
use crate::pages::shop::frame::{Frame, PageVisit, account_of, refused, shown};
use crate::pages::shop::outbox::{Mail, Outbox};
use crate::pages::shop::told::ago;
use crate::service::account::sign_in::SignedIn;
use crate::service::session::token::Token;

#[derive(Template)]
#[template(path = "shop/sign_in.html")]
struct SignInPage {
    frame: Frame,
    is_new: bool,
    email: String,
    wrong: Option<String>,
    /// The password is what is wrong, and not the address.
    is_password: bool,
    /// A guest's cart would come along.
    with_cart: bool,
    was_reset: bool,
}

#[derive(Template)]
#[template(path = "shop/forgot.html")]
struct ForgotPage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "shop/outbox.html")]
struct OutboxPage {
    frame: Frame,
    sent: bool,
    mails: Vec<(Mail, String)>,
}

#[derive(Template)]
#[template(path = "shop/reset.html")]
struct ResetPage {
    frame: Frame,
    code: String,
    wrong: Option<String>,
    is_password: bool,
}

/// `GET /sign-in`.
pub async fn sign_in_page(visit: PageVisit) -> Result<Response, Problem> {
    page(&visit, false)
}

/// `GET /sign-up`.
pub async fn sign_up_page(visit: PageVisit) -> Result<Response, Problem> {
    page(&visit, true)
}

fn page(visit: &PageVisit, is_new: bool) -> Result<Response, Problem> {
    if account_of(&visit.visitor).is_some() {
        return Ok(redirect("/account", None));
    }
    let was_reset = visit.query.once("reset")?.is_some();
    let frame = Frame::of(&visit.visitor, &visit.cart);
    let with_cart = frame.in_cart > 0;
    let page = SignInPage {
        frame,
        is_new,
        email: String::new(),
        wrong: None,
        is_password: false,
        with_cart,
        was_reset,
    };
    shown(StatusCode::OK, &page)
}

/// `POST /sign-in`: `email`, `password`, `remember`, `merge`.
pub async fn sign_in(
    State(front): State<Arc<AppState>>,
    ProvenCaller(calling): ProvenCaller,
    form: Form,
) -> Response {
    let visitor = calling.visitor.clone();
    let login = login(&form);
    let arrival = calling.arrival(login.remember, login.merge);
    let email = Email::parse(&login.email).ok();
    let signed_in = front.service.sign_in(email.as_ref(), Password::said(&login.password), &arrival).await;
    match signed_in {
        Ok(signed_in) => welcome(&front, &signed_in),
        Err(failure) => again(&front, &visitor, login, false, &failure.into()).await,
    }
}

/// `POST /sign-up`: the same fields.
pub async fn sign_up(
    State(front): State<Arc<AppState>>,
    ProvenCaller(calling): ProvenCaller,
    form: Form,
) -> Response {
    let visitor = calling.visitor.clone();
    let login = login(&form);
    let arrival = calling.arrival(login.remember, login.merge);
    let signed_in = match login.chosen() {
        Ok((email, password)) => {
            front.service.sign_up(email, password, &arrival).await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match signed_in {
        Ok(signed_in) => welcome(&front, &signed_in),
        Err(problem) => again(&front, &visitor, login, true, &problem).await,
    }
}

/// `POST /sign-out`.
pub async fn sign_out(
    State(front): State<Arc<AppState>>,
    leaving: Result<Leaver, Problem>,
    _: Form,
) -> Response {
    let mut response = redirect("/", None);
    match leaving {
        Ok(leaving) => {
            if let Err(failure) = leaving.sign_out(&front).await {
                return refused(&front, &leaving.visitor, &failure.into()).await;
            }
            front.forget(&mut response, leaving.transport);
        }
        Err(problem) if problem.code() == Code::SessionEnded => {
            front.forget(&mut response, Transport::Cookie);
        }
        Err(problem) => return refused(&front, &Visitor::Unknown, &problem).await,
    }
    response
}

/// `GET /forgot`.
pub async fn forgot_page(visit: PageVisit) -> Result<Response, Problem> {
    shown(StatusCode::OK, &ForgotPage { frame: Frame::of(&visit.visitor, &visit.cart) })
}

/// `POST /forgot`: `email`. The answer is the same whether there is such an account or not.
pub async fn forgot(
    State(front): State<Arc<AppState>>,
    Extension(outbox): Extension<Arc<Outbox>>,
    ProvenCaller(calling): ProvenCaller,
    form: Form,
) -> Response {
    match mail(&front, &outbox, form.get("email").unwrap_or_default()).await {
        Ok(()) => redirect("/outbox?sent=1", None),
        Err(problem) => refused(&front, &calling.visitor, &problem).await,
    }
}

async fn mail(front: &AppState, outbox: &Outbox, email: &str) -> Result<(), Problem> {
    let Ok(email) = Email::parse(email) else { return Ok(()) };
    let Some(account) = front.service.owner_of(&email).await? else { return Ok(()) };
    let (token, _) = front.service.issue_reset(account).await?;
    let code = token.expose().to_owned();
    outbox.send(Mail { to: email.as_str().to_owned(), code, at: front.service.now() });
    Ok(())
}

/// `GET /outbox`.
pub async fn outbox_page(
    State(front): State<Arc<AppState>>,
    Extension(outbox): Extension<Arc<Outbox>>,
    visit: PageVisit,
) -> Result<Response, Problem> {
    let sent = visit.query.once("sent")?.is_some();
    let now = front.service.now();
    let mails = outbox.mails().into_iter().map(|mail| (mail.clone(), ago(mail.at, now))).collect();
    shown(StatusCode::OK, &OutboxPage { frame: Frame::of(&visit.visitor, &visit.cart), sent, mails })
}

/// `GET /reset`.
pub async fn reset_page(visit: PageVisit) -> Result<Response, Problem> {
    let frame = Frame::of(&visit.visitor, &visit.cart);
    shown(StatusCode::OK, &ResetPage { frame, code: String::new(), wrong: None, is_password: false })
}

/// `POST /reset`: `code`, `new`.
pub async fn reset(
    State(front): State<Arc<AppState>>,
    Address(address): Address,
    ProvenCaller(calling): ProvenCaller,
    form: Form,
) -> Response {
    let code = form.get("code").unwrap_or_default().trim();
    let reset =
        Reset { token: Token::parse(code.as_bytes()), new: form.get("new").unwrap_or_default().to_owned() };
    let problem = match set_by_token(&front, address, &calling, reset).await {
        Ok(known_by) => {
            let mut response = redirect("/sign-in?reset=1", None);
            front.know(&mut response, known_by.as_ref());
            return response;
        }
        Err(problem) => problem,
    };
    let Ok(cart) = front.shown(&calling.visitor).await else {
        return refused(&front, &calling.visitor, &problem).await;
    };
    let page = ResetPage {
        frame: Frame::of(&calling.visitor, &cart),
        code: code.to_owned(),
        is_password: problem.code() == Code::WeakPassword,
        wrong: Some(problem.detail().to_owned()),
    };
    shown(problem.code().status_code(), &page).unwrap_or_else(IntoResponse::into_response)
}

fn login(form: &Form) -> Login {
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let merge = form.get("merge").and_then(policy);
    Login {
        email: text("email"),
        password: text("password"),
        remember: form.get("remember").is_some(),
        merge,
    }
}

fn policy(name: &str) -> Option<MergePolicy> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, policy)| *policy)
}

/// In: what became of the guest's cart is told first, where it had something.
fn welcome(front: &AppState, signed_in: &SignedIn) -> Response {
    let to = match &signed_in.merged {
        Some(merged) => format!("/cart?at={}&check=1", merged.revision),
        None => "/account?check=1".to_owned(),
    };
    let mut response = redirect(&to, None);
    front.hand_over(&mut response, &signed_in.entered);
    response
}

/// The form once more, with what was wrong. Only what is the person's to mend is told there. A wrong password is no challenge to
/// a browser, which would ask for another kind of login.
async fn again(
    front: &AppState,
    visitor: &Visitor,
    login: Login,
    is_new: bool,
    problem: &Problem,
) -> Response {
    let mendable =
        [Code::InvalidCredentials, Code::EmailTaken, Code::WeakPassword, Code::InvalidBody, Code::NoPassword];
    let cart = front.shown(visitor).await;
    let (true, Ok(cart)) = (mendable.contains(&problem.code()), cart) else {
        return refused(front, visitor, problem).await;
    };
    let page = SignInPage {
        frame: Frame::of(visitor, &cart),
        is_new,
        email: login.email,
        is_password: matches!(problem.code(), Code::WeakPassword | Code::InvalidCredentials),
        wrong: Some(problem.detail().to_owned()),
        with_cart: cart.quantity() > 0,
        was_reset: false,
    };
    shown(problem.code().status_code(), &page).unwrap_or_else(IntoResponse::into_response)
}
