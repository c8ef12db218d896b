//! What stands in an Authorization header by mistake, told by its name. None of it can be a token: so it is no guess either, and is not
//! counted as one.

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::service::keys::api_keys::PREFIX;

/// What programs send that had no token when they built the header.
const NO_TOKEN: [&str; 9] =
    ["undefined", "null", "none", "nil", "nan", "false", "true", "[object object]", "<token>"];

/// Which door a header stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Calls of shoppers: by a session's token.
    Shop,
    /// Calls of the shop's own systems: by an API key.
    Admin,
}

/// Refuses what can only be a mistake, with a sentence that names it; all else is for others to judge.
pub fn mistaken(value: &[u8], door: Door) -> Result<(), Problem> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim();
    if text.starts_with(PREFIX) {
        let advice = "This is an API key without its scheme: write Authorization: Bearer before it. It opens /v1/admin and nothing else.";
        return Err(Problem::with(Code::UnknownScheme, advice));
    }
    let Some(token) = after_bearer(text) else { return Ok(()) };
    let token = token.trim().trim_matches(['"', '\'']);
    let wanted = match door {
        Door::Shop => "the token of POST /v1/session",
        Door::Admin => "a key of `trolley api-key new`",
    };
    if token.is_empty() {
        let detail = format!("There is nothing after Bearer: send {wanted}, or no Authorization header.");
        return Err(Problem::with(Code::UnknownScheme, detail));
    }
    if let Some(word) = NO_TOKEN.iter().find(|word| token.eq_ignore_ascii_case(word)) {
        let detail = format!(
            "After Bearer stands the word \"{word}\": the program had no token yet. Send {wanted}, or no Authorization header."
        );
        return Err(Problem::with(Code::UnknownScheme, detail));
    }
    if door == Door::Shop && token.starts_with(PREFIX) {
        let detail = "This is an API key: it opens /v1/admin and nothing else. Send a session's token here, or no Authorization header.";
        return Err(Problem::with(Code::UnknownScheme, detail));
    }
    Ok(())
}

/// What follows the scheme Bearer, also where nothing does.
fn after_bearer(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(6)?;
    let stands_alone = rest.is_empty() || rest.starts_with([' ', '\t']);
    (scheme.eq_ignore_ascii_case("bearer") && stands_alone).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_meant_is_left_to_others_to_judge() {
        for text in [
            "",
            "Basic dXNlcjpwYXNz",
            "Bearer x",
            "bearer undefined-but-longer",
            "Bearerx",
            "x",
            "tr_k",
            "Béarer",
        ] {
            assert!(mistaken(text.as_bytes(), Door::Shop).is_ok(), "{text}");
        }
        assert!(mistaken(b"\xff\xff", Door::Shop).is_ok());
        assert!(mistaken(b"Bearer trk_x", Door::Admin).is_ok(), "here a key is right");
        for text in
            ["trk_x", "Bearer", "bearer  ", "Bearer \"null\"", "Bearer Undefined", "Bearer [object Object]"]
        {
            for door in [Door::Shop, Door::Admin] {
                assert!(mistaken(text.as_bytes(), door).is_err(), "{text}");
            }
        }
    }
}
