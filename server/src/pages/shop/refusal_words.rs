//! What a shopper is told where the API speaks to programs: a refusal's title, and what to do about it.

use std::borrow::Cow;

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;

/// Title and advice. What the problem says in words of its own stays.
pub fn said(problem: &Problem) -> (&'static str, Cow<'_, str>) {
    let code = problem.code();
    let Some((title, advice)) = instead(code) else { return (code.title(), problem.detail().into()) };
    let is_own = problem.detail() != code.advice() && is_for_shoppers(code);
    (title, if is_own { problem.detail().into() } else { advice.into() })
}

/// Whether the demo itself words the details of such a refusal.
fn is_for_shoppers(code: Code) -> bool {
    matches!(code, Code::InvalidBody | Code::InvalidQuantity | Code::QuantityOverLimit)
}

fn instead(code: Code) -> Option<(&'static str, &'static str)> {
    let unread = "We could not read that";
    Some(match code {
        Code::InvalidBody => (unread, "Go back, look at what you entered, and send it again."),
        Code::UnsupportedMediaType => (unread, "Go back, and send the form from its own page."),
        Code::InvalidQuery => {
            (unread, "Something in the address is not as we write it. Perhaps a search finds what you want.")
        }
        Code::InvalidQuantity => ("That is no number of things", "Enter a whole number."),
        Code::QuantityOverLimit => ("That is more than we can pack", "Enter a smaller number."),
        Code::BodyTooLarge => (
            "That is too long for us",
            "No form of ours holds that much. Shorten what you entered, and send it again.",
        ),
        Code::BodyTimeout => ("That took too long", "It did not arrive in time. Go back, and send it again."),
        Code::MethodNotAllowed => (
            "This is not the way in",
            "This address is opened by a page of ours, or is there only to be looked at.",
        ),
        Code::InvalidEtag | Code::InvalidKey | Code::KeyReused => {
            ("This page is an old one", "Open it again, and send the form from there.")
        }
        _ => return None,
    })
}
