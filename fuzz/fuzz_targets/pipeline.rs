//! The pipeline file: whatever it holds, a pipeline whose parts fit together, or errors with their places.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match synix_manifest::parse(text) {
        Err(errors) => {
            assert!(!errors.as_slice().is_empty());
            for error in errors.as_slice() {
                assert!(!error.to_string().is_empty());
            }
        }
        Ok(pipeline) => {
            let count = pipeline.layers.len();
            for (position, layer) in pipeline.layers.iter().enumerate() {
                let inputs = layer.transform().map_or(&[][..], |made| &made.inputs);
                assert!(
                    inputs
                        .iter()
                        .all(|&input| input < count && input != position)
                );
                assert!(!pipeline.dependants(position).contains(&position));
                let _ = pipeline.role(layer);
            }
            let _ = pipeline.check_batch(|_| true);
        }
    }
});
