//! The result of `bench streams`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::tally::Tally;
use crate::host::machine::{Machine, day};
use crate::live::account::{Account, Delays};
use crate::mix::exact::Exact;

use super::load::{Footprint, Series, in_words};
use super::numbers::{Latency, Spread, bytes, count, micros};

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StreamsRun {
    /// Changes that were answered, a second.
    pub(crate) rate: f64,
    /// Answers that were no changes.
    pub(crate) refused: u64,
    /// Changes without an answer.
    pub(crate) lost: u64,
    /// Changes that were due and could not begin in time.
    pub(crate) unsent: u64,
    /// From when a change should have begun to its answer.
    pub(crate) answer_us: Latency,
    /// From when a change should have begun to the event.
    pub(crate) since_due_us: Latency,
    /// From the answer to the event.
    pub(crate) since_answer_us: Latency,
}

impl StreamsRun {
    /// What a run of this length counted.
    pub(crate) fn new(tally: &Tally, delays: &Delays, length: Duration) -> StreamsRun {
        StreamsRun {
            rate: tally.answers() as f64 / length.as_secs_f64(),
            refused: tally.refused,
            lost: tally.lost,
            unsent: tally.unsent,
            answer_us: Latency::of(&tally.latency),
            since_due_us: Latency::of(&delays.since_due),
            since_answer_us: Latency::of(&delays.since_answer),
        }
    }
}

/// Streams on which nothing comes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// How many.
    pub(crate) streams: u64,
    /// Bytes of the server's memory before the first of them was opened; their sessions were there.
    pub(crate) memory_before: u64,
    /// Bytes when all were open for the first time.
    pub(crate) memory_after: u64,
    /// Bytes at the most, after reads beside them.
    pub(crate) memory_most: u64,
    /// Bytes that one stream more takes.
    pub(crate) memory_each: u64,
    /// Streams that ended though nobody ended them.
    pub(crate) ended: u64,
    /// Reads without them.
    pub(crate) without: Series,
    /// Reads beside them, in turn.
    pub(crate) with: Series,
    /// The rate beside them as a share of the rate without: over the pairs of runs.
    pub(crate) share: Spread,
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StreamsReport {
    /// `streams`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// How, in words.
    pub(crate) how: String,
    /// From when a change should have begun to the event at another device, of all runs: more than from the commit.
    pub(crate) since_due_us: Latency,
    /// From when the change's answer was there to the event, of all runs: less than from the commit.
    pub(crate) since_answer_us: Latency,
    /// Events that were there before the answer: zero in the percentiles.
    pub(crate) before_answer: u64,
    /// The runs, in order.
    pub(crate) runs: Vec<StreamsRun>,
    /// Whether every device saw every change.
    pub(crate) account: Account,
    /// Whether everything that was acknowledged is there, once.
    pub(crate) exact: Exact,
    /// Streams on which nothing comes, where they were asked for.
    pub(crate) idle: Option<Idle>,
    /// What the server takes up at the end, where we started it.
    pub(crate) server_after: Option<Footprint>,
}

impl StreamsReport {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.how, self.machine.in_words());
        let rate = Spread::of(self.runs.iter().map(|run| run.rate));
        text += &format!("{} changes a second were answered", count(rate.median));
        let sum = |of: fn(&StreamsRun) -> u64| self.runs.iter().map(of).sum::<u64>();
        for (many, what) in [
            (sum(|run| run.refused), "refused"),
            (sum(|run| run.lost), "lost"),
            (sum(|run| run.unsent), "not begun in time"),
        ] {
            if many > 0 {
                text += &format!(", {} {what}", count(many as f64));
            }
        }
        text += "\n";
        let row = |name: &str, latency: &Latency| {
            let [p50, p90, p99, max] =
                [latency.p50, latency.p90, latency.p99, latency.max].map(|us| micros(us as f64));
            format!("{name:<34} p50 {p50:>8}   p90 {p90:>8}   p99 {p99:>8}   max {max:>8}\n")
        };
        text += &row("event, since the intended start", &self.since_due_us);
        text += &row("event, since the change's answer", &self.since_answer_us);
        let before = count(self.before_answer as f64);
        text += &format!("{before} events were there before the answer\n");
        text += &format!("{}\n{}", account(&self.account), in_words(&self.exact));
        text += &self.idle.as_ref().map(idle).unwrap_or_default();
        self.server_after.map_or(text.clone(), |after| text + "\n" + &after.in_words())
    }

    /// Under a chart.
    pub(crate) fn caption(&self) -> String {
        format!("{}. {}.", day(&self.at), self.machine.in_words())
    }
}

fn account(account: &Account) -> String {
    let [changes, due, passed_over] =
        [account.changes, account.due, account.passed_over].map(|number| count(number as f64));
    let mut text = format!("{changes} changes, {due} events due, {passed_over} passed over by a newer one: ");
    if account.holds() {
        return text + "all seen";
    }
    let wrong = [
        (account.lost, "LOST"),
        (account.backwards, "BACKWARDS"),
        (account.ended, "STREAMS ENDED"),
        (account.unlike, "STREAMS UNLIKE THEIR CART"),
    ];
    let wrong = wrong.iter().filter(|(number, _)| *number > 0);
    text += &wrong
        .map(|(number, what)| format!("{} {what}", count(*number as f64)))
        .collect::<Vec<_>>()
        .join(", ");
    text
}

fn idle(idle: &Idle) -> String {
    let memory = |of: u64| bytes(of as f64);
    let mut text = format!(
        "\n{} idle streams: memory {} before, {} with them, {} at most; {} each",
        count(idle.streams as f64),
        memory(idle.memory_before),
        memory(idle.memory_after),
        memory(idle.memory_most),
        memory(idle.memory_each)
    );
    if idle.ended > 0 {
        text += &format!("; {} ENDED", count(idle.ended as f64));
    }
    let Spread { median, least, most } = idle.share;
    text += &format!("\nreads {}\nreads {}", idle.without.in_words(), idle.with.in_words());
    text + &format!("\nreads with them, as a share: {median:.2} ({least:.2} to {most:.2})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_in_words_says_what_is_wrong() {
        let mut of =
            Account { changes: 1_000, due: 2_000, came: 1_990, passed_over: 10, ..Account::default() };
        assert_eq!(account(&of), "1,000 changes, 2,000 events due, 10 passed over by a newer one: all seen");
        (of.lost, of.unlike) = (3, 1);
        assert!(account(&of).ends_with(": 3 LOST, 1 STREAMS UNLIKE THEIR CART"), "{}", account(&of));
    }
}
