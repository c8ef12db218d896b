//! How far a long command is, on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// It is told again after so many steps.
const TOLD_EVERY: u64 = 1 << 10;

/// A bar.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of about `whole` steps of this name.
    pub(crate) fn new(whole: u64, name: &str) -> Progress {
        let bar = ProgressBar::new(whole);
        let template =
            format!("{{elapsed:>4}} [{{bar:40}}] {{human_pos}} of {{human_len}} {name}, {{eta}} left");
        let style = ProgressStyle::with_template(&template).expect("the template is ours");
        bar.set_style(style.progress_chars("=> "));
        Progress(bar)
    }

    /// So many steps are done.
    pub(crate) fn at(&self, done: u64) {
        if done.is_multiple_of(TOLD_EVERY) {
            self.0.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
