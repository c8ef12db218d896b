//! Who acts, having seen what, at what time: what an op carries besides its intent.

use crate::ids::{CartId, ClientId, Quantity, Revision, Seq};
use crate::time::Timestamp;

use super::state::{Add, Author, Origin, Register};

/// The circumstances of one op while it is applied.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) author: Author,
    /// Its number in the author's queue; for a plain call its revision.
    pub(super) seq: Seq,
    /// The newest revision its author had seen. A forwarded op's base is the guest cart's.
    pub(super) base: Revision,
    /// The revision it gets.
    pub(super) revision: Revision,
    /// When it was received.
    pub(super) at: Timestamp,
    /// When the shopper acted, by the server's clock: received − age.
    pub(super) acted: Timestamp,
    /// The latest `eff` of the client so far.
    pub(super) last_eff: Timestamp,
}

impl Stamp {
    /// Whether its author had seen `add`: it is at or below the base, or the device's own.
    pub(super) fn observes(&self, add: &Add) -> bool {
        add.revision <= self.base || self.is_own(add.client)
    }

    /// The same of an add that was imported from guest cart `guest`, and of what the device itself forwarded since.
    pub(super) fn observes_import(&self, add: &Add, guest: CartId, merged_at: Revision) -> bool {
        match &add.origin {
            Some(origin) if origin.cart == guest => {
                !origin.register && (origin.revision <= self.base || self.is_own(origin.client))
            }
            Some(_) => false,
            None => add.from > merged_at && self.is_own(add.client),
        }
    }

    fn is_own(&self, client: Option<ClientId>) -> bool {
        client.is_some() && client == self.author.client()
    }

    /// The time a write counts as made at: never before what it had observed, nor before the device's last write, nor
    /// after its arrival. No increment: with one, orders diverge where true times share a millisecond.
    fn eff(&self, standing: Option<&Register>) -> Timestamp {
        let observed =
            standing.filter(|register| register.revision <= self.base).map(|register| register.eff);
        self.acted.max(self.last_eff).max(observed.unwrap_or_default())
    }

    /// The op's own register, where `standing` is the one it meets.
    pub(super) fn register(&self, standing: Option<&Register>, n: Quantity) -> Register {
        Register {
            eff: self.eff(standing),
            base: self.base,
            author: self.author,
            seq: self.seq,
            n,
            revision: self.revision,
        }
    }

    /// The op's register in the numbering of a guest cart that ended at `guest_revision`: nobody there has seen it.
    pub(super) fn guest_register(
        &self,
        guest_revision: Revision,
        standing: Option<&Register>,
        n: Quantity,
    ) -> Register {
        Register { revision: guest_revision + 1, ..self.register(standing, n) }
    }

    /// So many units of the op's own.
    pub(super) fn add(&self, n: Quantity) -> Add {
        let client = self.author.client();
        let seq = if client.is_some() { self.seq } else { 0 };
        Add { revision: self.revision, from: self.revision, client, seq, n, origin: None }
    }

    /// So many units of the op's own that belong to a merged guest's cart or saved list, as if it had made them there.
    pub(super) fn forwarded(&self, n: Quantity, cart: CartId, guest_revision: Revision, saved: bool) -> Add {
        let add = self.add(n);
        let (revision, client, seq) = (guest_revision + 1, add.client, add.seq);
        Add { origin: Some(Box::new(Origin { cart, revision, client, seq, register: false, saved })), ..add }
    }

    /// So many units from elsewhere, at the op's revision.
    pub(super) fn import(&self, n: Quantity, origin: Origin) -> Add {
        let (revision, from) = (self.revision, self.revision);
        Add { revision, from, client: None, seq: 0, n, origin: Some(Box::new(origin)) }
    }
}
