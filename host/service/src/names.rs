//! The names of projects at a service, and the ids of jobs.

use std::fmt::Write as _;

use crate::ServiceError;

/// What the id of a job begins with, so that it is not taken for that of a build.
const JOB: &str = "job-";
/// The random bytes of an id: enough for one that nobody else has, and few enough to be typed.
const JOB_BYTES: usize = 6;

const MAX_NAME: usize = 100;

/// Returns whether a text is the id of a job.
pub fn is_job(text: &str) -> bool {
    text.strip_prefix(JOB).is_some_and(|digits| {
        digits.len() == 2 * JOB_BYTES
            && digits
                .bytes()
                .all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Returns a new id.
pub(crate) fn new_job() -> Result<String, getrandom::Error> {
    let mut bytes = [0; JOB_BYTES];
    getrandom::fill(&mut bytes)?;
    let mut id = JOB.to_owned();
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    Ok(id)
}

/// Refuses a name that is no part of a key.
pub(crate) fn check_name(name: &str) -> Result<(), ServiceError> {
    let is_valid = (1..=MAX_NAME).contains(&name.chars().count())
        && !name.contains(|one: char| one == '/' || one.is_control());
    if is_valid {
        Ok(())
    } else {
        Err(ServiceError::InvalidName {
            name: name.chars().take(MAX_NAME).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_recognized_and_never_the_same() {
        let (one, other) = (new_job().unwrap(), new_job().unwrap());
        assert!(is_job(&one) && is_job(&other));
        assert_ne!(one, other);
        for text in [
            "",
            "job-",
            "job-7",
            "build-7",
            "7",
            "job-0123456789aB",
            "job-0123456789ab0",
        ] {
            assert!(!is_job(text), "{text}");
        }
    }

    #[test]
    fn a_name_is_a_part_of_a_key() {
        for name in ["notes", "Meine Notizen", "2026-11", "会議"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a/b", "a\nb", &"x".repeat(101)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
