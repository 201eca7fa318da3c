//! Writes OpenAI's encodings into `packed`, as `src/encodings.rs` describes them.

use std::error::Error;
use std::fs::File;
use std::path::Path;

use brotli::enc::BrotliEncoderParams;
use tiktoken_rs::CoreBPE;

fn main() -> Result<(), Box<dyn Error>> {
    pack("o200k_base", tiktoken_rs::o200k_base_singleton())?;
    pack("cl100k_base", tiktoken_rs::cl100k_base_singleton())
}

/// The numbers of the special tokens are larger than those of all other tokens.
fn pack(name: &str, encoding: &CoreBPE) -> Result<(), Box<dyn Error>> {
    let special = encoding.special_tokens();
    let mut unpacked = Vec::new();
    for number in 0.. {
        let Ok(token) = encoding.decode_bytes(&[number]) else {
            break;
        };
        if str::from_utf8(&token).is_ok_and(|token| special.contains(token)) {
            break;
        }
        unpacked.push(u8::try_from(token.len())?);
        unpacked.extend(token);
    }
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: unpacked.len(),
        ..BrotliEncoderParams::default()
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packed");
    let mut file = File::create(folder.join(format!("{name}.br")))?;
    brotli::BrotliCompress(&mut unpacked.as_slice(), &mut file, &parameters)?;
    Ok(())
}
