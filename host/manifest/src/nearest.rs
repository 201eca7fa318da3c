//! Finds the name that somebody probably meant.

/// Returns the candidate nearest to `word`, or `None` where none is near.
///
/// Near is an edit distance of at most a third of the word. Of equally near
/// candidates the first is taken.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 5);
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the hint that offers the nearest candidate.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_near_and_another_word_is_not() {
        let keys = ["model", "inputs", "min_batch"];
        assert_eq!(nearest("modle", keys), Some("model"));
        assert_eq!(nearest("Inputs", keys), Some("inputs"));
        assert_eq!(nearest("min-batch", keys), Some("min_batch"));
        assert_eq!(nearest("prompt", keys), None);
    }
}
