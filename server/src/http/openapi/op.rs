//! One operation: what a route says about itself, and what its handler's arguments add.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::http::openapi::shape::{Components, Schema, between, or, said, uuid};
use crate::http::problem::code::Code;
use crate::http::wire::cart::CartView;

/// What any request may be told, whatever it asks for.
const ALWAYS: [Code; 8] = [
    Code::InvalidRequest,
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::Overloaded,
    Code::TooManyAtOnce,
    Code::Timeout,
    Code::StoreDown,
];

/// An operation.
pub struct Operation {
    /// Its name for programs, unique in the document.
    pub(crate) id: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// What is to be known of it besides.
    says: Option<&'static str>,
    /// Its answer is a page of a list.
    paged: bool,
    pub(crate) answers: Vec<ResponseSpec>,
    pub(crate) takes: RequestParts,
}

/// A success.
pub(crate) struct ResponseSpec {
    status: u16,
    /// How its body is described; none where it has none.
    body: Option<(&'static str, Body)>,
    headers: Vec<(&'static str, &'static str)>,
    links: Vec<(&'static str, &'static str, &'static str)>,
}

enum Body {
    Shaped(fn(&mut Components) -> Value),
    Text,
}

/// What an operation takes: gathered from its handler's arguments.
#[derive(Default)]
pub struct RequestParts {
    parameters: Vec<Value>,
    body: Option<(&'static str, bool, Value)>,
    codes: Vec<Code>,
    callers: Vec<&'static str>,
    /// It changes nothing, by its method.
    safe: bool,
    /// Its caller may be handed a token with any success: one that began or was renewed.
    hands_tokens: bool,
}

/// The headers of an answer with a cart.
pub const OF_A_CART: &[(&str, &str)] = &[
    ("ETag", "The cart's id and revision, and with a catalogue what it says of the cart's lines."),
    REPLAYED,
];
/// Of any success of a call that a session opens.
const TOKENS: [(&str, &str); 2] = [
    ("Set-Cookie", "The session's cookie, where a session began, was renewed or is over."),
    ("Trolley-Token", "What a bearer caller gets where a browser gets a cookie."),
];
/// Of what ends the caller's own session.
pub const OF_AN_END: &[(&str, &str)] =
    &[("Clear-Site-Data", "Tells a browser to drop what it kept of the shop, where its session is over.")];
/// Of an answer that may repeat an earlier one.
pub const REPLAYED: (&str, &str) =
    ("Idempotency-Replayed", "true where the same key was answered before: nothing was changed again.");
/// Of a list in pages.
const LINK: (&str, &str) = ("Link", "The next page, rel=\"next\" (RFC 8288); not there on the last one.");

/// An operation of that name, which does this.
pub fn op(id: &'static str, summary: &'static str) -> Operation {
    Operation { id, summary, says: None, paged: false, answers: Vec::new(), takes: RequestParts::default() }
}

impl Operation {
    /// In a sentence or two, what its summary has no room for.
    #[must_use]
    pub fn says(mut self, says: &'static str) -> Operation {
        self.says = Some(says);
        self
    }

    /// Answers 200 with the cart.
    #[must_use]
    pub fn cart(self) -> Operation {
        self.answers::<CartView<'_>>(200).tells(OF_A_CART)
    }

    /// The answer given last may carry these headers, which say so much.
    #[must_use]
    pub fn tells(mut self, headers: &[(&'static str, &'static str)]) -> Operation {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend(headers);
        }
        self
    }

    /// Answers with JSON of this shape.
    #[must_use]
    pub fn answers<T: Schema>(self, status: u16) -> Operation {
        self.answer(status, Some(("application/json", Body::Shaped(Components::refer::<T>))))
    }

    /// Answers with some JSON object.
    #[must_use]
    pub fn object(self, status: u16) -> Operation {
        let any: fn(&mut Components) -> Value = |_| json!({ "type": "object" });
        self.answer(status, Some(("application/json", Body::Shaped(any))))
    }

    /// Answers with text of this type.
    #[must_use]
    pub fn text(self, status: u16, media_type: &'static str) -> Operation {
        self.answer(status, Some((media_type, Body::Text)))
    }

    /// Answers without a body.
    #[must_use]
    pub fn empty(self, status: u16) -> Operation {
        self.answer(status, None)
    }

    /// May be refused with these, besides what its arguments are refused with.
    #[must_use]
    pub fn refuses(mut self, codes: &[Code]) -> Operation {
        self.takes.codes.extend(codes);
        self
    }

    /// Reads this parameter of the query, if it is there.
    #[must_use]
    pub fn query(mut self, name: &'static str, schema: Value) -> Operation {
        self.takes.parameter("query", name, false, schema);
        self
    }

    /// Reads this parameter of the query, and does nothing without it.
    #[must_use]
    pub fn needs_query(mut self, name: &'static str, schema: Value) -> Operation {
        self.takes.parameter("query", name, true, schema);
        self
    }

    /// Is a list in pages: a Link leads to the next one.
    #[must_use]
    pub fn pages(mut self) -> Operation {
        self.paged = true;
        let cursor = said(uuid(), "Where the page before ended, as its Link had it.");
        self.query("after", cursor).query("limit", or(between(1, 100), 50))
    }

    /// Reads this header, if it is there.
    #[must_use]
    pub fn header(mut self, name: &'static str, schema: Value) -> Operation {
        self.takes.parameter("header", name, false, schema);
        self
    }

    /// What stands at `pointer` in the answer given last is what the operation `to` takes as its path's `parameter`.
    #[must_use]
    pub fn leads(mut self, to: &'static str, parameter: &'static str, pointer: &'static str) -> Operation {
        if let Some(answer) = self.answers.last_mut() {
            answer.links.push((to, parameter, pointer));
        }
        self
    }

    fn answer(mut self, status: u16, body: Option<(&'static str, Body)>) -> Operation {
        let headers = if self.paged { vec![LINK] } else { Vec::new() };
        self.answers.push(ResponseSpec { status, body, headers, links: Vec::new() });
        self
    }

    /// The operation object of the document.
    pub(crate) fn describe(self, tag: &str, parts: &mut Components, refusals: &mut Refusals) -> Value {
        let mut responses: BTreeMap<String, Value> = BTreeMap::new();
        for mut answer in self.answers {
            if self.takes.hands_tokens {
                answer.headers.extend(TOKENS);
            }
            responses.insert(answer.status.to_string(), answer.describe(parts));
        }
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in ALWAYS.into_iter().chain(self.takes.codes) {
            let codes = by_status.entry(code.status()).or_default();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        for (status, codes) in by_status {
            responses.insert(status.to_string(), refusals.refer(codes));
        }
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [tag],
            "responses": responses,
        });
        if let Some(says) = self.says {
            operation["description"] = says.into();
        }
        if !self.takes.parameters.is_empty() {
            operation["parameters"] = self.takes.parameters.into();
        }
        if let Some((media_type, required, schema)) = self.takes.body {
            operation["requestBody"] =
                json!({ "required": required, "content": { media_type: { "schema": schema } } });
        }
        if !self.takes.callers.is_empty() {
            let named = self.takes.callers.iter().map(|caller| match *caller {
                "nobody" => json!({}),
                caller => json!({ caller: [] }),
            });
            operation["security"] = named.collect();
        }
        operation
    }
}

impl ResponseSpec {
    fn describe(self, parts: &mut Components) -> Value {
        let description = match self.status {
            201 => "Made",
            204 => "Done; there is nothing to tell",
            304 => "The caller has this very answer already",
            _ => "Done",
        };
        let mut response = json!({ "description": description });
        if let Some((media_type, body)) = self.body {
            let schema = match body {
                Body::Shaped(refer) => refer(parts),
                Body::Text => json!({ "type": "string" }),
            };
            response["content"] = json!({ media_type: { "schema": schema } });
        }
        if !self.headers.is_empty() {
            let headers = self.headers.iter().map(|(name, says)| {
                ((*name).to_owned(), json!({ "description": says, "schema": { "type": "string" } }))
            });
            response["headers"] = headers.collect::<Map<_, _>>().into();
        }
        if !self.links.is_empty() {
            let links = self.links.iter().map(|(to, parameter, pointer)| {
                let from = format!("$response.body#{pointer}");
                ((*to).to_owned(), json!({ "operationId": to, "parameters": { *parameter: from } }))
            });
            response["links"] = links.collect::<Map<_, _>>().into();
        }
        response
    }
}

impl RequestParts {
    /// Says by its method whether it changes anything: some arguments read more of a request that does.
    pub(crate) fn by_method(&mut self, method: &str) {
        self.safe = method == "get";
    }

    /// Whether it changes nothing.
    pub(crate) fn is_safe(&self) -> bool {
        self.safe
    }

    /// A parameter of the path, the query or the header.
    pub fn parameter(&mut self, place: &str, name: &str, required: bool, schema: Value) {
        let mut parameter = json!({ "in": place, "name": name, "required": required });
        parameter["schema"] = schema;
        self.parameters.push(parameter);
    }

    /// The same with a sentence about it. Of several arguments that read it, the last one says what it does.
    pub fn said_parameter(&mut self, place: &str, name: &str, required: bool, schema: Value, says: Value) {
        self.parameters.retain(|parameter| parameter["in"] != place || parameter["name"] != name);
        self.parameter(place, name, required, schema);
        if let Some(parameter) = self.parameters.last_mut() {
            parameter["description"] = says;
        }
    }

    /// A body.
    pub fn body(&mut self, media_type: &'static str, required: bool, schema: Value) {
        self.body = Some((media_type, required, schema));
    }

    /// Refusals.
    pub fn refuses(&mut self, codes: &[Code]) {
        self.codes.extend(codes);
    }

    /// Whoever calls may be handed a token.
    pub fn hands_tokens(&mut self) {
        self.hands_tokens = true;
    }

    /// Who may call: `nobody`, or a security scheme of the document.
    pub fn called_by(&mut self, callers: &[&'static str]) {
        self.callers.extend(callers);
    }
}

/// The refusals of a document: each set of codes that come with one status stands there once, under their names.
#[derive(Default)]
pub struct Refusals(BTreeMap<String, Value>);

impl Refusals {
    fn refer(&mut self, mut codes: Vec<Code>) -> Value {
        codes.sort_by_key(|code| code.as_str());
        let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let name = names.join("-");
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        self.0.entry(name).or_insert_with(|| {
            let says: Vec<String> =
                codes.iter().map(|code| format!("{}: {}.", code.as_str(), code.title())).collect();
            let schema = json!({
                "allOf": [{ "$ref": "#/components/schemas/Problem" }],
                "properties": { "code": { "enum": names } },
            });
            let mut refusal = json!({
                "description": says.join(" "),
                "content": { "application/problem+json": { "schema": schema } },
            });
            let text = json!({ "schema": { "type": "string" } });
            match codes.first().map(|code| code.status()) {
                Some(401) => refusal["headers"] = json!({ "WWW-Authenticate": text }),
                Some(429 | 503) => refusal["headers"] = json!({ "Retry-After": text }),
                _ => {}
            }
            refusal
        });
        reference
    }

    /// All of them.
    pub(crate) fn into_json(self) -> Value {
        self.0.into_iter().collect::<Map<_, _>>().into()
    }
}
