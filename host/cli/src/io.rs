//! The environment, the streams and the program of a command.

use std::fmt;
use std::io::{self, BufRead, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use synix_project::Environment;

use crate::compiler::Program;

/// An output stream of a command.
pub struct Output {
    pub(crate) writer: Box<dyn Write + Send>,
    pub(crate) is_terminal: bool,
    /// The number of columns; `None`: lines are not shortened.
    pub(crate) width: Option<usize>,
    pub(crate) colours: bool,
}

impl Output {
    /// Creates an output that is not a terminal, such as a file or a pipe.
    pub fn pipe(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Box::new(writer),
            is_terminal: false,
            width: None,
            colours: false,
        }
    }

    /// Creates an output that is a terminal with this number of columns. Only the process's own stderr shows progress bars.
    pub fn terminal(writer: impl Write + Send + 'static, columns: usize) -> Self {
        Self {
            is_terminal: true,
            width: Some(columns),
            ..Self::pipe(writer)
        }
    }

    fn from_process(writer: impl Write + io::IsTerminal + Send + 'static) -> Self {
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

/// Everything outside of a command that it uses.
pub struct Io {
    environment: Environment,
    stdin: Box<dyn BufRead + Send>,
    /// Whether the command can ask the user.
    is_interactive: bool,
    stdout: Output,
    stderr: Output,
    /// Whether stderr belongs to the process, so that it can show progress bars.
    owns_stderr: bool,
    program: Program,
}

impl Io {
    /// Uses the environment and the streams of the process.
    pub fn from_process() -> Self {
        Self {
            environment: Environment::from_process(),
            stdin: Box::new(io::BufReader::new(io::stdin())),
            is_interactive: io::stdin().is_terminal(),
            stdout: Output::from_process(io::stdout()),
            stderr: Output::from_process(io::stderr()),
            owns_stderr: true,
            program: Program::this(),
        }
    }

    /// Creates an `Io` with an empty stdin and these outputs, for a program that embeds the command.
    ///
    /// The command cannot compile plugins unless [`Self::with_program`] sets a program.
    pub fn new(environment: Environment, stdout: Output, stderr: Output) -> Self {
        Self {
            environment,
            stdin: Box::new(io::empty()),
            is_interactive: false,
            stdout,
            stderr,
            owns_stderr: false,
            program: Program::default(),
        }
    }

    /// Captures the outputs, for a test.
    pub fn captured(environment: Environment) -> (Self, Captured) {
        let printed = Captured::default();
        let stdout = Output::pipe(printed.stdout.clone());
        let stderr = Output::pipe(printed.stderr.clone());
        (Self::new(environment, stdout, stderr), printed)
    }

    /// Captures the outputs as a terminal with this number of columns would get them, for a test.
    pub fn captured_terminal(environment: Environment, columns: usize) -> (Self, Captured) {
        let printed = Captured::default();
        let stdout = Output::terminal(printed.stdout.clone(), columns);
        let stderr = Output::terminal(printed.stderr.clone(), columns);
        (Self::new(environment, stdout, stderr), printed)
    }

    /// Lets the command ask the user, whose answers come from `stdin` and who sees stderr.
    #[must_use]
    pub fn with_user_input(mut self, stdin: impl BufRead + Send + 'static) -> Self {
        self.stdin = Box::new(stdin);
        self.is_interactive = true;
        self
    }

    /// Sets the program `synix`, which compiles plugins and replays projects in child processes.
    #[must_use]
    pub fn with_program(mut self, program: PathBuf) -> Self {
        self.program = Program::File(program);
        self
    }

    pub(crate) fn split(self) -> (ProcessEnvironment, Streams) {
        let process = ProcessEnvironment {
            environment: self.environment,
            program: self.program,
        };
        let streams = Streams {
            stdin: self.stdin,
            is_interactive: self.is_interactive,
            stdout: self.stdout,
            stderr: self.stderr,
            owns_stderr: self.owns_stderr,
        };
        (process, streams)
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// The environment and the program of a command.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessEnvironment {
    pub(crate) environment: Environment,
    pub(crate) program: Program,
}

/// The streams of a command.
pub(crate) struct Streams {
    pub(crate) stdin: Box<dyn BufRead + Send>,
    pub(crate) is_interactive: bool,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) owns_stderr: bool,
}

/// The captured outputs of a command.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    stdout: Buffer,
    stderr: Buffer,
}

impl Captured {
    /// Returns the text on stdout.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Returns the text on stderr.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }
}

/// A shared buffer, for one writer and one reader.
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
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
