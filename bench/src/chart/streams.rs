//! The chart of `bench streams`: how soon a change is seen, and what idle streams cost.

use crate::report::numbers::{Latency, bytes, count, micros};
use crate::report::streams::{Idle, StreamsReport};

use super::axis::Axis;
use super::bars::{Bar, Rows};
use super::canvas::Canvas;
use super::panel::{Line, Panel};

/// Draws it.
pub(crate) fn draw(report: &StreamsReport) -> String {
    let (p50, p99) = (report.since_due_us.p50 as f64, report.since_due_us.p99 as f64);
    let title = format!("A change at another device: p50 {}, p99 {}", micros(p50), micros(p99));
    let mut canvas = Canvas::new(960.0, 430.0, &format!("{title}; {}", report.how));
    canvas.frame(&title, &report.how, &report.caption());
    canvas.legend((932.0, 40.0), &[("since the intended start".into(), 0), ("since the answer".into(), 2)]);
    let most = report.since_due_us.max.max(report.since_answer_us.max) as f64;
    let panel = Panel {
        at: (86.0, 130.0),
        size: (if report.idle.is_some() { 420.0 } else { 840.0 }, 220.0),
        title: "Until the event is there".into(),
        x: Axis::percentiles(),
        y: Axis::log(10.0, most.max(10.0), "", micros),
    };
    panel.draw(&mut canvas, &[curve(&report.since_due_us, 0), curve(&report.since_answer_us, 2)]);
    if let Some(idle) = &report.idle {
        costs(&mut canvas, idle);
    }
    canvas.svg()
}

fn curve(latency: &Latency, colour: usize) -> Line {
    let points = latency.curve.iter().filter(|(percentile, _)| *percentile <= 99.99);
    Line { colour, points: points.map(|(p, us)| (*p, *us as f64)).collect(), faint: false, dots: false }
}

fn costs(canvas: &mut Canvas, idle: &Idle) {
    let streams = format!("with {}", count(idle.streams as f64));
    let panel = |canvas: &mut Canvas, top, title, rows: [(&str, Bar); 2]| {
        let panel = Rows { at: (640.0, top), width: 180.0, row: 30.0, thick: 16.0 };
        panel.head(canvas, title);
        rows.iter().enumerate().for_each(|(n, (name, _))| panel.name(canvas, n, name));
        panel.draw(canvas, &rows.map(|(_, bar)| bar), None);
    };
    let memory = |of: u64, colour| Bar::new(of as f64, bytes(of as f64), colour);
    let rows = [("before", memory(idle.memory_before, 1)), (&streams, memory(idle.memory_after, 0))];
    panel(canvas, 130.0, "Memory, idle streams", rows);
    let rate = |of: f64, colour| Bar::new(of, format!("{}/s", count(of)), colour);
    let rows = [("without", rate(idle.without.rate.median, 1)), (&streams, rate(idle.with.rate.median, 0))];
    panel(canvas, 255.0, "Reads of carts beside them", rows);
}
