//! The permissions that a project can ask for.

use serde::Serialize;

use super::super::server::Server;
use synix_core::digest::Digest;
use synix_core::printable;

/// A permission that only the user can grant.
///
/// A grant is for exactly this permission: its digest covers each field, so another command, variable, server or path
/// needs another grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Permission {
    /// To run a command when a build ends.
    Command {
        /// The line for the shell, or the program and its arguments.
        command: Vec<String>,
        /// Whether a shell interprets it.
        shell: bool,
        /// Whether it runs after a replay, too.
        in_replay: bool,
    },
    /// To send the status of a build to a URL.
    Url {
        /// The URL, which may itself be a secret.
        url: String,
        /// Whether it is called after a replay, too.
        in_replay: bool,
    },
    /// To send a variable of the real environment to a server as a key.
    Key {
        /// The variable.
        variable: String,
        /// The server.
        server: String,
    },
    /// To download a plugin from this machine or a private network.
    Fetch {
        /// The URL, or the image without its tag.
        from: String,
    },
    /// To exchange answers with a store, with credentials of the real environment.
    Shared {
        /// The URL of the store.
        url: String,
        /// Whether answers are only read.
        read_only: bool,
    },
    /// To let other machines run units, through a server and a store.
    Engine {
        /// The URL of the server.
        url: String,
        /// The URL of the store.
        content: String,
    },
    /// To read hidden files, such as those of git, if a third party's server could get them.
    Hidden {
        /// The layer that reads them.
        layer: String,
        /// The files, as written in the pipeline file.
        files: String,
    },
    /// To use a state that synix did not create for this user.
    State {
        /// The path of the state.
        path: String,
    },
    /// To follow a file that belongs to another user.
    Owner {
        /// The file.
        path: String,
        /// The description of its owner.
        owner: String,
    },
    /// To follow a file that another user may write.
    Writable {
        /// The file.
        path: String,
        /// The description of who may write it.
        by: String,
    },
}

impl Permission {
    /// Returns the digest that a grant records.
    pub(super) fn digest(&self) -> Digest {
        // The members have the order of their declaration.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Describes the permission with everything that the grant covers.
    pub fn description(&self) -> String {
        match self {
            Self::Url { url, in_replay } => format!(
                "send the status of each build to {} when it ends{}",
                printable::escape_line(url),
                replay_note(*in_replay)
            ),
            Self::Command { .. }
            | Self::Key { .. }
            | Self::Fetch { .. }
            | Self::Shared { .. }
            | Self::Engine { .. }
            | Self::Hidden { .. }
            | Self::State { .. }
            | Self::Owner { .. }
            | Self::Writable { .. } => self.redacted_description(),
        }
    }

    /// Describes the permission for logs, without the address of a webhook, which is often a secret.
    pub fn redacted_description(&self) -> String {
        match self {
            Self::Command {
                command,
                shell,
                in_replay,
            } => {
                let line = if *shell {
                    command.join(" ")
                } else {
                    serde_json::to_string(command).unwrap_or_default()
                };
                format!(
                    "run this command with your rights when a build ends{}: {}",
                    replay_note(*in_replay),
                    printable::escape_line(&line)
                )
            }
            Self::Url { url, in_replay } => {
                let server = Server::parse(url).map(|server| server.origin().to_string());
                format!(
                    "send the status of each build to a URL at {} when it ends{}",
                    printable::escape_line(server.as_deref().unwrap_or("an unknown server")),
                    replay_note(*in_replay)
                )
            }
            Self::Key { variable, server } => format!(
                "send {} from your environment as a key to {}",
                printable::escape_line(variable),
                printable::escape_line(server)
            ),
            Self::Fetch { from } => format!(
                "download a plugin from this machine or your own network: {}",
                printable::escape_line(from)
            ),
            Self::Shared { url, read_only } => format!(
                "{} in {}, with the credentials in your environment",
                if *read_only {
                    "use the shared answers"
                } else {
                    "use the shared answers, and publish yours,"
                },
                printable::escape_line(url)
            ),
            Self::Engine { url, content } => format!(
                "run units on the workers of {}, which get plugins, inputs and answers from it and from {}, with the credentials in your environment",
                printable::escape_line(url),
                printable::escape_line(content)
            ),
            Self::Hidden { layer, files } => format!(
                "read hidden files for layer {}, which third parties may receive: {}",
                printable::escape_line(layer),
                printable::escape_line(files)
            ),
            Self::State { path } => format!(
                "use the state in {}, which synix has not created for you here",
                printable::escape_line(path)
            ),
            Self::Owner { path, owner } => format!(
                "follow {}, which belongs to {}",
                printable::escape_line(path),
                printable::escape_line(owner)
            ),
            Self::Writable { path, by } => format!(
                "follow {}, which {} may change",
                printable::escape_line(path),
                printable::escape_line(by)
            ),
        }
    }
}

const fn replay_note(in_replay: bool) -> &'static str {
    if in_replay {
        ", also after a replay"
    } else {
        ""
    }
}

/// Formats permissions as a list with one line for each.
pub(in super::super) fn listed(permissions: &[Permission]) -> String {
    permissions
        .iter()
        .map(|permission| format!("\n  {}", permission.redacted_description()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str, shell: bool) -> Permission {
        Permission::Command {
            command: vec![line.to_owned()],
            shell,
            in_replay: false,
        }
    }

    #[test]
    fn a_grant_covers_exactly_one_permission() {
        let key = |variable: &str, server: &str| Permission::Key {
            variable: variable.to_owned(),
            server: server.to_owned(),
        };
        let shared = |url: &str, read_only| Permission::Shared {
            url: url.to_owned(),
            read_only,
        };
        let engine = |url: &str, content: &str| Permission::Engine {
            url: url.to_owned(),
            content: content.to_owned(),
        };
        let all = [
            engine("http://a", "s3://a"),
            engine("http://b", "s3://a"),
            engine("http://a", "s3://b"),
            command("make", true),
            command("make", false),
            command("make all", true),
            key("A", "https://b.example"),
            key("A", "https://c.example"),
            key("B", "https://b.example"),
            Permission::Fetch {
                from: "https://b.example".to_owned(),
            },
            shared("s3://a", true),
            shared("s3://a", false),
            shared("s3://b", false),
        ];
        let digests: std::collections::BTreeSet<_> = all.iter().map(Permission::digest).collect();
        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn a_description_hides_no_part_of_a_command() {
        let description = command("true\n\u{1b}[2K\u{202e}rm", true).description();
        assert!(
            description.ends_with("ends: true\\n\\u{1b}[2K\\u{202e}rm"),
            "{description}"
        );
    }

    #[test]
    fn a_redacted_description_omits_the_address_of_a_webhook() {
        let permission = Permission::Url {
            url: "https://hooks.example/T0/secret".to_owned(),
            in_replay: false,
        };
        assert!(
            permission
                .description()
                .contains("https://hooks.example/T0/secret")
        );
        assert!(
            !permission.redacted_description().contains("secret")
                && permission
                    .redacted_description()
                    .contains("https://hooks.example")
        );
    }
}
