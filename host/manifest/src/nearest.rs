//! Finds the name that a user probably meant.

/// Returns the candidate most similar to `word`, or `None` if none is similar.
///
/// A candidate is similar if its edit distance is at most a third of the length of the word. Of several candidates with
/// the same distance, the first one is returned.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let max_distance = (word.chars().count() / 3).clamp(1, 5);
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= max_distance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns a hint with the most similar candidate.
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
    fn a_typo_is_similar_and_a_different_word_is_not() {
        let keys = ["model", "inputs", "min_batch"];
        assert_eq!(nearest("modle", keys), Some("model"));
        assert_eq!(nearest("Inputs", keys), Some("inputs"));
        assert_eq!(nearest("min-batch", keys), Some("min_batch"));
        assert_eq!(nearest("prompt", keys), None);
    }
}
