//! A badge for a README, which always says until when it holds: a stale picture cannot mislead.

use maud::html;
use serde_json::{Value, json};

use super::phrase;
use crate::Time;
use crate::certificate::{Level, Statement};

/// What a badge says, and its colour by name and value.
struct Badge {
    label: String,
    message: String,
    colour: (&'static str, &'static str),
}

fn badge(statement: &Statement, now: Time) -> Badge {
    let predicate = &statement.predicate;
    let granted = &predicate.granted;
    let label = format!("{} conformance", predicate.backend.host);
    let (end, waivers) = (predicate.not_after.date(), predicate.waivers.len());
    if now > predicate.not_after {
        return Badge {
            label,
            message: format!("expired {end}"),
            colour: ("lightgrey", "#595959"),
        };
    }
    let highest = granted.functions.values().copied().max().unwrap_or_default();
    let reach = granted.functions.values().filter(|l| **l == highest).count();
    let share = match reach == granted.functions.len() {
        true => String::new(),
        false => format!(" {reach}/{}", granted.functions.len()),
    };
    let waived = if waivers == 0 {
        String::new()
    } else {
        format!(" · {}", phrase::plural(waivers as u64, "waiver"))
    };
    // Dark enough for white text (WCAG AA).
    let colour = match highest {
        Level::None => ("red", "#b3261e"),
        Level::Contract => ("yellow", "#7a5a00"),
        Level::Numerical => ("blue", "#0550ae"),
        Level::Statistical => ("green", "#2a6b2f"),
        Level::Full => ("brightgreen", "#116329"),
    };
    Badge { label, message: format!("{highest}{share}{waived} · to {end}"), colour }
}

/// The badge as an answer to shields.io.
pub fn badge_endpoint(statement: &Statement, now: Time) -> Value {
    let Badge { label, message, colour } = badge(statement, now);
    json!({
        "schemaVersion": 1, "label": label, "message": message, "color": colour.0, "isError": colour.0 == "red",
    })
}

/// The badge as a picture that stands alone.
pub fn badge_svg(statement: &Statement, now: Time) -> String {
    let Badge { label, message, colour } = badge(statement, now);
    // Verdana 11 px is about 6.6 px a character; the text is fitted to what is assumed here.
    let width = |text: &str| 7 * text.chars().count() + 10;
    let (left, right) = (width(&label), width(&message));
    let (label, message) = (phrase::clean(&label), phrase::clean(&message));
    let text = |x: usize, width: usize, text: &str| {
        html! {
            text x=(x + width / 2) y="14" textLength=(width - 10) fill="#fff" text-anchor="middle" { (text) }
        }
    };
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(left + right) height="20" role="img" aria-label=(format!("{label}: {message}")) {
            title { (label) ": " (message) }
            rect width=(left) height="20" fill="#444" {}
            rect x=(left) width=(right) height="20" fill=(colour.1) {}
            g font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" {
                (text(0, left, &label)) (text(left, right, &message))
            }
        }
    };
    svg.into_string() + "\n"
}
