//! Plugins by path, URL and OCI reference: pins, downloads and the lock file.

mod downloads;
mod locked;
mod pins;
