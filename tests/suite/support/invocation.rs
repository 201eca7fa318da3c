//! One invocation of the command and its output. It runs in this process by default, and in its own process where that
//! matters.
//!
//! A test needs a process for a signal or a kill, a terminal, kernel limits, a command that runs beside another one,
//! and for what a library reads from the environment of the process: proxies and certificates. For everything else a
//! process only adds its start and a second copy of the engine.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;

use serde_json::Value;
use synix::{Captured, Environment, Io};

/// The key of every provider.
pub(crate) const KEY: &str = "sk-the-suite-keeps-this-secret";

/// The program of the command.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_synix");

/// The home folder of all tests. It is kept between runs: compiling a component takes longer than any test.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/home/cache");
/// The secret that seals the compiled components in this home.
const SEAL: &str = concat!(
    env!("CARGO_TARGET_TMPDIR"),
    "/home/.config/synix/compile-cache-secret"
);

/// Variables that must be set in a process: libraries read most of them from there, the first one kills the process,
/// and `tracing` has one filter for all commands of a process.
const PROCESS_VARIABLES: [&str; 7] = [
    "SYNIX_CRASH_AT",
    "SYNIX_LOG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
];

/// Arguments, a folder and an environment.
#[derive(Clone)]
pub(crate) struct Invocation {
    folder: PathBuf,
    arguments: Vec<OsString>,
    variables: BTreeMap<OsString, OsString>,
    /// The program that compiles components for a command in this process.
    compiler: PathBuf,
}

/// The exit code and the output of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Invocation {
    /// A command in `folder` with a minimal environment.
    pub(crate) fn new<A: Into<OsString> + Clone>(folder: &Path, arguments: &[A]) -> Self {
        let variables = [
            ("HOME", HOME),
            ("XDG_CACHE_HOME", CACHE),
            ("SYNIX_CLOCK", "2026-01-01T00:00:00Z"),
            ("OPENAI_API_KEY", KEY),
            ("ANTHROPIC_API_KEY", KEY),
        ];
        Self {
            folder: folder.to_owned(),
            arguments: arguments.iter().cloned().map(Into::into).collect(),
            variables: variables
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            compiler: PROGRAM.into(),
        }
    }

    /// Uses another program than synix to compile components.
    #[cfg(unix)]
    pub(crate) fn with_compiler(&mut self, program: &Path) -> &mut Self {
        self.compiler = program.to_owned();
        self
    }

    pub(crate) fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        let value = value.as_ref().to_owned();
        self.variables.insert(name.as_ref().to_owned(), value);
        self
    }

    pub(crate) fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> &mut Self {
        for (name, value) in variables {
            self.env(name, value);
        }
        self
    }

    pub(crate) fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.variables.remove(name.as_ref());
        self
    }

    pub(crate) fn environment(&self) -> Environment {
        Environment::new(&self.variables, self.folder.clone())
    }

    /// Runs the command in this process, unless it needs its own process.
    pub(crate) fn run(&self) -> Run {
        if self.needs_process() {
            return self.run_process();
        }
        let (io, printed) = Io::captured(self.environment());
        self.run_with(io, &printed)
    }

    /// Runs the command in this process, in a terminal with this number of columns.
    pub(crate) fn run_in_terminal(&self, columns: usize) -> Run {
        let (io, printed) = Io::captured_terminal(self.environment(), columns);
        self.run_with(io, &printed)
    }

    fn run_with(&self, io: Io, printed: &Captured) -> Run {
        exit_on_interrupt();
        let arguments = self.arguments.iter().cloned();
        let code = synix::run(arguments, io.with_program(self.compiler.clone()));
        Run {
            code: code.into(),
            stdout: self.with_relative_paths(&printed.stdout()),
            stderr: self.with_relative_paths(&printed.stderr()),
        }
    }

    fn needs_process(&self) -> bool {
        let is_log = |argument: &OsString| {
            let text = argument.to_str().unwrap_or_default();
            text == "--verbose"
                || text
                    .strip_prefix("-v")
                    .is_some_and(|more| more.bytes().all(|one| one == b'v'))
        };
        self.arguments.iter().any(is_log)
            || PROCESS_VARIABLES
                .iter()
                .any(|name| self.variables.contains_key(OsStr::new(name)))
    }

    /// Removes the folder from printed paths, as a process in that folder would print them.
    fn with_relative_paths(&self, printed: &str) -> String {
        let mut folder = self.folder.to_str().expect("text").to_owned();
        if !folder.ends_with('/') {
            folder.push('/');
        }
        printed.replace(&folder, "")
    }

    /// Returns the command as a process that is not started yet.
    pub(crate) fn process(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run_process(&self) -> Run {
        Run::of(&mut self.process())
    }
}

/// Lets commands with the configuration folder `config` use the components that earlier tests have compiled.
///
/// With a secret of its own, a command would not only compile them again: what it compiles replaces what the tests share,
/// so all others would compile again as well.
pub(crate) fn share_seal(config: &Path) {
    fs::create_dir_all(config).expect("a configuration folder");
    // Without a secret, no test has compiled anything yet.
    if Path::new(SEAL).exists() {
        fs::copy(SEAL, config.join("compile-cache-secret")).expect("a copied secret");
    }
}

/// Copies the components that earlier tests have compiled to another home, whose files belong to `owner`.
///
/// A component belongs to the user who compiled it, so nobody else can use the shared ones.
#[cfg(unix)]
pub(crate) fn copy_compiled(home: &Path, owner: Option<u32>) {
    let (cache, config) = (home.join(".cache/synix"), home.join(".config/synix"));
    fs::create_dir_all(&cache).expect("a cache folder");
    share_seal(&config);
    let is_compiled = |path: &PathBuf| path.extension().is_some_and(|end| end == "cwasm");
    let compiled = fs::read_dir(Path::new(CACHE).join("synix"));
    for from in compiled
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(is_compiled)
    {
        let name = from.file_name().expect("a name");
        // A component that cannot be copied, because another test replaces it, is compiled again.
        let _ = fs::copy(&from, cache.join(name));
    }
    let give = |path: &Path| {
        std::os::unix::fs::chown(path, owner, owner).expect("a file that is given away");
    };
    for folder in [&cache, &config] {
        for file in fs::read_dir(folder).expect("a folder").flatten() {
            give(&file.path());
        }
        folder
            .ancestors()
            .take_while(|folder| *folder != home)
            .for_each(give);
    }
}

/// Makes Ctrl-C and SIGTERM end the tests: a build that runs in this process handles these signals.
fn exit_on_interrupt() {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        #[expect(clippy::exit, reason = "whoever interrupts the tests wants no results")]
        let end = || std::process::exit(130);
        synix_project::on_interrupt(end).expect("a thread that listens");
    });
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::of_output(command.output().expect("a finished command"))
    }

    pub(crate) fn of_output(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error} in {:?}\nstderr: {}", self.stdout, self.stderr),
        }
    }

    /// Whether either output contains `text`.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }
}
