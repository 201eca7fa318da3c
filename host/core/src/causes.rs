//! Errors as text.

use std::error::Error;

/// Returns an error and its causes in one line, from the outermost to the innermost.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    #[test]
    fn every_cause_follows_the_error_that_it_caused() {
        let innermost = Link {
            text: "the disk is full",
            source: None,
        };
        let middle = Link {
            text: "cannot write a",
            source: Some(Box::new(innermost)),
        };
        let outermost = Link {
            text: "the build stopped",
            source: Some(Box::new(middle)),
        };
        assert_eq!(
            with_causes(&outermost),
            "the build stopped: cannot write a: the disk is full"
        );
    }
}
