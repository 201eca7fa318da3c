//! Property tests: arbitrary text never makes the parser panic.

use super::*;

#[test]
fn the_seed_of_the_fuzz_target_is_valid() {
    assert_eq!(parse(EVERYTHING).unwrap().layers.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_parse_panic(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_edit_of_a_valid_file_makes_parse_panic(at in 0..GOOD.len(), length in 0_usize..30, new in "[\\[\\]{}\"=.a-z0-9\\n]{0,6}") {
        let before: String = GOOD.chars().take(at).collect();
        let after: String = GOOD.chars().skip(at + length).collect();
        if let Err(errors) = parse(&format!("{before}{new}{after}")) {
            prop_assert!(!errors.as_slice().is_empty());
        }
    }

    #[test]
    fn an_edited_file_is_a_consistent_pipeline_or_has_errors(edits in edits::edits()) {
        for good in [GOOD, EVERYTHING] {
            let text = edits::changed(good.as_bytes(), &edits);
            match parse(&String::from_utf8_lossy(&text)) {
                Err(errors) => prop_assert!(!errors.as_slice().is_empty()),
                Ok(pipeline) => {
                    let count = pipeline.layers.len();
                    for (position, layer) in pipeline.layers.iter().enumerate() {
                        let inputs = layer.transform().map_or(&[][..], |transform| &transform.inputs);
                        prop_assert!(inputs.iter().all(|&input| input < count && input != position));
                    }
                }
            }
        }
    }
}
