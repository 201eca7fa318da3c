//! Ids of traces and spans. They are derived, so every process that drives a build gives the same row the same id.

use sha2::{Digest as _, Sha256};

/// The id of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 16]);

/// What has a span of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    Build,
    /// A layer by its name.
    Layer(&'a str),
    /// A unit by its layer and its key.
    Unit(&'a str, &'a str),
    /// A send by the number of its attempt.
    Send(i64),
    /// A submission by its number.
    Submission(i64),
}

impl TraceId {
    /// Returns the id of the trace of a build that `build` names among all builds of all projects.
    pub(crate) fn of(build: &str) -> Self {
        Self(hash(&[b"synix.trace.v1", build.as_bytes()]))
    }

    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the id of a span of the trace.
    pub(crate) fn span(&self, subject: Subject<'_>) -> Vec<u8> {
        let number;
        let parts: [&[u8]; 3] = match subject {
            Subject::Build => [b"build", b"", b""],
            Subject::Layer(name) => [b"layer", name.as_bytes(), b""],
            Subject::Unit(layer, key) => [b"unit", layer.as_bytes(), key.as_bytes()],
            Subject::Send(attempt) => {
                number = attempt.to_le_bytes();
                [b"send", &number, b""]
            }
            Subject::Submission(submission) => {
                number = submission.to_le_bytes();
                [b"submission", &number, b""]
            }
        };
        let id: [u8; 8] = hash(&[&self.0, parts[0], parts[1], parts[2]]);
        id.to_vec()
    }
}

/// Returns the beginning of a digest of the parts. It is never zero, which would be no id.
fn hash<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut id = [0; N];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    if let (true, Some(last)) = (id.iter().all(|byte| *byte == 0), id.last_mut()) {
        *last = 1;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_id_and_no_other_row_has_it() {
        let trace = TraceId::of("project\nbuild-7");
        let subjects = [
            Subject::Build,
            Subject::Layer("a"),
            Subject::Unit("a", "b"),
            Subject::Unit("ab", ""),
            Subject::Send(7),
            Subject::Submission(7),
        ];
        let ids: std::collections::BTreeSet<_> = subjects
            .iter()
            .map(|subject| trace.span(*subject))
            .collect();
        assert_eq!(ids.len(), subjects.len());
        assert_eq!(trace.span(Subject::Send(7)), trace.span(Subject::Send(7)));
        let other = TraceId::of("project\nbuild-8");
        assert_ne!(other.span(Subject::Build), trace.span(Subject::Build));
    }
}
