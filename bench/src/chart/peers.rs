//! The chart of `bench peers`: what is left of many adds to one cart, and how fast each is.

use crate::report::numbers::count;
use crate::report::peers::{PeerRow, PeersReport};

use super::bars::{Bar, ROW, draw as bars};
use super::canvas::Canvas;

/// Draws it.
pub(crate) fn draw(report: &PeersReport) -> String {
    let rows = report.rows.len() as f64;
    let asked = report.rows.first().map_or(0, |row| row.one_cart.asked);
    let title = format!("{} adds to one cart at once: how many are there?", count(asked as f64));
    let height = 100.0 + (rows * ROW + 52.0) * 2.0 + 30.0;
    let mut canvas = Canvas::new(960.0, height, &title);
    canvas.frame(&title, &report.how, &report.caption());
    let bar = |row: &PeerRow, value: f64, text: String, ours: bool| Bar {
        name: row.name.clone(),
        value,
        text,
        colour: if ours { 0 } else { 1 },
    };
    let ours = |row: &PeerRow| row.name.starts_with("Trolley");
    let kept: Vec<Bar> =
        report.rows.iter().map(|row| bar(row, row.one_cart.kept(), told(row), ours(row))).collect();
    bars(&mut canvas, (330.0, 104.0), 330.0, "units there afterwards", &kept, Some(1.0));
    let top = 104.0 + rows * ROW + 52.0;
    let speed = |of: fn(&PeerRow) -> f64| -> Vec<Bar> {
        report.rows.iter().map(|row| bar(row, of(row), count(of(row)), ours(row))).collect()
    };
    let adds = speed(|row| row.add.rate.median);
    bars(&mut canvas, (330.0, top), 200.0, "adds a second, each to its own cart", &adds, None);
    let mut reads = speed(|row| row.read.rate.median);
    reads.iter_mut().for_each(|bar| bar.name.clear());
    bars(&mut canvas, (650.0, top), 200.0, "reads a second", &reads, None);
    canvas.svg()
}

fn told(row: &PeerRow) -> String {
    let cart = &row.one_cart;
    let lines = if cart.lines == 1 { "1 line".to_owned() } else { format!("{} lines", cart.lines) };
    let refused =
        if cart.refused > 0 { format!(", {} refused", count(cart.refused as f64)) } else { String::new() };
    format!("{} in {lines}{refused}", count(cart.there as f64))
}
