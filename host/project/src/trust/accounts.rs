//! The names of users and groups, and the members of a group, from `/etc/passwd` and `/etc/group`.

use std::path::Path;

use synix_disk::SymlinkPolicy;

const MAX_BYTES: u64 = 4 << 20;

fn read(path: &str) -> String {
    let bytes =
        synix_disk::read_limited_if_exists(Path::new(path), MAX_BYTES, SymlinkPolicy::Follow);
    String::from_utf8_lossy(&bytes.ok().flatten().unwrap_or_default()).into_owned()
}

pub(super) fn describe_user(id: u32) -> String {
    match name(&read("/etc/passwd"), id) {
        Some(name) => format!("another user, {name} ({id})"),
        None => format!("another user ({id})"),
    }
}

pub(super) fn describe_group(id: u32) -> String {
    match name(&read("/etc/group"), id) {
        Some(name) => format!("the group {name} ({id})"),
        None => format!("the group {id}"),
    }
}

pub(super) fn is_only_member(user: u32, group: u32) -> bool {
    is_only_member_in(&read("/etc/passwd"), &read("/etc/group"), user, group)
}

/// Returns the name of an id. In both files it is the first field of a line, and the id is the third.
fn name(text: &str, id: u32) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

/// Returns whether a group has no member except this user and root.
pub(super) fn is_only_member_in(users: &str, groups: &str, user: u32, group: u32) -> bool {
    let Some(line) = groups
        .lines()
        .find(|line| line.split(':').nth(2).map(str::parse) == Some(Ok(group)))
    else {
        // The group may come from a directory service; a private group has the number of its user.
        return user == group;
    };
    let own = [name(users, user), name(users, 0), Some("root")];
    let members = line.split(':').nth(3).unwrap_or_default().split(',');
    let by_list = members
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .all(|member| own.contains(&Some(member)));
    // The file of users names the primary group of each.
    let by_user = users.lines().all(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let (Some(id), Some(first)) = (fields.get(2), fields.get(3)) else {
            return true;
        };
        let is_member = first.parse() == Ok(group);
        let id: Option<u32> = id.parse().ok();
        !is_member || id.is_some_and(|id| id == user || id == 0)
    });
    by_list && by_user
}
