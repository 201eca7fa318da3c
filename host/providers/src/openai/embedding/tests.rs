use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::embedding;

fn base64(numbers: &[f32]) -> String {
    Vector::new(numbers.to_vec()).unwrap().to_base64()
}

fn reply(vectors: &[Value]) -> Value {
    let data: Vec<Value> = (0..)
        .zip(vectors)
        .map(|(index, vector): (u64, _)| json!({"index": index, "embedding": vector}))
        .collect();
    json!({"data": data, "model": "m", "usage": {"prompt_tokens": 7, "total_tokens": 7}})
}

fn answered(parsed: ParsedReply) -> Answer {
    match parsed.into_outcome() {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(failure) => panic!("{failure:?}"),
    }
}

fn failed(parsed: ParsedReply) -> Failure {
    match parsed.into_outcome() {
        Outcome::Failed(failure) => failure,
        Outcome::Answered(answer) => panic!("{answer:?}"),
    }
}

#[test]
fn one_text_is_sent_as_a_text_and_several_as_a_list() {
    let (first, second) = (embedding("a", None), embedding("b", None));
    let one = body(&first, std::iter::empty());
    assert_eq!(
        one,
        json!({"model": "text-embedding-3-small", "input": "a", "encoding_format": "base64"})
    );
    let two = body(&first, std::iter::once(&second));
    assert_eq!(two["input"], json!(["a", "b"]));
    let short = body(&embedding("a", Some(64)), std::iter::empty());
    assert_eq!(short["dimensions"], 64);
}

#[test]
fn base64_and_numbers_give_the_same_answer() {
    let numbers = [0.1_f32, -1.5, 3.402_823_5e38, 1e-45, -0.0];
    let texts = answered(parse(&reply(&[json!(base64(&numbers))]), None));
    let doubles: Vec<f64> = numbers.iter().map(|number| f64::from(*number)).collect();
    let listed = answered(parse(&reply(&[json!(doubles)]), None));
    assert_eq!(texts, listed);
    assert_eq!(texts.usage.input_tokens, 7);
    assert!(!texts.usage.uncounted);
}

#[test]
fn a_reply_that_is_no_vector_is_a_paid_failure() {
    let nested = json!([[0.5, 0.5]]);
    for (value, problem) in [
        (json!([]), "empty"),
        (json!(""), "empty"),
        (json!("????"), "base64"),
        (json!("AACAfw=="), "not finite"),
        (json!([1e300]), "not finite"),
        (json!(["a"]), "other than numbers"),
        (nested, "other than numbers"),
        (json!(null), "missing"),
        (json!(7), "neither"),
    ] {
        let failure = failed(parse(&reply(std::slice::from_ref(&value)), None));
        assert_eq!(failure.kind, FailureKind::Unreadable, "{value}");
        assert!(failure.message.contains(problem), "{}", failure.message);
        assert_eq!(failure.usage.input_tokens, 7, "{value}");
    }
    let other = failed(parse(&reply(&[json!([0.5])]), Some(2)));
    assert!(other.message.contains("1 dimensions instead of 2"));
}

#[test]
fn a_wrong_number_of_vectors_is_a_failure() {
    for count in [0, 2] {
        let failure = failed(parse(&reply(&vec![json!([0.5]); count]), None));
        assert!(
            failure.message.contains(&format!("{count} vectors for 1")),
            "{}",
            failure.message
        );
    }
    assert!(
        failed(parse(&json!({"object": "list"}), None))
            .message
            .contains("no list")
    );
}

#[test]
fn an_error_in_place_of_vectors_is_read_as_an_error() {
    let failure = failed(parse(&json!({"error": {"message": "no such model"}}), None));
    assert!(failure.message.contains("no such model"), "{failure:?}");
}

#[test]
fn vectors_are_assigned_by_their_index() {
    let body = json!({"data": [
        {"index": 1, "embedding": [2.0]},
        {"index": 0, "embedding": [1.0]},
    ]});
    let outcomes = parse_several(&body, None, &[1, 1]).unwrap();
    let first = |outcome: &Outcome| match outcome {
        Outcome::Answered(answer) => answer.vector().unwrap().into_numbers()[0],
        Outcome::Failed(failure) => panic!("{failure:?}"),
    };
    assert_eq!(outcomes.iter().map(first).collect::<Vec<_>>(), [1.0, 2.0]);
    let twice =
        json!({"data": [{"index": 1, "embedding": [2.0]}, {"index": 1, "embedding": [1.0]}]});
    assert!(parse_several(&twice, None, &[1, 1]).is_err());
}

#[test]
fn one_bad_vector_does_not_lose_the_others() {
    let outcomes = parse_several(&reply(&[json!([0.5]), json!("?")]), None, &[3, 4]).unwrap();
    assert!(matches!(&outcomes[0], Outcome::Answered(answer) if answer.usage.input_tokens == 3));
    assert!(matches!(&outcomes[1], Outcome::Failed(failure) if failure.usage.input_tokens == 4));
}

proptest! {
    #[test]
    fn the_tokens_of_a_reply_are_divided_without_a_remainder(
        tokens in 0_u64..1_000_000,
        weights in proptest::collection::vec(0_u64..5000, 1..40),
    ) {
        let total = Usage { input_tokens: tokens, ..Usage::default() };
        let usages = divide(total, &weights);
        prop_assert_eq!(usages.len(), weights.len());
        prop_assert_eq!(usages.iter().map(|usage| usage.input_tokens).sum::<u64>(), tokens);
    }
}
