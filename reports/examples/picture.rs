//! A picture of the text report, for documents:
//! `cargo run -p reports --example picture -- out/results.jsonl > docs/report.svg`.

use std::fs::File;
use std::io::BufReader;

use reports::{Log, render};

/// Width of a character of 13 px monospace text, in px.
const CHARACTER: f64 = 7.83;
/// Height of a line, in px.
const LINE: usize = 18;
/// Space around the text, in px.
const MARGIN: usize = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected the path of a results.jsonl")?;
    let log = Log::read(BufReader::new(File::open(path)?))?;
    print!("{}", picture(&render::text(&log, render::Style { color: false, width: 110 })));
    Ok(())
}

fn picture(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let (width, height) =
        ((longest as f64 * CHARACTER) as usize + 2 * MARGIN, lines.len() * LINE + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#14171c\"/>\n"
    );
    for (i, line) in lines.iter().enumerate() {
        let y = MARGIN + (i + 1) * LINE - 5;
        let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let fill = colour(line);
        svg += &format!(
            "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"{fill}\" xml:space=\"preserve\">{escaped}</text>\n"
        );
    }
    svg + "</svg>\n"
}

/// The colours of the terminal, by what a line says.
fn colour(line: &str) -> &'static str {
    let starts = |words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
    if starts(&["NOT CONFORMANT", "FAILED", "actual"]) {
        "#ff7b72"
    } else if starts(&["CONFORMANT", "expected"]) {
        "#7ee787"
    } else if starts(&["replay", "function "]) {
        "#79c0ff"
    } else {
        "#d0d7de"
    }
}
