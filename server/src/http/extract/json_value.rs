//! JSON of any form, for what is kept as it is: read with the same bounds as a command, and no name twice.

use crate::http::extract::json::{checked, pointer};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::service::json::tree::{Members, Tree, Unread};

/// The object that a body holds.
pub fn read(bytes: &[u8]) -> Result<Members, Problem> {
    match Tree::parse(checked(bytes)?) {
        Ok(Tree::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::at(Code::InvalidBody, "#", "Send a JSON object.")),
        Err(Unread::Twice(names)) => {
            let at = names.iter().fold("#".to_owned(), |at, name| pointer(&at, name));
            Err(Problem::at(Code::InvalidBody, at, "This name comes twice."))
        }
        Err(Unread::NotJson { line, column }) => {
            let detail = format!("The body is not JSON, at line {line}, column {column}.");
            Err(Problem::with(Code::InvalidJson, detail))
        }
    }
}
