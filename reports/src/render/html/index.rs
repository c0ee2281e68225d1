//! Many certificates on one page: builds down, functions across.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use maud::html;

use super::{brief, page, strip};
use crate::Time;
use crate::certificate::Statement;

/// A certificate and where its page lies.
pub struct Listed {
    /// What it says.
    pub certificate: Statement,
    /// The address of its page, relative to the index.
    pub page: String,
}

/// The page of many certificates, by backend and newest first; what has expired at `now` says so and is greyed.
pub fn index(listed: &[Listed], now: Time) -> String {
    let mut sorted: Vec<&Listed> = listed.iter().collect();
    sorted.sort_by_key(|l| {
        let predicate = &l.certificate.predicate;
        (
            predicate.backend.name.clone(),
            Reverse(predicate.issued_at),
            predicate.certificate_id.clone(),
        )
    });
    let all = || sorted.iter().flat_map(|l| l.certificate.predicate.granted.functions.keys());
    let functions: BTreeSet<&String> = all().collect();
    let body = html! {
        main id="functions" {
            h1 { "Certified builds" }
            div.box tabindex="0" role="group" aria-label="Builds" { table {
            caption { "Levels at " time datetime=(now.to_string()) { (now.date()) } ", newest certificate of each backend first" }
            thead { tr {
                th scope="col" { "Build" } th scope="col" { "For" }
                @for function in &functions { th scope="col" { code { (brief(function)) } } }
                th scope="col" { "Assurance" } th scope="col" { "Issued" } th scope="col" { "Valid until" }
            } }
            tbody { @for entry in &sorted {
                @let predicate = &entry.certificate.predicate;
                @let expired = now > predicate.not_after;
                tr.s[expired] {
                    th scope="row" { a href=(entry.page) { (brief(&predicate.backend.name)) " " (brief(&predicate.backend.version)) } }
                    td { (brief(&predicate.backend.host)) }
                    @for function in &functions { td.nowrap {
                        @match predicate.granted.functions.get(*function) { Some(level) => (strip::level(*level)), None => "– not offered" }
                    } }
                    td { (predicate.verifier.assurance) }
                    td.nowrap { (predicate.issued_at.date()) }
                    td.nowrap { (predicate.not_after.date()) @if expired { " (expired)" } }
                }
            } }
        } } }
    };
    page("Certified builds", body)
}
