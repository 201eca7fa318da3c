//! The owner of a file, for messages.

use std::path::Path;

/// Returns the owner of a path, such as `anna (user 1001)`, or `None` if it is unknown.
#[cfg(unix)]
pub fn owner_of(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let id = std::fs::symlink_metadata(path).ok()?.uid();
    let users = super::read_limited_if_exists(
        Path::new("/etc/passwd"),
        1 << 20,
        super::SymlinkPolicy::Follow,
    );
    let users = users.ok().flatten().unwrap_or_default();
    Some(match user_name(&String::from_utf8_lossy(&users), id) {
        Some(name) => format!("{name} (user {id})"),
        None => format!("user {id}"),
    })
}

/// Returns `None`, because synix can find owners only on Unix.
#[cfg(windows)]
pub const fn owner_of(_: &Path) -> Option<String> {
    None
}

#[cfg(unix)]
fn user_name(users: &str, id: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_a_name_if_the_system_knows_it() {
        let users = "root:x:0:0:root:/root:/bin/sh\nanna:x:1001:1001::/home/anna:/bin/sh\nbroken\n";
        let names = [0, 1001, 7].map(|id| user_name(users, id));
        assert_eq!(names, [Some("root"), Some("anna"), None]);
    }
}
