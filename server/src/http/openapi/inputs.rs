//! What the arguments of handlers say about the requests that they take.

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use serde_json::json;

use crate::http::extract::account_caller::{AccountOwner, Caller, ProvenCaller};
use crate::http::extract::address::Address;
use crate::http::extract::api_key::{ApiKey, Needs};
use crate::http::extract::idempotency::{Again, Under};
use crate::http::extract::json::{FromJson, Json, NoBody, Optional};
use crate::http::extract::leaver::Leaver;
use crate::http::extract::path::{AccountName, DeviceName, LineName, OrderName};
use crate::http::extract::preconditions::Had;
use crate::http::extract::query::Query;
use crate::http::extract::visitor::{Visitor, Watcher};
use crate::http::openapi::headers;
use crate::http::openapi::op::RequestParts;
use crate::http::openapi::shape::{Components, Object, Schema, uuid, words};
use crate::http::problem::code::Code;
use crate::http::routes::cart::change::CartCaller;

/// An argument of a handler.
pub trait RequestInput {
    /// Adds to its operation what it reads, and what it is refused with.
    fn describe(takes: &mut RequestParts, parts: &mut Components);
}

/// All arguments of a handler, as axum names their tuple: first how the last one is read.
pub trait RequestInputs {
    /// Adds what each of them reads.
    fn describe(takes: &mut RequestParts, parts: &mut Components);
}

impl RequestInputs for ((),) {
    fn describe(_: &mut RequestParts, _: &mut Components) {}
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<M, $($argument: RequestInput),*> RequestInputs for (M, $($argument,)*) {
            fn describe(takes: &mut RequestParts, parts: &mut Components) {
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
        impl RequestInput for $of {
            fn describe(_: &mut RequestParts, _: &mut Components) {}
        }
    )*};
}
silent!(HeaderMap Address);

impl<T> RequestInput for State<T> {
    fn describe(_: &mut RequestParts, _: &mut Components) {}
}

impl<T> RequestInput for Extension<T> {
    fn describe(_: &mut RequestParts, _: &mut Components) {}
}

impl RequestInput for Visitor {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.called_by(&["nobody", "cookie", "bearer"]);
        takes.hands_tokens();
        takes.refuses(&[
            Code::DuplicateCookie,
            Code::TwoCredentials,
            Code::SessionEnded,
            Code::UnknownScheme,
            Code::RateLimited,
        ]);
    }
}

impl RequestInput for Watcher {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        Visitor::describe(takes, parts);
    }
}

impl RequestInput for CartCaller {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        Visitor::describe(takes, parts);
        headers::key(takes);
        headers::seen(takes);
        headers::strict(takes);
        takes.refuses(&[Code::CartSealed, Code::KeyReused, Code::CartTooLarge]);
    }
}

impl RequestInput for Had {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        headers::had(takes);
    }
}

impl RequestInput for Under {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        headers::key(takes);
        takes.refuses(&[Code::KeyReused]);
    }
}

impl<S: Needs> RequestInput for ApiKey<S> {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
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

impl RequestInput for Again {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        headers::key_of_form(takes);
    }
}

/// What a body in JSON is refused with.
pub const OF_A_BODY: [Code; 5] =
    [Code::InvalidJson, Code::InvalidBody, Code::BodyTimeout, Code::BodyTooLarge, Code::UnsupportedMediaType];

impl<T: FromJson + Schema> RequestInput for Json<T> {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        takes.body("application/json", true, parts.refer::<T>());
        takes.refuses(&OF_A_BODY);
    }
}

impl<T: FromJson + Schema> RequestInput for Optional<T> {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        takes.body("application/json", false, parts.refer::<T>());
        takes.refuses(&OF_A_BODY);
    }
}

impl RequestInput for NoBody {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.body("application/json", false, Object::new().schema());
        takes.refuses(&OF_A_BODY);
    }
}

/// A name that no line ever has is no fault: what is meant by it depends on what is done.
impl RequestInput for LineName {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.parameter("path", "line", true, words());
    }
}

/// An owner's calls are for who is signed in.
impl RequestInput for AccountOwner {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        Caller::describe(takes, parts);
        takes.refuses(&[Code::NotSignedIn]);
    }
}

impl RequestInput for Caller {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        Visitor::describe(takes, parts);
        headers::key_of_form(takes);
    }
}

impl RequestInput for Leaver {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        Caller::describe(takes, parts);
    }
}

impl RequestInput for ProvenCaller {
    fn describe(takes: &mut RequestParts, parts: &mut Components) {
        Caller::describe(takes, parts);
    }
}

impl RequestInput for AccountName {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.parameter("path", "id", true, words());
        takes.refuses(&[Code::AccountNotFound]);
    }
}

impl RequestInput for DeviceName {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.parameter("path", "id", true, uuid());
        takes.refuses(&[Code::SessionNotFound]);
    }
}

impl RequestInput for OrderName {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.parameter("path", "id", true, uuid());
    }
}

impl RequestInput for Query {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.refuses(&[Code::InvalidQuery]);
    }
}

/// A path's one variable part that is looked up as it is.
impl<E> RequestInput for Result<axum::extract::Path<String>, E> {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.parameter("path", "code", true, json!({ "type": "string" }));
    }
}
