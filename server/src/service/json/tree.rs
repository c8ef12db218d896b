//! JSON as its writer wrote it: numbers keep their digits, and no name means anything. (A general reader rounds numbers to binary
//! fractions, and takes names such as `$serde_json::private::RawValue` for its own.)

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::service::json::decimal::Decimal;

/// An object's members, by name.
pub type Members = BTreeMap<String, Tree>;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A number, as it was written.
    Number(Box<str>),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Tree>),
    /// An object.
    Object(Members),
}

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is not JSON, or a string in it is not Unicode.
    NotJson {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An object has a name twice: the names that lead there.
    Twice(Vec<String>),
}

impl Tree {
    /// Reads a text whose nesting is bounded: each level is looked at once for each that holds it.
    pub fn parse(text: &str) -> Result<Tree, Unread> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        Tree::of(raw.get(), &mut Vec::new())
    }

    fn of(text: &str, at: &mut Vec<String>) -> Result<Tree, Unread> {
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let Pairs(pairs) = serde_json::from_str(text).map_err(|error| not_json(&error))?;
                let mut members = Members::new();
                for (name, value) in pairs {
                    at.push(name.clone());
                    if members.insert(name, Tree::of(value.get(), at)?).is_some() {
                        return Err(Unread::Twice(std::mem::take(at)));
                    }
                    at.pop();
                }
                Tree::Object(members)
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
                let mut list = Vec::with_capacity(values.len());
                for (place, value) in values.into_iter().enumerate() {
                    at.push(place.to_string());
                    list.push(Tree::of(value.get(), at)?);
                    at.pop();
                }
                Tree::List(list)
            }
            Some(b'"') => Tree::Text(serde_json::from_str(text).map_err(|error| not_json(&error))?),
            Some(b'n') => Tree::Null,
            Some(b't') => Tree::Flag(true),
            Some(b'f') => Tree::Flag(false),
            _ => Tree::Number(text.into()),
        })
    }
}

fn not_json(error: &serde_json::Error) -> Unread {
    Unread::NotJson { line: error.line(), column: error.column() }
}

/// An object's members in their order; values are not looked at.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

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
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// An object as JSON without spaces, its names in order and its numbers as they were written.
pub fn text(members: &Members) -> String {
    let mut text = String::new();
    write_object(&mut text, members, as_written);
    text
}

/// The same for comparing: two objects that differ in nothing but the spelling of their numbers have one.
pub fn canonical(members: &Members) -> String {
    let mut text = String::new();
    write_object(&mut text, members, by_value);
    text
}

fn as_written(number: &str) -> Cow<'_, str> {
    Cow::Borrowed(number)
}

fn by_value(number: &str) -> Cow<'_, str> {
    Decimal::parse(number).map_or(Cow::Borrowed(number), |number| number.canonical().into())
}

/// How a number is written.
type Spelling = for<'n> fn(&'n str) -> Cow<'n, str>;

fn write_object(out: &mut String, members: &Members, spelling: Spelling) {
    out.push('{');
    for (place, (name, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write(out, value, spelling);
    }
    out.push('}');
}

fn write(out: &mut String, value: &Tree, spelling: Spelling) {
    match value {
        Tree::Null => out.push_str("null"),
        Tree::Flag(yes) => drop(write!(out, "{yes}")),
        Tree::Number(number) => out.push_str(&spelling(number)),
        Tree::Text(text) => write_text(out, text),
        Tree::Object(members) => write_object(out, members, spelling),
        Tree::List(list) => {
            out.push('[');
            for (place, value) in list.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(out, value, spelling);
            }
            out.push(']');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(json: &str) -> String {
        let Ok(Tree::Object(members)) = Tree::parse(json) else { panic!("{json}") };
        text(&members)
    }

    #[test]
    fn what_was_written_comes_back_to_the_digit() {
        for json in [
            r#"{"a":1,"b":1.0,"c":1e400,"d":123456789012345678901234567890,"e":0.1000000000000000000001,"f":-0.0,"g":1E+2}"#,
            r#"{"$serde_json::private::Number":"1","$serde_json::private::RawValue":"x"}"#,
            r#"{"$serde_json::private::RawValue":"{"}"#,
            r#"{"$serde_json::private::Number":{"$serde_json::private::RawValue":[null,true,false,""]}}"#,
            r#"{"":{},"a":[],"b":[[[{"c":"\"\\\n\u0000"}]]]}"#,
        ] {
            assert_eq!(again(json), json);
            assert_eq!(again(&format!(" {json}\n")), json);
        }
    }

    #[test]
    fn numbers_that_are_one_are_compared_as_one_and_others_are_not() {
        let canonical = |json: &str| {
            let Ok(Tree::Object(members)) = Tree::parse(json) else { panic!("{json}") };
            canonical(&members)
        };
        assert_eq!(canonical(r#"{"a":[1.0,{"b":2e1}]}"#), canonical(r#"{"a": [1, {"b": 20}]}"#));
        assert_ne!(
            canonical(r#"{"a":12345678901234567890123}"#),
            canonical(r#"{"a":12345678901234567890124}"#)
        );
        assert_ne!(canonical(r#"{"a":1}"#), canonical(r#"{"a":"1"}"#));
    }

    #[test]
    fn a_name_that_comes_twice_is_found_wherever_it_is() {
        let twice = |json: &str| match Tree::parse(json) {
            Err(Unread::Twice(at)) => at.join("/"),
            other => panic!("{other:?}"),
        };
        assert_eq!(twice(r#"{"a":1,"a":1}"#), "a");
        assert_eq!(twice(r#"{"x":[0,{"b":1,"\u0062":2}]}"#), "x/1/b");
    }
}
