//! The executable `synix`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = synix::compile_if_asked() {
        return code;
    }
    let arguments = std::env::args_os().skip(1);
    ExitCode::from(synix::run(arguments, synix::Io::from_process()))
}
