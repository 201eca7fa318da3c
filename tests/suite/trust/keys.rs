//! Keys: which server gets which variable, and what `.env` can set.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use synix_scripted_provider::Script;

use crate::support::invocation::KEY;
use crate::support::pipelines::BATCH_BUILD;
use crate::support::proxy::RecordingProxy;
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;
use crate::trust::{SENDING_COMMANDS, assert_allowed, pipeline_for, project_with_provider_at};

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

#[test]
fn a_key_never_reaches_the_state_or_the_output() {
    let project = TestProject::team();
    let runs = [project.run(&["build", "--json"]), project.run(&BATCH_BUILD)];
    project.script(Script::new().key("another key"));
    project.write("bios/dmitri.md", "I am new.");
    let refused = [project.run(&["build"]), project.run(&BATCH_BUILD)];
    for run in runs.iter().chain(&refused) {
        assert!(!run.says(KEY), "{run:?}");
    }
    let mut folders = vec![project.path(".synix")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes
                    .windows(KEY.len())
                    .any(|window| window == KEY.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
}
