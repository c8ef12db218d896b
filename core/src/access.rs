//! What a key of the shop's own systems opens. A key holds scopes; a call needs one; the wider scope includes the narrower.

use std::fmt;
use std::str::FromStr;

/// One thing that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read orders.
    OrdersRead,
    /// Read and cancel orders.
    Orders,
    /// Read accounts, their carts and their sessions.
    AccountsRead,
    /// Read accounts, end their sessions, reset their passwords.
    Accounts,
    /// Sign shoppers in whom the shop itself has recognised.
    SignIns,
    /// Read the audit trail.
    Audit,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: &[Scope] = &[
        Scope::OrdersRead,
        Scope::Orders,
        Scope::AccountsRead,
        Scope::Accounts,
        Scope::SignIns,
        Scope::Audit,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::OrdersRead => "orders:read",
            Scope::Orders => "orders",
            Scope::AccountsRead => "accounts:read",
            Scope::Accounts => "accounts",
            Scope::SignIns => "sign-ins",
            Scope::Audit => "audit",
        }
    }

    /// Whether who holds this may do what needs `needed`.
    pub fn includes(self, needed: Scope) -> bool {
        self == needed
            || matches!(
                (self, needed),
                (Scope::Orders, Scope::OrdersRead) | (Scope::Accounts, Scope::AccountsRead)
            )
    }
}

/// Whether a key with these scopes may do what needs `needed`.
pub fn allows(held: &[Scope], needed: Scope) -> bool {
    held.iter().any(|scope| scope.includes(needed))
}

/// A text that names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scopes are orders, orders:read, accounts, accounts:read, sign-ins and audit")]
pub struct ParseScopeError;

impl FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Scope, ParseScopeError> {
        Scope::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(ParseScopeError)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_opens_itself_and_what_it_includes_and_nothing_else() {
        for held in Scope::ALL {
            for needed in Scope::ALL {
                let reads = held.as_str() != needed.as_str() && needed.as_str() == format!("{held}:read");
                assert_eq!(allows(&[*held], *needed), held == needed || reads, "{held} for {needed}");
            }
        }
        assert!(!allows(&[], Scope::Audit));
        assert!(allows(&[Scope::Audit, Scope::Orders], Scope::OrdersRead));
    }

    #[test]
    fn every_scope_is_read_by_its_name_and_the_refusal_names_them_all() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
            assert!(ParseScopeError.to_string().contains(scope.as_str()));
        }
        assert_eq!("Orders".parse::<Scope>(), Err(ParseScopeError));
    }
}
