//! JSON of any form, for what is kept as it is: read with the same bounds as a command, and no name twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::error::Problem;
use super::json::checked;
use super::problems::Code;

/// The object that a body holds.
pub fn read(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let text = checked(bytes)?;
    match serde_json::from_str(text) {
        Ok(Tree(Value::Object(members))) => Ok(members),
        Ok(Tree(_)) => Err(Problem::at(Code::InvalidBody, "#", "Send a JSON object.")),
        Err(error) if error.is_data() => Err(Problem::at(Code::InvalidBody, "#", "A name comes twice.")),
        Err(error) => {
            let detail =
                format!("The body is not JSON, at line {}, column {}.", error.line(), error.column());
            Err(Problem::with(Code::InvalidJson, detail))
        }
    }
}

/// An object as text, the same however its names were ordered.
pub fn text(members: &Map<String, Value>) -> String {
    serde_json::to_string(members).unwrap_or_default()
}

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(Any).map(Tree)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Tree(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let Tree(value) = map.next_value()?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(Value::Object(members))
    }
}
