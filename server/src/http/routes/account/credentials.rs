//! What somebody sends who signs up or in, or sets a password. None of it is printed.

use serde_json::Value;
use trolley_core::account::email::Email;
use trolley_core::account::password::{BYTES_MAX, CHARS_MIN, Password, WeakPasswordError};
use trolley_core::cart::op::MergePolicy;

use crate::http::extract::json::{Fields, FromJson};
use crate::http::openapi::shape::{Components, Object, Schema, email, one_of, or, text, words, yes_or_no};
use crate::http::problem::code::Code;
use crate::http::problem::response::{Problem, sentence};
use crate::http::wire::account::POLICIES;
use crate::service::session::token::Token;

/// `{email, password, remember=false, merge?}`.
pub struct Login {
    /// As it was sent.
    pub email: String,
    /// As it was sent.
    pub password: String,
    /// Whether the device is to be remembered.
    pub remember: bool,
    /// How the guest's cart comes in.
    pub merge: Option<MergePolicy>,
}

impl FromJson for Login {
    fn take(fields: &mut Fields<'_>) -> Option<Login> {
        let (email, password) = (fields.string("email"), fields.string("password"));
        let remember = fields.flag("remember", false);
        let merge = policy(fields);
        Some(Login { email: email?, password: password?, remember: remember?, merge: merge? })
    }
}

impl Login {
    /// The address and the password of a new account.
    pub fn chosen(&self) -> Result<(Email, Password), Problem> {
        let email = Email::parse(&self.email)
            .map_err(|wrong| Problem::at(Code::InvalidBody, "#/email", sentence(&wrong.to_string())))?;
        let password = choose(&self.password, Some(&email), "#/password")?;
        Ok((email, password))
    }
}

/// The policy of the member `merge`; none where it is not there, and no answer where it is wrong.
fn policy(fields: &mut Fields<'_>) -> Option<Option<MergePolicy>> {
    if !fields.has("merge") {
        return Some(None);
    }
    let name = fields.string("merge")?;
    let named = POLICIES.iter().find(|(known, _)| *known == name);
    if named.is_none() {
        fields.fault("merge", "Send sum, max, keep_account or keep_guest.");
    }
    named.map(|(_, policy)| Some(*policy))
}

/// A password that an account may have.
pub fn choose(text: &str, email: Option<&Email>, pointer: &'static str) -> Result<Password, Problem> {
    Password::choose(text, email).map_err(|weak: WeakPasswordError| {
        Problem::at(Code::WeakPassword, pointer, sentence(&weak.to_string()))
    })
}

/// `{current, new}`.
pub struct Change {
    /// The present password, as it was sent.
    pub current: String,
    /// The new one.
    pub new: String,
}

impl FromJson for Change {
    fn take(fields: &mut Fields<'_>) -> Option<Change> {
        let (current, new) = (fields.string("current"), fields.string("new"));
        Some(Change { current: current?, new: new? })
    }
}

/// `{token, new}`.
pub struct Reset {
    /// The one-time token; none where it cannot be one.
    pub token: Option<Token>,
    /// The new password.
    pub new: String,
}

impl FromJson for Reset {
    fn take(fields: &mut Fields<'_>) -> Option<Reset> {
        let (token, new) = (fields.string("token"), fields.string("new"));
        Some(Reset { token: Token::parse(token?.as_bytes()), new: new? })
    }
}

/// `{password}`.
pub struct Confirm {
    /// The present password, as it was sent.
    pub password: String,
}

impl FromJson for Confirm {
    fn take(fields: &mut Fields<'_>) -> Option<Confirm> {
        Some(Confirm { password: fields.string("password")? })
    }
}

impl Schema for Login {
    const NAME: &'static str = "Login";

    fn schema(_: &mut Components) -> Value {
        Object::new()
            .must("email", email())
            .must("password", text(1, BYTES_MAX))
            .perhaps("remember", or(yes_or_no(), false))
            .perhaps("merge", one_of(&POLICIES.map(|(name, _)| name)))
            .schema()
    }
}

impl Schema for Change {
    const NAME: &'static str = "PasswordChange";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("current", words()).must("new", text(CHARS_MIN, BYTES_MAX)).schema()
    }
}

impl Schema for Reset {
    const NAME: &'static str = "PasswordReset";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("token", words()).must("new", text(CHARS_MIN, BYTES_MAX)).schema()
    }
}

impl Schema for Confirm {
    const NAME: &'static str = "Confirmation";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("password", words()).schema()
    }
}
