//! The shapes of JSON values, as JSON Schema 2020-12 has them. What has a name stands in the document once.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What has a shape of its own, by name.
pub trait Schema {
    /// Its name in the document.
    const NAME: &'static str;

    /// Its schema; what it is made of is referred to in `parts`.
    fn schema(parts: &mut Components) -> Value;
}

/// The named shapes of a document.
#[derive(Debug, Default)]
pub struct Components(BTreeMap<&'static str, Value>);

impl Components {
    /// A reference to a shape, which is put into the document.
    pub fn refer<T: Schema>(&mut self) -> Value {
        if !self.0.contains_key(T::NAME) {
            // The name is taken first: a shape may hold its own kind.
            self.0.insert(T::NAME, Value::Null);
            let schema = T::schema(self);
            self.0.insert(T::NAME, schema);
        }
        json!({ "$ref": format!("#/components/schemas/{}", T::NAME) })
    }

    /// All of them.
    pub fn into_json(self) -> Value {
        self.0.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect::<Map<_, _>>().into()
    }
}

/// An object that has these members and no others.
#[derive(Debug, Default)]
pub struct Object {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Object {
    /// Without members.
    pub fn new() -> Object {
        Object::default()
    }

    /// With a member that is always there.
    #[must_use]
    pub fn must(mut self, name: &str, schema: Value) -> Object {
        self.required.push(name.into());
        self.may(name, schema)
    }

    /// With a member that may be absent.
    #[must_use]
    pub fn may(mut self, name: &str, schema: Value) -> Object {
        self.properties.insert(name.to_owned(), schema);
        self
    }

    /// With a member that a request may leave out: null says the same as leaving it out.
    #[must_use]
    pub fn perhaps(self, name: &str, mut schema: Value) -> Object {
        let default = schema.as_object_mut().and_then(|schema| schema.remove("default"));
        let schema = or_null(schema);
        self.may(name, default.into_iter().fold(schema, or))
    }

    /// Its schema.
    pub fn schema(self) -> Value {
        json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": false,
        })
    }
}

/// A text of so many characters.
pub fn text(least: usize, most: usize) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": most })
}

/// Any text.
pub fn words() -> Value {
    json!({ "type": "string" })
}

/// One of these.
pub fn one_of(choices: &[&str]) -> Value {
    json!({ "type": "string", "enum": choices })
}

/// A text of this form.
pub fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "pattern": pattern })
}

/// A whole number of at least so much.
pub fn whole(least: u64) -> Value {
    json!({ "type": "integer", "minimum": least })
}

/// The same of a request: up to the largest number that every reader of JSON takes for itself (RFC 7493, section 2.2).
pub fn counted(least: u64) -> Value {
    between(least, (1 << 53) - 1)
}

/// A whole number between these, both included.
pub fn between(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// `true` or `false`.
pub fn yes_or_no() -> Value {
    json!({ "type": "boolean" })
}

/// A UUID.
pub fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

/// A time as RFC 3339 has it, in UTC with milliseconds.
pub fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// An e-mail address.
pub fn email() -> Value {
    json!({ "type": "string", "format": "email", "minLength": 3, "maxLength": 254 })
}

/// A line's id.
pub fn line_id() -> Value {
    pattern("^[A-Za-z0-9_-]{22}$")
}

/// A list of these.
pub fn list(of: Value) -> Value {
    Value::from_iter([("type", "array".into()), ("items", of)])
}

/// This, or null.
pub fn or_null(schema: Value) -> Value {
    Value::from_iter([("anyOf", vec![schema, json!({ "type": "null" })])])
}

/// The same with a sentence about it.
pub fn said(mut schema: Value, sentence: &str) -> Value {
    schema["description"] = sentence.into();
    schema
}

/// The same with an example.
pub fn such_as(mut schema: Value, example: &str) -> Value {
    schema["examples"] = json!([example]);
    schema
}

/// The same with what holds where it is absent.
pub fn or(mut schema: Value, default: impl Into<Value>) -> Value {
    schema["default"] = default.into();
    schema
}
