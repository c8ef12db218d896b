//! The name tag of a figure: which machine, which day, and what its disk takes for a sync.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::report::numbers::micros;

/// How many syncs are timed.
const SYNCS: usize = 200;

/// The machine that a figure is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Its processor.
    pub(crate) processor: String,
    /// Cores that the programs share.
    pub(crate) cores: usize,
    /// Memory.
    pub(crate) memory_gib: u64,
    /// Its kernel.
    pub(crate) kernel: String,
    /// What a sync of 4 KiB takes, the median, where it was measured.
    pub(crate) sync_us: Option<u64>,
}

impl Machine {
    /// This one; its disk is timed in `folder`.
    pub(crate) fn this(folder: &Path) -> Machine {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let processor = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
        let kib: u64 = kib.and_then(|kib| kib.parse().ok()).unwrap_or_default();
        Machine {
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: (kib + (1 << 19)) >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            sync_us: sync_us(folder).ok(),
        }
    }

    /// In one line.
    pub(crate) fn in_words(&self) -> String {
        let sync = self.sync_us.map(|us| format!(", a sync takes {}", micros(us as f64))).unwrap_or_default();
        format!("{}, {} cores, {} GiB{sync}", self.processor, self.cores, self.memory_gib)
    }
}

/// The median of what an fdatasync of 4 KiB takes in `folder`, in microseconds.
fn sync_us(folder: &Path) -> io::Result<u64> {
    let path = folder.join("sync-probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed().as_micros() as u64);
    }
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times[SYNCS / 2])
}

/// Now, as RFC 3339 has it, to the second.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    rfc3339(since.as_secs())
}

/// The day of a time that [`now`] gave: `24 November 2026`.
pub(crate) fn day(at: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut parts =
        at.get(..10).unwrap_or_default().split('-').map(|part| part.parse::<usize>().unwrap_or(1));
    let mut next = || parts.next().unwrap_or(1);
    let (year, month, day) = (next(), next(), next());
    format!("{day} {} {year}", MONTHS[(month - 1) % 12])
}

/// Days are counted from 1 March of the year 0, so that a leap day is a year's last.
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_564_799), "2026-11-24T23:59:59Z");
        assert_eq!(day("2026-11-24T23:59:59Z"), "24 November 2026");
    }
}
