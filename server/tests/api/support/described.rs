//! Holds every answer that a test gets against the API's own description: its status, its type, and each member of its body.

use serde_json::Value;
use trolley::http::server::app::description;

use crate::support::reply::Reply;

/// Fails the test where the description says something else than this answer to `method path`.
pub fn hold(method: &str, path: &str, reply: &Reply) {
    let said = |what: &str| panic!("{method} {path} answers {}, but {what}: {}", reply.status, reply.text);
    let path = path.split('?').next().unwrap_or_default();
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{method} {path} {}", reply.status);
    let challenge = (reply.status == 401).then_some("Bearer");
    assert_eq!(reply.header("www-authenticate"), challenge, "{method} {path} {}", reply.status);
    let method = method.to_lowercase();
    // What is described may not be served here: the admin calls have a listener of their own.
    let served = reply.json["code"] != "not_found";
    let asked = if method == "head" { "get" } else { &method };
    let Some(operation) = operation(asked, path).filter(|_| served) else {
        let is_problem = reply.header("content-type") == Some("application/problem+json");
        if is_problem && method != "head" {
            check("a problem", &schema("Problem"), &reply.json);
        } else if path.starts_with("/v1/") && !is_problem && method != "options" {
            said("it is described nowhere");
        }
        return;
    };
    let response = resolve(&operation["responses"][reply.status.to_string()]);
    if response.is_null() {
        said("its status is not described");
    }
    for name in ["ETag", "Link", "Location", "Idempotency-Replayed"] {
        let told = reply.status < 400 && reply.header(&name.to_lowercase()).is_some();
        if told && response["headers"][name].is_null() {
            said(&format!("its {name} is not described"));
        }
    }
    for name in ["Set-Cookie", "Trolley-Token", "Clear-Site-Data", "WWW-Authenticate", "Retry-After"] {
        // A token may come with a refusal too, where the session was renewed on the way: that is said of no refusal by itself.
        let is_told = reply.status < 400 || !["Set-Cookie", "Trolley-Token"].contains(&name);
        if is_told && reply.header(&name.to_lowercase()).is_some() && response["headers"][name].is_null() {
            said(&format!("its {name} is not described"));
        }
    }
    let Some((media_type, content)) = response["content"].as_object().and_then(|all| all.iter().next())
    else {
        assert!(reply.text.is_empty(), "{method} {path}: a body where none is described: {}", reply.text);
        return;
    };
    let sent = reply.header("content-type").unwrap_or_default();
    assert_eq!(sent.split(';').next(), Some(media_type.as_str()), "{method} {path}");
    if media_type.ends_with("json") && method != "head" {
        check(&format!("{method} {path} {}", reply.status), &content["schema"], &reply.json);
    }
}

/// The description of that call.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut template, mut path) = (template.split('/'), path.split('/'));
        loop {
            match (template.next(), path.next()) {
                (None, None) => return true,
                (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() || part == given => {}
                _ => return false,
            }
        }
    };
    let paths = description()["paths"].as_object().unwrap();
    let mut fitting: Vec<_> = paths.iter().filter(|(template, _)| fits(template)).collect();
    // A path without variable parts goes before one with them, as in the router.
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    fitting.iter().map(|(_, operations)| &operations[method]).find(|operation| !operation.is_null())
}

fn schema(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// What a reference stands for.
fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(to) => {
            description().pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{to} is nowhere"))
        }
        None => value,
    }
}

/// Fails where the value is not as its schema says. A keyword that is not known here fails too, so that none goes unchecked.
fn check(at: &str, schema: &Value, value: &Value) {
    let mut wrong = Vec::new();
    validate(at, schema, value, &mut wrong);
    assert!(wrong.is_empty(), "not as described: {wrong:#?}\n{value:#}");
}

fn validate(at: &str, schema: &Value, value: &Value, wrong: &mut Vec<String>) {
    for (keyword, says) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$ref" => {
                let to = says.as_str().unwrap();
                let named = description()
                    .pointer(to.trim_start_matches('#'))
                    .unwrap_or_else(|| panic!("{to} is nowhere"));
                validate(at, named, value, wrong);
                true
            }
            "allOf" => {
                says.as_array().unwrap().iter().for_each(|part| validate(at, part, value, wrong));
                true
            }
            "anyOf" => says.as_array().unwrap().iter().any(|part| {
                let mut tried = Vec::new();
                validate(at, part, value, &mut tried);
                tried.is_empty()
            }),
            "properties" => {
                for (name, schema) in says.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        validate(&format!("{at}/{name}"), schema, member, wrong);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = |name: &str| schema["properties"].get(name).is_some();
                let strangers = value.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
                let strangers: Vec<_> = strangers.collect();
                if says.is_object() {
                    strangers
                        .iter()
                        .for_each(|(name, member)| validate(&format!("{at}/{name}"), says, member, wrong));
                }
                says.is_object() || says == true || strangers.is_empty()
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.for_each(|(n, item)| validate(&format!("{at}/{n}"), says, item, wrong));
                true
            }
            "required" => {
                says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            _ => of_plain(keyword, says, value),
        };
        if !holds {
            wrong.push(format!("{at}: {keyword} {says}, but it is {value}"));
        }
    }
}

/// Keywords that look at one value.
fn of_plain(keyword: &str, says: &Value, value: &Value) -> bool {
    let chars = || value.as_str().map_or(0, |text| text.chars().count() as u64);
    match keyword {
        "type" => match says.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("an unknown type: {other}"),
        },
        "enum" => says.as_array().unwrap().contains(value),
        "minimum" => value.as_u64() >= says.as_u64(),
        "maximum" => value.as_u64() <= says.as_u64(),
        "minLength" => chars() >= says.as_u64().unwrap(),
        "maxLength" => chars() <= says.as_u64().unwrap(),
        "maxProperties" => {
            value.as_object().is_none_or(|object| object.len() as u64 <= says.as_u64().unwrap())
        }
        "pattern" => {
            let pattern = regex_lite::Regex::new(says.as_str().unwrap()).unwrap();
            value.as_str().is_some_and(|text| pattern.is_match(text))
        }
        "format" => match says.as_str().unwrap() {
            "uuid" => form("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", value),
            "date-time" => form(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", value),
            other => panic!("an unknown format: {other}"),
        },
        "description" | "default" | "examples" => true,
        other => panic!("an unknown keyword: {other}"),
    }
}

fn form(pattern: &str, value: &Value) -> bool {
    of_plain("pattern", &pattern.into(), value)
}

#[test]
fn what_is_not_as_described_is_found() {
    use serde_json::json;
    let found = |schema: Value, value: Value| {
        let mut wrong = Vec::new();
        validate("", &schema, &value, &mut wrong);
        !wrong.is_empty()
    };
    let money = schema("Money");
    assert!(!found(money.clone(), json!({"amount": 1, "currency": "EUR"})));
    for (schema, value) in [
        (money.clone(), json!({"amount": 1})),
        (money.clone(), json!({"amount": -1, "currency": "EUR"})),
        (money.clone(), json!({"amount": 1.5, "currency": "EUR"})),
        (money.clone(), json!({"amount": 1, "currency": "euro"})),
        (money, json!({"amount": 1, "currency": "EUR", "more": 1})),
        (json!({"anyOf": [{"type": "null"}, {"type": "string", "format": "uuid"}]}), json!("x")),
        (json!({"type": "array", "items": {"type": "integer", "maximum": 3}}), json!([1, 4])),
    ] {
        assert!(found(schema.clone(), value.clone()), "{schema}: {value}");
    }
}
