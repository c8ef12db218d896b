//! The chart of `bench soak`: memory, disk and latency over time.

use crate::report::numbers::{bytes, count, micros_marked};
use crate::report::soak::{Sample, SoakReport};

use super::axis::Axis;
use super::canvas::Canvas;
use super::panel::{Line, Panel};

/// A panel: its title, how its numbers are written, and its lines by colour.
type Shown<'a> = (&'a str, fn(f64) -> String, &'a [(usize, fn(&Sample) -> f64)]);

/// Draws it.
pub(crate) fn draw(report: &SoakReport) -> String {
    let seconds = report.samples.last().map_or(0.0, |sample| sample.at_s);
    let long = if seconds < 120.0 {
        format!("{seconds:.0} seconds")
    } else {
        format!("{:.0} minutes", seconds / 60.0)
    };
    let title = format!("{long} at a steady pace: {} in memory at the end", bytes(memory_at_end(report)));
    let mut canvas = Canvas::new(960.0, 360.0, &format!("{title}; {}", report.how));
    canvas.frame(&title, &report.how, &report.caption());
    canvas.legend((932.0, 40.0), &[("p50".into(), 0), ("p99".into(), 2)]);
    let panels: [Shown<'_>; 3] = [
        ("Memory, MiB", count, &[(0, |sample| mib(sample.memory))]),
        ("Disk, MiB", count, &[(0, |sample| mib(sample.disk))]),
        ("Latency", micros_marked, &[(0, |sample| sample.p50_us as f64), (2, |sample| sample.p99_us as f64)]),
    ];
    let minutes = seconds / 60.0;
    for (column, (name, write, lines)) in panels.into_iter().enumerate() {
        let lines: Vec<Line> = lines
            .iter()
            .map(|(colour, of)| Line {
                colour: *colour,
                points: report.samples.iter().map(|sample| (sample.at_s / 60.0, of(sample))).collect(),
                faint: false,
                dots: false,
            })
            .collect();
        let most = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y).fold(0.0, f64::max);
        let panel = Panel {
            at: (92.0 + column as f64 * 300.0, 108.0),
            size: (215.0, 165.0),
            title: name.into(),
            x: Axis::linear(minutes, "minutes", |at| format!("{}", (at * 100.0).round() / 100.0)),
            y: Axis::linear(most, "", write),
        };
        panel.draw(&mut canvas, &lines);
    }
    canvas.svg()
}

fn memory_at_end(report: &SoakReport) -> f64 {
    report.samples.last().map_or(0.0, |sample| sample.memory as f64)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
