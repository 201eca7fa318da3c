//! A server of Restate, workers and a service.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

use crate::scale::server;
use crate::support::invocation::Invocation;
use crate::support::test_project::command_in;

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
    pub(super) fn start(command: &mut Command, reads_stdout: bool) -> Self {
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
    /// Where the service listens.
    service: u16,
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
        let [ingress, admin, node, service] = free_ports();
        let command = serve(&program, folder.path(), [ingress, admin, node]);
        let server = Process::start({ command }.envs(variables.iter().copied()), true);
        Some(Self {
            program,
            folder,
            ingress,
            admin,
            node,
            server,
            listen: "127.0.0.1:0".to_owned(),
            service,
        })
    }

    /// Starts the server again on the data of the one that was killed.
    pub(super) fn restart_server(&mut self) {
        let ports = [self.ingress, self.admin, self.node];
        let mut command = serve(&self.program, self.folder.path(), ports);
        self.server = Process::start(&mut command, true);
    }

    /// Waits until the server answers.
    pub(super) fn wait_for_server(&self) {
        while TcpStream::connect(("127.0.0.1", self.ingress)).is_err() {
            std::thread::yield_now();
        }
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

    /// Starts a service in a project. Its builds run on this machine.
    pub(super) fn start_service(&self, project: &Path, arguments: &[&str]) -> Process {
        self.start_service_of(&command_in(project, &[]), arguments)
    }

    /// Starts a service whose builds run their units on the workers.
    pub(super) fn start_service_with_workers(&self, project: &Path) -> Process {
        self.start_service_of(&self.elsewhere(command_in(project, &[])), &[])
    }

    fn start_service_of(&self, command: &Invocation, arguments: &[&str]) -> Process {
        let (admin, listen) = (self.admin_url(), format!("127.0.0.1:{}", self.service));
        let mut process = command.process();
        process
            .args(["service", "--register", &admin, "--listen", &listen])
            .args(arguments);
        let mut service = Process::start(&mut process, false);
        service.wait_for("knows this service as http://");
        service
    }

    /// A command that uses the service, in a folder without a project and without keys.
    pub(super) fn remote(&self, arguments: &[&str]) -> Invocation {
        let folder = self.folder.path().join("client");
        fs::create_dir_all(&folder).unwrap();
        let mut command = command_in(&folder, arguments);
        command
            .env(
                "SYNIX_ENGINE",
                format!("restate=http://127.0.0.1:{}", self.ingress),
            )
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY");
        command
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

/// Returns ports that were free a moment ago: the server cannot say which ones it has chosen, and a service that starts
/// again has the same one.
fn free_ports() -> [u16; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
