//! The numbered rules of the contract; their text is that of `dispatch/CONTRACT.md`, kept in one place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const CONTRACT: &str = include_str!("../CONTRACT.md");

macro_rules! rules {
    ($($rule:ident)*) => {
        /// A rule of the dispatch contract.
        ///
        /// `S` rules are the reviewers' objections, settled; `D` rules are those of the upstream dispatcher,
        /// kept, changed or set aside; `C` rules are ours.
        ///
        /// ```
        /// use dispatch::Rule;
        /// assert_eq!(Rule::S3.id(), "S3");
        /// assert!(Rule::S3.title().contains("order"));
        /// assert_eq!("d17".parse(), Ok(Rule::D17));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is explained by its section of CONTRACT.md")]
        pub enum Rule { $($rule),* }

        impl Rule {
            /// Every rule, in the order of the contract.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),*];

            /// The number: `S1b`, `D17`, `C4`.
            pub fn id(self) -> &'static str {
                match self { $(Rule::$rule => stringify!($rule)),* }
            }
        }
    };
}

rules! {
    S1a S1b S2 S3 S4 S5 S6 S7
    C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15
    D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11 D12 D13 D14 D15 D16 D17 D18 D19 D20
    D21 D22 D23 D24 D25 D26 D27 D28 D29 D30 D31 D32 D33 D34 D35 D36 D37
}

impl Rule {
    /// One line: what the rule says.
    pub fn title(self) -> &'static str {
        self.section().split_once('\n').map_or("", |(title, _)| title)
    }

    /// What the rule means and why it is there.
    pub fn explanation(self) -> &'static str {
        let body = self.section().split_once('\n').map_or("", |(_, body)| body);
        body.split("\n- ").next().unwrap_or_default().trim()
    }

    /// A case in which it matters.
    pub fn example(self) -> &'static str {
        self.item("Example")
    }

    /// The rule or remark upstream that it refines.
    pub fn refines(self) -> &'static str {
        self.item("Refines")
    }

    /// What became of it here: `implemented`, `different: why`, `not applicable: why`, or
    /// `probed: by which probes` for what only calls can show.
    pub fn status(self) -> &'static str {
        self.item("Status")
    }

    /// The section of the contract that holds the rule, without its number.
    fn section(self) -> &'static str {
        sections().find(|(id, _)| *id == self.id()).map_or("", |(_, text)| text)
    }

    /// The text of `- NAME: text`, up to the next item.
    fn item(self, name: &str) -> &'static str {
        let mut items = self.section().split("\n- ").skip(1);
        let found = items.find_map(|item| item.strip_prefix(name)?.strip_prefix(':'));
        found.unwrap_or_default().trim()
    }
}

/// The sections `### ID. title`, each as its number and the text after it.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    let heads = CONTRACT.split("\n### ").skip(1);
    heads.filter_map(|section| section.split("\n## ").next()?.split_once(". "))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Rule, String> {
        let found = Rule::ALL.iter().find(|rule| rule.id().eq_ignore_ascii_case(text.trim()));
        found.copied().ok_or_else(|| {
            let ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
            format!("no rule `{text}`; the rules are {}", ids.join(" "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_document_hold_the_same_rules() {
        let document: Vec<_> = sections().map(|(id, _)| id).collect();
        let code: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(document, code);
    }

    #[test]
    fn every_rule_is_explained() {
        for rule in Rule::ALL {
            let parts = [rule.title(), rule.explanation(), rule.example(), rule.refines()];
            assert!(parts.iter().all(|part| !part.is_empty()), "{rule} lacks a part");
            let (status, reason) = rule.status().split_once(": ").unwrap_or((rule.status(), ""));
            let known = ["implemented", "different", "not applicable", "probed"].contains(&status);
            assert!(known, "{rule} has the status `{status}`");
            assert!(status == "implemented" || !reason.is_empty(), "{rule} gives no reason");
        }
    }
}
