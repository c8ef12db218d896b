//! Problems (RFC 9457): one enum of codes, and the one place that gives them status, envelope and headers.
//!
//! A 5xx tells the client nothing of its cause and the log everything, once: [`Cause`] carries it to the edge.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, Response};
use axum::response::IntoResponse;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use crate::http::openapi::shape::{
    Components, Object, Schema, between, list, one_of, pattern, said, whole, words,
};
use crate::http::problem::code::Code;
use crate::http::wire::cart::CartView;
use crate::http::wire::rate_limit;
use crate::service::catalogue::shown::PricedCart;
use crate::service::limits::limiter::QuotaState;
use crate::service::limits::shares::Full;

/// Tells that the answer repeats an earlier one and that nothing was changed.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Why a request was not done, as the client is told.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    /// Most problems have no more to say, and a `Result` is as large as its larger half.
    more: Option<Box<More>>,
}

/// What only some problems have.
#[derive(Debug, Default)]
struct More {
    errors: Vec<Fault>,
    /// The cart as it is.
    cart: Option<PricedCart>,
    /// A number that the client acts on, by its name.
    number: Option<(&'static str, u64)>,
    replayed: bool,
    allow: Option<HeaderValue>,
    standing: Option<QuotaState>,
    cause: Option<String>,
    /// The trouble is the body's coding: none is taken.
    uncoded: bool,
}

/// One thing that is wrong with the input.
#[derive(Debug, serde::Serialize)]
pub struct Fault {
    /// Where: a JSON pointer into the body as a URI fragment (`#/quantity`), or a header (`#/header/If-Match`).
    pub pointer: String,
    /// What to do about it.
    pub detail: Cow<'static, str>,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Fault {
        Fault { pointer: pointer.into(), detail: detail.into() }
    }
}

/// Core's words as a sentence.
pub fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// What the log is told of a 5xx, in the response's extensions.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<str>);

impl Problem {
    /// With the sentence that always goes with the code.
    pub fn new(code: Code) -> Problem {
        Problem::with(code, code.advice())
    }

    /// With a sentence of its own, which tells what to do.
    pub fn with(code: Code, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { code, detail: detail.into(), more: None }
    }

    /// About one place of the input, whose sentence is the detail too.
    pub fn at(code: Code, pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Problem {
        let detail = detail.into();
        Problem::with(code, detail.clone()).and(vec![Fault::new(pointer, detail)])
    }

    /// With these faults.
    #[must_use]
    pub fn and(mut self, errors: Vec<Fault>) -> Problem {
        self.more().errors = errors;
        self
    }

    /// With the cart as it is.
    #[must_use]
    pub fn showing(mut self, cart: PricedCart) -> Problem {
        self.more().cart = Some(cart);
        self
    }

    /// With a number that the client acts on.
    #[must_use]
    pub fn counting(mut self, name: &'static str, number: u64) -> Problem {
        self.more().number = Some((name, number));
        self
    }

    /// As the repetition of an earlier answer.
    #[must_use]
    pub fn replayed(mut self) -> Problem {
        self.more().replayed = true;
        self
    }

    /// With the methods that the path knows.
    #[must_use]
    pub fn allowing(mut self, methods: Option<HeaderValue>) -> Problem {
        self.more().allow = methods;
        self
    }

    /// With the quota that is used up.
    #[must_use]
    pub fn limited(mut self, standing: QuotaState) -> Problem {
        self.more().standing = Some(standing);
        self
    }

    /// As one about the coding of a body, which an answer tells apart by a header (RFC 9110, section 15.5.16).
    #[must_use]
    pub fn uncoded(mut self) -> Problem {
        self.more().uncoded = true;
        self
    }

    /// With what only the log is told.
    #[must_use]
    pub fn because(mut self, cause: String) -> Problem {
        self.more().cause = Some(cause);
        self
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What it says.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Full> for Problem {
    fn from(full: Full) -> Problem {
        Problem::new(match full {
            Full::Address => Code::TooManyAtOnce,
            Full::All => Code::Overloaded,
        })
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("Problem", 7)?;
        problem.serialize_field("type", &format_args!("/problems/{}", self.code.as_str()))?;
        problem.serialize_field("title", self.code.title())?;
        problem.serialize_field("status", &self.code.status())?;
        problem.serialize_field("detail", &self.detail)?;
        problem.serialize_field("code", self.code.as_str())?;
        if let Some(more) = self.more.as_ref().filter(|more| !more.errors.is_empty()) {
            problem.serialize_field("errors", &more.errors)?;
        }
        if let Some((name, number)) = self.more.as_ref().and_then(|more| more.number) {
            problem.serialize_field(name, &number)?;
        }
        if let Some(cart) = self.more.as_ref().and_then(|more| more.cart.as_ref()) {
            problem.serialize_field("cart", &CartView(cart))?;
        }
        problem.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status_code();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.code.status() {
            401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            429 if self.code != Code::TooManyAtOnce => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
            }
            429 | 503 => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        let more = self.more.map_or_else(More::default, |more| *more);
        if more.replayed {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        if let Some(cart) = &more.cart {
            headers.insert(ETAG, CartView(cart).etag());
        }
        if more.uncoded {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if let Some(allow) = more.allow {
            headers.insert(ALLOW, allow);
        }
        if let Some(standing) = more.standing {
            headers.insert(RETRY_AFTER, rate_limit::retry_after(&standing));
            rate_limit::tell(headers, &standing);
        }
        response.extensions_mut().insert(self.code);
        if let Some(cause) = more.cause {
            response.extensions_mut().insert(Cause(cause.into()));
        }
        response
    }
}

impl Schema for Problem {
    const NAME: &'static str = "Problem";

    fn schema(parts: &mut Components) -> Value {
        let fault = Object::new().must("pointer", words()).must("detail", words()).schema();
        Object::new()
            .must("type", pattern("^/problems/[a-z_]+$"))
            .must("title", words())
            .must("status", between(400, 599))
            .must("detail", words())
            .must("code", one_of(&Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>()))
            .may("errors", list(fault))
            .may("expected_seq", said(whole(1), "Of sequence_gap: the op that should have come."))
            .may(
                "seq",
                said(whole(1), "Of client_forked: the first op that was taken in with another op_id."),
            )
            .may("cart", parts.refer::<CartView<'_>>())
            .schema()
    }
}
