//! A guest's cart comes into an account's at sign-in: ONE op on the account's cart, with the guest cart's id as its
//! dedupe key. The guest cart is sealed, and what its devices still send is forwarded.

use std::sync::Arc;

use crate::ids::{CartId, Quantity, Revision, SessionId};
use crate::item::{Item, LineId};
use crate::time::Timestamp;

use super::client::digest_of;
use super::edit::List;
use super::leftover::Leftovers;
use super::limits::Limits;
use super::notice::of_brought;
use super::op::{MergePolicy, NoticeCode, OpKind, Outcome, Refusal};
use super::owed::{Brought, Due, Source};
use super::stamp::Stamp;
use super::state::{
    Applied, AppliedKey, Author, Cart, Client, Departed, GuestBase, GuestRegister, LeftoverFrom, LeftoverRef,
    Line, Merged, Notice, Origin, Piece, Seal,
};

/// One surviving contribution of a guest's line.
#[derive(Clone, Debug, PartialEq)]
struct Contribution {
    n: Quantity,
    origin: Origin,
}

/// What comes into one line of the account's cart, and where it goes.
#[derive(Clone, Debug)]
struct Import {
    item: Arc<Item>,
    list: List,
    contributions: Vec<Contribution>,
}

/// A sign-in's wish.
#[derive(Clone, Copy, Debug)]
pub struct Merge<'a> {
    /// The guest's cart. It must be sealed into the account's first, by [`Cart::seal`], so that it takes no op meanwhile.
    pub guest: &'a Cart,
    /// What comes in.
    pub policy: MergePolicy,
    /// Whose session.
    pub author: SessionId,
    /// When.
    pub at: Timestamp,
}

impl Cart {
    /// Merges a guest's cart into this one by `policy`. A second time with the same guest cart nothing happens and the
    /// answer is false. For a caller that keeps no leftovers: where one would be made, it is refused.
    pub fn merge(
        &mut self,
        guest: &Cart,
        policy: MergePolicy,
        author: SessionId,
        at: Timestamp,
        limits: &Limits,
    ) -> Result<bool, Refusal> {
        self.merge_with(&Merge { guest, policy, author, at }, limits, &mut Leftovers::closed())
    }

    /// Merges a guest's cart into this one, once. What is over the cart's limits goes to the saved list, and what finds no
    /// room there is left over; the guest's own leftovers come along unread. Refused, with nothing changed, only where that
    /// would make one leftover too many.
    pub fn merge_with(
        &mut self,
        asked: &Merge<'_>,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<bool, Refusal> {
        if let Some(seal) = self.sealed {
            return Err(Refusal::Sealed(seal.into));
        }
        let guest = asked.guest;
        let key = AppliedKey::Merge(guest.id);
        if self.has_applied(key) || self.merged.iter().any(|merged| merged.cart == guest.id) {
            return Ok(false);
        }
        let stamp = self.server_stamp(Author::Session(asked.author), self.revision, asked.at);
        let kept = self.keep(leftovers);
        let withheld = self.quantities();
        let came = self.come_in(asked, &stamp, limits, leftovers);
        let (moved, brought) = match came {
            Ok(came) => came,
            Err(refusal) => {
                self.put_back(kept, leftovers);
                return Err(refusal);
            }
        };
        if guest.clients.iter().any(|client| !client.has_lapsed(asked.at, limits)) {
            self.keep_guest_registers(guest, asked.policy, &withheld, asked.at);
            self.move_clients(guest, asked.policy, &stamp, limits);
        }
        self.inherit_departed(guest, asked.at, limits);
        let mut pieces = self.pieces_since(&kept.lines, &kept.saved);
        self.tell_what_was_moved(&mut pieces, &moved);
        let mut effect = self.brought_effect(OpKind::Merge, Outcome::Applied, pieces, &brought);
        effect.notices = merge_notices(guest, asked.policy, &moved, &brought);
        self.note_applied(Applied { key, revision: stamp.revision });
        self.take_in(effect, &stamp, limits);
        self.version += 1;
        Ok(true)
    }

    /// Brings in what the policy lets in, and says what it moved out of the cart for it and what became of what came.
    fn come_in(
        &mut self,
        asked: &Merge<'_>,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<(Vec<Brought>, Vec<Brought>), Refusal> {
        let guest = asked.guest;
        let followed = guest.leftovers.len();
        if followed > 0 && !self.has_room_for_leftovers(followed, limits) {
            return Err(Refusal::TooManyLeftovers(limits.leftovers));
        }
        let came_along =
            guest.leftovers.iter().map(|of| LeftoverRef { revision: stamp.revision, followed: true, ..*of });
        self.leftovers.extend(came_along);
        let imports = self.plan_imports(guest, asked.policy);
        let source = Source::new(LeftoverFrom::Merge(guest.id), stamp.revision);
        let moved = match asked.policy {
            MergePolicy::KeepGuest => self.move_to_saved(source, stamp, limits, leftovers)?,
            MergePolicy::Sum | MergePolicy::Max | MergePolicy::KeepAccount => Vec::new(),
        };
        let mut brought = Vec::new();
        for import in &imports {
            for contribution in &import.contributions {
                let add = stamp.import(contribution.n, contribution.origin.clone());
                let due = Due { list: import.list, item: import.item.clone(), add };
                brought.push(self.owe(&due, source, stamp, limits, leftovers)?);
            }
        }
        Ok((moved, brought))
    }

    /// Seals a guest's cart: from now on it takes no op. False where it was sealed already.
    pub fn seal(&mut self, into: CartId) -> bool {
        if self.sealed.is_some() {
            return false;
        }
        self.sealed = Some(Seal { into, done: false });
        self.version += 1;
        true
    }

    /// Marks that the account's cart has applied the merge; its dedupe key may go after this. What leftovers this cart had
    /// are the account's now: whoever removes this cart leaves them alone.
    pub fn mark_merged(&mut self) {
        if let Some(seal) = &mut self.sealed {
            seal.done = true;
            self.leftovers.clear();
            self.version += 1;
        }
    }

    /// The plan: every surviving contribution of the guest, as the policy lets it in.
    fn plan_imports(&self, guest: &Cart, policy: MergePolicy) -> Vec<Import> {
        let mut imports = Vec::new();
        for line in guest.shown() {
            let Some(item) = line.item.clone() else { continue };
            let contributions = match policy {
                MergePolicy::Max => {
                    let held = self.line(List::Cart, line.id).map_or(0, Line::quantity);
                    line.surplus_over(guest.id, held)
                }
                MergePolicy::Sum | MergePolicy::KeepAccount | MergePolicy::KeepGuest => {
                    line.contributions(guest.id, false)
                }
            };
            let list = if policy == MergePolicy::KeepAccount { List::Saved } else { List::Cart };
            imports.push(Import { item, list, contributions });
        }
        for line in guest.shown_saved() {
            let Some(item) = line.item.clone() else { continue };
            imports.push(Import {
                item,
                list: List::Saved,
                contributions: line.contributions(guest.id, true),
            });
        }
        imports
    }

    /// Puts the lines of the cart on the saved list, as they stand; what does not fit there is left over.
    fn move_to_saved(
        &mut self,
        source: Source,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Vec<Brought>, Refusal> {
        let shown: Vec<_> = self.shown().map(|line| (line.id, line.item.clone(), line.quantity())).collect();
        let mut moved = Vec::with_capacity(shown.len());
        for (id, item, quantity) in shown {
            let Some(item) = item else { continue };
            self.edit(List::Cart, (id, None), stamp.at, limits, |line| line.write(stamp, 0))?;
            let due = Due { list: List::Saved, item, add: stamp.add(quantity) };
            moved.push(self.owe(&due, source, stamp, limits, leftovers)?);
        }
        Ok(moved)
    }

    /// A line may have left the cart and come back in with the same quantity: its piece says what left.
    fn tell_what_was_moved(&self, pieces: &mut Vec<Piece>, moved: &[Brought]) {
        for &Brought { line, n: before, .. } in moved {
            match pieces.iter_mut().find(|piece| !piece.saved && piece.line == line) {
                Some(piece) => piece.dropped = before,
                None => {
                    let after = self.line(List::Cart, line).map_or(0, Line::quantity);
                    pieces.push(Piece { line, saved: false, before, after, dropped: before });
                }
            }
        }
    }

    fn quantities(&self) -> Vec<(LineId, Quantity)> {
        self.shown().map(|line| (line.id, line.quantity())).collect()
    }

    /// Keeps each register of the guest cart beside the line, so that late ops of its devices compete with it alone.
    fn keep_guest_registers(
        &mut self,
        guest: &Cart,
        policy: MergePolicy,
        held: &[(LineId, Quantity)],
        at: Timestamp,
    ) {
        let list = if policy == MergePolicy::KeepAccount { List::Saved } else { List::Cart };
        for line in &guest.lines {
            let Some(register) = line.register.clone() else { continue };
            let withheld = match policy {
                MergePolicy::Max => held.iter().find(|(id, _)| *id == line.id).map_or(0, |(_, held)| *held),
                MergePolicy::Sum | MergePolicy::KeepAccount | MergePolicy::KeepGuest => 0,
            };
            let lines = self.list_mut(list);
            let kept = GuestRegister { cart: guest.id, register, withheld };
            match lines.iter_mut().find(|other| other.id == line.id) {
                Some(place) => Arc::make_mut(place).guests.push(kept),
                None => {
                    let mut place = Line::empty(line.id, None, at);
                    place.guests.push(kept);
                    lines.push(Arc::new(place));
                }
            }
        }
    }

    /// The guest cart's table of clients moves along. It is never refused; past the bound those unseen longest go.
    fn move_clients(&mut self, guest: &Cart, policy: MergePolicy, stamp: &Stamp, limits: &Limits) {
        self.merged.push(Arc::new(Merged {
            cart: guest.id,
            revision: stamp.revision,
            guest_revision: guest.revision,
            guest_generation_start: guest.generation_start,
            guest_generation: guest.generation,
            policy,
        }));
        for moved in guest.clients.iter().filter(|client| !client.has_lapsed(stamp.at, limits)) {
            let from = GuestBase { cart: guest.id, lowest_base: moved.lowest_base };
            match self.clients.iter_mut().find(|known| known.id == moved.id) {
                Some(known) => Arc::make_mut(known).join(moved, from),
                None => {
                    let before_merge: Revision = stamp.revision - 1;
                    let client =
                        Client { guest: Some(from), lowest_base: before_merge, ..Client::clone(moved) };
                    self.register(client, stamp.at, limits);
                }
            }
        }
        self.bound_guest_registers(stamp.at, limits);
    }

    /// Past the bound the clients of the guest cart that came first leave, and with them what is kept for them.
    fn bound_guest_registers(&mut self, at: Timestamp, limits: &Limits) {
        let count = |cart: &Cart| -> usize {
            cart.lines.iter().chain(&cart.saved).map(|line| line.guests.len()).sum()
        };
        while count(self) > limits.guest_registers {
            let Some(first) = self.merged.first().map(|merged| merged.cart) else { break };
            let of_first = |client: &Arc<Client>| client.guest.is_some_and(|guest| guest.cart == first);
            let Some(place) = self.clients.iter().position(of_first) else { break };
            self.depart(place, at, limits);
        }
    }

    /// A client that had departed from the guest cart may not begin anew here, nor one whose lease ran out there before
    /// anybody called: what it sent is in the guest's lines.
    fn inherit_departed(&mut self, guest: &Cart, at: Timestamp, limits: &Limits) {
        let is_live_here = |id| self.clients.iter().any(|known| known.id == id);
        let lapsed: Vec<_> = (guest.clients.iter())
            .filter(|client| client.has_lapsed(at, limits) && !is_live_here(client.id))
            .map(|client| Departed { digest: digest_of(client.id), at })
            .collect();
        for departed in guest.departed.iter().chain(&lapsed) {
            if !self.departed.iter().any(|known| known.digest == departed.digest) {
                self.departed.push(*departed);
            }
        }
        self.departed.sort_by_key(|departed| departed.at);
        self.departed.drain(..self.departed.len().saturating_sub(limits.departed));
    }
}

impl Client {
    /// One client that both carts know: the higher numbers stand.
    fn join(&mut self, moved: &Client, from: GuestBase) {
        if moved.last_seq > self.last_seq {
            self.last_seq = moved.last_seq;
            self.recent = moved.recent.clone();
        }
        self.last_eff = self.last_eff.max(moved.last_eff);
        self.last_seen = self.last_seen.max(moved.last_seen);
        self.guest = Some(from);
    }
}

impl Line {
    /// Register and adds of a guest's line, each with where it came from.
    fn contributions(&self, cart: CartId, saved: bool) -> Vec<Contribution> {
        let register = self.register.iter().filter(|register| register.n > 0).map(|register| Contribution {
            n: register.n,
            origin: Origin {
                cart,
                revision: register.revision,
                client: register.author.client(),
                seq: register.seq,
                register: true,
                saved,
            },
        });
        let adds = self.adds.iter().map(|add| Contribution {
            n: add.n,
            origin: Origin {
                cart,
                revision: add.revision,
                client: add.client,
                seq: add.seq,
                register: false,
                saved,
            },
        });
        register.chain(adds).collect()
    }

    /// What a guest's line has over `held` units, as one add with its highest revision and no client.
    fn surplus_over(&self, cart: CartId, held: Quantity) -> Vec<Contribution> {
        let n = self.quantity().saturating_sub(held);
        let of_adds = self.adds.iter().map(|add| add.revision).max();
        let of_register = self.register.as_ref().map(|register| register.revision);
        let revision = of_adds.max(of_register).unwrap_or_default();
        let origin = Origin { cart, revision, client: None, seq: 0, register: false, saved: false };
        if n > 0 { vec![Contribution { n, origin }] } else { Vec::new() }
    }
}

/// Lines that a policy sends to the saved list are told of as saved; beside them what limits did.
fn merge_notices(guest: &Cart, policy: MergePolicy, moved: &[Brought], brought: &[Brought]) -> Vec<Notice> {
    let by_policy: Vec<_> = match policy {
        MergePolicy::KeepAccount => guest.shown().map(|line| line.id).collect(),
        MergePolicy::KeepGuest => moved.iter().map(|moved| moved.line).collect(),
        MergePolicy::Sum | MergePolicy::Max => Vec::new(),
    };
    let all: Vec<_> = moved.iter().chain(brought).copied().collect();
    let is_saved = |id: &LineId| all.iter().any(|one| one.line == *id && one.saved > 0);
    let by_policy: Vec<_> = by_policy.into_iter().filter(is_saved).collect();
    let mut notices = vec![Notice::of_cart(NoticeCode::CartsMerged)];
    notices.extend(of_brought(&all, &by_policy));
    notices
}
