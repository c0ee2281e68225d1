//! Lines of text of a given width, with or without colours.

use super::text::Style;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Good,
    Bad,
    Doubtful,
    Strong,
    Faint,
}

impl Ink {
    /// The ANSI code: the first eight colours only, because every theme keeps them legible.
    fn code(self) -> &'static str {
        match self {
            Ink::Good => "1;32",
            Ink::Bad => "1;31",
            Ink::Doubtful => "1;33",
            Ink::Strong => "1",
            Ink::Faint => "2",
        }
    }
}

/// Width of the labels of a card.
const LABEL: usize = 11;
/// Below this width nothing is shortened further.
const NARROWEST: usize = 48;

/// The page being written.
pub(super) struct Page {
    style: Style,
    out: String,
}

impl Page {
    pub(super) fn new(style: Style) -> Page {
        Page { style, out: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Characters in a line.
    pub(super) fn width(&self) -> usize {
        self.style.width.max(NARROWEST)
    }

    /// Characters for the value of a field.
    pub(super) fn field_width(&self) -> usize {
        self.width() - LABEL - 2
    }

    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        if self.style.color && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code())
        } else {
            text.to_owned()
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        let text = self.paint(Ink::Strong, text);
        self.line(&text);
    }

    /// A beginning of `indent` characters, then text that may need several lines below each other.
    pub(super) fn hanging(&mut self, beginning: &str, indent: usize, text: &str) {
        let width = self.width().saturating_sub(indent).max(NARROWEST / 2);
        for (i, line) in wrap(text, width).iter().enumerate() {
            if i == 0 {
                self.line(&format!("{beginning}{line}"));
            } else {
                self.line(&format!("{:indent$}{line}", ""));
            }
        }
    }

    /// A sentence that may need several lines, indented.
    pub(super) fn sentence(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), indent, text);
    }

    /// A label and its value on one line, as it is.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        let label = self.label(label);
        self.line(&format!("{label}{value}"));
    }

    /// A label and a value that may need several lines.
    pub(super) fn long_field(&mut self, label: &str, value: &str) {
        let label = self.label(label);
        self.hanging(&label, LABEL + 2, value);
    }

    fn label(&self, label: &str) -> String {
        format!("  {}", self.paint(Ink::Faint, &format!("{label:<LABEL$}")))
    }
}

/// Breaks text at spaces into lines of at most `width` characters; a longer word has its own line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let length = word.chars().count();
        let fits = used + 1 + length <= width;
        match lines.last_mut() {
            Some(line) if used == 0 || fits => {
                let gap = if used == 0 { "" } else { " " };
                *line += &format!("{gap}{word}");
                used += gap.len() + length;
            }
            Some(_) | None => {
                lines.push(word.to_owned());
                used = length;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a unbreakable b", 4), ["a", "unbreakable", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
