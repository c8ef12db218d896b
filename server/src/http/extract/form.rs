//! Form-encoded bodies (`application/x-www-form-urlencoded`), as the demo's pages send them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};

use crate::http::extract::body;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;

/// Fields that one form may hold.
const FIELDS_MAX: usize = 32;

/// A form's fields, in the order they came.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The first field of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// Every field of that name.
    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// From a body.
    pub fn parse(bytes: &[u8]) -> Option<Form> {
        let pairs = bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()).take(FIELDS_MAX);
        let fields = pairs.map(|pair| {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            Some((name, decode(halves.next().unwrap_or_default())?))
        });
        fields.collect::<Option<Vec<_>>>().map(Form)
    }
}

fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |b: &u8| char::from(*b).to_digit(16);
                (digit(rest.next()?)? << 4 | digit(rest.next()?)?) as u8
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

impl FromRequest<Arc<AppState>> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, front: &Arc<AppState>) -> Result<Form, Problem> {
        let (parts, body) = request.into_parts();
        if !body::is_of_type(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(body::of_another_type(&parts.headers, "application/x-www-form-urlencoded"));
        }
        let bytes = body::read(&parts.headers, body, front.rules.body_timeout, body::BYTES_MAX).await?;
        Form::parse(&bytes).ok_or_else(|| Problem::with(Code::InvalidBody, "The form is not UTF-8."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form = Form::parse(b"a=1+2&b=%C3%A9&c=&d").unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c"), form.get("d")),
            (Some("1 2"), Some("é"), Some(""), Some(""))
        );
        assert_eq!(form.get("e"), None);
        assert!(Form::parse(b"a=%zz").is_none() && Form::parse(b"a=%C3").is_none());
    }
}
