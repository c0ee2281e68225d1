//! Drawings by plotters that take their colours from the page, so that they follow light, dark and paper.
//!
//! plotters knows colours, not names of them. So it draws with colours that stand for names, and those are replaced.

use maud::{Escaper, Markup, PreEscaped};
use plotters::backend::SVGBackend;
use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::prelude::*;
use std::fmt::Write as _;
use std::ops::Range;

/// A drawing surface, and the errors of it.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Colours that stand for the page's, and their names in its style sheet.
pub(super) const INK: RGBColor = RGBColor(1, 1, 1);
pub(super) const SOFT: RGBColor = RGBColor(2, 1, 1);
pub(super) const LINE: RGBColor = RGBColor(3, 1, 1);
pub(super) const GOOD: RGBColor = RGBColor(4, 1, 1);
pub(super) const BAD: RGBColor = RGBColor(5, 1, 1);
pub(super) const DOUBT: RGBColor = RGBColor(6, 1, 1);
pub(super) const ACCENT: RGBColor = RGBColor(7, 1, 1);
const NAMES: [(RGBColor, &str); 7] = [
    (INK, "var(--ink)"),
    (SOFT, "var(--soft)"),
    (LINE, "var(--line)"),
    (GOOD, "var(--good)"),
    (BAD, "var(--bad)"),
    (DOUBT, "var(--doubt)"),
    (ACCENT, "var(--accent)"),
];

/// The colour of the n-th of several curves; labels beside them tell more than five apart.
pub(super) fn colour(n: usize) -> RGBColor {
    [ACCENT, BAD, GOOD, DOUBT, SOFT][n % 5]
}

/// Two logarithmic axes.
pub(super) type Chart<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogCoord<f64>, LogCoord<f64>>>;

/// A chart of two logarithmic axes, with so many pixels left of it for what the upright one says, and right of it for names.
pub(super) fn chart<'a, 'b>(
    area: &'a Area<'b>,
    (x, y): (Range<f64>, Range<f64>),
    (left, right): (u32, u32),
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    Ok(ChartBuilder::on(area)
        .margin(10)
        .margin_right(right)
        .x_label_area_size(38)
        .y_label_area_size(left)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?)
}

/// The lines and labels of its axes, in the page's colours.
pub(super) fn mesh<'a, 'b, 'c>(
    chart: &'c mut Chart<'a, 'b>,
) -> MeshStyle<'a, 'c, LogCoord<f64>, LogCoord<f64>, SVGBackend<'b>> {
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(LINE)
        .axis_style(SOFT)
        .label_style(text(SOFT))
        .x_labels(6)
        .y_labels(6);
    mesh
}

/// A text with its place and colour.
pub(super) type Label = ((i32, i32), RGBColor, String);

/// Moves texts down where they would cover another.
pub(super) fn apart(labels: &mut [Label]) {
    labels.sort_by_key(|((_, y), ..)| *y);
    for i in 1..labels.len() {
        let width = |label: &Label| 7 * label.2.chars().count() as i32;
        let (above, rest) = labels.split_at_mut(i);
        let own = &mut rest[0];
        for other in above {
            let beside = own.0.0 > other.0.0 + width(other) || other.0.0 > own.0.0 + width(own);
            if !beside && own.0.1 < other.0.1 + HEIGHT {
                own.0.1 = other.0.1 + HEIGHT;
            }
        }
    }
}

/// Pixels from one line of text to the next.
const HEIGHT: i32 = 14;

/// Text of the page's size.
pub(super) fn text(colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", 12).into_font().color(&colour)
}

/// What `draw` draws, with a name for those who do not see it; empty if it cannot be drawn.
pub(super) fn svg(
    width: u32,
    height: u32,
    label: &str,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Markup {
    let mut drawn = String::new();
    let done = {
        let area = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    let body = drawn.find('>').map(|end| &drawn[end + 1..]);
    let (Ok(()), Some(body)) = (done, body) else { return Markup::default() };
    let mut name = String::new();
    // Writing to a string does not fail.
    let _ = write!(Escaper::new(&mut name), "{label}");
    let mut page = format!(
        "<svg viewBox=\"0 0 {width} {height}\" style=\"max-width:{width}px\" role=\"img\" aria-label=\"{name}\">{body}"
    );
    for (RGBColor(r, g, b), name) in NAMES {
        page = page.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{name}\""));
    }
    PreEscaped(page)
}
