//! Arrays within a body: each object by itself, so that what is wrong with one need not be a fault of the whole.

use serde_json::value::RawValue;

use crate::http::extract::json::{FAULTS_MAX, Fields, Pairs, not_json, pointer};

impl<'a> Fields<'a> {
    /// Takes out those of these optional members that are null: as good as absent, also where nobody asks for them.
    pub fn without_nulls(&mut self, names: &[&str]) {
        for name in names {
            self.has(name);
        }
    }

    /// An array of objects, which must be there: each by itself.
    pub fn objects(&mut self, name: &str) -> Option<Vec<Fields<'a>>> {
        let value = self.required(name)?;
        let Ok(values) = serde_json::from_str::<Vec<&'a RawValue>>(value.get()) else {
            self.fault(name, "Send an array of objects.");
            return None;
        };
        let within = pointer(&self.at, name);
        let mut objects = Vec::with_capacity(values.len());
        for (place, value) in values.into_iter().enumerate() {
            let at = format!("{within}/{place}");
            if !value.get().starts_with('{') {
                self.fault_at(at, "Send an object.");
                continue;
            }
            match serde_json::from_str::<Pairs<'a>>(value.get()) {
                Ok(pairs) => objects.push(Fields { pairs: pairs.0, at, faults: Vec::new(), broken: None }),
                Err(_) => self.broken = Some(not_json("A name in the body is not Unicode.")),
            }
        }
        Some(objects)
    }

    /// An array of strings, where it is there.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.take(name)?;
        let texts = serde_json::from_str(value.get()).ok();
        if texts.is_none() {
            self.fault(name, "Send an array of strings.");
        }
        texts
    }

    /// Takes over what is wrong within one of its objects.
    pub fn adopt(&mut self, inner: Fields<'_>) {
        let room = FAULTS_MAX.saturating_sub(self.faults.len());
        self.faults.extend(inner.faults.into_iter().take(room));
        self.broken = self.broken.take().or(inner.broken);
    }

    /// Has `take` take all that is left. What is wrong with it is given back, and is no fault of the whole body.
    pub fn try_rest<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, String> {
        let noted = self.faults.len();
        let taken = take(self);
        self.refuse_the_rest();
        let wrong = self.faults.drain(noted..).next();
        match (taken, wrong) {
            (Some(taken), None) => Ok(taken),
            (_, wrong) => {
                Err(wrong.map_or_else(String::new, |wrong| format!("{}: {}", wrong.pointer, wrong.detail)))
            }
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_well(&self) -> bool {
        self.faults.is_empty() && self.broken.is_none()
    }
}
