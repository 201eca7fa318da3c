//! Whose a file is, and who else may write it (W8).
//!
//! A file counts as the user's where its owner is this user or root; for root under `sudo` also where it is the user
//! that ran it. Nobody else may write it: neither everybody nor a group, unless the group has no other member, as the
//! group of its own that many systems give each user (umask 002). A folder that everybody may write is as good as one of
//! the user's where its sticky bit keeps others from replacing what is in it. Whom an access control list lets write
//! counts like a group.

#[cfg(unix)]
use std::fs::Metadata;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Permission;
#[cfg(unix)]
use super::acl::{self, Writer};

/// Who this process is, and which others it takes for the user.
#[derive(Debug, Clone)]
pub(in super::super) struct Owners {
    #[cfg(unix)]
    this: u32,
    #[cfg(unix)]
    sudo: Option<u32>,
}

#[cfg(unix)]
impl Owners {
    /// `sudo` is the user that ran it, which only root may claim.
    pub(in super::super) fn of_this_process(sudo: Option<u32>) -> Self {
        let this = rustix::process::geteuid().as_raw();
        Self {
            this,
            sudo: sudo.filter(|_| this == 0),
        }
    }

    fn includes(&self, owner: u32) -> bool {
        owner == self.this || owner == 0 || self.sudo == Some(owner)
    }

    /// Says what about a path the user has to know before it is gone by; nothing where it is not there.
    pub(in super::super) fn look(&self, path: &Path, shown: &str) -> Vec<Permission> {
        let mut asked = Vec::new();
        // Of a link, both whose it is and whose the file is that it leads to.
        for found in [path.symlink_metadata(), path.metadata()]
            .into_iter()
            .flatten()
        {
            let ask = Permission::Owner {
                path: shown.to_owned(),
                owner: accounts::user(found.uid()),
            };
            if !self.includes(found.uid()) && !asked.contains(&ask) {
                asked.push(ask);
            }
        }
        if let Ok(found) = path.metadata()
            && let Some(by) = self.others(path, &found, found.is_dir())
        {
            asked.push(Permission::Writable {
                path: shown.to_owned(),
                by,
            });
        }
        asked
    }

    /// Says whether a path is the user's alone; one that is not there yet is.
    pub(super) fn alone(&self, path: &Path) -> bool {
        match path.metadata() {
            Ok(found) => self.includes(found.uid()) && self.others(path, &found, false).is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// Says who else may write what stands at a path.
    fn others(&self, path: &Path, found: &Metadata, is_folder: bool) -> Option<String> {
        const STICKY: u32 = 0o1000;
        let (mode, group) = (found.mode(), found.gid());
        if is_folder && mode & STICKY != 0 {
            return None;
        }
        if mode & 0o002 != 0 {
            return Some("everybody on this machine".to_owned());
        }
        if mode & 0o020 == 0 {
            return None;
        }
        // With a list these bits are those of all its entries together.
        let writers = acl::writers(path, group).unwrap_or_else(|| vec![Writer::Group(group)]);
        writers.into_iter().find_map(|writer| match writer {
            Writer::User(user) => (!self.includes(user)).then(|| accounts::user(user)),
            Writer::Group(group) => {
                let is_shared = !accounts::is_alone_in(self.this, group);
                is_shared.then(|| accounts::group(group))
            }
        })
    }
}

#[cfg(not(unix))]
impl Owners {
    /// Owners are not told apart here.
    pub(in super::super) const fn of_this_process(_: Option<u32>) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "as where owners are told apart")]
    pub(in super::super) const fn look(&self, _: &Path, _: &str) -> Vec<Permission> {
        Vec::new()
    }

    #[expect(clippy::unused_self, reason = "as where owners are told apart")]
    pub(super) const fn alone(&self, _: &Path) -> bool {
        true
    }
}

/// The users and groups of this machine, as its files name them.
#[cfg(unix)]
mod accounts {
    use std::path::Path;

    use synix_disk::SymlinkPolicy;

    const MOST: u64 = 4 << 20;

    fn read(path: &str) -> String {
        let bytes =
            synix_disk::read_limited_if_exists(Path::new(path), MOST, SymlinkPolicy::Follow);
        String::from_utf8_lossy(&bytes.ok().flatten().unwrap_or_default()).into_owned()
    }

    pub(super) fn user(id: u32) -> String {
        match name(&read("/etc/passwd"), id) {
            Some(name) => format!("another user, {name} ({id})"),
            None => format!("another user ({id})"),
        }
    }

    pub(super) fn group(id: u32) -> String {
        match name(&read("/etc/group"), id) {
            Some(name) => format!("the group {name} ({id})"),
            None => format!("the group {id}"),
        }
    }

    pub(super) fn is_alone_in(user: u32, group: u32) -> bool {
        alone(&read("/etc/passwd"), &read("/etc/group"), user, group)
    }

    /// Returns the name of an id: the first and the third field of a line in either file.
    fn name(text: &str, id: u32) -> Option<&str> {
        text.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(id)).then_some(name)
        })
    }

    /// Says whether a group has no member but this user and root.
    pub(super) fn alone(users: &str, groups: &str, user: u32, group: u32) -> bool {
        let Some(line) = groups
            .lines()
            .find(|line| line.split(':').nth(2).map(str::parse) == Some(Ok(group)))
        else {
            // Where no file names the group, a server of accounts may; a group of one's own has the user's number.
            return user == group;
        };
        let own = [name(users, user), name(users, 0), Some("root")];
        let members = line.split(':').nth(3).unwrap_or_default().split(',');
        let by_list = members
            .map(str::trim)
            .filter(|member| !member.is_empty())
            .all(|member| own.contains(&Some(member)));
        // StateOrigin first group it is stands with the users.
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
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const USERS: &str = "root:x:0:0::/root:/bin/sh\nanna:x:1001:1001::/home/anna:/bin/sh\n\
        ben:x:1002:1002::/home/ben:/bin/sh\ncarl:x:1003:50::/home/carl:/bin/sh\n";
    const GROUPS: &str =
        "root:x:0:\nanna:x:1001:\nteam:x:2000:anna,ben\nown:x:2001:anna,root\nstaff:x:50:\n";

    #[test]
    fn a_group_of_ones_own_has_no_other_member() {
        let alone = |user, group| accounts::alone(USERS, GROUPS, user, group);
        assert!(alone(1001, 1001) && alone(1001, 2001) && alone(0, 0) && alone(1001, 0));
        assert!(!alone(1001, 2000), "ben is in its list");
        assert!(!alone(1001, 50), "it is carl's first");
        assert!(alone(7007, 7007) && !alone(7007, 7008), "no file names it");
    }

    #[test]
    fn what_others_may_write_is_asked_about() {
        let owners = Owners::of_this_process(None);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        synix_disk::replace(&file, b"").unwrap();
        let look = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            owners.look(path, "a")
        };
        for mode in [0o644, 0o600, 0o444] {
            assert_eq!(look(&file, mode), [], "{mode:o}");
        }
        for mode in [0o666, 0o602, 0o646] {
            let [Permission::Writable { by, .. }] = &look(&file, mode)[..] else {
                panic!("{mode:o}");
            };
            assert_eq!(by, "everybody on this machine");
        }
        assert_eq!(look(folder.path(), 0o1777), []);
        assert_eq!(look(folder.path(), 0o777).len(), 1);
        assert_eq!(owners.look(&folder.path().join("none"), "none"), []);
    }

    /// W8: the bits of the group say that somebody may write the file, and not who.
    #[cfg(target_os = "linux")]
    #[test]
    fn whom_a_list_lets_write_is_asked_about() {
        let owners = Owners::of_this_process(None);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        synix_disk::replace(&file, b"").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let set = |user: u32, rights: u16| {
            // Owner, a user, the group, the mask, everybody.
            let none = u32::MAX;
            let entries = [
                (1, 6, none),
                (2, rights, user),
                (4, 4, none),
                (16, 6, none),
                (32, 4, none),
            ];
            let mut list = 2_u32.to_le_bytes().to_vec();
            for (tag, rights, id) in entries {
                list.extend([u16::to_le_bytes(tag), u16::to_le_bytes(rights)].concat());
                list.extend(u32::to_le_bytes(id));
            }
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(&file, "system.posix_acl_access", &list, flags)
        };
        if set(4242, 6).is_err() {
            // This file system keeps no lists.
            return;
        }
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o020, 0o020, "the mask shows in the mode");
        let [Permission::Writable { by, .. }] = &owners.look(&file, "a")[..] else {
            panic!("not asked");
        };
        assert!(by.contains("4242") && !owners.alone(&file), "{by}");
        set(4242, 4).unwrap();
        assert_eq!(owners.look(&file, "a"), [], "it may only be read");
        set(owners.this, 6).unwrap();
        assert_eq!(owners.look(&file, "a"), [], "it is the user");
    }

    #[test]
    fn only_the_user_root_and_whoever_ran_sudo_count_as_the_user() {
        let owners = |this, sudo| Owners { this, sudo };
        assert!(owners(1001, None).includes(1001) && owners(1001, None).includes(0));
        assert!(!owners(1001, None).includes(1002));
        assert!(!owners(0, None).includes(1001) && owners(0, Some(1001)).includes(1001));
        assert!(
            Owners::of_this_process(Some(1)).sudo.is_none() || rustix::process::geteuid().is_root()
        );
    }

    #[test]
    fn a_link_of_somebody_else_is_no_file_of_ours() {
        if !rustix::process::geteuid().is_root() {
            // Only root can give a file away; the rule itself is tested above.
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        synix_disk::replace(&file, b"").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(4242), None).unwrap();
        let owners = Owners::of_this_process(None);
        let [Permission::Owner { owner, .. }] = &owners.look(&link, "link")[..] else {
            panic!("not asked");
        };
        assert!(owner.contains("4242"), "{owner}");
        assert_eq!(owners.look(&file, "file"), []);
    }
}
