//! What came against what must come, said so that the difference is seen at once.

use std::fmt::Debug;

use trolley_core::cart::op::{NoticeCode, OpResult, Outcome};
use trolley_core::cart::state::{Cart, Leftover, Line, Notice, Units};
use trolley_core::item::LineId;

use crate::parse::{Expect, LineName, View};
use crate::world::{Answer, Seen};

pub(crate) fn answer(expect: &Expect, answer: &Answer, seen: &Seen) -> Result<(), String> {
    if let Some(results) = &expect.results {
        let expected = results.iter().flat_map(|result| repeated(result)).collect::<Vec<_>>();
        same("results", &expected, &told_results(answer))?;
    }
    if let Some(acked) = expect.acked {
        let got = if let Answer::Synced { acked, .. } = answer { Some(*acked) } else { None };
        same("acked", &Some(acked), &got)?;
    }
    if let Some(outcome) = &expect.outcome {
        same("outcome", &Answer::Called(outcome.clone()), answer)?;
    }
    if let Some(code) = &expect.refused {
        let refusal = Answer::Refused { code: code.clone(), expected_seq: expect.expected_seq };
        same("refusal", &refusal, answer)?;
    } else {
        unexpected(answer)?;
    }
    if let Some(order) = &expect.order {
        let got = match answer {
            Answer::Ordered(taken) => {
                taken.iter().map(|line| (line.item.sku().to_owned(), line.quantity)).collect()
            }
            _ => Vec::new(),
        };
        let expected = order.iter().map(|(name, n)| (name.item().sku().to_owned(), *n)).collect::<Vec<_>>();
        same("order", &expected, &got)?;
    }
    if let Some(done) = expect.done {
        same("done", &Answer::Done(done), answer)?;
    }
    if let Some(owed) = expect.owed {
        same("owed", &owed, &(*answer == Answer::Owed))?;
    }
    expect.cart.as_ref().map_or(Ok(()), |expected| view(expected, seen, true))
}

/// A refusal that no vector foresaw is a failure, also where nothing else is expected of the step.
pub(crate) fn unexpected(answer: &Answer) -> Result<(), String> {
    match answer {
        Answer::Refused { code, expected_seq } => Err(format!("refused as {code} ({expected_seq:?})")),
        _ => Ok(()),
    }
}

pub(crate) fn view(expected: &View, seen: &Seen, in_order: bool) -> Result<(), String> {
    let cart = &seen.cart;
    if let Some(lines) = &expected.lines {
        same("lines", &named(lines, in_order), &shown(cart.shown(), in_order))?;
    }
    if let Some(saved) = &expected.saved {
        same("saved", &named(saved, in_order), &shown(cart.shown_saved(), in_order))?;
    }
    if let Some(leftovers) = &expected.leftovers {
        let named: Vec<_> = leftovers.iter().map(|lines| named(lines, in_order)).collect();
        let lines = |leftover: &Leftover| shown(leftover.lines.iter().map(|line| &*line.line), in_order);
        same("leftovers", &named, &seen.leftovers.iter().map(lines).collect())?;
    }
    if let Some(revision) = expected.revision {
        same("revision", &revision, &cart.revision)?;
    }
    if let Some(generation) = expected.generation {
        same("generation", &generation, &cart.generation)?;
    }
    if let Some(notices) = &expected.notices {
        same("notices", notices, &told_notices(seen))?;
    }
    if let Some(expected) = &expected.counts {
        same("counts of notices", expected, &counts(cart))?;
    }
    Ok(())
}

/// The same delivery once more: every op a duplicate with its reason, and a cart that looks and counts as before.
pub(crate) fn is_repetition(
    first: &Answer,
    second: &Answer,
    seen: &Seen,
    seen_again: &Seen,
) -> Result<(), String> {
    let (cart, again) = (&seen.cart, &seen_again.cart);
    same("leftovers after the second time", &seen.leftovers, &seen_again.leftovers)?;
    let (Answer::Synced { acked, results }, Answer::Synced { acked: acked_again, results: results_again }) =
        (first, second)
    else {
        return Err(format!("sent a second time, it is answered by {second:?}"));
    };
    same("acked of the second time", acked, acked_again)?;
    let duplicates = results.iter().map(|result| result.seq).collect::<Vec<_>>();
    let again_told = results_again.iter().map(|result| result.seq).collect::<Vec<_>>();
    same("seqs of the second time", &duplicates, &again_told)?;
    if let Some(twice) = results_again.iter().find(|result| result.outcome != Outcome::Duplicate) {
        return Err(format!("sent a second time, it is taken in again: {twice:?}"));
    }
    same("revision after the second time", &cart.revision, &again.revision)?;
    same("lines after the second time", &shown(cart.shown(), true), &shown(again.shown(), true))?;
    same("saved after the second time", &shown(cart.shown_saved(), true), &shown(again.shown_saved(), true))
}

fn same<T: PartialEq + Debug + ?Sized>(what: &str, expected: &T, got: &T) -> Result<(), String> {
    if expected == got {
        Ok(())
    } else {
        Err(format!("{what}\n    expected {expected:?}\n    got      {got:?}"))
    }
}

/// A line by its id, with a name for the reader.
type Told = (String, LineId, u32);

fn named(lines: &[(LineName, u32)], in_order: bool) -> Vec<Told> {
    let told = lines.iter().map(|(name, n)| (name.item().canonical_json(), name.id(), *n)).collect();
    ordered(told, in_order)
}

fn shown<'a>(lines: impl Iterator<Item = &'a Line>, in_order: bool) -> Vec<Told> {
    let name = |line: &Line| line.item.as_ref().map_or("?".into(), |item| item.canonical_json());
    ordered(lines.map(|line| (name(line), line.id, line.quantity())).collect(), in_order)
}

fn ordered(mut told: Vec<Told>, in_order: bool) -> Vec<Told> {
    if !in_order {
        told.sort();
    }
    told
}

/// `"applied x3"` is three times `"applied"`.
fn repeated(result: &str) -> Vec<String> {
    match result.rsplit_once(" x").and_then(|(result, times)| Some((result, times.parse().ok()?))) {
        Some((result, times)) => vec![result.to_owned(); times],
        None => vec![result.to_owned()],
    }
}

fn told_results(answer: &Answer) -> Vec<String> {
    let told = |result: &OpResult| {
        let outcome = format!("{:?}", result.outcome).to_lowercase();
        result.code.map_or(outcome.clone(), |code| format!("{outcome} {}", code.as_str()))
    };
    match answer {
        Answer::Synced { results, .. } => results.iter().map(told).collect(),
        other => vec![format!("{other:?}")],
    }
}

fn told_notices(seen: &Seen) -> Vec<String> {
    let cart = &seen.cart;
    let left = || seen.leftovers.iter().flat_map(|leftover| &leftover.lines).map(|line| &line.line);
    let sku = |id: LineId| {
        let shown = cart.lines.iter().chain(&cart.saved);
        let line = shown.chain(left()).find(|line| line.id == id && line.item.is_some());
        line.and_then(|line| line.item.as_ref()).map_or(id.to_string(), |item| item.sku().to_owned())
    };
    let told = |code| match code {
        NoticeCode::CartsMerged => "carts_merged",
        NoticeCode::QuantityClamped => "quantity_clamped",
        NoticeCode::LinesSaved => "lines_saved",
        NoticeCode::LinesLeftOver => "lines_left_over",
        NoticeCode::Superseded => "superseded",
    };
    let notice = |notice: &Notice| match notice.line {
        Some(line) => format!("{} {}", told(notice.code), sku(line)),
        None => told(notice.code).to_owned(),
    };
    cart.notices.iter().map(notice).collect()
}

/// Of each notice what it counts: units that were brought, went in and were saved; or lines.
fn counts(cart: &Cart) -> Vec<Vec<u32>> {
    let of = |notice: &Notice| match (notice.units, notice.code) {
        (Some(Units { brought, went_in, saved }), _) => vec![brought, went_in, saved],
        (None, NoticeCode::LinesSaved | NoticeCode::LinesLeftOver) => vec![notice.lines],
        _ => Vec::new(),
    };
    cart.notices.iter().map(of).collect()
}
