//! What a command runs in: its environment, its streams, and the program that it is.

use std::fmt;
use std::io::{self, BufRead, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use synix_project::Environment;

use crate::compiler::Program;

/// Where results or talk go.
pub struct Output {
    pub(crate) writer: Box<dyn Write + Send>,
    /// Whether a person sees it at once.
    pub(crate) is_terminal: bool,
    /// How many columns fit; `None`: nothing is cut.
    pub(crate) width: Option<usize>,
    pub(crate) colours: bool,
}

impl Output {
    /// Makes an output that no terminal shows, such as a file or a pipe.
    pub fn pipe(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Box::new(writer),
            is_terminal: false,
            width: None,
            colours: false,
        }
    }

    /// Makes an output that a person watches, so many columns wide. Counts that move are drawn by a process alone.
    pub fn terminal(writer: impl Write + Send + 'static, columns: usize) -> Self {
        Self {
            is_terminal: true,
            width: Some(columns),
            ..Self::pipe(writer)
        }
    }

    fn of_process(writer: impl Write + io::IsTerminal + Send + 'static) -> Self {
        let is_terminal = writer.is_terminal();
        let width = terminal_size::terminal_size()
            .filter(|_| is_terminal)
            .map(|(terminal_size::Width(columns), _)| usize::from(columns));
        Self {
            is_terminal,
            width,
            ..Self::pipe(writer)
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("is_terminal", &self.is_terminal)
            .finish_non_exhaustive()
    }
}

/// Everything that a command has of the world outside.
pub struct Io {
    environment: Environment,
    stdin: Box<dyn BufRead + Send>,
    /// Whether a person can be asked.
    has_person: bool,
    stdout: Output,
    stderr: Output,
    /// Whether stderr is the process's own, on which counts can move.
    owns_stderr: bool,
    program: Program,
}

impl Io {
    /// Takes everything from the process.
    pub fn of_process() -> Self {
        Self {
            environment: Environment::of_process(),
            stdin: Box::new(io::BufReader::new(io::stdin())),
            has_person: io::stdin().is_terminal(),
            stdout: Output::of_process(io::stdout()),
            stderr: Output::of_process(io::stderr()),
            owns_stderr: true,
            program: Program::this(),
        }
    }

    /// Makes an empty stdin, and outputs for a program: where they go is up to the caller.
    ///
    /// Without a program, which [`Self::with_program`] names, the command compiles no plugins.
    pub fn new(environment: Environment, stdout: Output, stderr: Output) -> Self {
        Self {
            environment,
            stdin: Box::new(io::empty()),
            has_person: false,
            stdout,
            stderr,
            owns_stderr: false,
            program: Program::default(),
        }
    }

    /// Keeps what is printed, for a test.
    pub fn captured(environment: Environment) -> (Self, Captured) {
        let printed = Captured::default();
        let stdout = Output::pipe(printed.stdout.clone());
        let stderr = Output::pipe(printed.stderr.clone());
        (Self::new(environment, stdout, stderr), printed)
    }

    /// Lets a person answer questions, who types what `stdin` holds and watches stderr.
    #[must_use]
    pub fn with_person(mut self, stdin: impl BufRead + Send + 'static) -> Self {
        self.stdin = Box::new(stdin);
        self.has_person = true;
        self
    }

    /// Says where the program `synix` is: it compiles plugins and replays projects in processes of their own.
    #[must_use]
    pub fn with_program(mut self, program: PathBuf) -> Self {
        self.program = Program::File(program);
        self
    }

    pub(crate) fn split(self) -> (ProcessEnvironment, Streams) {
        let surroundings = ProcessEnvironment {
            environment: self.environment,
            program: self.program,
        };
        let streams = Streams {
            stdin: self.stdin,
            has_person: self.has_person,
            stdout: self.stdout,
            stderr: self.stderr,
            owns_stderr: self.owns_stderr,
        };
        (surroundings, streams)
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// What is no stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessEnvironment {
    pub(crate) environment: Environment,
    pub(crate) program: Program,
}

/// The three streams.
pub(crate) struct Streams {
    pub(crate) stdin: Box<dyn BufRead + Send>,
    pub(crate) has_person: bool,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) owns_stderr: bool,
}

/// What a command printed.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    stdout: Buffer,
    stderr: Buffer,
}

impl Captured {
    /// Returns what went to stdout.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Returns what went to stderr.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }
}

/// Bytes that two hands hold: one writes, one reads.
#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
