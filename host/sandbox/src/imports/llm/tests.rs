use super::*;
use synix_core::request::Usage;

fn round(max_tokens: &[Option<u32>]) -> Vec<GuestRequest> {
    let request = |max_tokens: &Option<u32>| GuestRequest {
        max_tokens: *max_tokens,
        ..GuestRequest::user("q")
    };
    max_tokens.iter().map(request).collect()
}

fn limited(requests: u32, tokens: Option<u64>) -> Llm {
    let limits = Limits {
        requests,
        tokens,
        ..Limits::default()
    };
    Llm::new(ModelAccess::none(), &limits)
}

#[test]
fn a_round_counts_with_the_longest_answers_that_it_allows() {
    let llm = limited(1, Some(10));
    for allowed in [
        &[Some(10)][..],
        &[Some(4), Some(6)],
        &[None; 10],
        &[Some(9), None],
    ] {
        assert_eq!(
            llm.check_token_limit(&round(allowed)),
            Ok(()),
            "{allowed:?}"
        );
    }
    for refused in [
        &[Some(11)][..],
        &[Some(4), Some(7)],
        &[None; 11],
        &[Some(10), None],
        &[Some(u32::MAX), Some(u32::MAX)],
    ] {
        assert!(
            matches!(
                llm.check_token_limit(&round(refused)),
                Err(Refusal::OverLimit(_))
            ),
            "{refused:?}"
        );
    }
    let largest = round(&[Some(u32::MAX)]);
    assert_eq!(limited(1, None).check_token_limit(&largest), Ok(()));
}

#[test]
fn input_and_output_tokens_of_all_rounds_count() {
    let mut llm = limited(1, Some(10));
    let answer = Answer {
        text: "x".to_owned(),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage {
            input_tokens: 3,
            output_tokens: 1,
            ..Usage::default()
        },
        details: Map::new(),
    };
    llm.count_tokens(&[answer.clone(), answer]);
    assert_eq!(llm.check_token_limit(&round(&[Some(2)])), Ok(()));
    assert!(llm.check_token_limit(&round(&[Some(3)])).is_err());
}

#[test]
fn an_answer_with_uncounted_tokens_counts_by_its_length() {
    let mut llm = limited(1, Some(10));
    let answer = Answer {
        text: "eight by".to_owned(),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage {
            uncounted: true,
            ..Usage::default()
        },
        details: Map::new(),
    };
    llm.count_tokens(&[answer]);
    assert_eq!(llm.check_token_limit(&round(&[Some(2)])), Ok(()));
    assert!(llm.check_token_limit(&round(&[Some(3)])).is_err());
}

#[test]
fn requests_of_all_rounds_count_up_to_and_including_the_limit() {
    let mut llm = limited(5, None);
    assert_eq!(
        (llm.count_requests(2), llm.count_requests(3)),
        (Ok(()), Ok(()))
    );
    assert!(matches!(
        llm.count_requests(1),
        Err(Refusal::OverLimit(text)) if text.contains("5 requests in one unit")
    ));
    assert!(limited(5, None).count_requests(6).is_err());
    assert!(limited(u32::MAX, None).count_requests(usize::MAX).is_err());
}
