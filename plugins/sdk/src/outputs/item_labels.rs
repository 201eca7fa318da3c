//! The labels of outputs that are made of the elements of a list.

use std::collections::BTreeSet;

use crate::label::is_refused;
use crate::template::NAME_CHARS;

/// The labels of elements, which are unique for any elements.
pub(super) struct ItemNames<'a> {
    base: &'a str,
    digits: usize,
    taken: BTreeSet<String>,
}

impl<'a> ItemNames<'a> {
    pub(super) fn of(base: &'a str, count: usize) -> Self {
        Self {
            base,
            digits: count.to_string().len().max(3),
            taken: BTreeSet::new(),
        }
    }

    pub(super) fn numbered(&self, number: u32) -> String {
        format!("{}-{number:0digits$}", self.base, digits = self.digits)
    }

    /// Returns a label with the rendered name. The name has no `/`, so that elements of two inputs never have the same
    /// label.
    pub(super) fn named(&mut self, name: &str, number: u32) -> String {
        let name = safe_name(name);
        let name = if name.is_empty() {
            format!("{number:0digits$}", digits = self.digits)
        } else {
            name
        };
        let available = NAME_CHARS.saturating_sub(self.base.chars().count() + 1);
        let fitting = |end: &str| {
            let kept: String = name
                .chars()
                .take(available.saturating_sub(end.chars().count()))
                .collect();
            format!("{}/{}{end}", self.base, kept.trim_end())
        };
        let mut label = fitting("");
        let mut next = 2;
        while !self.taken.insert(label.clone()) {
            label = fitting(&format!("-{next}"));
            next += 1;
        }
        label
    }
}

/// Returns the part of a text that is allowed in a label: one line, without `/` and invisible characters. It may be
/// empty.
fn safe_name(text: &str) -> String {
    let visible = text.chars().map(|one| match one {
        '/' | '\\' => '-',
        one if is_refused(one) => ' ',
        one => one,
    });
    let visible: String = visible.collect();
    let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().all(|one| matches!(one, '.' | '-' | ' ')) {
        String::new()
    } else {
        name
    }
}
