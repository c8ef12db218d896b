//! `/openapi.json` for programs and `/docs` for people. The page is made here, of the document: it needs no script and nothing from
//! another host, and weighs a hundredth of the usual viewers.

use std::sync::OnceLock;

use askama::Template;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::problem::pages::page;
use crate::http::problem::response::Problem;

/// Nothing runs and nothing is loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The description's own routes. The document names them too: so it is asked for when somebody comes.
pub fn routes(document: fn() -> &'static Value) -> Routes {
    Routes::about("About")
        .get(
            "/openapi.json",
            async move || for_programs(document()),
            op("openapi", "This document").object(200),
        )
        .get(
            "/docs",
            async move || for_people(document()),
            op("docs", "This document as a page").text(200, "text/html"),
        )
}

fn for_programs(document: &Value) -> Response {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| serde_json::to_vec(document).unwrap_or_default());
    let mut response = bytes.as_slice().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn for_people(document: &Value) -> Result<Response, Problem> {
    let mut response = page(&Docs::of(document))?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    version: &'a str,
    about: &'a str,
    groups: Vec<(&'a str, Vec<Row<'a>>)>,
    shapes: Vec<(&'a str, String)>,
}

/// One operation.
struct Row<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    says: &'a str,
    callers: String,
    takes: Vec<(&'a str, String)>,
    body: Option<String>,
    answers: Vec<(&'a str, String)>,
    refusals: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Docs<'a> {
    fn of(document: &'a Value) -> Docs<'a> {
        let mut groups: Vec<(&str, Vec<Row<'_>>)> = Vec::new();
        for (path, operations) in members(&document["paths"]) {
            for (method, operation) in members(operations) {
                let tag = text(&operation["tags"][0]);
                let row = Row::of(document, method, path, operation);
                match groups.iter_mut().find(|(group, _)| *group == tag) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((tag, vec![row])),
                }
            }
        }
        let shapes = members(&document["components"]["schemas"]).map(|(name, schema)| (name, brief(schema)));
        Docs {
            version: text(&document["info"]["version"]),
            about: text(&document["info"]["description"]),
            groups,
            shapes: shapes.collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn of(document: &'a Value, method: &str, path: &'a str, operation: &'a Value) -> Row<'a> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let takes = parameters.map(|parameter| {
            let (place, shape) = (text(&parameter["in"]), brief(&parameter["schema"]));
            let says = parameter["description"].as_str().map(|says| format!(": {says}")).unwrap_or_default();
            (text(&parameter["name"]), format!("{place}, {shape}{says}"))
        });
        let callers = operation["security"].as_array().into_iter().flatten();
        let callers = callers.map(|caller| members(caller).map(|(name, _)| name).next().unwrap_or("nobody"));
        let (mut answers, mut refusals) = (Vec::new(), Vec::new());
        for (status, response) in members(&operation["responses"]) {
            match response["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
                Some(name) => {
                    let described = &document["components"]["responses"][name];
                    let schema = &described["content"]["application/problem+json"]["schema"];
                    let codes = schema["properties"]["code"]["enum"].as_array().into_iter().flatten();
                    refusals.push((status, codes.map(text).collect()));
                }
                None => answers.push((status, content(response).unwrap_or_default())),
            }
        }
        Row {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path,
            summary: text(&operation["summary"]),
            says: text(&operation["description"]),
            callers: callers.collect::<Vec<_>>().join(", "),
            takes: takes.collect(),
            body: content(&operation["requestBody"]),
            answers,
            refusals,
        }
    }
}

/// The media type and shape of a body.
fn content(described: &Value) -> Option<String> {
    let (media_type, content) = members(&described["content"]).next()?;
    Some(format!("{media_type}: {}", brief(&content["schema"])))
}

/// A schema in one line.
fn brief(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(choices) = schema["enum"].as_array() {
        return choices.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(either) = schema["anyOf"].as_array() {
        return either.iter().map(brief).collect::<Vec<_>>().join(" | ");
    }
    match text(&schema["type"]) {
        "array" => format!("[{}]", brief(&schema["items"])),
        "object" if schema["properties"].is_object() => {
            let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().map(text).collect();
            let named = members(&schema["properties"]).map(|(name, schema)| {
                let mark = if required.contains(&name) { "" } else { "?" };
                format!("{name}{mark}: {}", brief(schema))
            });
            format!("{{{}}}", named.collect::<Vec<_>>().join(", "))
        }
        kind => bounded(kind, schema),
    }
}

/// A plain type with its bounds.
fn bounded(kind: &str, schema: &Value) -> String {
    let mut told = schema["format"].as_str().unwrap_or(kind).to_owned();
    for (least, most) in [("minimum", "maximum"), ("minLength", "maxLength")] {
        match (schema[least].as_u64(), schema[most].as_u64()) {
            (Some(least), Some(most)) => told.push_str(&format!(" {least}..{most}")),
            (Some(least), None) => told.push_str(&format!(" from {least}")),
            (None, Some(most)) => told.push_str(&format!(" up to {most}")),
            (None, None) => {}
        }
    }
    told
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
