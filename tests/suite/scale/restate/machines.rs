//! A server of Restate, workers, and two copies of a project: one builds on this machine, the other on the workers.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

use crate::scale::server;
use crate::support::folders::copy;
use crate::support::invocation::{Invocation, Run};
use crate::support::test_project::{TestProject, command_in};

/// The variable with which `cargo xtask test --scale` names the server.
const VARIABLE: &str = "SYNIX_RESTATE_SERVER";

/// A process that is killed with its owner, and the lines that it prints.
pub(super) struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Starts a command and reads one of its outputs.
    fn start(command: &mut Command, reads_stdout: bool) -> Self {
        let (reads, other) = (Stdio::piped(), Stdio::null());
        if reads_stdout {
            command.stdout(reads).stderr(other);
        } else {
            command.stdout(other).stderr(reads);
        }
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let output: Box<dyn Read + Send> = if reads_stdout {
            Box::new(child.stdout.take().unwrap())
        } else {
            Box::new(child.stderr.take().unwrap())
        };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // A full pipe would block the process, so lines are read even if nobody waits for them.
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line with this text, and returns it.
    #[track_caller]
    pub(super) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv() else {
                panic!("the process ended without {text:?}: {:#?}", self.seen);
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Kills the process as a lost machine is lost.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for the end, and returns the exit code and everything that was printed.
    pub(super) fn end(&mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        self.seen.extend(self.lines.iter());
        (status.code(), self.seen.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server, the store of contents, and the address of the workers.
pub(super) struct Machines {
    program: PathBuf,
    folder: TempDir,
    ingress: u16,
    admin: u16,
    node: u16,
    pub(super) server: Process,
    /// Where all workers listen, as soon as there is one.
    listen: String,
}

impl Machines {
    /// Starts a server; `None`: there is none for these tests.
    pub(super) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with further variables.
    pub(super) fn start_with(variables: &[(&str, &Path)]) -> Option<Self> {
        let program = server(VARIABLE)?;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("contents")).unwrap();
        let ports = free_ports();
        let command = serve(&program, folder.path(), ports);
        let server = Process::start({ command }.envs(variables.iter().copied()), true);
        let [ingress, admin, node] = ports;
        Some(Self {
            program,
            folder,
            ingress,
            admin,
            node,
            server,
            listen: "127.0.0.1:0".to_owned(),
        })
    }

    /// Starts the server again on the data of the one that was killed.
    pub(super) fn restart_server(&mut self) {
        let ports = [self.ingress, self.admin, self.node];
        let mut command = serve(&self.program, self.folder.path(), ports);
        self.server = Process::start(&mut command, true);
    }

    pub(super) fn contents(&self) -> PathBuf {
        self.folder.path().join("contents")
    }

    fn content_url(&self) -> String {
        format!("file://{}", self.contents().display())
    }

    pub(super) fn admin_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin)
    }

    /// A worker whose environment has no key.
    pub(super) fn worker_command(&self, arguments: &[&str]) -> Command {
        let content = self.content_url();
        let mut all = vec!["worker", "--jobs", "1", "--content", &content];
        all.extend(["--listen", &self.listen]);
        all.extend(arguments);
        let mut worker = command_in(self.folder.path(), &all);
        worker
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY")
            // It says which chunks it ran.
            .env("SYNIX_LOG", "synix_restate=debug");
        worker.process()
    }

    /// Starts a worker that the server knows. A further one listens where the first one does.
    pub(super) fn start_worker(&mut self) -> Process {
        self.start_worker_with(&[])
    }

    /// Starts such a worker with further variables.
    pub(super) fn start_worker_with(&mut self, variables: &[(&str, &str)]) -> Process {
        let admin = self.admin_url();
        let mut command = self.worker_command(&["--register", &admin]);
        command.envs(variables.iter().copied());
        let mut worker = Process::start(&mut command, false);
        let line = worker.wait_for("knows this worker as http://");
        let (_, address) = line.rsplit_once("http://").unwrap();
        self.listen = address.trim_end_matches('/').to_owned();
        worker
    }

    /// Starts a worker, and does not wait until the server knows it.
    pub(super) fn start_unknown_worker(&self, arguments: &[&str]) -> Process {
        Process::start(&mut self.worker_command(arguments), false)
    }

    /// A command that runs units on the workers.
    pub(super) fn elsewhere(&self, mut command: Invocation) -> Invocation {
        let url = format!("restate=http://127.0.0.1:{}", self.ingress);
        command
            .env("SYNIX_ENGINE", url)
            .env("SYNIX_ENGINE_CONTENT", self.content_url());
        command
    }
}

/// The command of a server whose data is in `folder`, with the ports of its ingress, its admin API and its node.
fn serve(program: &Path, folder: &Path, [ingress, admin, node]: [u16; 3]) -> Command {
    let address = |port| format!("127.0.0.1:{port}");
    let mut command = Command::new(program);
    command
        .args(["--no-logo", "--listen-mode", "tcp", "--node-name", "one"])
        .args(["--bind-ip", "127.0.0.1", "--advertised-host", "127.0.0.1"])
        .arg("--base-dir")
        .arg(folder.join("server"))
        .env_clear()
        .env("HOME", folder)
        .env("RESTATE_DISABLE_TELEMETRY", "true")
        .env("RESTATE_INGRESS__BIND_ADDRESS", address(ingress))
        .env("RESTATE_ADMIN__BIND_ADDRESS", address(admin))
        .env("RESTATE_BIND_ADDRESS", address(node));
    command
}

/// Returns three ports that were free a moment ago: the server cannot say which ones it has chosen.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Two copies of a project with one provider.
pub(super) struct Twins {
    pub(super) here: TestProject,
    elsewhere: PathBuf,
    _temporary: TempDir,
}

impl Twins {
    pub(super) fn of(here: TestProject) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let elsewhere = temporary.path().join("project");
        copy(&here.path(""), &elsewhere);
        Self {
            here,
            elsewhere,
            _temporary: temporary,
        }
    }

    /// A command in the copy, which runs units on the workers.
    pub(super) fn elsewhere(&self, machines: &Machines, arguments: &[&str]) -> Invocation {
        machines.elsewhere(command_in(&self.elsewhere, arguments))
    }

    /// Starts a command in the copy in its own process.
    pub(super) fn start(&self, machines: &Machines, arguments: &[&str]) -> Process {
        let mut command = self.elsewhere(machines, arguments).process();
        Process::start(&mut command, false)
    }

    /// Asserts that both copies have the same artifacts, byte by byte, with the same provenance.
    #[track_caller]
    pub(super) fn assert_equal(&self, layer: &str) {
        let export = |run: Run| run.expect_code(0).stdout;
        let arguments = ["export", layer];
        let here = export(self.here.run(&arguments));
        let elsewhere = export(command_in(&self.elsewhere, &arguments).run());
        assert_eq!(here.lines().count(), elsewhere.lines().count());
        // A build that was killed was continued by the second one.
        let elsewhere = elsewhere.replace("\"build\":\"build-2\"", "\"build\":\"build-1\"");
        for (here, elsewhere) in here.lines().zip(elsewhere.lines()) {
            assert_eq!(here, elsewhere);
        }
        assert!(!here.is_empty());
        let names = ["list", "--json"];
        let ids = |run: Run| {
            let listed = run.json()["artifacts"].clone();
            let listed = listed.as_array().unwrap().iter();
            listed
                .map(|one| one["id"].to_string())
                .collect::<Vec<String>>()
        };
        assert_eq!(
            ids(self.here.run(&names)),
            ids(command_in(&self.elsewhere, &names).run())
        );
    }

    /// Opens the database of the copy.
    pub(super) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.elsewhere.join(".synix/state.sqlite3")).unwrap()
    }
}
