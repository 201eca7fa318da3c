//! The transforms that come with synix, compiled from `plugins/` by the build script.

#![expect(
    unreachable_pub,
    reason = "the generated file does not know how deep it stands"
)]

include!(concat!(env!("OUT_DIR"), "/first_party.rs"));
