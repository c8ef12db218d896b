//! Lists in pages: a cursor says where the last page ended, and a Link leads to the next (RFC 8288). What a cursor is made
//! of is nobody's business but ours.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Body;
use axum::http::header::{HeaderValue, LINK};
use axum::http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::http::extract::json::answer;
use crate::http::extract::query::{Query, refused};
use crate::http::openapi::shape::{said, words};
use crate::http::problem::response::Problem;

/// Elements of a page where the caller does not say how many.
const USUAL: usize = 50;
/// Elements of a page at most.
const MOST: usize = 100;

/// Which page is asked for: `?after=` the last element of the one before, and `?limit=` so many.
#[derive(Clone, Copy, Debug)]
pub struct Paging<Id> {
    /// The element after which it begins.
    pub after: Option<Id>,
    /// How many elements it holds.
    pub limit: usize,
}

/// A page with the cursor of the next one.
#[derive(Serialize)]
struct Shown<V> {
    #[serde(flatten)]
    view: V,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The member of a page that says where the next one begins.
pub fn next() -> Value {
    said(words(), "Send it as `after` for the next page; the last one has none.")
}

impl<Id: FromStr + Display> Paging<Id> {
    /// From a query.
    pub fn of(query: &Query) -> Result<Paging<Id>, Problem> {
        let limit = query.limit(USUAL, MOST)?;
        let after = query.once("after")?.map(|cursor| {
            cursor.parse().map_err(|_| refused("after", "Send a cursor as a Link had it.".to_owned()))
        });
        Ok(Paging { after: after.transpose()?, limit })
    }

    /// How many elements to look for: one more than the page holds tells whether there is another page.
    pub fn looked_for(&self) -> usize {
        self.limit + 1
    }

    /// The page of what was found, under `path`. `view` shows the elements that are on it.
    pub fn answer<T, V: Serialize>(
        &self,
        path: &str,
        mut found: Vec<T>,
        id: impl Fn(&T) -> Id,
        view: impl FnOnce(Vec<T>) -> V,
    ) -> Response<Body> {
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        let last = found.last().filter(|_| more).map(id);
        let next = last.as_ref().map(Id::to_string);
        let mut response = answer(StatusCode::OK, &Shown { view: view(found), next });
        if let Some(last) = last {
            let next = format!("<{path}?after={last}&limit={}>; rel=\"next\"", self.limit);
            if let Ok(next) = HeaderValue::try_from(next) {
                response.headers_mut().insert(LINK, next);
            }
        }
        response
    }
}
