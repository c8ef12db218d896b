//! A panel of bars that lie: one a row, its name before it and its number behind.

use super::canvas::{Anchor, Canvas};

/// A row's height.
pub(crate) const ROW: f64 = 30.0;

/// One bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What it is of.
    pub(crate) name: String,
    /// Its length.
    pub(crate) value: f64,
    /// What stands behind it.
    pub(crate) text: String,
    /// Its colour's number.
    pub(crate) colour: usize,
}

/// Draws bars below each other. Names stand left of `x`; the longest bar is `width` long, or `full` is, where that is told.
pub(crate) fn draw(
    canvas: &mut Canvas,
    (x, y): (f64, f64),
    width: f64,
    title: &str,
    bars: &[Bar],
    full: Option<f64>,
) {
    let most = full.unwrap_or_else(|| bars.iter().map(|bar| bar.value).fold(0.0, f64::max));
    canvas.text((x, y - 14.0), Anchor::Start, "head", title);
    for (row, bar) in bars.iter().enumerate() {
        let top = y + row as f64 * ROW;
        let long = if most > 0.0 { (bar.value / most).clamp(0.0, 1.0) * width } else { 0.0 };
        canvas.text((x - 10.0, top + 16.0), Anchor::End, "", &bar.name);
        canvas.bar((x, top + 4.0), (long, ROW - 13.0), bar.colour);
        canvas.text((x + long + 8.0, top + 16.0), Anchor::Start, "num", &bar.text);
    }
}
