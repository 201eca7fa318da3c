//! All unusable files of a pipeline, reported together.

use std::error::Error;
use std::fmt;

use super::SourceError;

/// The maximum number of problems that are listed; the others are counted.
const MAX_LISTED: usize = 100;

/// Errors about files with the names of their layers, in the order of discovery.
#[derive(Debug, Default)]
pub struct SourceProblems(Vec<(String, SourceError)>);

impl SourceProblems {
    /// Adds an error.
    pub fn push(&mut self, layer: &str, problem: SourceError) {
        self.0.push((layer.to_owned(), problem));
    }

    /// Returns the errors if there are any.
    pub fn into_option(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

impl fmt::Display for SourceProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(layer, problem)] = self.0.as_slice() {
            return write!(f, "layer `{layer}`: {}", WithCauses(problem));
        }
        write!(f, "{} files cannot be used:", self.0.len())?;
        for (layer, problem) in self.0.iter().take(MAX_LISTED) {
            write!(f, "\nlayer `{layer}`: {}", WithCauses(problem))?;
        }
        match self.0.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl Error for SourceProblems {}

/// Displays an error and its causes in one line.
struct WithCauses<'a>(&'a SourceError);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        // The message already contains its cause.
        if matches!(self.0, SourceError::Glob { .. }) {
            return Ok(());
        }
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(count: usize) -> SourceProblems {
        let mut problems = SourceProblems::default();
        for number in 0..count {
            let path = format!("{number}.md");
            problems.push("notes", SourceError::Missing { path });
        }
        problems
    }

    #[test]
    fn one_problem_is_a_sentence_and_many_are_a_bounded_list() {
        assert!(problems(0).into_option().is_none());
        assert_eq!(
            problems(1).to_string(),
            "layer `notes`: 0.md: there is no such file"
        );
        assert_eq!(
            problems(2).to_string(),
            "2 files cannot be used:\nlayer `notes`: 0.md: there is no such file\nlayer `notes`: 1.md: there is no such file"
        );
        let many = problems(102).to_string();
        assert_eq!(many.lines().count(), 102);
        assert!(many.starts_with("102 files") && many.ends_with("\nand 2 more"));
    }

    #[test]
    fn a_cause_is_in_the_line_of_its_file() {
        let mut problems = SourceProblems::default();
        let source = std::io::Error::other("too many links");
        let path = "a.md".to_owned();
        problems.push("notes", SourceError::Unreadable { path, source });
        assert_eq!(
            problems.to_string(),
            "layer `notes`: a.md: cannot be read: too many links"
        );
    }
}
