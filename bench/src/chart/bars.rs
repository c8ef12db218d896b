//! A panel of bars that lie: one a row, and its number behind.

use super::canvas::{Anchor, Canvas};

/// One bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// Its length.
    pub(crate) value: f64,
    /// What stands behind it, where it is read first.
    pub(crate) text: String,
    /// What stands below that.
    pub(crate) more: String,
    /// Its colour's number.
    pub(crate) colour: usize,
    /// Whether it counts for less than it is long.
    pub(crate) pale: bool,
}

impl Bar {
    /// One with a number and nothing more.
    pub(crate) fn new(value: f64, text: String, colour: usize) -> Bar {
        Bar { value, text, more: String::new(), colour, pale: false }
    }
}

/// Where bars are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    /// Left and top of the first.
    pub(crate) at: (f64, f64),
    /// The longest is so long.
    pub(crate) width: f64,
    /// From one to the next.
    pub(crate) row: f64,
    /// So thick is each.
    pub(crate) thick: f64,
}

impl Rows {
    /// The middle of row `n`.
    pub(crate) fn middle(&self, n: usize) -> f64 {
        self.at.1 + (n as f64 + 0.5) * self.row
    }

    /// What the bars are of, above them.
    pub(crate) fn head(&self, canvas: &mut Canvas, title: &str) {
        canvas.text((self.at.0, self.at.1 - 12.0), Anchor::Start, "head", title);
    }

    /// The name of row `n`, before it.
    pub(crate) fn name(&self, canvas: &mut Canvas, n: usize, name: &str) {
        canvas.text((self.at.0 - 12.0, self.middle(n) + 4.5), Anchor::End, "", name);
    }

    /// Draws bars below each other. Where `full` is told, that is the whole width, and the numbers stand behind it.
    pub(crate) fn draw(&self, canvas: &mut Canvas, bars: &[Bar], full: Option<f64>) {
        let most = full.unwrap_or_else(|| bars.iter().map(|bar| bar.value).fold(0.0, f64::max));
        let (x, width) = (self.at.0, self.width);
        for (n, bar) in bars.iter().enumerate() {
            let (middle, top) = (self.middle(n), self.middle(n) - self.thick / 2.0);
            let long = if most > 0.0 { (bar.value / most).clamp(0.0, 1.0) * width } else { 0.0 };
            if full.is_some() {
                canvas.track((x, top), (width, self.thick));
            }
            canvas.bar((x, top), (long, self.thick), bar.colour, bar.pale);
            let behind = x + 12.0 + if full.is_some() { width } else { long };
            let lift = if bar.more.is_empty() { 4.5 } else { -2.0 };
            canvas.text((behind, middle + lift), Anchor::Start, "num strong", &bar.text);
            canvas.text((behind, middle + 13.0), Anchor::Start, "soft small", &bar.more);
        }
    }
}
