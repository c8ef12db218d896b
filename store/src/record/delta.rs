//! What changed between two states of a record: its small parts whole, its lists as what is kept of the old and what is new.

use std::collections::VecDeque;
use std::sync::Arc;

use trolley_core::cart::state::{Applied, Cart, Departed, LeftoverRef, Notice};
use trolley_core::ledger::{Ledger, LedgerEntry};
use trolley_core::time::Timestamp;

use crate::record::bytes::{DecodeError, Reader, Writer, put_u64};
use crate::record::field::Field;

/// How far around its place an element of the new list is looked for in the old one.
const WINDOW: usize = 16;

/// What makes the cart `after` of `before`.
pub(super) fn of_carts(before: &Cart, after: &Cart, out: &mut Writer) {
    let Cart {
        id: _,
        holder: _,
        generation,
        generation_start,
        revision,
        version,
        created_at,
        updated_at,
        lines,
        saved,
        clients,
        departed,
        ring,
        floor,
        marks,
        merged,
        applied,
        leftovers,
        sealed,
        notices,
    } = after;
    for number in [generation, generation_start, revision, version, floor] {
        number.put(out);
    }
    created_at.put(out);
    updated_at.put(out);
    sealed.put(out);
    notices.put(out);
    script(&before.lines, lines, out);
    script(&before.saved, saved, out);
    script(&before.clients, clients, out);
    script(&before.departed, departed, out);
    script(&before.ring, ring, out);
    script(&before.marks, marks, out);
    script(&before.merged, merged, out);
    script(&before.applied, applied, out);
    script(&before.leftovers, leftovers, out);
}

/// The cart that a delta makes of `before`.
pub(super) fn to_cart(before: &Cart, from: &mut Reader<'_>) -> Result<Cart, DecodeError> {
    Ok(Cart {
        id: before.id,
        holder: before.holder,
        generation: from.u64()?,
        generation_start: from.u64()?,
        revision: from.u64()?,
        version: from.u64()?,
        floor: from.u64()?,
        created_at: Timestamp::take(from)?,
        updated_at: Timestamp::take(from)?,
        sealed: Field::take(from)?,
        notices: Vec::<Notice>::take(from)?,
        lines: follow(&before.lines, from)?,
        saved: follow(&before.saved, from)?,
        clients: follow(&before.clients, from)?,
        departed: follow::<Departed, _, _>(&before.departed, from)?,
        ring: follow::<_, _, VecDeque<_>>(&before.ring, from)?,
        marks: follow::<(u64, Timestamp), _, _>(&before.marks, from)?,
        merged: follow(&before.merged, from)?,
        applied: follow::<Applied, _, _>(&before.applied, from)?,
        leftovers: follow::<LeftoverRef, _, _>(&before.leftovers, from)?,
    })
}

/// What makes the ledger `after` of `before`.
pub(super) fn of_ledgers(before: &Ledger, after: &Ledger, out: &mut Writer) {
    let Ledger { session: _, version, entries } = after;
    version.put(out);
    script(&before.entries, entries, out);
}

/// The ledger that a delta makes of `before`.
pub(super) fn to_ledger(before: &Ledger, from: &mut Reader<'_>) -> Result<Ledger, DecodeError> {
    let version = from.u64()?;
    let entries = follow::<LedgerEntry, _, VecDeque<_>>(&before.entries, from)?;
    Ok(Ledger { session: before.session, version, entries })
}

/// Whether two parts are the same: shared ones are told by their pointer first.
trait Same {
    fn same(&self, other: &Self) -> bool;
}

impl<T: PartialEq> Same for Arc<T> {
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(self, other) || **self == **other
    }
}

macro_rules! same_by_value {
    ($($of:ty),*) => {$(
        impl Same for $of {
            fn same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}
same_by_value!(Departed, Applied, LeftoverRef, LedgerEntry, (u64, Timestamp));

/// Writes how `new` is made of `old`: runs that are copied (length and place) and runs that are new (length and elements),
/// in turn, beginning with a copied one; an empty run of both is the end.
fn script<'a, T: Same + Field + 'a>(
    old: impl IntoIterator<Item = &'a T>,
    new: impl IntoIterator<Item = &'a T>,
    out: &mut Writer,
) {
    let old: Vec<&T> = old.into_iter().collect();
    let new: Vec<&T> = new.into_iter().collect();
    let (mut at, mut place) = (0, 0);
    while at < new.len() {
        let copied = find(&old, new[at], place).map(|found| {
            let run = old[found..].iter().zip(&new[at..]).take_while(|(old, new)| old.same(new)).count();
            (found, run)
        });
        let (found, run) = copied.unwrap_or((0, 0));
        put_u64(out, run as u64);
        if run > 0 {
            put_u64(out, found as u64);
            (at, place) = (at + run, found + run);
        }
        let began = at;
        while at < new.len() && find(&old, new[at], place).is_none() {
            (at, place) = (at + 1, place + 1);
        }
        put_u64(out, (at - began) as u64);
        for element in &new[began..at] {
            element.put(out);
        }
    }
    put_u64(out, 0);
    put_u64(out, 0);
}

/// Where `wanted` stands in the old list, near the place where it is expected: there first, then behind, then before.
fn find<T: Same>(old: &[&T], wanted: &T, place: usize) -> Option<usize> {
    let behind = place..old.len().min(place + WINDOW);
    let before = place.saturating_sub(WINDOW).min(old.len())..place.min(old.len());
    behind.chain(before.rev()).find(|at| old[*at].same(wanted))
}

/// The list that a script makes of `old`.
fn follow<'a, T, O, L>(old: &'a O, from: &mut Reader<'_>) -> Result<L, DecodeError>
where
    T: Field + Clone + 'a,
    &'a O: IntoIterator<Item = &'a T>,
    L: FromIterator<T>,
{
    let old: Vec<&T> = old.into_iter().collect();
    let mut new = Vec::with_capacity(old.len() + 1);
    loop {
        let copied = usize::try_from(from.u64()?).map_err(|_| OUTSIDE)?;
        if copied > 0 {
            let place = usize::try_from(from.u64()?).map_err(|_| OUTSIDE)?;
            let end = place.checked_add(copied).ok_or(OUTSIDE)?;
            new.extend(old.get(place..end).ok_or(OUTSIDE)?.iter().map(|&element| element.clone()));
        }
        let added = from.len()?;
        for _ in 0..added {
            new.push(T::take(from)?);
        }
        if copied == 0 && added == 0 {
            return Ok(new.into_iter().collect());
        }
    }
}

const OUTSIDE: DecodeError = DecodeError("it copies what is not there");
