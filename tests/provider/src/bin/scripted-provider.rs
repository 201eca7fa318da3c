//! Runs the scripted provider until it is killed.

use std::error::Error as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use synix_scripted_provider::{MisplacedFault, Script, ScriptedProvider};

/// A replacement for the OpenAI and Anthropic APIs on 127.0.0.1, including batches
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on, or 0 for a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// JSON file with the script to follow
    #[arg(long)]
    script: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is no script", .path.display())]
    Parse {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{} is no script", .path.display())]
    Check {
        path: PathBuf,
        source: MisplacedFault,
    },
    #[error("cannot listen on port {port}")]
    Listen { port: u16, source: io::Error },
    #[error("cannot print the address")]
    Print { source: io::Error },
}

fn main() -> ExitCode {
    let Err(failure) = run(Arguments::parse());
    let cause = failure
        .source()
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    // If stderr is closed, too, the error cannot be reported.
    let _ = writeln!(io::stderr(), "scripted-provider: {failure}{cause}");
    ExitCode::FAILURE
}

fn run(arguments: Arguments) -> Result<std::convert::Infallible, Failure> {
    let script = arguments.script.map(read).transpose()?.unwrap_or_default();
    let port = arguments.port;
    let provider = ScriptedProvider::start_on(port, script)
        .map_err(|source| Failure::Listen { port, source })?;
    let (openai, anthropic) = (provider.openai_url(), provider.anthropic_url());
    writeln!(io::stdout(), "openai={openai} anthropic={anthropic}")
        .map_err(|source| Failure::Print { source })?;
    loop {
        thread::park();
    }
}

fn read(path: PathBuf) -> Result<Script, Failure> {
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(Failure::Read { path, source }),
    };
    let script: Script = match serde_json::from_slice(&text) {
        Ok(script) => script,
        Err(source) => return Err(Failure::Parse { path, source }),
    };
    match script.check() {
        Ok(()) => Ok(script),
        Err(source) => Err(Failure::Check { path, source }),
    }
}
