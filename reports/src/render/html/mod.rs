//! The log, and a certificate if there is one, as one page that works offline, without scripts, on paper and on a
//! telephone.
//!
//! The ten-second test: without scrolling, a maintainer can say which build was examined, on what, which level each
//! function has, what is broken, what is waived, until when it holds, and how to check it. So the verdict comes
//! first, then a row per function, then failures, and only then anything that is nice to look at.
//!
//! Markup is made by `maud`, which escapes every value unless told otherwise; the only text inserted as it is, is the
//! style sheet. The page asks for nothing outside itself, and a content security policy says so. Plots are drawn
//! here as SVG and not by `plotters`: they take their colours from the page, so that they follow light, dark and
//! paper, and carry titles and the same numbers as a table.

mod failures;
mod index;
mod plot;
mod plots;
mod sections;
mod strip;
mod studies;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::phrase;
use super::tally::Tally;
use crate::Log;
use crate::certificate::Statement;

pub use index::{Listed, index};

const STYLE: &str = include_str!("style.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What a page shows.
pub(super) struct View<'a> {
    pub(super) tally: Tally<'a>,
    pub(super) certificate: Option<&'a Statement>,
}

/// The page. The same log and certificate give the same bytes.
pub fn html(log: &Log, certificate: Option<&Statement>) -> String {
    let view = View { tally: Tally::of(log), certificate };
    let header = &log.header;
    let title = format!("{} for {}", phrase::who(&header.backend), header.host.name);
    page(
        &title,
        html! {
            (strip::strip(&view))
            (strip::matrix(&view))
            (failures::failures(&view))
            (plots::accuracy(&view))
            (studies::statistics(&view))
            (sections::domain(&view))
            (sections::adequacy(&view))
            (sections::waivers(&view))
            (sections::environment(&view))
            (sections::check(&view))
            (sections::limits(&view))
        },
    )
}

/// A page of this look.
pub(crate) fn page(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (clean(title)) " - Concord" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#functions" { "Skip to the functions" }
                (body)
            }
        }
    };
    page.into_string() + "\n"
}

/// Foreign text that stays on its line and keeps its direction; `maud` escapes what is markup.
fn clean(text: &str) -> String {
    phrase::clean(text)
}

/// Foreign text, shortened.
pub(crate) fn brief(text: &str) -> String {
    phrase::shorten(&clean(text), 240)
}
