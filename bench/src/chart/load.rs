//! The chart of `bench load`: latency by percentile, and throughput over time.

use crate::report::load::{LoadReport, Series};
use crate::report::numbers::{Spread, count, micros_marked};

use super::axis::Axis;
use super::canvas::Canvas;
use super::panel::{Line, Panel};

/// Draws it.
pub(crate) fn draw(report: &LoadReport) -> String {
    let sides: Vec<(&Series, usize)> =
        report.limit.iter().map(|limit| (limit, 1)).chain([(&report.server, 0)]).collect();
    let title = format!("{}: {}/s", report.mix, count(report.server.rate.median));
    let mut canvas = Canvas::new(960.0, 430.0, &format!("{title}; {}", report.how));
    let share = report.share.map(|share| format!(", {:.2} of plain axum", share.median)).unwrap_or_default();
    canvas.frame(&format!("{title}{share}"), &report.how, &report.caption());
    latency(&sides)
        .draw(&mut canvas, &sides.iter().map(|(side, colour)| curve(side, *colour)).collect::<Vec<_>>());
    let lines: Vec<Line> = sides.iter().flat_map(|(side, colour)| over_time(side, *colour)).collect();
    throughput(&lines).draw(&mut canvas, &lines);
    let names: Vec<_> = sides.iter().rev().map(|(side, colour)| (side.name.clone(), *colour)).collect();
    canvas.legend((932.0, 40.0), &names);
    canvas.svg()
}

fn latency(sides: &[(&Series, usize)]) -> Panel {
    let all = || sides.iter().flat_map(|(side, _)| &side.latency_us.curve).map(|(_, us)| *us as f64);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    Panel {
        at: (86.0, 110.0),
        size: (370.0, 240.0),
        title: "Latency from the intended start".into(),
        x: Axis::percentiles(),
        y: Axis::log(least.max(1.0), most, "", micros_marked),
    }
}

fn curve(side: &Series, colour: usize) -> Line {
    let points = side.latency_us.curve.iter().filter(|(percentile, _)| *percentile <= 99.99);
    Line { colour, points: points.map(|(p, us)| (*p, *us as f64)).collect(), faint: false, dots: false }
}

fn throughput(lines: &[Line]) -> Panel {
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let seconds = points().map(|(at, _)| *at).fold(0.0, f64::max);
    Panel {
        at: (560.0, 110.0),
        size: (370.0, 240.0),
        title: "Answers a second, over the run".into(),
        x: Axis::linear(seconds, "seconds", |at| format!("{at}")),
        y: Axis::linear(most, "", count),
    }
}

/// Each run thinly, and the median of all runs at each moment over them.
fn over_time(side: &Series, colour: usize) -> Vec<Line> {
    let timelines: Vec<Vec<f64>> = side.runs.iter().map(|run| smooth(&run.timeline)).collect();
    let line = |values: Vec<f64>, faint| {
        let points = values.into_iter().enumerate().map(|(step, rate)| ((step as f64 + 0.5) / 10.0, rate));
        Line { colour, points: points.collect(), faint, dots: false }
    };
    let steps = timelines.iter().map(Vec::len).min().unwrap_or_default();
    let median =
        (0..steps).map(|step| Spread::of(timelines.iter().map(|timeline| timeline[step])).median).collect();
    let mut lines: Vec<Line> = timelines.iter().map(|timeline| line(timeline.clone(), true)).collect();
    lines.push(line(median, false));
    lines
}

/// A tenth of a second is short: each step is shown with its neighbours.
fn smooth(timeline: &[f64]) -> Vec<f64> {
    let near = |at: usize| &timeline[at.saturating_sub(1)..(at + 2).min(timeline.len())];
    (0..timeline.len()).map(|at| near(at).iter().sum::<f64>() / near(at).len() as f64).collect()
}
