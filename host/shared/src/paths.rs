//! Where objects are in the store.
//!
//! | path | object |
//! | --- | --- |
//! | `v1/NAMESPACE/answers/ab/KEY.json` | a complete answer; `ab` are the first digits of the key |
//! | `v1/NAMESPACE/answers/ab/KEY.truncated.json` | an answer that reached its token limit |
//! | `v1/NAMESPACE/claims/KEY/00000001` | a generation of the claim on a request |
//! | `v1/NAMESPACE/holders/HOLDER/00000001` | a heartbeat of a holder |

use synix_core::digest::Digest;
use synix_core::request::{Ending, RequestKey};

/// The namespace of a URL that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// The folders of a namespace, which a namespace cannot contain.
const FOLDERS: [&str; 3] = ["answers", "claims", "holders"];

/// Returns whether a text can name a namespace: segments separated by `/`, at most 128 bytes in all.
///
/// A segment has ASCII letters, digits, `-`, `_` and `.`, does not begin with `.`, and is not the name of a folder of the
/// layout.
pub fn is_namespace(text: &str) -> bool {
    text.len() <= 128 && text.split('/').all(is_segment)
}

fn is_segment(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty()
        && text.bytes().all(is_allowed)
        && !text.starts_with('.')
        && !FOLDERS.contains(&text)
}

/// Returns whether a text can be the id of a holder.
pub(crate) fn is_holder(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=96).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Returns the id of a holder: its label as far as a path permits it, and random digits.
pub(crate) fn holder_id(label: &str, random: &str) -> String {
    let is_allowed = |next: char| next.is_ascii_alphanumeric();
    let label: String = label
        .chars()
        .take(48)
        .map(|next| if is_allowed(next) { next } else { '-' })
        .collect();
    let label = label.trim_matches('-');
    if label.is_empty() {
        random.to_owned()
    } else {
        format!("{label}-{random}")
    }
}

/// The paths of a namespace.
#[derive(Debug, Clone)]
pub(crate) struct Paths(String);

impl Paths {
    pub(crate) fn new(namespace: &str) -> Self {
        Self(format!("v1/{namespace}/"))
    }

    pub(crate) fn answer(&self, key: RequestKey, ending: Ending) -> String {
        let key = key.to_string();
        let suffix = match ending {
            Ending::Complete => "json",
            Ending::Truncated => "truncated.json",
        };
        format!("{}answers/{}/{key}.{suffix}", self.0, &key[..2])
    }

    pub(crate) fn all_claims(&self) -> String {
        format!("{}claims/", self.0)
    }

    pub(crate) fn claims(&self, key: RequestKey) -> String {
        format!("{}claims/{key}/", self.0)
    }

    pub(crate) fn claim(&self, key: RequestKey, generation: u64) -> String {
        format!("{}claims/{key}/{generation:08}", self.0)
    }

    pub(crate) fn all_holders(&self) -> String {
        format!("{}holders/", self.0)
    }

    pub(crate) fn heartbeats(&self, holder: &str) -> String {
        format!("{}holders/{holder}/", self.0)
    }

    pub(crate) fn heartbeat(&self, holder: &str, number: u64) -> String {
        format!("{}holders/{holder}/{number:08}", self.0)
    }

    /// Returns the request and generation of the path of a claim.
    pub(crate) fn parse_claim(&self, path: &str) -> Option<(RequestKey, u64)> {
        let (key, generation) = path.strip_prefix(&self.all_claims())?.split_once('/')?;
        let key: Digest = key.parse().ok()?;
        Some((RequestKey(key), parse_number(generation)?))
    }

    /// Returns the holder and number of the path of a heartbeat.
    pub(crate) fn parse_heartbeat<'a>(&self, path: &'a str) -> Option<(&'a str, u64)> {
        let (holder, number) = path.strip_prefix(&self.all_holders())?.split_once('/')?;
        Some((holder, parse_number(number)?))
    }
}

/// Parses the number at the end of a path. Numbers have eight digits, or more if they are larger.
fn parse_number(text: &str) -> Option<u64> {
    let is_number = text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    // Close to the largest number, the next one would overflow.
    let number = text.parse().ok().filter(|number| *number < 1 << 60)?;
    is_number.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RequestKey {
        RequestKey(Digest::of(b"abc"))
    }

    #[test]
    fn the_paths_of_claims_and_heartbeats_are_parsed() {
        let paths = Paths::new("team/a");
        let claim = paths.claim(key(), 12);
        assert!(claim.starts_with(&paths.claims(key())), "{claim}");
        assert_eq!(paths.parse_claim(&claim), Some((key(), 12)));
        let beat = paths.heartbeat("h-1", 7);
        assert_eq!(paths.parse_heartbeat(&beat), Some(("h-1", 7)));
        for odd in ["v1/team/a/claims/x/00000001", "v1/team/a/claims/", "", "x"] {
            assert_eq!(paths.parse_claim(odd), None, "{odd}");
        }
        let other = Paths::new("team/b");
        assert_eq!(other.parse_claim(&claim), None);
    }

    #[test]
    fn an_answer_is_below_the_first_digits_of_its_key() {
        let path = Paths::new("default").answer(key(), Ending::Truncated);
        assert!(path.starts_with("v1/default/answers/ba/ba7816bf"), "{path}");
        assert!(path.ends_with("15ad.truncated.json"), "{path}");
    }

    #[test]
    fn a_number_that_would_overflow_is_no_generation() {
        assert_eq!(parse_number("00000000000018446744073709551615"), None);
        assert_eq!(parse_number("100000000"), Some(100_000_000));
    }

    #[test]
    fn a_namespace_stays_in_its_folder() {
        for good in ["default", "team/a", "A-1_b.c"] {
            assert!(is_namespace(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "a/",
            "..",
            "a/../b",
            ".a",
            "a b",
            "claims",
            "a/answers",
            "ä",
        ] {
            assert!(!is_namespace(bad), "{bad}");
        }
    }

    #[test]
    fn every_label_makes_a_valid_holder() {
        for label in [
            "",
            "Ann's laptop (pid 7)",
            "../..",
            "日本語",
            &"x".repeat(300),
        ] {
            let holder = holder_id(label, "0123456789abcdef0123456789abcdef");
            assert!(is_holder(&holder), "{holder}");
        }
    }
}
