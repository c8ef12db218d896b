//! An answer, read whole.

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use trolley::http::extract::cookie::NAME;
use trolley::service::json::tree::Tree;

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null where the body is not JSON.
    pub json: Value,
}

/// The general form of what was read. It is not read by the general reader, which gives some names a meaning.
fn plain(tree: Tree) -> Value {
    match tree {
        Tree::Null => Value::Null,
        Tree::Flag(yes) => yes.into(),
        Tree::Number(number) => serde_json::from_str(&number).unwrap_or_else(|_| Value::from(&*number)),
        Tree::Text(text) => text.into(),
        Tree::List(list) => list.into_iter().map(plain).collect(),
        Tree::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
    }
}

impl Reply {
    pub async fn read(response: Response<Body>) -> Reply {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let json = Tree::parse(&text).map_or(Value::Null, plain);
        Reply { status: parts.status.as_u16(), headers: parts.headers, text, json }
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A problem in its full form, with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Reply {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["type"], format!("/problems/{code}"));
        assert!(self.json["title"].is_string() && self.json["detail"].is_string(), "{}", self.text);
        self
    }

    /// The pointers of a problem's errors.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn set_cookie(&self) -> Option<&str> {
        self.header("set-cookie")
    }

    /// Every cookie that the answer sets: its name and value.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let lines = self.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        let pairs = lines.filter_map(|line| line.split(';').next()?.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The value of the cookie of that name, where the answer sets it.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies().into_iter().find(|(named, _)| named == name).map(|(_, value)| value)
    }

    /// The token that the answer sets as a cookie.
    pub fn token(&self) -> Option<String> {
        let rest = self.set_cookie()?.strip_prefix(NAME)?.strip_prefix('=')?;
        Some(rest.split(';').next()?.to_owned())
    }

    pub fn etag(&self) -> &str {
        self.header("etag").unwrap()
    }

    pub fn quantity(&self) -> u64 {
        self.json["quantity"].as_u64().unwrap()
    }

    pub fn revision(&self) -> u64 {
        self.json["revision"].as_u64().unwrap()
    }

    /// The id of the only line, or of the one of that sku.
    pub fn line(&self, sku: &str) -> &str {
        let lines = self.json["lines"].as_array().unwrap();
        lines.iter().find(|line| line["sku"] == sku).unwrap()["id"].as_str().unwrap()
    }

    /// `sku=quantity`, in order.
    pub fn shown(&self) -> String {
        let lines = self.json["lines"].as_array().unwrap();
        let shown =
            lines.iter().map(|line| format!("{}={}", line["sku"].as_str().unwrap(), line["quantity"]));
        shown.collect::<Vec<_>>().join(" ")
    }
}
