//! What a project can ask the user for, one thing at a time.

use serde::Serialize;

use super::super::server::Server;
use synix_core::digest::Digest;
use synix_core::printable;

/// One thing that needs the user's yes.
///
/// A yes is for exactly this: each field is a part of what is kept of it, so that another command, variable, server or
/// path asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Permission {
    /// To run a command when a build ends.
    Command {
        /// A line for the shell, or a program and its arguments.
        command: Vec<String>,
        /// Whether a shell reads it.
        shell: bool,
        /// Whether it runs after a replay, too.
        in_replay: bool,
    },
    /// To send the status of a build to a URL when it ends.
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
    /// To fetch a plugin from an address that only this machine or its neighbours reach.
    Fetch {
        /// The URL, or the image without its tag.
        from: String,
    },
    /// To read files that are hidden, such as those of git, where a server of strangers could get them.
    Hidden {
        /// The layer that reads them.
        layer: String,
        /// The files, as the pipeline file names them.
        files: String,
    },
    /// To use a state that synix did not make for this user.
    State {
        /// Where it is.
        path: String,
    },
    /// To go by a file that belongs to somebody else.
    Owner {
        /// The file.
        path: String,
        /// StateOrigin it is.
        owner: String,
    },
    /// To go by a file that somebody else may write.
    Writable {
        /// The file.
        path: String,
        /// Who may write it.
        by: String,
    },
}

impl Permission {
    /// Returns what is kept of a yes to it.
    pub(super) fn digest(&self) -> Digest {
        // The members stand in the order of their declaration.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Says what is asked, with everything that a yes is for.
    pub fn words(&self) -> String {
        match self {
            Self::Url { url, in_replay } => format!(
                "send the status of each build to {} when it ends{}",
                printable::escape_line(url),
                also(*in_replay)
            ),
            Self::Command { .. }
            | Self::Key { .. }
            | Self::Fetch { .. }
            | Self::Hidden { .. }
            | Self::State { .. }
            | Self::Owner { .. }
            | Self::Writable { .. } => self.public(),
        }
    }

    /// Says what is asked without what is often a secret, for logs: the address of a webhook.
    pub fn public(&self) -> String {
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
                    also(*in_replay),
                    printable::escape_line(&line)
                )
            }
            Self::Url { url, in_replay } => {
                let server = Server::of(url).map(|server| server.origin().to_string());
                format!(
                    "send the status of each build to a URL at {} when it ends{}",
                    printable::escape_line(server.as_deref().unwrap_or("an unknown server")),
                    also(*in_replay)
                )
            }
            Self::Key { variable, server } => format!(
                "send {} of your environment as a key to {}",
                printable::escape_line(variable),
                printable::escape_line(server)
            ),
            Self::Fetch { from } => format!(
                "fetch a plugin from this machine or your own network: {}",
                printable::escape_line(from)
            ),
            Self::Hidden { layer, files } => format!(
                "read hidden files for layer {}, which servers of others may get: {}",
                printable::escape_line(layer),
                printable::escape_line(files)
            ),
            Self::State { path } => format!(
                "use the state in {}, which synix has not made for you here",
                printable::escape_line(path)
            ),
            Self::Owner { path, owner } => format!(
                "go by {}, which belongs to {}",
                printable::escape_line(path),
                printable::escape_line(owner)
            ),
            Self::Writable { path, by } => format!(
                "go by {}, which {} may change",
                printable::escape_line(path),
                printable::escape_line(by)
            ),
        }
    }
}

const fn also(in_replay: bool) -> &'static str {
    if in_replay {
        ", also after a replay"
    } else {
        ""
    }
}

/// Writes things that are asked as a list, a line for each.
pub(in super::super) fn listed(asked: &[Permission]) -> String {
    asked
        .iter()
        .map(|ask| format!("\n  {}", ask.public()))
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
    fn a_yes_is_for_exactly_what_was_asked() {
        let key = |variable: &str, server: &str| Permission::Key {
            variable: variable.to_owned(),
            server: server.to_owned(),
        };
        let all = [
            command("make", true),
            command("make", false),
            command("make all", true),
            key("A", "https://b.example"),
            key("A", "https://c.example"),
            key("B", "https://b.example"),
            Permission::Fetch {
                from: "https://b.example".to_owned(),
            },
        ];
        let digests: std::collections::BTreeSet<_> = all.iter().map(Permission::digest).collect();
        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn what_is_asked_cannot_hide_a_part_of_itself() {
        let words = command("true\n\u{1b}[2K\u{202e}rm", true).words();
        assert!(
            words.ends_with("ends: true\\n\\u{1b}[2K\\u{202e}rm"),
            "{words}"
        );
    }

    #[test]
    fn the_address_of_a_webhook_stays_out_of_logs() {
        let ask = Permission::Url {
            url: "https://hooks.example/T0/secret".to_owned(),
            in_replay: false,
        };
        assert!(ask.words().contains("https://hooks.example/T0/secret"));
        assert!(!ask.public().contains("secret") && ask.public().contains("https://hooks.example"));
    }
}
