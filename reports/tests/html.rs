//! The page: offline, escaped, small, the same bytes each time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use certified::{Case, time};
use reports::render::{Listed, html, index};

fn pages() -> Vec<(&'static str, String)> {
    let case = Case::new();
    let mut failing = Case { log: sample::failing(), ..Case::new() };
    failing.log.header.tier = "standard".into();
    let statement = failing.issue().unwrap();
    vec![
        ("certified", html(&case.log, Some(&case.issue().unwrap()))),
        ("failing", html(&failing.log, Some(&statement))),
        ("quick", html(&sample::failing(), None)),
        ("broken", html(&sample::broken(), None)),
        ("hostile", html(&sample::hostile(), None)),
        ("index", index(&history(), time("2026-12-01T00:00:00Z"))),
    ]
}

fn listed(page: &str) -> Listed {
    let certificate = Case::new().issue().unwrap();
    Listed { certificate, page: page.to_owned(), refused: None }
}

/// Two backends; one lost a level and got it back.
fn history() -> Vec<Listed> {
    let at = |issued: &str, differs: bool| {
        let mut case = Case::new();
        case.circumstances.issued_at = time(issued);
        if differs {
            case.log.records[0].verdict = reports::Verdict::Fail;
        }
        let page = format!("{}/report.html", &issued[..10]);
        Listed { certificate: case.issue().unwrap(), page, refused: None }
    };
    let mut other = Case::new();
    other.log.header.backend.name = "rapids-singlecell".into();
    let other = Listed { certificate: other.issue().unwrap(), ..listed("rapids.html") };
    vec![
        at("2026-11-22T10:00:00Z", false),
        at("2026-08-22T10:00:00Z", true),
        other,
        at("2026-02-22T10:00:00Z", false),
    ]
}

/// Writes the pages where a person can look at them: `CONCORD_PAGES=DIR cargo test -p reports --test html`.
#[test]
fn pages_can_be_looked_at() {
    let again = pages();
    for ((name, page), (_, other)) in pages().iter().zip(&again) {
        assert_eq!(page, other, "{name} has other bytes the second time");
        if let Some(dir) = std::env::var_os("CONCORD_PAGES") {
            std::fs::write(std::path::Path::new(&dir).join(format!("{name}.html")), page).unwrap();
        }
    }
}

#[test]
fn nothing_outside_the_page_is_asked_for_and_nothing_runs() {
    for (name, page) in pages() {
        for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            for forbidden in ["script", "link ", "iframe", "form", "img", "object", "embed"] {
                assert!(!tag.starts_with(forbidden), "{name}: <{tag}>");
            }
            for forbidden in
                [" src=", " onclick=", " onload=", " onerror=", "javascript:", " style="]
            {
                assert!(!tag.contains(forbidden), "{name}: <{tag}>");
            }
        }
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(!style.contains("@import") && !style.contains("url("), "{name}");
        assert!(page.contains("default-src 'none'"), "{name}");
        // An address stands in a link, in text, or nowhere.
        for (at, _) in page.match_indices("https://") {
            let before = &page[at.saturating_sub(6)..at];
            assert!(before.ends_with("href=\"") || !before.ends_with("=\""), "{name}: {before}");
        }
    }
}

#[test]
fn hostile_names_are_text() {
    let page = html(&sample::hostile(), None);
    let body = page.split_once("<body>").unwrap().1;
    for tag in body.split('<').skip(1) {
        let name: String =
            tag.trim_start_matches('/').chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        assert!(TAGS.contains(&name.as_str()), "<{name}");
    }
    assert!(!body.chars().any(|c| c.is_control() && c != '\n'), "a control character");
    assert!(!body.contains('\u{202e}'), "text that is read backwards");
}

const TAGS: &[&str] = &[
    "a",
    "article",
    "body",
    "br",
    "caption",
    "circle",
    "code",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "header",
    "html",
    "li",
    "line",
    "main",
    "mark",
    "p",
    "path",
    "polyline",
    "pre",
    "section",
    "span",
    "strong",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "tr",
    "ul",
];

/// What a maintainer must be able to say from the first screen, in the order of the page.
#[test]
fn the_first_screen_passes_the_ten_second_test() {
    let case = Case::new();
    let page = html(&case.log, Some(&case.issue().unwrap()));
    let strip = page.split_once("<header").unwrap().1.split_once("</header>").unwrap().0;
    let answers = [
        ("which build", "concord-cuda 0.1.0"),
        ("against whom", "reference 0.1.0"),
        ("how far", "STATISTICAL"),
        ("why not higher", "Why not higher: co_occurrence: not full"),
        ("by digest", "concord_cuda-0.1.0-py3-none-any.whl"),
        ("on what", "CPU"),
        ("how much was examined", "tier standard"),
        ("until when", "2027-05-21"),
        ("on whose word", "self-attested"),
        ("what is broken", "Broken</dt><dd>none"),
        ("what is waived", "Waived</dt><dd>none"),
        ("how to check it", "href=\"#check\""),
    ];
    for (question, answer) in answers {
        assert!(strip.contains(answer), "{question}: `{answer}` is not in {strip}");
    }
    // Then the functions, then what is broken.
    let page = html(&sample::failing(), None);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("NOT CONFORMANT") < place("<main") && place("<main") < place("What is broken"));
    assert!(place("What is broken") < place("id=\"accuracy\""));
}

#[test]
fn a_card_shows_claim_input_difference_and_command() {
    let page = html(&sample::failing(), None);
    let card = page.split_once("id=\"failure-1\"").unwrap().1.split_once("</article>").unwrap().0;
    for part in [
        "✗ ",
        "Smallest input",
        "Expected (reference)",
        "Difference",
        "Allowance",
        "concord replay",
    ] {
        assert!(card.contains(part), "`{part}` is not in {card}");
    }
}

#[test]
fn an_expired_certificate_says_so_in_the_index() {
    let at = |now| index(&[listed("x.html")], time(now));
    assert!(at("2027-06-01T00:00:00Z").contains("(expired)"));
    assert!(!at("2027-01-01T00:00:00Z").contains("(expired)"));
    assert!(at("2027-01-01T00:00:00Z").contains("href=\"x.html\""));
}

#[test]
fn the_index_shows_the_newest_of_each_backend_and_how_it_came_there() {
    let page = index(&history(), time("2026-12-01T00:00:00Z"));
    let (newest, history) = page.split_once("<h2>History</h2>").unwrap();
    assert_eq!(newest.matches("<a href").count(), 2, "one row a backend");
    assert!(newest.contains("href=\"2026-11-22/report.html\""));
    assert!(newest.contains("oldest first: statistical, none, statistical"), "{newest}");
    let place = |text: &str| history.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("2026-11-22/report.html") < place("2026-08-22/report.html"));
    assert!(history.contains("gained co_occurrence: none to statistical"));
    assert!(history.contains("lost co_occurrence: statistical to none"));
    assert!(history.contains("(expired)"), "the one of February");
}

#[test]
fn a_refused_certificate_shows_no_level() {
    let refused = Listed { refused: Some("results.jsonl hashes to".into()), ..listed("x.html") };
    let page = index(&[refused], time("2027-01-01T00:00:00Z"));
    assert!(page.contains("refused: results.jsonl hashes to"));
    assert!(!page.contains("✓ statistical"));
}

#[test]
fn a_page_is_small() {
    for (name, page) in pages() {
        assert!(page.len() < 500_000, "{name}: {} bytes", page.len());
    }
}
