//! One way for every change of a cart: what the headers say, the service, the answer with the cart.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response};
use bytes::Bytes;
use trolley_core::cart::op::{Intent, Refusal};
use trolley_core::ids::CartId;
use trolley_core::ledger::LedgerAnswer;

use crate::http::extract::address::Address;
use crate::http::extract::idempotency::Key;
use crate::http::extract::visitor::Visitor;
use crate::http::extract::{cookie, preconditions};
use crate::http::problem::code::Code;
use crate::http::problem::response::{Fault, IDEMPOTENCY_REPLAYED, Problem, sentence};
use crate::http::server::state::AppState;
use crate::http::wire::cart::CartView;
use crate::http::wire::rate_limit;
use crate::service::cart::command::{Command, Replay, refused_before};
use crate::service::cart::context::Output;
use crate::service::cart::kind::CommandKind;
use crate::service::cart::preconditions::{Preconditions, SeenByCaller};
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::ServiceError;
use crate::service::limits::addresses::Payer;
use crate::service::limits::limiter::QuotaState;
use crate::service::session::guest::NewGuest;
use crate::service::session::recognise::Visit;

/// A caller who wants to change something, and the terms on which.
pub struct CartCaller {
    /// Who.
    pub visitor: Visitor,
    /// From where.
    pub from: Address,
    /// By which method.
    pub method: Method,
    /// What the caller had seen.
    pub seen: SeenByCaller,
    /// Refuse the change where the cart is not that any more.
    pub strict: bool,
    /// The name for a retry.
    pub key: Option<Key>,
}

impl FromRequestParts<Arc<AppState>> for CartCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<CartCaller, Problem> {
        let visitor = Visitor::from_request_parts(parts, front).await?;
        let from = Address::from_request_parts(parts, front).await?;
        let (seen, strict) = (preconditions::seen(&parts.headers)?, preconditions::strict(&parts.headers)?);
        let key = Key::of(&parts.headers)?;
        Ok(CartCaller { visitor, from, method: parts.method.clone(), seen, strict, key })
    }
}

/// What a change came to.
pub struct CartChange {
    /// The cart; nobody's where the caller has no session and nothing had to be kept.
    pub cart: PricedCart,
    /// A session that began with it.
    pub begun: Option<NewGuest>,
    /// What was made besides the cart, now or earlier under the same key.
    pub made: Result<Output, Replay>,
}

impl AppState {
    /// Does a plain change of the cart.
    pub async fn change(&self, caller: CartCaller, intent: Intent) -> Result<CartChange, Problem> {
        let keyed =
            caller.key.map(|key| key.with_request(&caller.method, &intent, caller.seen, caller.strict));
        let terms = Preconditions { seen: caller.seen, strict: caller.strict, keyed };
        self.carry_out(caller.visitor, caller.from, terms, CommandKind::Change(intent)).await
    }

    /// Has a task done for a caller: one way for all that changes a cart.
    pub async fn carry_out(
        &self,
        visitor: Visitor,
        Address(from): Address,
        terms: Preconditions,
        task: CommandKind,
    ) -> Result<CartChange, Problem> {
        let Visitor::Known(visit) = visitor else {
            return Ok(match self.service.first_change(from, &terms, &task).await? {
                Some((done, begun)) => CartChange { cart: done.cart, begun: Some(begun), made: done.made },
                None => CartChange {
                    cart: self.service.nobodys_cart().await,
                    begun: None,
                    made: Ok(Output::Change),
                },
            });
        };
        let payer = Some(Payer::of(from, visit.session.account()));
        let order = Command { claim: Some(visit.claim()), cart: cart_of(&visit)?, payer, terms, task };
        let done = self.service.change(order).await?;
        match done.made {
            Err(Replay(answer)) if answer.code.is_some() => Err(repeated_with(&answer, done.cart)),
            made => Ok(CartChange { cart: done.cart, begun: None, made }),
        }
    }

    /// The visitor's cart as it stands.
    pub async fn shown(&self, visitor: &Visitor) -> Result<PricedCart, Problem> {
        match visitor {
            Visitor::Known(visit) => Ok(self.service.cart_shown(cart_of(visit)?).await?),
            Visitor::Unknown => Ok(self.service.nobodys_cart().await),
        }
    }

    /// The answer to a change.
    pub fn answer(&self, changed: CartChange) -> Response<Body> {
        let mut response = cart_response(&changed.cart);
        if changed.made.is_err() {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        if let Some(begun) = changed.begun {
            self.hand_out(response.headers_mut(), &begun);
        }
        response
    }

    /// Hands a session that has just begun to its browser.
    pub fn hand_out(&self, headers: &mut HeaderMap, begun: &NewGuest) {
        if let Some(standing) = &begun.standing {
            rate_limit::tell(headers, standing);
        }
        headers.insert(SET_COOKIE, self.cookie(begun));
    }

    /// The Set-Cookie of a session that has just begun.
    pub fn cookie(&self, begun: &NewGuest) -> HeaderValue {
        cookie::set(&begun.token, self.rules.same_site, self.service.now(), begun.visit.absolute_expires_at)
    }
}

/// The cart that a guest's session owns.
pub fn cart_of(visit: &Visit) -> Result<CartId, Problem> {
    let missing =
        || Problem::new(Code::Internal).because(format!("session {} has no cart", visit.session.id));
    visit.session.cart.ok_or_else(missing)
}

/// 200 with a cart.
pub fn cart_response(cart: &PricedCart) -> Response<Body> {
    cart_answer(CartView(cart).to_json().into(), CartView(cart).etag())
}

/// 200 with a cart's body and its tag.
pub fn cart_answer(body: Bytes, etag: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ETAG, etag);
    response
}

/// A refusal that was given under the same key before.
pub fn repeated(answer: &LedgerAnswer) -> Problem {
    if let Some(refusal) = refused_before(answer) {
        return Problem::from(refusal).replayed();
    }
    let code = answer.code.as_deref().and_then(Code::named).unwrap_or(Code::InvalidOp);
    let problem = Problem::new(code).replayed();
    let number = answer.about.and_then(|about| about.last_chunk::<8>().map(|n| u64::from_be_bytes(*n)));
    match (code, number) {
        (Code::ClientForked, Some(n)) => problem.counting("seq", n),
        _ => problem,
    }
}

/// The same of a change of the cart, which is shown as it is now.
fn repeated_with(answer: &LedgerAnswer, cart: PricedCart) -> Problem {
    let problem = repeated(answer);
    let shows =
        [Code::PreconditionFailed, Code::CartEmpty, Code::CartChanged, Code::PriceChanged, Code::ShortStock];
    if shows.contains(&problem.code()) { problem.showing(cart) } else { problem }
}

/// Which quota is used up: the address may be shared, and who reads it should know what to ask for less often.
fn limited(standing: QuotaState) -> Problem {
    let name = standing.quota.name;
    let detail = format!("The quota {name} is used up. {}", Code::RateLimited.advice());
    Problem::with(Code::RateLimited, detail).limited(standing)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let code = Code::named(refusal.code().as_str()).unwrap_or(Code::InvalidOp);
        let detail = sentence(&refusal.to_string());
        let problem = Problem::with(code, detail.clone());
        match refusal {
            Refusal::QuantityOverLimit(_) | Refusal::QuantityZero | Refusal::TotalTooLarge => {
                problem.and(vec![Fault::new("#/quantity", detail)])
            }
            Refusal::TooManyLines(_) | Refusal::TooMuchText(_) | Refusal::UnknownSku => {
                problem.and(vec![Fault::new("#/sku", detail)])
            }
            _ => problem,
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(failure: ServiceError) -> Problem {
        match failure {
            ServiceError::Refused(refusal) => refusal.into(),
            ServiceError::SyncRefused(refusal) => refusal.into(),
            ServiceError::Stale(cart) => Problem::new(Code::PreconditionFailed).showing(cart),
            ServiceError::CheckoutRefused(why, cart) => {
                Problem::new(Code::named(why.as_str()).unwrap_or(Code::CartChanged)).showing(cart)
            }
            ServiceError::DataChanged => {
                Problem::with(Code::PreconditionFailed, "Read the data as it is now, and patch that.")
            }
            ServiceError::DataTooLarge => Problem::new(Code::DataTooLarge),
            ServiceError::KeyReused => {
                let advice = Code::KeyReused.advice();
                Problem::at(Code::KeyReused, "#/header/Idempotency-Key", advice)
            }
            ServiceError::TooManyStreams { most, of } => {
                let detail = format!(
                    "At most {most} event streams are open at once for one {of}: close one, or read the cart now and then."
                );
                Problem::with(Code::TooManyStreams, detail)
            }
            ServiceError::SessionEnded => Problem::new(Code::SessionEnded),
            ServiceError::Limited(standing) => limited(standing),
            ServiceError::Overtaken | ServiceError::Busy => Problem::new(Code::Busy),
            ServiceError::NotSignedIn => Problem::new(Code::NotSignedIn),
            ServiceError::InvalidCredentials => Problem::new(Code::InvalidCredentials),
            ServiceError::EmailTaken => Problem::new(Code::EmailTaken),
            ServiceError::NoPassword => Problem::new(Code::NoPassword),
            ServiceError::NoSuchAccount => Problem::new(Code::AccountNotFound),
            ServiceError::NoSuchSession => Problem::new(Code::SessionNotFound),
            ServiceError::InvalidResetToken => Problem::new(Code::InvalidResetToken),
            ServiceError::Overloaded => Problem::new(Code::Overloaded),
            ServiceError::TooManyAtOnce => Problem::new(Code::TooManyAtOnce),
            ServiceError::StoreFull => Problem::new(Code::StoreFull).because("the store is full".to_owned()),
            ServiceError::TooBig => Problem::new(Code::CartTooLarge),
            ServiceError::StoreDown(cause) => Problem::new(Code::StoreDown).because(cause),
            ServiceError::Damaged(cause) | ServiceError::Broken(cause) => {
                Problem::new(Code::Internal).because(cause)
            }
        }
    }
}
