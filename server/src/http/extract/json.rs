//! JSON bodies become typed commands here, and every fault is named by its pointer: unknown fields, names that come
//! twice, wrong types, numbers out of range. Below this file nobody sees JSON.

mod lists;
mod numbers;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::http::extract::body;
use crate::http::problem::code::Code;
use crate::http::problem::response::{Fault, Problem};
use crate::http::server::state::AppState;

const JSON: &str = "application/json";
/// How deep a body may nest.
const DEPTH_MAX: usize = 32;
/// How many faults of one body are told.
const FAULTS_MAX: usize = 20;
/// How many characters of a stranger's name are told back.
const NAME_SHOWN_MAX: usize = 64;

/// What a body is read into.
pub trait FromJson: Sized {
    /// The most that its body may hold.
    const BYTES_MAX: usize = body::BYTES_MAX;

    /// Takes its fields; what is wrong is noted in `fields`. None only where something was noted.
    fn take(fields: &mut Fields<'_>) -> Option<Self>;
}

/// The command that the body holds.
pub struct Json<T>(pub T);

impl<T: FromJson> FromRequest<Arc<AppState>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, front: &Arc<AppState>) -> Result<Json<T>, Problem> {
        let (parts, body) = request.into_parts();
        // Nothing has no type: that it is nothing is the better word.
        let is_nothing = body.is_end_stream() && !parts.headers.contains_key(CONTENT_TYPE);
        if !is_nothing && !body::is_of_type(&parts.headers, JSON) {
            return Err(body::of_another_type(&parts.headers, JSON));
        }
        let bytes = body::read(&parts.headers, body, front.rules.body_timeout, T::BYTES_MAX).await?;
        read(&bytes).map(Json)
    }
}

/// For a call that says all in its path: no body, or an object without fields.
pub struct NoBody;

impl FromJson for NoBody {
    fn take(_: &mut Fields<'_>) -> Option<NoBody> {
        Some(NoBody)
    }
}

impl FromRequest<Arc<AppState>> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, front: &Arc<AppState>) -> Result<NoBody, Problem> {
        Optional::from_request(request, front).await.map(|Optional(command)| command)
    }
}

/// The command that the body holds; no body at all is as good as an object without fields.
pub struct Optional<T>(pub T);

impl<T: FromJson> FromRequest<Arc<AppState>> for Optional<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, front: &Arc<AppState>) -> Result<Optional<T>, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, front.rules.body_timeout, T::BYTES_MAX).await?;
        if bytes.is_empty() {
            return read(b"{}").map(Optional);
        }
        if !body::is_of_type(&parts.headers, JSON) {
            return Err(body::of_another_type(&parts.headers, JSON));
        }
        read(&bytes).map(Optional)
    }
}

/// An answer in JSON, which no cache stores.
pub fn answer(status: StatusCode, view: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_vec(view).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Reads a command from a body.
pub fn read<T: FromJson>(bytes: &[u8]) -> Result<T, Problem> {
    let text = checked(bytes)?;
    let pairs: Pairs<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data if is_json(text) => Problem::at(Code::InvalidBody, "#", "Send a JSON object."),
        _ => not_json(format!("The body is not JSON, at line {}, column {}.", error.line(), error.column())),
    })?;
    let mut fields = Fields { pairs: pairs.0, at: String::from("#"), faults: Vec::new(), broken: None };
    let command = T::take(&mut fields);
    fields.refuse_the_rest();
    if let Some(problem) = fields.broken {
        return Err(problem);
    }
    match command {
        Some(command) if fields.faults.is_empty() => Ok(command),
        _ => Err(refusal(fields.faults)),
    }
}

/// A body as text whose nesting is bounded, so that a parser may have it. A byte order mark before it is passed over, as RFC 8259
/// (section 8.1) allows: some editors and systems write one whatever they are told.
pub fn checked(bytes: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| not_json(not_utf_8(bytes)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(not_json("The body is empty: send a JSON object, with Content-Type: application/json."));
    }
    if nests_deeper_than(text, DEPTH_MAX) {
        return Err(not_json("The body nests deeper than 32 levels."));
    }
    Ok(text)
}

/// What it looks like instead.
fn not_utf_8(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "The body is UTF-16: send it in UTF-8.",
        [0x1f, 0x8b, ..] => "The body is compressed (gzip): send it as it is.",
        _ => "The body is not UTF-8.",
    }
}

fn not_json(detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::with(Code::InvalidJson, detail)
}

/// Whether it is JSON at all: what does not begin like an object is not read to its end.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn refusal(faults: Vec<Fault>) -> Problem {
    let detail = match faults.as_slice() {
        [one] => one.detail.clone(),
        _ => Cow::Borrowed("Correct what the errors name."),
    };
    Problem::with(Code::InvalidBody, detail).and(faults)
}

/// Brackets within brackets, outside strings. Counted before parsing, so that no parser's stack is at stake.
fn nests_deeper_than(text: &str, most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// An object's members as they came: names that come twice are both here, and values are not yet looked at.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<'de>, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    pairs.push((name, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, taken out one by one.
pub struct Fields<'a> {
    pairs: Vec<(Cow<'a, str>, &'a RawValue)>,
    at: String,
    faults: Vec<Fault>,
    /// A string within was not valid after all: then the body was not JSON.
    broken: Option<Problem>,
}

impl<'a> Fields<'a> {
    /// Notes what is wrong with the member `name`.
    pub fn fault(&mut self, name: &str, detail: impl Into<Cow<'static, str>>) {
        self.fault_at(pointer(&self.at, name), detail);
    }

    /// Notes what is wrong at `pointer`.
    pub fn fault_at(&mut self, pointer: String, detail: impl Into<Cow<'static, str>>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(pointer, detail));
        }
    }

    /// The member `name`, if it is there, once.
    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.pairs.iter().position(|(named, _)| named == name)?;
        let (_, value) = self.pairs.swap_remove(at);
        if self.pairs.iter().any(|(named, _)| named == name) {
            self.fault(name, "This name comes twice.");
            self.pairs.retain(|(named, _)| named != name);
            return None;
        }
        Some(value)
    }

    /// A string that must be there.
    pub fn string(&mut self, name: &str) -> Option<String> {
        let value = self.required(name)?;
        self.string_of(name, value)
    }

    /// The member `name`, which must be there.
    fn required(&mut self, name: &str) -> Option<&'a RawValue> {
        let noted = self.faults.len();
        let value = self.take(name);
        if value.is_none() && self.faults.len() == noted {
            self.fault(name, "This field is missing.");
        }
        value
    }

    fn string_of(&mut self, name: &str, value: &RawValue) -> Option<String> {
        if !value.get().starts_with('"') {
            self.fault(name, "Send a string.");
            return None;
        }
        match serde_json::from_str(value.get()) {
            Ok(text) => Some(text),
            Err(_) => {
                self.broken =
                    Some(not_json(format!("The string at {} is not Unicode.", pointer(&self.at, name))));
                None
            }
        }
    }

    /// True or false, or `usual` where it is not there.
    pub fn flag(&mut self, name: &str, usual: bool) -> Option<bool> {
        if !self.has(name) {
            return Some(usual);
        }
        match self.take(name)?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.fault(name, "Send true or false.");
                None
            }
        }
    }

    /// An object that is read into a command of its own, where it is there.
    pub fn object<T: FromJson>(&mut self, name: &str) -> Option<T> {
        let value = self.take(name)?;
        if !value.get().starts_with('{') {
            self.fault(name, "Send an object.");
            return None;
        }
        let pairs = self.pairs_of(value)?.0;
        let (at, faults) = (pointer(&self.at, name), std::mem::take(&mut self.faults));
        let mut within = Fields { pairs, at, faults, broken: None };
        let taken = T::take(&mut within);
        within.refuse_the_rest();
        self.faults = within.faults;
        self.broken = self.broken.take().or(within.broken);
        taken
    }

    fn pairs_of(&mut self, value: &'a RawValue) -> Option<Pairs<'a>> {
        let pairs = serde_json::from_str(value.get());
        if pairs.is_err() {
            self.broken = Some(not_json("A name in the body is not Unicode."));
        }
        pairs.ok()
    }

    /// Whether the optional member is there. One that is null is as good as none, and taken out; one that comes twice is there.
    pub fn has(&mut self, name: &str) -> bool {
        let mut named = self.pairs.iter().enumerate().filter(|(_, (named, _))| named == name);
        match (named.next(), named.next()) {
            (Some((at, (_, value))), None) if value.get() == "null" => {
                self.pairs.swap_remove(at);
                false
            }
            (first, _) => first.is_some(),
        }
    }

    /// An object whose values are strings, where it is there; nothing is an empty one.
    pub fn strings(&mut self, name: &str) -> Option<Vec<(String, String)>> {
        if !self.has(name) {
            return Some(Vec::new());
        }
        let value = self.take(name)?;
        if !value.get().starts_with('{') {
            self.fault(name, "Send an object whose values are strings.");
            return None;
        }
        let inner = self.pairs_of(value)?;
        let noted = self.faults.len();
        let within = pointer(&self.at, name);
        let outer = std::mem::replace(&mut self.at, within);
        let mut strings: Vec<(String, String)> = Vec::with_capacity(inner.0.len());
        for (name, value) in &inner.0 {
            if let Some(value) = self.string_of(name, value) {
                strings.push((name.clone().into_owned(), value));
            }
        }
        self.at = outer;
        (self.faults.len() == noted && self.broken.is_none()).then_some(strings)
    }

    fn refuse_the_rest(&mut self) {
        for (name, _) in std::mem::take(&mut self.pairs) {
            self.fault(&name, "There is no such field.");
        }
    }
}

/// A pointer one step further (RFC 6901, section 6: `~` and `/` escaped, the rest percent-encoded where a URI needs it).
pub fn pointer(at: &str, name: &str) -> String {
    let mut pointer = String::with_capacity(at.len() + name.len() + 1);
    pointer.push_str(at);
    pointer.push('/');
    for c in name.chars().take(NAME_SHOWN_MAX) {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c if c.is_ascii_alphanumeric() || "-._!$&'()*+,;=:@".contains(c) => pointer.push(c),
            c => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    pointer.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    pointer
}
