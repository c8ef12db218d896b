//! The plain REST calls: the same intents from a caller without a queue.

use crate::ids::Revision;
use crate::time::Timestamp;

use super::edit::List;
use super::leftover::Leftovers;
use super::limits::Limits;
use super::op::{Call, Intent, LineRef, Outcome, Refusal};
use super::stamp::Stamp;
use super::state::{Author, Cart, Line};

impl Cart {
    /// Applies a plain call. Refused, it changes nothing; else the cart has one more revision.
    ///
    /// The caller observes revisions up to its base only, never "its own": two tabs share a session. It has no client
    /// record and holds no floor.
    pub fn call(&mut self, call: &Call, limits: &Limits) -> Result<Outcome, Refusal> {
        self.call_with(call, limits, &mut Leftovers::closed())
    }

    /// The same where those leftovers are at hand that the call may touch: see [`Cart::leftovers_of_call`].
    pub fn call_with(
        &mut self,
        call: &Call,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Outcome, Refusal> {
        if let Some(seal) = self.sealed {
            return Err(Refusal::Sealed(seal.into));
        }
        self.judge_presence(&call.intent)?;
        if let Intent::Undo(revision) = call.intent {
            self.judge_undo(revision)?;
        }
        let stamp = self.plain_stamp(call);
        // The revisions of an older generation end where the present one begins; an UNDO names what it takes back itself,
        // and a leftover is of no generation.
        let names_itself =
            matches!(call.intent, Intent::Undo(_) | Intent::BringIn(_) | Intent::DropLeftover(_));
        let effect = if self.is_late(stamp.base, None) && !names_itself {
            self.apply_late(&call.intent, &stamp, limits, leftovers)?
        } else {
            self.apply(&call.intent, &stamp, limits, leftovers)?
        };
        let outcome = effect.outcome;
        self.take_in(effect, &stamp, limits);
        self.version += 1;
        Ok(outcome)
    }

    /// A plain call that sets, saves or brings back a line by its id means one that is there.
    fn judge_presence(&self, intent: &Intent) -> Result<(), Refusal> {
        let (list, line) = match intent {
            Intent::Set(line @ LineRef::Id(_), _) | Intent::Save(line) => (List::Cart, line),
            Intent::Unsave(line) => (List::Saved, line),
            _ => return Ok(()),
        };
        let is_there = self.line(list, line.id()).is_some_and(Line::is_shown);
        if is_there { Ok(()) } else { Err(Refusal::LineNotFound) }
    }

    fn plain_stamp(&self, call: &Call) -> Stamp {
        self.server_stamp(Author::Session(call.session), call.base.unwrap_or(self.revision), call.at)
    }

    /// The circumstances of an op that has no queue: its revision stands for its seq.
    pub(super) fn server_stamp(&self, author: Author, base: Revision, at: Timestamp) -> Stamp {
        Stamp {
            author,
            seq: self.revision + 1,
            base: base.min(self.revision),
            revision: self.revision + 1,
            at,
            acted: at,
            last_eff: Default::default(),
        }
    }
}
