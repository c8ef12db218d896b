//! A panel of lines: two axes, a grid, and the lines over it.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas};

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its colour's number.
    pub(crate) colour: usize,
    /// Its points, by value.
    pub(crate) points: Vec<(f64, f64)>,
    /// One of many of its kind, behind the one that counts.
    pub(crate) faint: bool,
    /// Whether each point is a measurement of its own.
    pub(crate) dots: bool,
}

/// Where a panel is, with its axes' marks around it.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Left and top of the area of the lines.
    pub(crate) at: (f64, f64),
    /// Its width and height.
    pub(crate) size: (f64, f64),
    /// What it shows.
    pub(crate) title: String,
    /// Along the bottom.
    pub(crate) x: Axis,
    /// Up the side.
    pub(crate) y: Axis,
}

impl Panel {
    /// Draws it with its lines.
    pub(crate) fn draw(&self, canvas: &mut Canvas, lines: &[Line]) {
        let ((left, top), (width, height)) = (self.at, self.size);
        let bottom = top + height;
        canvas.text((left, top - 14.0), Anchor::Start, "head", &self.title);
        for (value, text) in &self.y.marks {
            let y = bottom - self.y.place(*value) * height;
            canvas.rule((left, y), (left + width, y), "grid");
            canvas.text((left - 8.0, y + 4.0), Anchor::End, "soft small num", text);
        }
        for (value, text) in &self.x.marks {
            let x = left + self.x.place(*value) * width;
            canvas.rule((x, bottom), (x, bottom + 4.0), "base");
            canvas.text((x, bottom + 18.0), Anchor::Middle, "soft small num", text);
        }
        canvas.rule((left, bottom), (left + width, bottom), "base");
        canvas.text((left + width, bottom + 34.0), Anchor::End, "soft small", &self.x.label);
        canvas.text((left + width, top - 14.0), Anchor::End, "soft small", &self.y.label);
        for line in lines {
            let place =
                |(x, y): &(f64, f64)| (left + self.x.place(*x) * width, bottom - self.y.place(*y) * height);
            let points: Vec<_> = line.points.iter().map(place).collect();
            canvas.path(&points, line.colour, if line.faint { "faint" } else { "" });
            if line.dots {
                points.iter().for_each(|point| canvas.dot(*point, line.colour));
            }
        }
    }
}
