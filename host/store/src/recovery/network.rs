//! Detects file systems that other machines share, where the write-ahead log and the locks are not safe.
//!
//! This works only on Linux, by the magic number of the file system, or by the name of a FUSE mount.

use std::path::Path;

use crate::StoreError;

/// Refuses a folder on a file system that other machines share.
pub fn refuse_network_file_system(folder: &Path) -> Result<(), StoreError> {
    match kind(folder) {
        Some(kind) => Err(StoreError::Network {
            path: folder.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn kind(folder: &Path) -> Option<&'static str> {
    // Before the first build the folder does not exist.
    let path = folder.ancestors().find(|path| path.exists())?;
    let path = std::path::absolute(path).ok()?;
    // An unknown file system counts as local; the database reports what it cannot do.
    let magic = rustix::fs::statfs(&path).ok()?.f_type;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a magic number has 32 bits"
    )]
    let magic = magic as u32;
    if magic == linux::FUSE {
        let device = rustix::fs::stat(&path).ok()?.st_dev;
        let device = (rustix::fs::major(device), rustix::fs::minor(device));
        let mounts = synix_disk::read(Path::new("/proc/self/mountinfo")).ok()?;
        return linux::behind_fuse(&String::from_utf8_lossy(&mounts), device);
    }
    linux::by_magic(magic)
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    pub(super) const FUSE: u32 = 0x6573_5546;

    const BY_MAGIC: [(u32, &str); 10] = [
        (0x0000_6969, "NFS"),
        (0x0000_517b, "SMB"),
        (0xfe53_4d42, "SMB"),
        (0xff53_4d42, "SMB"),
        (0x0102_1997, "9p"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
        (0x6b41_4653, "AFS"),
        (0x0bd0_0bd0, "Lustre"),
        (0x4750_4653, "GPFS"),
    ];

    const BEHIND_FUSE: [&str; 14] = [
        "blobfuse2",
        "ceph-fuse",
        "curlftpfs",
        "davfs2",
        "gcsfuse",
        "glusterfs",
        "goofys",
        "gvfsd-fuse",
        "juicefs",
        "mountpoint-s3",
        "rclone",
        "s3fs",
        "smbnetfs",
        "sshfs",
    ];

    pub(super) fn by_magic(magic: u32) -> Option<&'static str> {
        BY_MAGIC
            .iter()
            .find_map(|(known, name)| (*known == magic).then_some(*name))
    }

    /// Finds the mount of a device in the text of `/proc/self/mountinfo`.
    pub(super) fn behind_fuse(mounts: &str, device: (u32, u32)) -> Option<&'static str> {
        let device = format!("{}:{}", device.0, device.1);
        let mount = mounts
            .lines()
            .find(|line| line.split(' ').nth(2) == Some(device.as_str()))?;
        let kind = mount.split_once(" - ")?.1.split(' ').next()?;
        let name = kind.strip_prefix("fuse.")?;
        BEHIND_FUSE.into_iter().find(|known| *known == name)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::linux::{behind_fuse, by_magic};
    use super::*;

    const MOUNTS: &str = "\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:45 / /mnt/far rw,nosuid - fuse.sshfs host:/far rw,user_id=0
31 22 0:46 / /mnt/stick rw shared:9 master:1 - fuseblk /dev/sdb1 rw
32 22 0:47 / /mnt/enc rw - fuse.gocryptfs /enc rw
";

    #[test]
    fn network_file_systems_are_recognised_by_their_magic_numbers() {
        let found = [0x6969, 0xfe53_4d42, 0x0102_1997].map(by_magic);
        assert_eq!(found, [Some("NFS"), Some("SMB"), Some("9p")]);
    }

    /// ext4, overlay, tmpfs.
    #[test]
    fn local_file_systems_are_not_network_file_systems() {
        let found = [0xef53, 0x794c_7630, 0x0102_1994].map(by_magic);
        assert_eq!(found, [None; 3]);
    }

    #[test]
    fn the_name_of_a_fuse_mount_decides() {
        let found = [45, 46, 47, 48].map(|minor| behind_fuse(MOUNTS, (0, minor)));
        assert_eq!(found, [Some("sshfs"), None, None, None]);
    }

    #[test]
    fn a_missing_folder_is_on_the_file_system_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("not/there/yet");
        assert_eq!(kind(&deep), kind(folder.path()));
    }
}
