//! The sheet that charts are drawn on: shapes and text as SVG, with the colours of light and dark in one place.

use std::fmt::Write as _;

/// Series are told apart by so many colours.
pub(crate) const COLOURS: usize = 6;

/// Colours by name, so that one file is right on light and on dark paper. Series differ in lightness too, for those who
/// do not tell hues apart.
const STYLE: &str = "
:root{--paper:#ffffff;--ink:#1b1f27;--soft:#667085;--grid:#e7e9ee;--track:#f1f2f5;
--s0:#2457d6;--s1:#98a1b3;--s2:#d9730d;--s3:#0f8a6d;--s4:#a23fb8;--s5:#c93a3a}
@media (prefers-color-scheme:dark){:root{--paper:#0e1116;--ink:#e7ebf1;--soft:#929bab;--grid:#272d38;--track:#1b2029;
--s0:#7aa5ff;--s1:#707a8d;--s2:#f3a24c;--s3:#45c9a2;--s4:#d48be6;--s5:#f07f7f}}
.paper{fill:var(--paper)}
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Inter,Helvetica,Arial,sans-serif;font-size:13px;fill:var(--ink)}
.title{font-size:19px;font-weight:650;letter-spacing:-.01em}.head{font-size:13.5px;font-weight:600}.strong{font-weight:600}
.soft{fill:var(--soft)}.small{font-size:11.5px}
.num{font-variant-numeric:tabular-nums}.grid{stroke:var(--grid);stroke-width:1}.base{stroke:var(--soft);stroke-width:1}
.track{fill:var(--track)}.bar{fill:var(--own)}.pale{fill-opacity:.22;stroke:var(--own);stroke-width:1.2;stroke-dasharray:3 2}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.faint{stroke-width:1;opacity:.35}
";

/// Where text is anchored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A sheet.
pub(crate) struct Canvas {
    width: f64,
    height: f64,
    body: String,
    label: String,
}

impl Canvas {
    /// An empty one. `label` is what it shows, for those who do not see it.
    pub(crate) fn new(width: f64, height: f64, label: &str) -> Canvas {
        Canvas { width, height, body: String::new(), label: label.to_owned() }
    }

    /// Text; `class` gives its look.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.put(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#
        ));
    }

    /// A straight line.
    pub(crate) fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.put(&format!(r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#));
    }

    /// A line through points, in a series' colour.
    pub(crate) fn path(&mut self, points: &[(f64, f64)], colour: usize, class: &str) {
        let mut d = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            // A string takes everything.
            let _ = write!(d, "{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" });
        }
        self.put(&format!(
            r#"<path d="{d}" class="line {class}" style="stroke:var(--s{})"/>"#,
            colour % COLOURS
        ));
    }

    /// A dot, in a series' colour.
    pub(crate) fn dot(&mut self, (x, y): (f64, f64), colour: usize) {
        let colour = colour % COLOURS;
        self.put(&format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.2" style="fill:var(--s{colour})"/>"#));
    }

    /// A bar with round ends, in a series' colour; a pale one is an outline.
    pub(crate) fn bar(&mut self, at: (f64, f64), (width, height): (f64, f64), colour: usize, pale: bool) {
        let (class, width) = (if pale { "pale" } else { "" }, width.max(3.0));
        self.rect(
            at,
            (width, height),
            &format!("class=\"bar {class}\" style=\"--own:var(--s{})\"", colour % COLOURS),
        );
    }

    /// What a bar may fill.
    pub(crate) fn track(&mut self, at: (f64, f64), size: (f64, f64)) {
        self.rect(at, size, r#"class="track""#);
    }

    fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), look: &str) {
        let round = (height / 2.0).min(3.0).min(width / 2.0);
        self.put(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{round:.1}" {look}/>"#
        ));
    }

    /// Title above, caption below.
    pub(crate) fn frame(&mut self, title: &str, under: &str, caption: &str) {
        self.text((28.0, 40.0), Anchor::Start, "title", title);
        self.text((28.0, 62.0), Anchor::Start, "soft", under);
        self.text((28.0, self.height - 16.0), Anchor::Start, "soft small", caption);
    }

    /// The names of the series, in a row that ends at `x`.
    pub(crate) fn legend(&mut self, (x, y): (f64, f64), names: &[(String, usize)]) {
        let mut x = x;
        for (name, colour) in names.iter().rev() {
            x -= 7.0 * name.chars().count() as f64;
            self.text((x, y), Anchor::Start, "", name);
            self.bar((x - 20.0, y - 9.0), (14.0, 10.0), *colour, false);
            x -= 20.0 + 22.0;
        }
    }

    /// The whole file.
    pub(crate) fn svg(self) -> String {
        let Canvas { width, height, body, label } = self;
        let label = escaped(&label);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{label}"><style>{STYLE}</style>
<rect class="paper" width="{width}" height="{height}" rx="8"/>
{body}</svg>
"#
        )
    }

    fn put(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element_and_both_papers_have_their_colours() {
        let mut canvas = Canvas::new(100.0, 50.0, "a \"chart\"");
        canvas.text((1.0, 2.0), Anchor::Start, "soft", "<script>&");
        canvas.path(&[(0.0, 0.0), (1.0, 2.0)], 7, "");
        let svg = canvas.svg();
        assert!(svg.contains("&lt;script&gt;&amp;") && svg.contains("a &quot;chart&quot;"));
        assert!(
            svg.contains("prefers-color-scheme:dark")
                && svg.contains("var(--s1)")
                && svg.contains("M0.0 0.0L1.0 2.0")
        );
    }
}
