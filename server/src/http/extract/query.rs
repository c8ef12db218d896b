//! The query of a path. Names that a route does not know are passed over (links carry all sorts of them); what it does
//! know comes once and is valid.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::extract::form::Form;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;

/// A request's query.
pub struct Query(Form);

impl Query {
    /// How many elements are wanted: 1 to `most`, or `usual` where it is not said.
    pub fn limit(&self, usual: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.once("limit")? else { return Ok(usual) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let limit = digits.then(|| text.parse().unwrap_or(usize::MAX));
        limit
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| refused("limit", format!("Send a whole number from 1 to {most}.")))
    }

    /// The one value of that name, if it is there.
    pub fn once(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.0.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(refused(name, "Send this parameter once.".to_owned())),
        }
    }
}

/// What is wrong with the parameter `name`.
pub fn refused(name: &str, detail: String) -> Problem {
    Problem::at(Code::InvalidQuery, format!("#/query/{name}"), detail)
}

impl FromRequestParts<Arc<AppState>> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _front: &Arc<AppState>) -> Result<Query, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let form = Form::parse(query.as_bytes());
        form.map(Query).ok_or_else(|| Problem::at(Code::InvalidQuery, "#/query", Code::InvalidQuery.advice()))
    }
}
