//! What the arguments of handlers say about the requests that they take.

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use serde_json::json;

use crate::http::address::Address;
use crate::http::api_key::{ApiKey, Needs};
use crate::http::arrival::{Calling, Owner, Proving};
use crate::http::change::Caller;
use crate::http::condition::Had;
use crate::http::idempotency::{Again, Under};
use crate::http::json::{Command, Json, NoBody, Optional};
use crate::http::path::{AccountName, DeviceName, LineName, OrderName};
use crate::http::problems::Code;
use crate::http::query::Query;
use crate::http::visitor::{Visitor, Watcher};

use super::headers;
use super::op::Takes;
use super::shape::{Object, Parts, Shape, uuid, words};

/// An argument of a handler.
pub trait Input {
    /// Adds to its operation what it reads, and what it is refused with.
    fn describe(takes: &mut Takes, parts: &mut Parts);
}

/// All arguments of a handler, as axum names their tuple: first how the last one is read.
pub trait Inputs {
    /// Adds what each of them reads.
    fn describe(takes: &mut Takes, parts: &mut Parts);
}

impl Inputs for ((),) {
    fn describe(_: &mut Takes, _: &mut Parts) {}
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<M, $($argument: Input),*> Inputs for (M, $($argument,)*) {
            fn describe(takes: &mut Takes, parts: &mut Parts) {
                $($argument::describe(takes, parts);)*
            }
        }
    };
}
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);

/// What says nothing about a request.
macro_rules! silent {
    ($($of:ty)*) => {$(
        impl Input for $of {
            fn describe(_: &mut Takes, _: &mut Parts) {}
        }
    )*};
}
silent!(HeaderMap Address);

impl<T> Input for State<T> {
    fn describe(_: &mut Takes, _: &mut Parts) {}
}

impl<T> Input for Extension<T> {
    fn describe(_: &mut Takes, _: &mut Parts) {}
}

impl Input for Visitor {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.called_by(&["nobody", "cookie", "bearer"]);
        takes.refuses(&[
            Code::DuplicateCookie,
            Code::TwoCredentials,
            Code::SessionEnded,
            Code::UnknownScheme,
            Code::RateLimited,
        ]);
    }
}

impl Input for Watcher {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        Visitor::describe(takes, parts);
    }
}

impl Input for Caller {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        Visitor::describe(takes, parts);
        headers::key(takes);
        headers::seen(takes);
        headers::strict(takes);
        takes.refuses(&[Code::CartSealed, Code::KeyReused, Code::CartTooLarge]);
    }
}

impl Input for Had {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        headers::had(takes);
    }
}

impl Input for Under {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        headers::key(takes);
        takes.refuses(&[Code::KeyReused]);
    }
}

impl<S: Needs> Input for ApiKey<S> {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.called_by(&["api_key"]);
        takes.refuses(&[
            Code::NoApiKey,
            Code::UnknownApiKey,
            Code::UnknownScheme,
            Code::TwoCredentials,
            Code::MissingScope,
            Code::RateLimited,
        ]);
    }
}

impl Input for Again {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        headers::key_of_form(takes);
    }
}

/// What a body in JSON is refused with.
pub const OF_A_BODY: [Code; 5] =
    [Code::InvalidJson, Code::InvalidBody, Code::BodyTimeout, Code::BodyTooLarge, Code::UnsupportedMediaType];

impl<T: Command + Shape> Input for Json<T> {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        takes.body("application/json", true, parts.refer::<T>());
        takes.refuses(&OF_A_BODY);
    }
}

impl<T: Command + Shape> Input for Optional<T> {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        takes.body("application/json", false, parts.refer::<T>());
        takes.refuses(&OF_A_BODY);
    }
}

impl Input for NoBody {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.body("application/json", false, Object::new().schema());
        takes.refuses(&OF_A_BODY);
    }
}

/// A name that no line ever has is no fault: what is meant by it depends on what is done.
impl Input for LineName {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.parameter("path", "line", true, words());
    }
}

/// An owner's calls are for who is signed in.
impl Input for Owner {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        Calling::describe(takes, parts);
        takes.refuses(&[Code::NotSignedIn]);
    }
}

impl Input for Calling {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        Visitor::describe(takes, parts);
        headers::key_of_form(takes);
    }
}

impl Input for Proving {
    fn describe(takes: &mut Takes, parts: &mut Parts) {
        Calling::describe(takes, parts);
    }
}

impl Input for AccountName {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.parameter("path", "id", true, words());
        takes.refuses(&[Code::AccountNotFound]);
    }
}

impl Input for DeviceName {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.parameter("path", "id", true, uuid());
        takes.refuses(&[Code::SessionNotFound]);
    }
}

impl Input for OrderName {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.parameter("path", "id", true, uuid());
    }
}

impl Input for Query {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.refuses(&[Code::InvalidQuery]);
    }
}

/// A path's one variable part that is looked up as it is.
impl<E> Input for Result<axum::extract::Path<String>, E> {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.parameter("path", "code", true, json!({ "type": "string" }));
    }
}
