//! Accounts, devices and what happened, as the API shows them.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::Value;
use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEntry, AuditEvent, EventKind};
use trolley_core::account::email::Email;
use trolley_core::cart::op::MergePolicy;

use crate::http::extract::cursor::next;
use crate::http::openapi::shape::{
    Components, Object, Schema, list, one_of, said, time, uuid, whole, words, yes_or_no,
};
use crate::http::wire::cart::CartView;
use crate::http::wire::time::Rfc3339;
use crate::service::account::devices;
use crate::service::account::devices::DeviceId;
use crate::service::account::sign_in::SignedIn;
use crate::service::cart::merge::MergeReport;
use crate::service::session::recognise::Visit;

/// An account as it is shown: by the id that the shop knows it by.
#[derive(serde::Serialize)]
pub struct AccountView<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

impl<'a> AccountView<'a> {
    /// Of this account.
    pub fn of(account: &'a Account) -> AccountView<'a> {
        AccountView { id: account.name(), email: account.email.as_ref().map(Email::as_str) }
    }
}

/// The same for the shop's own systems.
#[derive(serde::Serialize)]
pub struct AdminAccountView<'a> {
    #[serde(flatten)]
    account: AccountView<'a>,
    created_at: Rfc3339,
    has_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_set_at: Option<Rfc3339>,
    cart: String,
}

impl<'a> AdminAccountView<'a> {
    /// Of this account.
    pub fn of(account: &'a Account) -> AdminAccountView<'a> {
        let has_password = account.password.is_some();
        AdminAccountView {
            account: AccountView::of(account),
            created_at: Rfc3339::new(account.created_at),
            has_password,
            password_set_at: has_password.then(|| Rfc3339::new(account.password_at)),
            cart: account.cart.to_string(),
        }
    }
}

/// A session that an account is attached to.
#[derive(serde::Serialize)]
pub struct SignedInSession<'a> {
    signed_in: bool,
    account: AccountView<'a>,
    device: DeviceView,
    expires_at: Rfc3339,
    absolute_expires_at: Rfc3339,
}

#[derive(serde::Serialize)]
struct DeviceView {
    id: String,
}

impl<'a> SignedInSession<'a> {
    /// Of this visit.
    pub fn of(visit: &Visit, account: &'a Account) -> SignedInSession<'a> {
        SignedInSession {
            signed_in: true,
            account: AccountView::of(account),
            device: DeviceView { id: visit.session.id.to_string() },
            expires_at: Rfc3339::new(visit.expires_at),
            absolute_expires_at: Rfc3339::new(visit.absolute_expires_at),
        }
    }
}

/// The answer to a sign-in. It holds no token.
pub struct SignedInView<'a> {
    /// What came of it.
    pub signed_in: &'a SignedIn,
    /// The header lines that the shop relays, where it asked for them.
    pub relay: Option<Relay>,
}

/// What a shop that signs people in by itself hands on to its browser or app.
pub enum Relay {
    /// The lines of Set-Cookie, the session's first.
    Cookies(Vec<String>),
    /// The token of an app.
    Token(String),
}

impl Serialize for SignedInView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let SignedIn { entered, account, cart, merged } = self.signed_in;
        let mut view = serializer.serialize_struct("SignedIn", 5)?;
        view.serialize_field("session", &SignedInSession::of(&entered.visit, account))?;
        if let Some(merged) = merged {
            view.serialize_field("merge", &MergeView::of(merged))?;
        }
        view.serialize_field("cart", &CartView(cart))?;
        match &self.relay {
            Some(Relay::Cookies(lines)) => {
                view.serialize_field("set_cookie", &lines.first())?;
                view.serialize_field("set_cookies", lines)?;
            }
            Some(Relay::Token(token)) => view.serialize_field("token", token)?,
            None => {}
        }
        view.end()
    }
}

#[derive(serde::Serialize)]
struct MergeView {
    policy: &'static str,
    from: String,
    revision: u64,
    lines: usize,
}

impl MergeView {
    fn of(merged: &MergeReport) -> MergeView {
        MergeView {
            policy: policy_name(merged.policy),
            from: merged.from.to_string(),
            revision: merged.revision,
            lines: merged.lines,
        }
    }
}

/// The policies by their names.
pub const POLICIES: [(&str, MergePolicy); 4] = [
    ("sum", MergePolicy::Sum),
    ("max", MergePolicy::Max),
    ("keep_account", MergePolicy::KeepAccount),
    ("keep_guest", MergePolicy::KeepGuest),
];

fn policy_name(policy: MergePolicy) -> &'static str {
    POLICIES.iter().find(|(_, named)| *named == policy).map_or("sum", |(name, _)| name)
}

/// `{"sessions": [...]}`.
#[derive(serde::Serialize)]
pub struct SessionsView {
    sessions: Vec<SessionRow>,
}

#[derive(serde::Serialize)]
struct SessionRow {
    id: String,
    current: bool,
    name: Box<str>,
    address: Box<str>,
    first_seen: Rfc3339,
    last_seen: Rfc3339,
}

impl SessionsView {
    /// Of these devices, for whoever comes by `present`.
    pub fn of(rows: Vec<devices::DeviceRow>, present: Option<&Visit>) -> SessionsView {
        let row = |row: devices::DeviceRow| SessionRow {
            current: present.is_some_and(|visit| row.id == DeviceId::Session(visit.session.id)),
            id: match row.id {
                DeviceId::Session(id) => id.to_string(),
                DeviceId::Series(id) => id.to_string(),
            },
            name: row.device.name,
            address: row.device.address,
            first_seen: Rfc3339::new(row.first_seen),
            last_seen: Rfc3339::new(row.last_seen),
        };
        SessionsView { sessions: rows.into_iter().map(row).collect() }
    }
}

/// One thing that happened.
#[derive(serde::Serialize)]
pub struct RowView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    at: Rfc3339,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
}

impl<'a> RowView<'a> {
    /// Of an account's own trail.
    pub fn of(row: &'a AuditEntry) -> RowView<'a> {
        RowView {
            id: None,
            at: Rfc3339::new(row.at),
            event: row.what.as_str(),
            account: None,
            session: row.session.map(|session| session.to_string()),
            address: row.address.as_deref(),
            device: row.device.as_deref(),
        }
    }

    /// Of the events of all.
    pub fn of_event(event: &'a AuditEvent) -> RowView<'a> {
        RowView {
            id: Some(event.id.to_string()),
            account: event.account.map(|account| account.to_string()),
            ..RowView::of(&event.row)
        }
    }
}

/// `{"events": [...]}`.
#[derive(serde::Serialize)]
pub struct EventsView<'a> {
    /// In their order.
    pub events: Vec<RowView<'a>>,
}

impl Schema for AccountView<'_> {
    const NAME: &'static str = "Account";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("id", words()).may("email", words()).schema()
    }
}

impl Schema for AdminAccountView<'_> {
    const NAME: &'static str = "AccountForTheShop";

    fn schema(_: &mut Components) -> Value {
        Object::new()
            .must("id", words())
            .may("email", words())
            .must("created_at", time())
            .must("has_password", yes_or_no())
            .may("password_set_at", time())
            .must("cart", uuid())
            .schema()
    }
}

impl Schema for SignedInSession<'_> {
    const NAME: &'static str = "SignedInSession";

    fn schema(parts: &mut Components) -> Value {
        Object::new()
            .must("signed_in", yes_or_no())
            .must("account", parts.refer::<AccountView<'_>>())
            .must("device", Object::new().must("id", uuid()).schema())
            .must("expires_at", time())
            .must("absolute_expires_at", time())
            .schema()
    }
}

impl Schema for MergeView {
    const NAME: &'static str = "Merge";

    fn schema(_: &mut Components) -> Value {
        let lines = said(whole(0), "Lines of the guest's cart, saved ones too.");
        Object::new()
            .must("policy", one_of(&POLICIES.map(|(name, _)| name)))
            .must("from", uuid())
            .must("revision", said(whole(1), "What an undo names to take the merge back."))
            .must("lines", lines)
            .schema()
    }
}

impl Schema for SignedInView<'_> {
    const NAME: &'static str = "SignedIn";

    fn schema(parts: &mut Components) -> Value {
        let relayed = "For the shop's own login: what it hands on to its browser or app.";
        Object::new()
            .must("session", parts.refer::<SignedInSession<'_>>())
            .may("merge", parts.refer::<MergeView>())
            .must("cart", parts.refer::<CartView<'_>>())
            .may("set_cookie", said(words(), relayed))
            .may("set_cookies", list(words()))
            .may("token", said(words(), relayed))
            .schema()
    }
}

impl Schema for SessionsView {
    const NAME: &'static str = "Sessions";

    fn schema(_: &mut Components) -> Value {
        let row = Object::new()
            .must("id", uuid())
            .must("current", yes_or_no())
            .must("name", words())
            .must("address", words())
            .must("first_seen", time())
            .must("last_seen", time());
        Object::new().must("sessions", list(row.schema())).schema()
    }
}

impl Schema for EventsView<'_> {
    const NAME: &'static str = "Events";

    fn schema(_: &mut Components) -> Value {
        let row = Object::new()
            .may("id", uuid())
            .must("at", time())
            .must("event", one_of(&EventKind::ALL.map(EventKind::as_str)))
            .may("account", uuid())
            .may("session", uuid())
            .may("address", words())
            .may("device", words());
        Object::new().must("events", list(row.schema())).may("next", next()).schema()
    }
}
