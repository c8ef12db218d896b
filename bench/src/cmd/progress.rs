//! How far a command is, for whoever watches. Where nobody does (no terminal), nothing is drawn.

use indicatif::{ProgressBar, ProgressStyle};

/// The bar has so many steps a run.
const STEPS: u64 = 100;

/// A bar over a number of runs.
pub(crate) struct Progress {
    bar: ProgressBar,
    done: u64,
}

impl Progress {
    /// For so many runs.
    pub(crate) fn new(runs: u64) -> Progress {
        let bar = ProgressBar::new(runs * STEPS);
        let style = ProgressStyle::with_template("{elapsed:>4} [{bar:40}] {msg}");
        bar.set_style(style.expect("the template is ours").progress_chars("=> "));
        Progress { bar, done: 0 }
    }

    /// Tells what goes on now.
    pub(crate) fn says(&self, what: impl Into<std::borrow::Cow<'static, str>>) {
        self.bar.set_message(what);
    }

    /// How far the present run is, from 0 to 1.
    pub(crate) fn within(&self, part: f64) {
        self.bar.set_position(self.done * STEPS + (part * STEPS as f64) as u64);
    }

    /// The present run is over.
    pub(crate) fn next(&mut self) {
        self.done += 1;
        self.bar.set_position(self.done * STEPS);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
