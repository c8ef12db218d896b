//! The chart of `bench peers`: what is left of many adds to one cart, and how fast each is.

use crate::report::numbers::count;
use crate::report::peers::{PeerRow, PeersReport};

use super::bars::{Bar, Rows};
use super::canvas::{Anchor, Canvas};

const LEFT: f64 = 28.0;
/// Where bars begin: names stand before.
const BARS: f64 = 250.0;
/// Rows of the one cart, and rows of speed.
const TALL: f64 = 44.0;
const LOW: f64 = 28.0;

/// Draws it.
pub(crate) fn draw(report: &PeersReport) -> String {
    let rows = &report.rows;
    let asked = rows.first().map_or(0, |row| row.one_cart.asked);
    let title = format!("{} adds to one cart. How many are there?", count(asked as f64));
    let kept = Rows { at: (BARS, 84.0), width: 400.0, row: TALL, thick: 18.0 };
    let speeds = kept.middle(rows.len()) + 34.0;
    let adds = Rows { at: (BARS, speeds), width: 170.0, row: LOW, thick: 13.0 };
    let reads = Rows { at: (BARS + 290.0, speeds), ..adds };
    let mut canvas = Canvas::new(880.0, adds.middle(rows.len()) + 56.0, &title);
    canvas.frame(&title, &report.how, &report.caption());
    for (n, row) in rows.iter().enumerate() {
        canvas.text((LEFT, kept.middle(n) - 2.0), Anchor::Start, "strong", &row.name);
        canvas.text((LEFT, kept.middle(n) + 13.0), Anchor::Start, "soft small", &row.with);
        canvas.text((LEFT, adds.middle(n) + 4.5), Anchor::Start, "", &row.name);
    }
    kept.draw(&mut canvas, &rows.iter().map(there).collect::<Vec<_>>(), Some(1.0));
    adds.head(&mut canvas, "Adds a second");
    reads.head(&mut canvas, "Reads a second");
    adds.draw(&mut canvas, &rows.iter().map(added).collect::<Vec<_>>(), None);
    reads.draw(&mut canvas, &rows.iter().map(|row| bar(row, row.read.rate.median)).collect::<Vec<_>>(), None);
    if rows.iter().any(is_pale) {
        let (x, y) = (BARS, adds.middle(rows.len()) + 4.0);
        canvas.bar((x, y - 9.0), (14.0, 10.0), 1, true);
        canvas.text((x + 22.0, y), Anchor::Start, "soft small", "acknowledged before it is on the disk");
    }
    canvas.svg()
}

fn there(row: &PeerRow) -> Bar {
    let cart = &row.one_cart;
    let lines = if cart.lines == 1 { "in 1 line".to_owned() } else { format!("in {} lines", cart.lines) };
    let refused =
        if cart.refused > 0 { format!(", {} refused", count(cart.refused as f64)) } else { String::new() };
    let percent = cart.kept() * 100.0;
    let text = format!("{} ({percent:.0} %)", count(cart.there as f64));
    Bar { text, more: lines + &refused, ..bar(row, cart.kept()) }
}

fn added(row: &PeerRow) -> Bar {
    Bar { pale: is_pale(row), ..bar(row, row.add.rate.median) }
}

/// Our own in a colour, all others in grey.
fn bar(row: &PeerRow, value: f64) -> Bar {
    let colour = usize::from(!row.name.starts_with("Trolley"));
    Bar::new(value, count(value), colour)
}

fn is_pale(row: &PeerRow) -> bool {
    row.loses != "nothing"
}
