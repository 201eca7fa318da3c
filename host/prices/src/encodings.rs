//! OpenAI's encodings, which list the bytes of each token.
//!
//! The crate of the tokenizer has them as text, which is 4 times as large. `packed` has their tokens by number, each after
//! a byte with its length, compressed with Brotli. To write it again:
//! `cargo run --package synix-prices --features pack --bin pack-encodings`.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use tiktoken_rs::{CoreBPE, O200K_BASE_PAT_STR};

/// Splits a text into words, before each is divided into tokens of [`CL100K_BASE`].
const CL100K_BASE_PATTERN: &str = concat!(
    r"'(?i:[sdmt]|ll|ve|re)",
    r"|[^\r\n\p{L}\p{N}]?+\p{L}++",
    r"|\p{N}{1,3}+",
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+",
    r"|\s++$",
    r"|\s*[\r\n]",
    r"|\s+(?!\S)",
    r"|\s"
);

/// Without the special tokens, because the text of a request contains none.
pub(super) static O200K_BASE: LazyLock<CoreBPE> = LazyLock::new(|| {
    unpack(
        include_bytes!("../packed/o200k_base.br"),
        O200K_BASE_PAT_STR,
    )
});

/// Also without the special tokens.
pub(super) static CL100K_BASE: LazyLock<CoreBPE> = LazyLock::new(|| {
    unpack(
        include_bytes!("../packed/cl100k_base.br"),
        CL100K_BASE_PATTERN,
    )
});

fn unpack(packed: &[u8], pattern: &str) -> CoreBPE {
    let mut unpacked = Vec::new();
    let (mut packed, mut encoder) = (packed, FxHashMap::default());
    if let Err(error) = brotli_decompressor::BrotliDecompress(&mut packed, &mut unpacked) {
        unreachable!("an encoding is damaged: {error}");
    }
    let mut rest = unpacked.as_slice();
    for number in 0.. {
        let Some((length, tokens)) = rest.split_first() else {
            break;
        };
        let (token, others) = tokens.split_at(usize::from(*length));
        encoder.insert(token.to_vec(), number);
        rest = others;
    }
    match CoreBPE::new(encoder, FxHashMap::default(), pattern) {
        Ok(encoding) => encoding,
        Err(error) => unreachable!("an encoding is invalid: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(encoding: &CoreBPE) -> Vec<Vec<u8>> {
        (0..)
            .map_while(|number| encoding.decode_bytes(&[number]).ok())
            .collect()
    }

    /// The special tokens of the crate follow after a gap or directly, and have no place here.
    #[test]
    fn the_tokens_are_those_of_the_crate() {
        let crates = [
            tiktoken_rs::o200k_base_singleton(),
            tiktoken_rs::cl100k_base_singleton(),
        ];
        for ((own, count), its) in [(&O200K_BASE, 199_998), (&CL100K_BASE, 100_256)]
            .into_iter()
            .zip(crates)
        {
            let own = tokens(own);
            assert_eq!(own.len(), count);
            assert!(own == tokens(its)[..count]);
        }
    }

    proptest! {
        /// Digits, marks, contractions and blanks take different ways through the patterns.
        #[test]
        fn a_text_has_the_tokens_of_the_crate(
            text in "([a-zA-Z]{1,9}('s|'LL|’t)?|[0-9]{1,5}|[ \t]{1,3}|[\r\n]{1,3}|[-/.,;]{1,3}|\\PC{1,4}){0,20}",
        ) {
            let pairs = [
                (&*O200K_BASE, tiktoken_rs::o200k_base_singleton()),
                (&*CL100K_BASE, tiktoken_rs::cl100k_base_singleton()),
            ];
            for (own, its) in pairs {
                prop_assert_eq!(own.encode_ordinary(&text), its.encode_ordinary(&text));
            }
        }
    }
}
