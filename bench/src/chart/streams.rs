//! The chart of `bench streams`: how soon a change is seen, and what idle streams cost.

use crate::report::numbers::{Latency, bytes, count, micros};
use crate::report::streams::{Idle, StreamsReport};

use super::axis::Axis;
use super::bars::{self, Bar};
use super::canvas::Canvas;
use super::panel::{Line, Panel};

/// Draws it.
pub(crate) fn draw(report: &StreamsReport) -> String {
    let (p50, p99) = (report.since_due_us.p50 as f64, report.since_due_us.p99 as f64);
    let title = format!("A change at another device: p50 {}, p99 {}", micros(p50), micros(p99));
    let mut canvas = Canvas::new(960.0, 430.0, &format!("{title}; {}", report.how));
    canvas.frame(&title, &report.how, &report.caption());
    canvas.legend((86.0, 78.0), &[("since the intended start".into(), 0), ("since the answer".into(), 2)]);
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
    let bar = |name: &str, value: f64, text, colour| Bar { name: name.to_owned(), value, text, colour };
    let memory = |name, of: u64, colour| bar(name, of as f64, bytes(of as f64), colour);
    let rows = [memory("before", idle.memory_before, 1), memory(&streams, idle.memory_after, 0)];
    bars::draw(canvas, (640.0, 130.0), 220.0, "Memory, idle streams", &rows, None);
    let rate = |name, of: f64, colour| bar(name, of, format!("{}/s", count(of)), colour);
    let rows = [rate("without", idle.without.rate.median, 1), rate(&streams, idle.with.rate.median, 0)];
    bars::draw(canvas, (640.0, 255.0), 220.0, "Reads of carts beside them", &rows, None);
}
