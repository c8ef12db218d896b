//! The table of records: the one place that says which kinds there are.
//!
//! A row is a kind's number, its name, the id that it stands under, what it holds, which id a record has, and its version: what
//! compare-and-set compares. Numbers are stored and none is ever given to another kind; new kinds go last, since keys are
//! ordered as the rows are. What a row says, [`crate::records`] makes of it keys, kinds and typed access, and
//! [`crate::record`] its bytes.

/// Hands the table to a macro.
macro_rules! table {
    ($to:ident) => {
        $to! {
            /// A cart.
            1 Cart(CartId) holds Cart, id |it| it.id, version it.version;
            /// A session.
            2 Session(SessionId) holds Session, id |it| it.id, version it.version;
            /// Which session a token opens. It changes once, when it is retired.
            3 Token(TokenDigest) holds Token, id |it| it.digest, version 1 + u64::from(it.retired_at.is_some());
            /// The keyed calls of a session.
            4 Ledger(SessionId) holds Ledger, id |it| it.session, version it.version;
            /// How far the test clock was turned.
            5 Clock(Singleton) holds Clock, id |it| Singleton, version it.version;
            /// An order draft.
            6 Order(OrderId) holds Order, id |it| it.id, version it.version;
            /// That an order came from a cart. It never changes.
            7 OrderLink(OrderLink) holds OrderLink, id |it| **it, version 1;
            /// What the shop keeps with a session.
            8 Data(SessionId) holds Data, id |it| it.session, version it.version;
            /// What a key of the shop's own systems opens. It never changes.
            9 ApiKey(TokenDigest) holds ApiKey, id |it| it.digest, version 1;
            /// Something that happened, among all that did.
            10 Audit(EventId) holds AuditEvent, id |it| it.id, version it.version;
            /// What happened to an account.
            11 Trail(AccountId) holds Trail, id |it| it.account, version it.version;
            /// An account.
            12 Account(AccountId) holds Account, id |it| it.id, version it.version;
            /// Which account an e-mail address belongs to. It never changes.
            13 Email(EmailDigest) holds EmailOwner, id |it| it.digest, version 1;
            /// The sessions and remembered devices of an account.
            14 AccountSessions(AccountId) holds AccountSessions, id |it| it.account, version it.version;
            /// Which account a reset token opens, once. It never changes.
            15 Reset(TokenDigest) holds ResetToken, id |it| it.digest, version 1;
            /// Which remembered device a token belongs to. It never changes.
            17 Remember(TokenDigest) holds Remember, id |it| it.digest, version 1;
            /// Which account's cart a guest's cart went into that had made orders.
            18 Sealing(CartId) holds Sealing, id |it| it.from, version it.version;
            /// The same, to be found by the account's cart. It never changes.
            19 SealingLink(SealingLink) holds SealedOrders, id |it| it.link, version 1;
        }
    };
}
pub(crate) use table;
