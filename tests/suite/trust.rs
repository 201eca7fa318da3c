//! What needs the user's permission: without it nothing is run, called, sent or used, and with it only exactly that.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::clones;
use crate::folders::copy;
use crate::invocation::Invocation;
use crate::test_project::{BATCH_BUILD, KEY, RESUME, Run, TestProject, command_in, text};
use crate::transcript::assert_transcript;

/// A proxy that records where each connection should go and closes it.
pub(crate) struct RecordingProxy {
    url: String,
    connections: Arc<Mutex<Vec<String>>>,
}

impl RecordingProxy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                let mut reader = BufReader::new(stream);
                reader.read_line(&mut line).unwrap_or(0);
                // Recorded before the connection ends, because the command ends with it.
                ours.lock().unwrap().push(line.trim_end().to_owned());
            }
        });
        Self { url, connections }
    }

    /// Runs a command whose connections to other machines go through this proxy.
    pub(crate) fn run_through(&self, command: &mut Invocation) -> Run {
        for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
            command.env(name, &self.url);
        }
        command.run()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the first line of each connection.
    pub(crate) fn connections(&self) -> Vec<String> {
        self.connections.lock().unwrap().clone()
    }
}

/// A provider that records the heads of calls and does not answer.
struct SilentProvider {
    url: String,
    address: SocketAddr,
    heads_thread: JoinHandle<Vec<String>>,
}

impl SilentProvider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads_thread = std::thread::spawn(move || {
            let heads = listener.incoming().flatten().map(|stream| {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                head.join("\n")
            });
            heads.take_while(|head| !head.is_empty()).collect()
        });
        Self {
            url: format!("http://{address}/v1"),
            address,
            heads_thread,
        }
    }

    /// Returns the heads of all calls and stops the server.
    fn received_heads(self) -> Vec<String> {
        // A connection without a call ends the thread.
        drop(TcpStream::connect(self.address));
        self.heads_thread.join().unwrap()
    }
}

/// One request for one note, to the provider at a URL.
fn project_with_provider_at(url: &str, more: &str) -> TestProject {
    let project = TestProject::with_layers("");
    project.write("notes/a.md", "a note");
    project.write("synix.toml", &pipeline_for(url, more, "Say: {{ content }}"));
    project
}

fn pipeline_for(url: &str, more: &str, prompt: &str) -> String {
    let provider = format!("base_url = \"{url}\"\nbatch = true\n{more}");
    clones::pipeline_with_one_prompt("", &provider, prompt)
}

/// Adds a line to the table `[pipeline]`.
fn with_pipeline_key(project: &TestProject, line: &str) {
    let file = fs::read_to_string(project.path("synix.toml")).unwrap();
    let (name, rest) = file.split_once("\n[providers").unwrap();
    let first: Vec<&str> = name.lines().take(2).collect();
    project.write(
        "synix.toml",
        &format!("{}\n{line}\n\n[providers{rest}", first.join("\n")),
    );
}

/// Asserts that a build was allowed, and only failed because no server answers.
#[track_caller]
fn assert_allowed(run: &Run) {
    assert!(matches!(run.code, 1 | 3), "{run:?}");
}

/// Every command that sends requests.
const SENDING_COMMANDS: [&[&str]; 3] = [&["build"], &["build", "--no-wait"], &BATCH_BUILD];

#[test]
fn a_plain_project_needs_no_permission() {
    let project = TestProject::team();
    let run = project.ok(&["trust"]);
    assert_transcript!(run);
    project.ok(&["build"]);
    assert_eq!(project.json(&["trust"])["asked"], Value::Array(Vec::new()));
}

/// W3: the error names the variable and the server.
#[test]
fn a_key_is_sent_to_another_server_only_after_permission() {
    let other_variable = "api_key_env = \"STOLEN\"";
    for (url, shown, more) in [
        ("https://evil.example/v1", "https://evil.example/v1", ""),
        (
            "https://api.openai.com.evil.example",
            "https://api.openai.com.evil.example",
            "",
        ),
        (
            "https://api.openai.com:8443/v1",
            "https://api.openai.com:8443/v1",
            "",
        ),
        (
            "https://api.openai.com./v1",
            "https://api.openai.com./v1",
            "",
        ),
        ("https://api.anthropic.com", "https://api.anthropic.com", ""),
        (
            "https://[::ffff:127.0.0.1]/v1",
            "https://[::ffff:7f00:1]/v1",
            "",
        ),
        (
            "https://API.OPENAI.COM/v1",
            "https://api.openai.com/v1",
            other_variable,
        ),
        ("https://0x0a.1/v1", "https://10.0.0.1/v1", other_variable),
    ] {
        let variable = if more.is_empty() {
            "OPENAI_API_KEY"
        } else {
            "STOLEN"
        };
        let proxy = RecordingProxy::start();
        let project = project_with_provider_at(url, more);
        for arguments in SENDING_COMMANDS {
            let mut command = project.command(arguments);
            let run = proxy.run_through(command.env("STOLEN", "aws-secret-value"));
            let run = run.expect_code(5);
            assert!(
                run.says(&format!(
                    "{variable} from your environment as a key to {shown}\n"
                )) && run.says("synix trust")
                    && !run.says("aws-secret-value"),
                "{url}: {run:?}"
            );
        }
        assert_eq!(proxy.connections(), [""; 0], "{url}");
        assert!(!project.path(".synix").exists(), "nothing was begun");
    }
}

/// A variable without a value cannot be sent.
#[test]
fn a_missing_key_needs_no_permission_to_build() {
    let project = project_with_provider_at("https://evil.example/v1", "api_key_env = \"TEAM_KEY\"");
    let run = project.run(&["build"]).expect_code(1);
    assert_transcript!(run);
    // `trust` lists it all the same, because another shell may set the variable.
    let asked = project.run(&["trust"]).expect_code(5);
    assert_transcript!(asked);
}

/// W3
#[test]
fn a_permission_covers_only_the_shown_server_and_variable() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("https://gateway.example/team-a/v1", "");
    let build = || proxy.run_through(&mut project.command(&["build"]));
    build().expect_code(5);
    let shown = project.ok(&["trust", "--yes"]);
    assert!(shown.says("OPENAI_API_KEY") && shown.says("https://gateway.example/team-a/v1"));
    assert_allowed(&build());
    assert_eq!(
        proxy.connections(),
        ["CONNECT gateway.example:443 HTTP/1.1"]
    );
    // Another prompt needs no new permission.
    let file = |url: &str, more: &str| {
        project.write(
            "synix.toml",
            &pipeline_for(url, more, "Say once more: {{ content }}"),
        );
    };
    file("https://gateway.example:443/team-a/v1/", "");
    assert_allowed(&build());
    assert_eq!(proxy.connections().len(), 2);
    for (url, more) in [
        ("https://gateway.example/team-b/v1", ""),
        ("https://gateway.example", ""),
        ("https://gateway.example:8443/team-a/v1", ""),
        ("https://other.example/team-a/v1", ""),
        (
            "https://gateway.example/team-a/v1",
            "api_key_env = \"ANTHROPIC_API_KEY\"",
        ),
    ] {
        file(url, more);
        build().expect_code(5);
    }
    assert_eq!(proxy.connections().len(), 2);
}

#[test]
fn a_permission_for_one_command_is_not_stored() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("https://gateway.example/v1", "");
    assert_allowed(&proxy.run_through(&mut project.command(&["build", "--trust"])));
    assert_eq!(proxy.connections().len(), 1);
    project.run(&["build"]).expect_code(5);
    assert_eq!(proxy.connections().len(), 1);
    let asked = project.run(&["trust", "--json"]).expect_code(5).json();
    assert_eq!(asked["trusted"], false);
}

#[test]
fn a_permission_is_listed_and_can_be_revoked() {
    let project = project_with_provider_at("https://gateway.example/v1", "");
    let folder = project.path("").canonicalize().unwrap();
    let listed = || {
        let all = project.json(&["trust", "list"]);
        let ours = all["trusted"].as_array().unwrap().iter();
        ours.filter(|yes| yes["project"] == folder.to_str().unwrap())
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(listed().is_empty());
    project.run(&["trust", "revoke"]).expect_code(2);
    project.ok(&["trust", "--yes"]);
    // A granted permission is not stored twice.
    project.ok(&["trust", "--yes"]);
    let [yes] = &listed()[..] else {
        panic!("{:?}", listed());
    };
    assert!(text(&yes["asked"][0]).contains("OPENAI_API_KEY"), "{yes}");
    project.ok(&["trust"]);
    project.ok(&["trust", "revoke"]);
    assert!(listed().is_empty());
    project.run(&["build"]).expect_code(5);
}

/// There is no one to prompt, so a script must pass `--yes`.
#[test]
fn without_a_terminal_permission_requires_yes() {
    let project = project_with_provider_at("https://gateway.example/v1", "");
    let run = project.run(&["trust"]).expect_code(5);
    assert_transcript!(run);
    project.run(&["build"]).expect_code(5);
}

/// W3: `OPENAI_BASE_URL` in the environment of the process needs no permission.
#[test]
fn the_environment_can_move_a_provider_and_dot_env_cannot() {
    let moved = |project: &TestProject| {
        let mut command = project.command(&["build"]);
        command.env("OPENAI_BASE_URL", project.provider.openai_url());
        command.run()
    };
    let project = project_with_provider_at("https://x", "");
    let without = pipeline_for("https://x", "", "Say: {{ content }}")
        .replace("base_url = \"https://x\"\n", "");
    project.write("synix.toml", &without);
    moved(&project).expect_code(0);
    assert_eq!(project.sent(), 1);

    let project = project_with_provider_at("https://x", "");
    project.write("synix.toml", &without);
    project.write(
        ".env",
        &format!("OPENAI_BASE_URL={}\n", project.provider.openai_url()),
    );
    let proxy = RecordingProxy::start();
    let run = proxy.run_through(&mut project.command(&["build"]));
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
    assert_eq!(proxy.connections(), ["CONNECT api.openai.com:443 HTTP/1.1"]);
}

/// The user put the key there for this pipeline.
#[test]
fn a_key_from_dot_env_is_sent_to_the_pipelines_server() {
    let proxy = RecordingProxy::start();
    let project =
        project_with_provider_at("https://gateway.example/v1", "api_key_env = \"TEAM_KEY\"");
    project.write(".env", "\u{feff}export\tTEAM_KEY=\"sk-team\" # ours\r\n");
    project.ok(&["trust"]);
    assert_allowed(&proxy.run_through(&mut project.command(&["build"])));
    assert_eq!(
        proxy.connections(),
        ["CONNECT gateway.example:443 HTTP/1.1"]
    );
    // The environment takes precedence, and its key does not belong to this server.
    let mut command = project.command(&["build"]);
    proxy
        .run_through(command.env("TEAM_KEY", "real"))
        .expect_code(5);
}

/// X10
#[test]
fn a_key_is_sent_without_quotes_and_comments() {
    for line in [
        "TEAM_KEY=sk-team # mine",
        "TEAM_KEY=\"sk-team\" # mine",
        "TEAM_KEY='sk-team'",
        "export\tTEAM_KEY=sk-team\t# mine\r",
        "\u{feff}TEAM_KEY = sk-team  ",
    ] {
        let listener = SilentProvider::start();
        let project = project_with_provider_at(&listener.url, "api_key_env = \"TEAM_KEY\"");
        project.write(".env", &format!("{line}\n# other keys\n"));
        let run = project.run(&["build"]);
        let heads = listener.received_heads();
        let is_sent = |head: &String| {
            let mut lines = head.lines().map(str::to_lowercase);
            lines.any(|line| line == "authorization: bearer sk-team")
        };
        assert!(
            heads.iter().all(is_sent) && !heads.is_empty(),
            "{line:?}: {heads:?} {run:?}"
        );
    }
}

/// The `.env` of an attacker cannot read the environment.
#[test]
fn dot_env_does_not_expand_variables() {
    let listener = SilentProvider::start();
    let project = project_with_provider_at(&listener.url, "api_key_env = \"TEAM_KEY\"");
    project.write(
        ".env",
        "TEAM_KEY=\"${ANTHROPIC_API_KEY}$ANTHROPIC_API_KEY\"\n",
    );
    project.run(&["build"]);
    let head = listener.received_heads().concat();
    assert!(
        !head.contains(KEY) && head.contains("$ANTHROPIC_API_KEY"),
        "{head}"
    );
}

/// W21: anyone on the network path can read plain HTTP.
#[test]
fn no_key_leaves_this_machine_unencrypted() {
    for url in [
        "http://far.example/v1",
        "http://10.0.0.1/v1",
        "http://localhost.example/v1",
        "http://0.0.0.0:1/v1",
    ] {
        let proxy = RecordingProxy::start();
        let project = project_with_provider_at(url, "");
        for arguments in [&["build"][..], &["build", "--trust"]] {
            let run = proxy
                .run_through(&mut project.command(arguments))
                .expect_code(5);
            assert!(
                run.says("unencrypted") && run.says("OPENAI_API_KEY"),
                "{run:?}"
            );
        }
        project.write(".env", "OPENAI_API_KEY=sk-own\n");
        let mut command = project.command(&["build", "--trust"]);
        let run = proxy.run_through(command.env_remove("OPENAI_API_KEY"));
        assert!(run.expect_code(5).says("unencrypted"));
        assert_eq!(proxy.connections(), [""; 0], "{url}");
    }
}

/// Such a server may be in the user's own network.
#[test]
fn plain_http_is_allowed_without_a_key() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("http://far.example/v1", "");
    let mut command = project.command(&["build"]);
    let run = proxy.run_through(command.env_remove("OPENAI_API_KEY"));
    assert_allowed(&run);
    assert_eq!(proxy.connections().len(), 1, "{run:?}");
}

/// W20
#[test]
fn hidden_files_are_sent_to_another_server_only_after_permission() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("https://evil.example/v1", "");
    project.write(".git/config", "a token");
    let file = pipeline_for("https://evil.example/v1", "", "Say: {{ content }}");
    let source = "source = \".git/config\"\nallow_hidden = true";
    project.write(
        "synix.toml",
        &file.replace("source = \"notes/*.md\"", source),
    );
    let mut command = project.command(&["build"]);
    let run = proxy
        .run_through(command.env_remove("OPENAI_API_KEY"))
        .expect_code(5);
    assert_transcript!(run);
    assert_eq!(proxy.connections(), [""; 0]);
    // A server on this machine needs no permission: the files stay with the user.
    let local_url = project.provider.openai_url();
    let file = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &file.replace("https://evil.example/v1", &local_url),
    );
    project.ok(&["build"]);
}

/// The document has the kind of the error and everything that needs permission.
#[test]
fn a_refusal_is_a_json_document() {
    let project = project_with_provider_at("https://evil.example/v1", "");
    let error = &project.run(&["build", "--json"]).expect_code(5).json()["error"];
    assert_eq!(error["kind"], "untrusted");
    assert!(
        text(&error["message"]).contains("OPENAI_API_KEY"),
        "{error}"
    );
    assert!(text(&error["hint"]).contains("synix trust"), "{error}");
}

/// This holds for every variable that can name the folder of permissions.
#[test]
fn permissions_stored_inside_the_project_are_ignored() {
    let project = TestProject::team();
    let layers = fs::read_to_string(project.path("synix.toml")).unwrap();
    let layers = layers.replacen(
        "name = \"suite\"",
        "name = \"suite\"\non_done = \"touch ran\"",
        1,
    );
    project.write("synix.toml", &layers);
    let config = project.path("kept");
    let with = |name: &str, folder: &Path, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command
            .env_remove("SYNIX_CONFIG_DIR")
            .env_remove("XDG_CONFIG_HOME")
            .env(name, folder);
        command.run()
    };
    // Made elsewhere for this project, and then copied into it.
    let proxy = tempfile::tempdir().unwrap();
    let stored = proxy.path().join("synix");
    with("SYNIX_CONFIG_DIR", &stored, &["trust", "--yes"]).expect_code(0);
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(proxy.path()).arg(&config);
    assert!(copy.status().unwrap().success());
    for (name, folder) in [
        ("SYNIX_CONFIG_DIR", config.join("synix")),
        ("XDG_CONFIG_HOME", config.clone()),
    ] {
        let run = with(name, &folder, &["build"]).expect_code(5);
        assert!(
            run.says("touch ran") && run.says("is part of the project"),
            "{run:?}"
        );
    }
    assert!(!project.path("ran").exists());
    assert_eq!(project.sent(), 0);
}

/// W9: the permission is for exactly this command in this folder.
#[test]
fn a_command_runs_only_after_permission() {
    let mut project = TestProject::team();
    let layers = fs::read_to_string(project.path("synix.toml")).unwrap();
    let on_done = |project: &TestProject, line: &str| {
        project.write(
            "synix.toml",
            &layers.replacen("name = \"suite\"", &format!("name = \"suite\"\n{line}"), 1),
        );
    };
    on_done(&project, "on_done = \"touch ran\"");
    for arguments in SENDING_COMMANDS {
        let run = project.run(arguments).expect_code(5);
        assert!(run.says("touch ran") && run.says("synix trust"), "{run:?}");
    }
    assert_eq!(project.sent(), 0, "the yes comes before anything is sent");
    project.ok(&["trust", "--yes"]);
    project.ok(&["build"]);
    assert!(project.path("ran").exists());
    for other in [
        "on_done = \"touch ran \"",
        "on_done = [\"touch ran\"]",
        "on_done = \"touch ran\"\non_done_in_replay = true",
        "on_done = \"touch ran\"\non_done_url = \"http://127.0.0.1:1/\"",
    ] {
        on_done(&project, other);
        project.run(&["build"]).expect_code(5);
    }
    on_done(&project, "on_done = \"touch ran\"");
    project.ok(&["build"]);
    project.move_elsewhere();
    project.run(&["build"]).expect_code(5);
    project.ok(&["build", "--trust"]);
}

#[test]
fn a_permission_holds_when_the_project_asks_for_less() {
    let project = TestProject::team();
    let layers = fs::read_to_string(project.path("synix.toml")).unwrap();
    let two_hooks = "name = \"suite\"\non_done = \"true\"\non_done_url = \"http://127.0.0.1:1/\"";
    project.write(
        "synix.toml",
        &layers.replacen("name = \"suite\"", two_hooks, 1),
    );
    project.ok(&["trust", "--yes"]);
    let one_hook = "name = \"suite\"\non_done = \"true\"";
    project.write(
        "synix.toml",
        &layers.replacen("name = \"suite\"", one_hook, 1),
    );
    project.ok(&["build"]);
}

/// W9: this includes services on this machine. The log does not contain the path, which may be secret.
#[test]
fn a_url_is_called_only_after_permission() {
    let project = TestProject::team();
    let proxy = RecordingProxy::start();
    with_pipeline_key(&project, &format!("on_done_url = \"{}/secret\"", proxy.url));
    let run = project.run(&["build"]).expect_code(5);
    assert!(run.says(&proxy.url) && !run.says("/secret"), "{run:?}");
    assert!(project.run(&["trust"]).says("/secret"));
    assert_eq!((project.sent(), proxy.connections().len()), (0, 0));
    project.ok(&["trust", "--yes"]);
    project.ok(&["build"]);
    assert_eq!(proxy.connections(), ["POST /secret HTTP/1.1"]);
}

/// W4, W9: without permission, a replay neither prompts nor runs the command.
#[test]
fn a_replay_runs_a_command_only_after_permission() {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    with_pipeline_key(
        &project,
        "on_done = \"touch ran\"\non_done_in_replay = true",
    );
    let replay = ["build", "--cassette-mode", "replay"];
    let run = project.ok(&replay);
    assert!(
        !project.path("ran").exists() && run.says("synix trust"),
        "{run:?}"
    );
    project.ok(&["trust", "--yes"]);
    project.ok(&replay);
    assert!(project.path("ran").exists());
}

/// W9: the variables that the command does not get are not readable in its parent either.
#[cfg(target_os = "linux")]
#[test]
fn a_command_cannot_read_the_environment_of_its_parent() {
    let project = TestProject::team();
    with_pipeline_key(
        &project,
        "on_done = \"cat /proc/$PPID/environ > seen; echo $? > code; cat /proc/$PPID/mem >> seen\"",
    );
    project.ok(&["build", "--trust"]);
    let connections = fs::read(project.path("seen")).unwrap();
    assert!(!String::from_utf8_lossy(&connections).contains(KEY));
    assert_ne!(
        fs::read_to_string(project.path("code")).unwrap().trim(),
        "0"
    );
}

/// W9: its child processes end with it.
#[cfg(unix)]
#[test]
fn a_killed_command_leaves_no_processes_behind() {
    let project = TestProject::team();
    // Renamed at the end, so that the test never reads a half-written file.
    with_pipeline_key(
        &project,
        "on_done = \"sleep 1000 & echo $! > id; sleep 1000 & echo $! >> id; mv id ids; wait\"",
    );
    let child = project.start(&["build", "--trust"]);
    while !project.path("ids").exists() {
        std::thread::yield_now();
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let stderr = child.wait_with_output().unwrap().stderr;
    assert!(String::from_utf8_lossy(&stderr).contains("killed before it was done"));
    for id in fs::read_to_string(project.path("ids")).unwrap().lines() {
        // An ended process may wait for its new parent.
        while is_alive(id) {
            std::thread::yield_now();
        }
    }
}

#[cfg(unix)]
fn is_alive(id: &str) -> bool {
    let asked = Command::new("ps").args(["-o", "stat=", "-p", id]).output();
    let state = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    state.is_ok_and(|state| !state.is_empty() && !state.starts_with('Z'))
}

/// W5, W12: a copied state can be read, but nothing is built on it.
#[test]
fn a_copied_state_needs_permission() {
    let other = TestProject::team();
    other.ok(&["build"]);
    let project = TestProject::team();
    copy(&other.path(".synix"), &project.path(".synix"));
    for arguments in SENDING_COMMANDS {
        let run = project.run(arguments).expect_code(5);
        assert!(run.says("use the state in .synix"), "{run:?}");
    }
    project.run(&RESUME).expect_code(5);
    project.run(&["batch-build", "cancel"]).expect_code(5);
    for arguments in [
        &["list"][..],
        &["show", "summary"],
        &["lineage", "summary"],
        &["runs"],
        &["plan"],
        &["batch-build", "plan"],
    ] {
        project.ok(arguments);
    }
    assert_eq!(project.sent(), 0);
    project.ok(&["build", "--trust"]);
    project.run(&["build"]).expect_code(5);
    project.ok(&["trust", "--yes"]);
    project.ok(&["build"]);
    project.ok(&["trust", "revoke"]);
    project.run(&["build"]).expect_code(5);
}

#[test]
fn the_users_own_state_needs_no_permission_even_after_a_move() {
    let mut project = TestProject::team();
    // Other tests share a folder, and each command deletes permissions of projects in the folder for temporary files.
    let config = tempfile::tempdir().unwrap();
    let ok = |project: &TestProject, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command
            .env("SYNIX_CONFIG_DIR", config.path().join("synix"))
            .run()
            .expect_code(0);
    };
    ok(&project, &["build", "--cassette-mode", "record"]);
    project.move_elsewhere();
    ok(&project, &["build"]);
    fs::remove_dir_all(project.path(".synix")).unwrap();
    ok(&project, &["build", "--cassette-mode", "replay"]);
    ok(&project, &["build"]);
    ok(&project, &["trust"]);
}

/// Without a place to store permissions, `--trust` still works.
#[test]
fn a_missing_configuration_folder_is_reported() {
    let project = project_with_provider_at("https://gateway.example/v1", "");
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env_remove("HOME").env_remove("XDG_CONFIG_HOME");
        command.run()
    };
    assert!(run(&["build"]).expect_code(5).says("SYNIX_CONFIG_DIR"));
    assert!(
        run(&["trust", "--yes"])
            .expect_code(1)
            .says("SYNIX_CONFIG_DIR")
    );
}

/// W8: other users could change it.
#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_needs_permission() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = TestProject::team();
    project.write(".env", "OPENAI_API_KEY=sk-own\n");
    let mode = |file: &str, mode: u32| {
        fs::set_permissions(project.path(file), fs::Permissions::from_mode(mode)).unwrap();
    };
    project.ok(&["build"]);
    for (file, usual) in [
        ("synix.toml", 0o644),
        (".env", 0o600),
        (".synix", 0o700),
        ("", 0o755),
    ] {
        mode(file, usual | 0o002);
        let run = project.run(&["build"]).expect_code(5);
        assert!(
            run.says("everybody on this machine may change"),
            "{file}: {run:?}"
        );
        project.ok(&["plan"]);
        project.ok(&["list"]);
        project.ok(&["build", "--trust"]);
        mode(file, usual);
        project.ok(&["build"]);
    }
    // The sticky bit prevents other users from replacing files.
    mode("", 0o1777);
    project.ok(&["build"]);
}

/// Changes the owner of a file, which only root can do.
#[cfg(unix)]
fn change_owner(path: &Path) -> bool {
    std::os::unix::fs::lchown(path, Some(4242), Some(4242)).is_ok()
}

/// W8
#[cfg(unix)]
#[test]
fn a_file_of_another_user_needs_permission() {
    for file in ["synix.toml", ".env", ".synix", ""] {
        let project = TestProject::team();
        project.write(".env", "OPENAI_API_KEY=sk-own\n");
        project.ok(&["build"]);
        if !change_owner(&project.path(file)) {
            return;
        }
        let run = project.run(&["build"]).expect_code(5);
        assert!(
            run.says("belongs to another user (4242)"),
            "{file}: {run:?}"
        );
        project.ok(&["plan"]);
        project.ok(&["list"]);
        // A user runs `sudo` with their own files.
        let mut command = project.command(&["build"]);
        command.env("SUDO_UID", "4242").run().expect_code(0);
        project.ok(&["trust", "--yes"]);
        project.ok(&["build"]);
    }
}

/// W8: other users may own the folders above.
#[test]
fn the_search_for_a_pipeline_file_stops_at_a_repository_root() {
    let project = TestProject::team();
    fs::create_dir_all(project.path("repo/.git")).unwrap();
    fs::create_dir_all(project.path("repo/sub")).unwrap();
    fs::create_dir_all(project.path("inside/sub")).unwrap();
    let run = |folder: &str| command_in(&project.path(folder), &["plan"]).run();
    run("inside/sub").expect_code(0);
    for folder in ["repo/sub", "repo"] {
        let run = run(folder).expect_code(2);
        assert!(run.says("the root of a repository"), "{run:?}");
    }
    let mut command = command_in(&project.path("inside/sub"), &["plan"]);
    let run = command
        .env("HOME", project.path("inside"))
        .run()
        .expect_code(2);
    assert_transcript!(run);
}

#[cfg(unix)]
#[test]
fn the_search_for_a_pipeline_file_stops_at_another_users_folder() {
    let project = TestProject::team();
    fs::create_dir_all(project.path("mine/sub")).unwrap();
    let run_in_subfolder =
        |arguments: &[&str]| command_in(&project.path("mine/sub"), arguments).run();
    run_in_subfolder(&["plan"]).expect_code(0);
    if !change_owner(&project.path("")) {
        return;
    }
    for arguments in [&["plan"][..], &["build"], &["list"], &["trust"]] {
        let run = run_in_subfolder(arguments).expect_code(2);
        assert!(run.says("another owner"), "{arguments:?}: {run:?}");
    }
    assert_eq!(project.sent(), 0);
}

/// W10: the same applies to a plugin in the local network.
#[test]
fn a_plugin_on_this_machine_is_fetched_only_after_permission() {
    let server = crate::registry::Registry::start();
    let echo = synix_test_components::bytes("echo");
    for reference in [
        server.publish_file("/echo.wasm", &echo),
        server.push("team/echo", "1.0", &echo),
    ] {
        let project = TestProject::with_layers(&format!(
            "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n[layers.texts]\nsource = \"texts/*.md\"\n[layers.made]\ntransform = {reference:?}\ninputs = [\"texts\"]\n"
        ));
        project.write("texts/only.md", "a text");
        let before = server.calls().len();
        let run = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            command.env("SYNIX_CACHE_DIR", project.path("cache")).run()
        };
        for arguments in [&["plan"][..], &["build"], &["plugin", "update"]] {
            let run = run(arguments).expect_code(5);
            assert!(run.says("download a plugin from"), "{run:?}");
        }
        assert_eq!(server.calls().len(), before);
        project.ok(&["trust", "--yes"]);
        run(&["plan"]).expect_code(0);
        assert!(server.calls().len() > before);
        project.ok(&["trust", "revoke"]);
        // A plugin in the cache is not fetched.
        run(&["build"]).expect_code(0);
    }
}
