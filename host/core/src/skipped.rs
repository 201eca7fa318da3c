//! What readers left out of files, counted by reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most examples of one reason.
pub const MAX_EXAMPLES: usize = 3;

/// How often something was left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedCount {
    /// The name of the reason, such as `unreadable`.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// At most [`MAX_EXAMPLES`]: texts with the file and the place in it.
    pub examples: Vec<String>,
}

/// Counts by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedCounts(BTreeMap<String, (u64, Vec<String>)>);

impl SkippedCounts {
    /// Counts one more; `example` is called only while examples are missing.
    pub fn add(&mut self, reason: &str, example: impl FnOnce() -> String) {
        let (count, examples) = match self.0.get_mut(reason) {
            Some(entry) => entry,
            None => self.0.entry(reason.to_owned()).or_default(),
        };
        *count = count.saturating_add(1);
        if examples.len() < MAX_EXAMPLES {
            examples.push(example());
        }
    }

    /// Adds the counts of another file.
    pub fn extend(&mut self, counts: &[SkippedCount]) {
        for more in counts {
            let (count, examples) = self.0.entry(more.reason.clone()).or_default();
            *count = count.saturating_add(more.count);
            let room = MAX_EXAMPLES.saturating_sub(examples.len());
            examples.extend(more.examples.iter().take(room).cloned());
        }
    }

    /// Returns the counts, sorted by reason.
    pub fn to_vec(&self) -> Vec<SkippedCount> {
        let counts = self.0.iter();
        counts
            .map(|(reason, (count, examples))| SkippedCount {
                reason: reason.clone(),
                count: *count,
                examples: examples.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_examples_are_few() {
        let mut file = SkippedCounts::default();
        for line in 1..=5 {
            file.add("unreadable", || format!("line {line}"));
        }
        file.add("empty", || "line 9".to_owned());
        let file = file.to_vec();
        assert_eq!(
            (
                file[0].reason.as_str(),
                file[1].count,
                file[1].examples.len()
            ),
            ("empty", 5, 3)
        );
        let mut all = SkippedCounts::default();
        all.extend(&file);
        all.extend(&file);
        let all = all.to_vec();
        assert_eq!((all[0].count, all[0].examples.len()), (2, 2));
        assert_eq!(all[1].count, 10);
        assert_eq!(all[1].examples, ["line 1", "line 2", "line 3"]);
    }
}
