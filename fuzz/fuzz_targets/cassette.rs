//! The cassette: whatever it holds, entries under their own keys, or an error that names the place.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use synix_providers::Cassette;

fuzz_target!(|bytes: &[u8]| {
    match Cassette::read(Path::new("cassette.json"), bytes) {
        Ok(cassette) => {
            let again = Cassette::read(Path::new("cassette.json"), bytes);
            assert_eq!(
                again.map(|again| again.digest()).ok(),
                Some(cassette.digest())
            );
        }
        Err(error) => assert!(error.to_string().contains("cassette.json")),
    }
});
