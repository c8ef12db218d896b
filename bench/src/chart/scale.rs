//! The chart of `bench scale`: throughput and the slowest hundredth, over carts, connections and lines.

use crate::report::numbers::{count, micros_marked};
use crate::report::scale::{Point, ScaleCost, ScaleReport};

use super::axis::Axis;
use super::canvas::Canvas;
use super::panel::{Line, Panel};

const WIDTH: f64 = 230.0;
const HEIGHT: f64 = 150.0;

/// Draws it.
pub(crate) fn draw(report: &ScaleReport) -> String {
    let title = "How cost grows";
    let mut canvas = Canvas::new(960.0, 560.0, &format!("{title}: {}", report.how));
    canvas.frame(title, &report.how, &report.caption());
    canvas.legend((932.0, 40.0), &[("read".into(), 0), ("durable add".into(), 2), ("limit, read".into(), 1)]);
    let columns = [
        ("carts at rest", &report.carts),
        ("connections", &report.connections),
        ("lines a cart", &report.lines),
    ];
    let most_of = |of: fn(&ScaleCost) -> f64| {
        report.points().flat_map(|p| [of(&p.read), of(&p.add)]).fold(0.0, f64::max)
    };
    let rates = Axis::linear(most_of(|cost| cost.rate.most.max(cost.limit.median)), "", count);
    let least = report.points().map(|p| p.read.p99_us.min(p.add.p99_us)).min().unwrap_or(1) as f64;
    let slowest = Axis::log(least.max(1.0), most_of(|cost| cost.p99_us as f64), "", micros_marked);
    for (column, (name, points)) in
        columns.into_iter().enumerate().filter(|(_, (_, points))| !points.is_empty())
    {
        let left = 84.0 + column as f64 * (WIDTH + 68.0);
        let sizes: Vec<f64> = points.iter().map(|point| point.size as f64).collect();
        let panel = |top, title: &str, y: &Axis| Panel {
            at: (left, top),
            size: (WIDTH, HEIGHT),
            title: title.into(),
            x: Axis::steps(&sizes, name, short),
            y: y.clone(),
        };
        let line = |colour, faint, of: fn(&Point) -> f64| Line {
            colour,
            points: points.iter().map(|point| (point.size as f64, of(point))).collect(),
            faint,
            dots: !faint,
        };
        panel(106.0, "Answers a second", &rates).draw(
            &mut canvas,
            &[
                line(1, false, |p| p.read.limit.median),
                line(0, false, |p| p.read.rate.median),
                line(2, false, |p| p.add.rate.median),
            ],
        );
        panel(336.0, "99th percentile", &slowest).draw(
            &mut canvas,
            &[line(0, false, |p| p.read.p99_us as f64), line(2, false, |p| p.add.p99_us as f64)],
        );
    }
    canvas.svg()
}

/// `10000` as `10k`, for marks that stand close.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e4 => format!("{}k", value / 1e3),
        value => count(value),
    }
}
