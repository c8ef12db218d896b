//! The result of `bench hostile`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::machine::Machine;
use crate::hostile::book::{Book, Kind, Phase};

use super::numbers::{Latency, Spread, bytes, count, micros};
use super::table::Table;

/// The p99 of neighbours may be so many times what it was before.
pub(crate) const RATIO_MOST: f64 = 3.0;
/// A day has so many seconds.
const DAY_S: f64 = 86_400.0;

/// What neighbours asked in one phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// How often.
    pub(crate) count: u64,
    /// How often it was refused, failed or not answered: by what was said.
    pub(crate) refused: BTreeMap<String, u64>,
    /// How often the answer was not true: by what was wrong.
    pub(crate) wrong: BTreeMap<String, u64>,
    /// From when it should have begun to its answer, in microseconds; what was given up counts as that slow.
    pub(crate) latency_us: Latency,
}

impl Asked {
    fn faults(&self) -> u64 {
        self.refused.values().chain(self.wrong.values()).sum()
    }
}

/// One kind of what neighbours do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Which.
    pub(crate) kind: Kind,
    /// Before the attack.
    pub(crate) before: Asked,
    /// During it.
    pub(crate) during: Asked,
    /// After it.
    pub(crate) after: Asked,
    /// The p99 during the attack as a multiple of the one before, over the runs.
    pub(crate) ratio: Spread,
}

impl Row {
    fn new(kind: Kind, whole: &Book, runs: &[Book]) -> Row {
        let asked = |phase| {
            whole.sheets.get(&(phase, kind)).map_or_else(Asked::default, |sheet| Asked {
                count: sheet.latency.len(),
                refused: sheet.refused.clone(),
                wrong: sheet.wrong.clone(),
                latency_us: Latency::of(&sheet.latency),
            })
        };
        let p99 = |book: &Book, phase| {
            book.sheets.get(&(phase, kind)).map(|sheet| sheet.latency.value_at_percentile(99.0) as f64)
        };
        let ratios =
            runs.iter().filter_map(|book| Some(p99(book, Phase::During)? / p99(book, Phase::Before)?));
        Row {
            kind,
            before: asked(Phase::Before),
            during: asked(Phase::During),
            after: asked(Phase::After),
            ratio: Spread::of(ratios),
        }
    }

    fn phases(&self) -> [(Phase, &Asked); 3] {
        [(Phase::Before, &self.before), (Phase::During, &self.during), (Phase::After, &self.after)]
    }
}

/// How the server did in one phase, where we started it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Health {
    /// Bytes of memory in use, at the most.
    pub(crate) memory_most: u64,
    /// Bytes of its folder when the phase began.
    pub(crate) disk_first: u64,
    /// Bytes of its folder when it ended.
    pub(crate) disk_last: u64,
    /// Bytes of its log when the phase began.
    pub(crate) log_first: u64,
    /// Bytes of its log when it ended.
    pub(crate) log_last: u64,
    /// Processor seconds it took.
    pub(crate) cpu_s: f64,
    /// Questions that the catalogue was asked.
    pub(crate) questions: u64,
}

impl Health {
    /// What its folder and its log would gain in a day of such seconds.
    fn a_day(&self, seconds: f64) -> (f64, f64) {
        let a_day = |first: u64, last: u64| last.saturating_sub(first) as f64 / seconds * DAY_S;
        (a_day(self.disk_first, self.disk_last), a_day(self.log_first, self.log_last))
    }
}

/// How the server did in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vitals {
    /// Before the attack.
    pub(crate) before: Health,
    /// During it.
    pub(crate) during: Health,
    /// After it.
    pub(crate) after: Health,
}

impl Vitals {
    /// The phase's.
    pub(crate) fn of(&mut self, phase: Phase) -> &mut Health {
        match phase {
            Phase::Before => &mut self.before,
            Phase::During => &mut self.during,
            Phase::After => &mut self.after,
        }
    }

    /// What the attacker alone adds to the folder and to the log in a day at this pace: what neighbours add is taken off.
    fn a_day(&self, seconds: f64) -> (f64, f64) {
        let ((disk, log), (disk_before, log_before)) =
            (self.during.a_day(seconds), self.before.a_day(seconds));
        ((disk - disk_before).max(0.0), (log - log_before).max(0.0))
    }
}

/// What an operator holds the server to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// Bytes of memory, at the most.
    pub(crate) memory: u64,
    /// Bytes a day that one address adds to the folder and the log, at the most.
    pub(crate) disk_a_day: u64,
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HostileReport {
    /// `hostile`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// How, in words.
    pub(crate) how: String,
    /// Seconds of each phase.
    pub(crate) phase_s: f64,
    /// What neighbours did, all runs together.
    pub(crate) neighbours: Vec<Row>,
    /// Seconds after the attack's end until nothing was refused or wrong any more, at the most.
    pub(crate) troubled_for_s: f64,
    /// What the attacker was told, by the kind of attack and the answer.
    pub(crate) attacks: BTreeMap<String, BTreeMap<String, u64>>,
    /// How the server did, run by run, where we started it.
    pub(crate) vitals: Vec<Vitals>,
    /// Questions that the catalogue had at once, at the most.
    pub(crate) questions_at_once: u64,
    /// What it is held to.
    pub(crate) bounds: Bounds,
}

impl HostileReport {
    /// What the neighbours met in these runs.
    pub(crate) fn rows(runs: &[Book]) -> (Vec<Row>, f64) {
        let Some((first, others)) = runs.split_first() else { return (Vec::new(), 0.0) };
        let mut whole = first.clone();
        others.iter().for_each(|book| whole.add(book));
        let rows = Kind::ALL.map(|kind| Row::new(kind, &whole, runs));
        (rows.into(), whole.troubled_for.as_secs_f64())
    }

    /// Whether no neighbour was refused and none was told what is not true.
    pub(crate) fn holds(&self) -> bool {
        self.neighbours.iter().all(|row| row.phases().iter().all(|(_, asked)| asked.faults() == 0))
    }

    /// What is beyond its bound, in words.
    pub(crate) fn beyond(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        for row in self.neighbours.iter().filter(|row| row.ratio.median > RATIO_MOST) {
            beyond.push(format!(
                "the p99 of {} is {:.1} times what it was",
                row.kind.name(),
                row.ratio.median
            ));
        }
        let (memory, (disk, log)) = (self.memory_most(), self.a_day());
        if memory > self.bounds.memory {
            let most = bytes(self.bounds.memory as f64);
            beyond.push(format!("memory went to {}, above {most}", bytes(memory as f64)));
        }
        if disk + log > self.bounds.disk_a_day as f64 {
            let most = bytes(self.bounds.disk_a_day as f64);
            beyond.push(format!("the disk gains {} a day at this pace, above {most}", bytes(disk + log)));
        }
        beyond
    }

    fn memory_most(&self) -> u64 {
        self.vitals.iter().map(|vitals| vitals.during.memory_most).max().unwrap_or_default()
    }

    /// Bytes that the attacker alone adds to folder and log in a day, in the worst run.
    fn a_day(&self) -> (f64, f64) {
        let days = self.vitals.iter().map(|vitals| vitals.a_day(self.phase_s));
        days.fold((0.0, 0.0), |(disk, log), (more, said)| (more.max(disk), said.max(log)))
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n\n", self.how, self.machine.in_words());
        text += &self.table();
        for row in &self.neighbours {
            for (phase, asked) in row.phases() {
                let faults = asked.refused.iter().map(|fault| ("REFUSED", fault));
                for (how, (what, times)) in faults.chain(asked.wrong.iter().map(|fault| ("WRONG", fault))) {
                    let times = count(*times as f64);
                    text +=
                        &format!("{} the attack, {}: {times} {how}: {what}\n", phase.name(), row.kind.name());
                }
            }
        }
        text += if self.holds() { "no neighbour was refused, and every price was right\n" } else { "" };
        if self.troubled_for_s > 0.0 {
            text += &format!(
                "still refused or wrong {:.1} s after the attack had stopped\n",
                self.troubled_for_s
            );
        }
        text += "\nthe attacker was told\n";
        for (attack, told) in &self.attacks {
            let told: Vec<_> = told.iter().map(|(what, n)| format!("{what}: {}", count(*n as f64))).collect();
            text += &format!("{attack:<26} {}\n", told.join(", "));
        }
        text += &self.vitals_in_words();
        for beyond in self.beyond() {
            text += &format!("BEYOND ITS BOUND: {beyond}\n");
        }
        text.trim_end().to_owned()
    }

    fn table(&self) -> String {
        let mut table = Table::new(&[
            "neighbours",
            "asked",
            "refused",
            "wrong",
            "p50 before",
            "during",
            "p99 before",
            "during",
            "times",
            "after",
        ]);
        for row in &self.neighbours {
            let sum = |of: fn(&Asked) -> u64| row.phases().iter().map(|(_, asked)| of(asked)).sum::<u64>();
            let number = |number: u64| count(number as f64);
            let time = |us: u64| micros(us as f64);
            table.row([
                row.kind.name().to_owned(),
                number(sum(|asked| asked.count)),
                number(sum(|asked| asked.refused.values().sum())),
                number(sum(|asked| asked.wrong.values().sum())),
                time(row.before.latency_us.p50),
                time(row.during.latency_us.p50),
                time(row.before.latency_us.p99),
                time(row.during.latency_us.p99),
                format!("{:.1}", row.ratio.median),
                time(row.after.latency_us.p99),
            ]);
        }
        table.text()
    }

    fn vitals_in_words(&self) -> String {
        if self.vitals.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["server", "memory most", "disk", "log", "cores", "questions"]);
        for vitals in &self.vitals {
            let phases = [
                (Phase::Before, vitals.before),
                (Phase::During, vitals.during),
                (Phase::After, vitals.after),
            ];
            for (phase, health) in phases {
                table.row([
                    phase.name().to_owned(),
                    bytes(health.memory_most as f64),
                    bytes(health.disk_last as f64),
                    bytes(health.log_last as f64),
                    format!("{:.2}", health.cpu_s / self.phase_s),
                    count(health.questions as f64),
                ]);
            }
        }
        let (disk, log) = self.a_day();
        let (disk, log) = (bytes(disk), bytes(log));
        let at_once = count(self.questions_at_once as f64);
        format!(
            "\n{}at this pace the attacker alone would add {disk} a day to the store and {log} to the log\nthe catalogue had {at_once} questions at once, at most\n",
            table.text()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::hostile::book::{Plan, Verdict};

    use super::*;

    fn report(verdict: Verdict) -> HostileReport {
        let from = Instant::now();
        let plan = Plan { from, each: Duration::from_secs(10) };
        let at = |ms| from + Duration::from_millis(ms);
        let mut book = Book::new(plan);
        book.note(Kind::Read, at(0), at(1), Verdict::Good);
        book.note(Kind::Read, at(10_000), at(10_004), verdict);
        let (neighbours, troubled_for_s) = HostileReport::rows(&[book]);
        let health = |first, last| Health {
            memory_most: 2_000,
            disk_first: first,
            disk_last: last,
            ..Health::default()
        };
        HostileReport {
            what: "hostile".into(),
            at: String::new(),
            machine: Machine::default(),
            command: String::new(),
            how: String::new(),
            phase_s: 10.0,
            neighbours,
            troubled_for_s,
            attacks: BTreeMap::new(),
            vitals: vec![Vitals { before: health(0, 10), during: health(10, 110), after: health(110, 110) }],
            questions_at_once: 0,
            bounds: Bounds { memory: 2_000, disk_a_day: 90 * 8_640 },
        }
    }

    #[test]
    fn a_refusal_and_a_wrong_price_are_told_by_name() {
        assert!(report(Verdict::Good).holds());
        for (verdict, told) in [
            (Verdict::Refused("503 overloaded".into()), "during the attack, read: 1 REFUSED: 503 overloaded"),
            (Verdict::Wrong("a wrong price".into()), "during the attack, read: 1 WRONG: a wrong price"),
        ] {
            let report = report(verdict);
            assert!(!report.holds());
            assert!(report.text().contains(told), "{}", report.text());
        }
    }

    #[test]
    fn bounds_are_told_where_they_are_passed_and_only_there() {
        let mut report = report(Verdict::Good);
        // 100 bytes in ten seconds, of which neighbours bring 10.
        assert_eq!(report.a_day(), (90.0 * 8_640.0, 0.0));
        let beyond = report.beyond();
        assert!(beyond.len() == 1 && beyond[0].starts_with("the p99 of read is 4.0 times"), "{beyond:?}");
        (report.bounds.memory, report.bounds.disk_a_day) = (1_999, 90 * 8_640 - 1);
        assert_eq!(report.beyond().len(), 3);
    }
}
