//! Axes and marks of a small plot, as SVG that takes its colours from the page.

use maud::{Markup, html};

/// Size of the drawing and its margins, in SVG units.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;

/// One axis: where its ticks are, as share of its length, and what they say.
pub(super) struct Axis {
    pub(super) title: &'static str,
    pub(super) ticks: Vec<(f64, String)>,
}

/// What is drawn, in shares of the axes.
pub(super) enum Mark {
    /// A line that steps up at each point.
    Steps(Vec<(f64, f64)>),
    /// Single points.
    Dots(Vec<(f64, f64)>),
    /// A straight line that bounds what is expected, from point to point.
    Limit([(f64, f64); 2]),
    /// A vertical line, with its name.
    Bound(f64, &'static str),
}

/// A plot with a title and a description for those who do not see it.
pub(super) fn plot(title: &str, description: &str, x: &Axis, y: &Axis, marks: &[Mark]) -> Markup {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(format!("{title}. {description}")) {
            @for (at, label) in &x.ticks {
                line.grid x1=(px(*at)) x2=(px(*at)) y1=(TOP) y2=(bottom) {}
                text x=(px(*at)) y=(bottom + 16.0) text-anchor="middle" { (label) }
            }
            @for (at, label) in &y.ticks {
                line.grid x1=(LEFT) x2=(right) y1=(py(*at)) y2=(py(*at)) {}
                text x=(LEFT - 6.0) y=(number(HEIGHT - BOTTOM - at * (HEIGHT - BOTTOM - TOP) + 4.0)) text-anchor="end" { (label) }
            }
            path.axis fill="none" d=(format!("M{LEFT} {TOP}V{bottom}H{right}")) {}
            text x=(LEFT + (right - LEFT) / 2.0) y=(HEIGHT - 8.0) text-anchor="middle" { (x.title) }
            text x="12" y=(TOP + (bottom - TOP) / 2.0) text-anchor="middle" transform=(format!("rotate(-90 12 {})", TOP + (bottom - TOP) / 2.0)) { (y.title) }
            @for mark in marks { (draw(mark)) }
        }
    }
}

fn draw(mark: &Mark) -> Markup {
    match mark {
        Mark::Steps(points) => {
            let heights = std::iter::once(0.0).chain(points.iter().map(|&(_, y)| y));
            let step = |(before, &(x, y)): (f64, &(f64, f64))| {
                let (x, before, y) = (px(x), py(before), py(y));
                format!("{x},{before} {x},{y}")
            };
            let path: Vec<String> = heights.zip(points).map(step).collect();
            html! { polyline.curve points=(path.join(" ")) {} }
        }
        Mark::Dots(points) => {
            html! { @for &(x, y) in points { circle.dot cx=(px(x)) cy=(py(y)) r="3" {} } }
        }
        Mark::Limit([(x1, y1), (x2, y2)]) => html! {
            line.limit x1=(px(*x1)) y1=(py(*y1)) x2=(px(*x2)) y2=(py(*y2)) {}
        },
        Mark::Bound(at, name) => html! {
            line.bound x1=(px(*at)) x2=(px(*at)) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
            text x=(number(LEFT + at * (WIDTH - LEFT - RIGHT) + 4.0)) y=(HEIGHT - BOTTOM - 6.0) { (name) }
        },
    }
}

fn px(share: f64) -> String {
    number(LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT))
}

fn py(share: f64) -> String {
    number(HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP))
}

/// A tenth of a unit is less than anybody sees.
fn number(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
