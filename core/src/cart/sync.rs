//! A device's delivery: judged as a whole, then applied op by op in seq order.

use std::sync::Arc;

use crate::ids::{ClientId, OpId, Revision, Seq};
use crate::time::Timestamp;

use super::leftover::Leftovers;
use super::limits::Limits;
use super::op::{Op, OpResult, Outcome, Refusal, RefusalCode, SyncCall, SyncOutcome, SyncRefusal};
use super::stamp::Stamp;
use super::state::{Author, Cart, Client, GuestBase, Recent};

/// Where an op belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// This cart.
    Here,
    /// The guest cart its client moved here with.
    Forwarded(GuestBase),
}

impl Cart {
    /// Takes a delivery in. Refused as a whole, it changes nothing; else each op has its result, and one bad op holds
    /// back none of the rest.
    pub fn sync(&mut self, sync: &SyncCall, limits: &Limits) -> Result<SyncOutcome, SyncRefusal> {
        self.sync_with(sync, limits, &mut Leftovers::closed())
    }

    /// The same where those leftovers are at hand that the delivery may touch: see [`Cart::leftovers_of_sync`].
    pub fn sync_with(
        &mut self,
        sync: &SyncCall,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<SyncOutcome, SyncRefusal> {
        let known = self.judge(sync, limits)?;
        self.let_go(sync.at, limits);
        let mut client = match known {
            Some(client) => Client { last_seen: sync.at, ..Client::clone(&client) },
            None => {
                let base = sync.ops.first().map_or(self.revision, |op| op.base.min(self.revision));
                Client::new(sync.client, base, sync.at)
            }
        };
        // Nobody can have seen more than what there was when the call came.
        let newest = self.revision;
        self.enrol(&client, limits);
        let mut results = Vec::with_capacity(sync.ops.len());
        for op in &sync.ops {
            let stamp = self.stamp_of(op, &client, newest, sync.at);
            results.push(self.take_op(op, &mut client, &stamp, limits, leftovers));
            self.enrol(&client, limits);
        }
        self.lighten(sync.at, limits);
        self.version += 1;
        Ok(SyncOutcome { acked: client.last_seq, results })
    }

    /// Judges the whole call before anything of it is applied.
    fn judge(&self, sync: &SyncCall, limits: &Limits) -> Result<Option<Arc<Client>>, SyncRefusal> {
        if let Some(seal) = self.sealed {
            return Err(SyncRefusal::Sealed(seal.into));
        }
        if sync.ops.len() > limits.ops {
            return Err(SyncRefusal::TooManyOps(limits.ops));
        }
        let known = self.live_client(sync.client, sync.at, limits).cloned();
        if known.is_none() {
            // A base counts in the cart that the op names: of another cart it says nothing here, and is told below.
            let base_here =
                |op: &Op| if op.cart.is_some_and(|cart| cart != self.id) { Revision::MAX } else { op.base };
            let first = sync.ops.first().map(|op| (op.seq, base_here(op)));
            self.judge_newcomer(sync.client, first, sync.at, limits)?;
        }
        let new = known.as_deref().map_or_else(|| (0, 0), |client| (client.last_seq, client.lowest_base));
        let fresh = fresh_ops(sync, known.as_deref(), new.0)?;
        self.judge_bases(&fresh, known.as_deref(), new.1)?;
        Ok(known)
    }

    /// Each fresh op names this cart or one that its client moved along with, and no base goes below the one before it.
    fn judge_bases(
        &self,
        fresh: &[&Op],
        known: Option<&Client>,
        lowest: Revision,
    ) -> Result<(), SyncRefusal> {
        let (mut lowest_here, mut guest) = (lowest, known.and_then(|client| client.guest));
        for op in fresh {
            let place = self.place(op, guest).ok_or(SyncRefusal::ForeignCart)?;
            let (lowest, base) = match place {
                Place::Here => (lowest_here, op.base.min(self.revision)),
                Place::Forwarded(guest) => (guest.lowest_base, op.base),
            };
            if base < lowest {
                return Err(SyncRefusal::BaseDecreased { seq: op.seq, base, lowest });
            }
            match place {
                Place::Here => (lowest_here, guest) = (base, None),
                Place::Forwarded(from) => guest = Some(GuestBase { lowest_base: base, ..from }),
            }
        }
        Ok(())
    }

    fn place(&self, op: &Op, guest: Option<GuestBase>) -> Option<Place> {
        match (op.cart, guest) {
            (Some(cart), _) if cart == self.id => Some(Place::Here),
            (Some(cart), Some(guest)) if cart == guest.cart => Some(Place::Forwarded(guest)),
            (Some(_), _) => None,
            // It had seen no cart at all: it acted before the sign-in.
            (None, Some(guest)) if op.base == 0 => Some(Place::Forwarded(guest)),
            (None, _) => Some(Place::Here),
        }
    }

    fn take_op(
        &mut self,
        op: &Op,
        client: &mut Client,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> OpResult {
        if op.seq <= client.last_seq {
            let code = client.recall(op.seq).and_then(|recent| recent.refused);
            return OpResult { seq: op.seq, outcome: Outcome::Duplicate, code };
        }
        let place = self.place(op, client.guest).unwrap_or(Place::Here);
        match place {
            Place::Here => (client.lowest_base, client.guest) = (stamp.base, None),
            Place::Forwarded(from) => client.guest = Some(GuestBase { lowest_base: op.base, ..from }),
        }
        let applied = op.intent.clone().and_then(|intent| match place {
            Place::Here if self.is_late(stamp.base, op.generation) => {
                self.apply_late(&intent, stamp, limits, leftovers)
            }
            Place::Here => self.apply(&intent, stamp, limits, leftovers),
            Place::Forwarded(from) => {
                let stamp = Stamp { base: op.base, ..stamp.clone() };
                let of = (from.cart, op.generation);
                self.apply_forwarded(&intent, of, &stamp, limits, leftovers)
            }
        });
        let (outcome, code) = match applied {
            Ok(effect) => {
                let outcome = effect.outcome;
                client.last_eff = client.last_eff.max(effect.eff);
                self.take_in(effect, stamp, limits);
                (outcome, None)
            }
            Err(refusal) => (Outcome::Rejected, Some(Refusal::code(&refusal))),
        };
        client.remember(Recent { seq: op.seq, op_id: op.op_id, refused: code });
        OpResult { seq: op.seq, outcome, code }
    }

    fn stamp_of(&self, op: &Op, client: &Client, newest: Revision, at: Timestamp) -> Stamp {
        Stamp {
            author: Author::Device(client.id),
            seq: op.seq,
            base: op.base.min(newest),
            revision: self.revision + 1,
            at,
            acted: at - op.age,
            last_eff: client.last_eff,
        }
    }

    /// Writes the client's record back. It does so after every op: a fold reads the bases of all clients.
    fn enrol(&mut self, client: &Client, limits: &Limits) {
        match self.clients.iter_mut().find(|other| other.id == client.id) {
            Some(place) => *place = Arc::new(client.clone()),
            None => self.register(client.clone(), client.last_seen, limits),
        }
        if client.guest.is_none() {
            self.release_guests();
        }
    }
}

/// The ops of a call that were not taken in before. Refuses a gap, and a seq that came with another op id.
fn fresh_ops<'a>(
    sync: &'a SyncCall,
    known: Option<&Client>,
    last_seq: Seq,
) -> Result<Vec<&'a Op>, SyncRefusal> {
    let mut fresh: Vec<&Op> = Vec::with_capacity(sync.ops.len());
    for op in &sync.ops {
        let expected = last_seq + fresh.len() as Seq + 1;
        if op.seq > expected || op.seq == 0 {
            return Err(SyncRefusal::SequenceGap { expected });
        }
        if op.seq == expected {
            fresh.push(op);
            continue;
        }
        let earlier = fresh.iter().find(|other| other.seq == op.seq).map(|other| other.op_id);
        let taken: Option<OpId> =
            earlier.or_else(|| known.and_then(|client| client.recall(op.seq)).map(|recent| recent.op_id));
        if taken.is_some_and(|op_id| op_id != op.op_id) {
            return Err(SyncRefusal::ClientForked { seq: op.seq });
        }
    }
    Ok(fresh)
}

/// Used by tests and by the service to tell a client's record.
impl Cart {
    /// Why the op with this seq was refused when it came, where it was and that is still known.
    pub fn refused(&self, client: ClientId, seq: Seq) -> Option<RefusalCode> {
        let known = self.clients.iter().find(|known| known.id == client)?;
        known.recall(seq)?.refused
    }

    /// The highest seq taken in of this client; 0 where it is not known.
    pub fn acked(&self, client: ClientId) -> Seq {
        self.clients.iter().find(|known| known.id == client).map_or(0, |known| known.last_seq)
    }
}
