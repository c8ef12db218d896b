//! What the shopper is told of a change: the result, and not the intention.

use crate::ids::LeftoverId;
use crate::item::LineId;

use super::edit::List;
use super::op::NoticeCode;
use super::owed::Brought;
use super::state::{Notice, Units};

/// Where so many lines have the same notice, one tells of all of them.
const SAME_MOST: usize = 20;

impl Notice {
    pub(super) fn of_cart(code: NoticeCode) -> Notice {
        Notice { code, line: None, lines: 0, units: None, leftover: None }
    }

    pub(super) fn of_line(code: NoticeCode, line: Option<LineId>) -> Notice {
        Notice { line, lines: u32::from(line.is_some()), ..Notice::of_cart(code) }
    }

    pub(super) fn clamped(line: LineId, units: Units) -> Notice {
        Notice { units: Some(units), ..Notice::of_line(NoticeCode::QuantityClamped, Some(line)) }
    }

    fn of_lines(code: NoticeCode, lines: &[LineId]) -> Notice {
        let line = if let [line] = lines { Some(*line) } else { None };
        Notice { lines: u32::try_from(lines.len()).unwrap_or(u32::MAX), ..Notice::of_line(code, line) }
    }
}

/// What is told of all that an op brought: which quantities were over a limit, how many lines were saved, how many were left
/// over. `by_policy` are lines that went to the saved list since the policy says so.
pub(super) fn of_brought(brought: &[Brought], by_policy: &[LineId]) -> Vec<Notice> {
    let mut lines: Vec<(LineId, Units, bool)> = Vec::new();
    let (mut saved, mut left): (Vec<LineId>, Vec<LineId>) = (by_policy.to_vec(), Vec::new());
    let mut leftover: Option<LeftoverId> = None;
    for one in brought {
        let is_over = one.left.is_some() || (one.list == List::Cart && one.went_in < one.n);
        let place = match lines.iter().position(|(line, ..)| *line == one.line) {
            Some(place) => place,
            None => {
                lines.push((one.line, Units::default(), false));
                lines.len() - 1
            }
        };
        let (_, units, over) = &mut lines[place];
        units.add(Units { brought: one.n, went_in: one.went_in, saved: one.saved });
        *over |= is_over;
        if one.list == List::Cart && one.saved > 0 {
            saved.push(one.line);
        }
        if let Some((_, id)) = one.left {
            left.push(one.line);
            leftover = leftover.or(Some(id));
        }
    }
    let mut notices: Vec<_> = (lines.into_iter())
        .filter(|(.., over)| *over)
        .map(|(line, units, _)| Notice::clamped(line, units))
        .collect();
    for (code, lines, leftover) in
        [(NoticeCode::LinesSaved, saved, None), (NoticeCode::LinesLeftOver, left, leftover)]
    {
        let lines = once_each(&lines);
        if !lines.is_empty() {
            // A policy moves whatever is there: that is told by how many lines it was.
            let named = by_policy.is_empty() || code != NoticeCode::LinesSaved;
            let notice = Notice { leftover, ..Notice::of_lines(code, &lines) };
            notices.push(if named { notice } else { Notice { line: None, ..notice } });
        }
    }
    as_few(notices)
}

/// One notice a code where too many lines have it.
fn as_few(notices: Vec<Notice>) -> Vec<Notice> {
    let clamped = |notice: &&Notice| notice.code == NoticeCode::QuantityClamped;
    if notices.iter().filter(clamped).count() < SAME_MOST {
        return notices;
    }
    let mut all = Notice { units: Some(Units::default()), ..Notice::of_cart(NoticeCode::QuantityClamped) };
    for notice in notices.iter().filter(clamped) {
        all.lines += 1;
        if let (Some(sum), Some(units)) = (&mut all.units, notice.units) {
            sum.add(units);
        }
    }
    let others = notices.into_iter().filter(|notice| !clamped(&notice));
    std::iter::once(all).chain(others).collect()
}

impl Units {
    fn add(&mut self, more: Units) {
        self.brought = self.brought.saturating_add(more.brought);
        self.went_in = self.went_in.saturating_add(more.went_in);
        self.saved = self.saved.saturating_add(more.saved);
    }
}

pub(super) fn once_each(lines: &[LineId]) -> Vec<LineId> {
    let mut seen = std::collections::HashSet::with_capacity(lines.len());
    lines.iter().copied().filter(|line| seen.insert(*line)).collect()
}
