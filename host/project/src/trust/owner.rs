//! The owner of a file, and other users who may write it (W8).
//!
//! A file belongs to the user if its owner is this user or root or, for root under `sudo`, the user that ran it. Nobody
//! else may write it: neither everybody nor a group, except for a private group that has no other member, as many
//! systems create for each user (umask 002). A folder that everybody may write is safe if its sticky bit prevents others
//! from replacing its files. Users in an access control list count like a group.

#[cfg(unix)]
use std::fs::Metadata;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Permission;
#[cfg(unix)]
use super::accounts;
#[cfg(unix)]
use super::acl::{self, Writer};

/// The user of this process, and the other users that count as the same.
#[derive(Debug, Clone)]
pub(in super::super) struct Owners {
    #[cfg(unix)]
    process: u32,
    #[cfg(unix)]
    sudo: Option<u32>,
}

#[cfg(unix)]
impl Owners {
    /// `sudo` is the user that ran `sudo`. It counts only if the process runs as root.
    pub(in super::super) fn of_this_process(sudo: Option<u32>) -> Self {
        let process = rustix::process::geteuid().as_raw();
        Self {
            process,
            sudo: sudo.filter(|_| process == 0),
        }
    }

    fn includes(&self, owner: u32) -> bool {
        owner == self.process || owner == 0 || self.sudo == Some(owner)
    }

    /// Returns the permissions that are needed to use a path; none if it does not exist.
    pub(in super::super) fn required_permissions(
        &self,
        path: &Path,
        shown: &str,
    ) -> Vec<Permission> {
        let mut required = Vec::new();
        // The owner of a link counts, and the owner of its target.
        for found in [path.symlink_metadata(), path.metadata()]
            .into_iter()
            .flatten()
        {
            let permission = Permission::Owner {
                path: shown.to_owned(),
                owner: accounts::describe_user(found.uid()),
            };
            if !self.includes(found.uid()) && !required.contains(&permission) {
                required.push(permission);
            }
        }
        if let Ok(found) = path.metadata()
            && let Some(by) = self.other_writer(path, &found, found.is_dir())
        {
            required.push(Permission::Writable {
                path: shown.to_owned(),
                by,
            });
        }
        required
    }

    /// Returns whether only the user can write a path, or it does not exist yet.
    pub(super) fn is_private(&self, path: &Path) -> bool {
        match path.metadata() {
            Ok(found) => {
                self.includes(found.uid()) && self.other_writer(path, &found, false).is_none()
            }
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// Describes another user or group that may write a path.
    fn other_writer(&self, path: &Path, found: &Metadata, is_folder: bool) -> Option<String> {
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
        // If there is an access control list, the group bits cover all its entries.
        let writers = acl::writers(path, group).unwrap_or_else(|| vec![Writer::Group(group)]);
        writers.into_iter().find_map(|writer| match writer {
            Writer::User(user) => (!self.includes(user)).then(|| accounts::describe_user(user)),
            Writer::Group(group) => {
                let is_shared = !accounts::is_only_member(self.process, group);
                is_shared.then(|| accounts::describe_group(group))
            }
        })
    }
}

#[cfg(not(unix))]
impl Owners {
    /// This system has no comparable owners, so every file counts as the user's.
    pub(in super::super) const fn of_this_process(_: Option<u32>) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(in super::super) const fn required_permissions(
        &self,
        _: &Path,
        _: &str,
    ) -> Vec<Permission> {
        Vec::new()
    }

    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(super) const fn is_private(&self, _: &Path) -> bool {
        true
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
    fn a_private_group_has_no_other_member() {
        let is_only_member = |user, group| accounts::is_only_member_in(USERS, GROUPS, user, group);
        assert!(
            is_only_member(1001, 1001)
                && is_only_member(1001, 2001)
                && is_only_member(0, 0)
                && is_only_member(1001, 0)
        );
        assert!(!is_only_member(1001, 2000), "ben is in its list");
        assert!(!is_only_member(1001, 50), "it is carl's first");
        assert!(
            is_only_member(7007, 7007) && !is_only_member(7007, 7008),
            "no file names it"
        );
    }

    #[test]
    fn a_file_that_others_may_write_needs_permission() {
        let owners = Owners::of_this_process(None);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        synix_disk::replace(&file, b"").unwrap();
        let check = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            owners.required_permissions(path, "a")
        };
        for mode in [0o644, 0o600, 0o444] {
            assert_eq!(check(&file, mode), [], "{mode:o}");
        }
        for mode in [0o666, 0o602, 0o646] {
            let [Permission::Writable { by, .. }] = &check(&file, mode)[..] else {
                panic!("{mode:o}");
            };
            assert_eq!(by, "everybody on this machine");
        }
        assert_eq!(check(folder.path(), 0o1777), []);
        assert_eq!(check(folder.path(), 0o777).len(), 1);
        assert_eq!(
            owners.required_permissions(&folder.path().join("none"), "none"),
            []
        );
    }

    /// W8: with an access control list, the group bits say that somebody may write the file, and not who.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_writer_in_an_access_control_list_needs_permission() {
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
            // This file system has no access control lists.
            return;
        }
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o020, 0o020, "the mask shows in the mode");
        let [Permission::Writable { by, .. }] = &owners.required_permissions(&file, "a")[..] else {
            panic!("no permission is required");
        };
        assert!(by.contains("4242") && !owners.is_private(&file), "{by}");
        set(4242, 4).unwrap();
        assert_eq!(
            owners.required_permissions(&file, "a"),
            [],
            "it may only be read"
        );
        set(owners.process, 6).unwrap();
        assert_eq!(
            owners.required_permissions(&file, "a"),
            [],
            "it is the user"
        );
    }

    #[test]
    fn the_user_includes_root_and_whoever_ran_sudo() {
        let owners = |process, sudo| Owners { process, sudo };
        assert!(owners(1001, None).includes(1001) && owners(1001, None).includes(0));
        assert!(!owners(1001, None).includes(1002));
        assert!(!owners(0, None).includes(1001) && owners(0, Some(1001)).includes(1001));
        assert!(
            Owners::of_this_process(Some(1)).sudo.is_none() || rustix::process::geteuid().is_root()
        );
    }

    #[test]
    fn a_link_of_another_user_needs_permission() {
        if !rustix::process::geteuid().is_root() {
            // Only root can change the owner of a file; the tests above cover the rule itself.
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        synix_disk::replace(&file, b"").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(4242), None).unwrap();
        let owners = Owners::of_this_process(None);
        let [Permission::Owner { owner, .. }] = &owners.required_permissions(&link, "link")[..]
        else {
            panic!("no permission is required");
        };
        assert!(owner.contains("4242"), "{owner}");
        assert_eq!(owners.required_permissions(&file, "file"), []);
    }
}
