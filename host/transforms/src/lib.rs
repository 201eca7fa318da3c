//! The first-party transforms, compiled to components.
//!
//! ```
//! let component = synix_transforms::component("map").expect("`map` comes with synix");
//! assert_eq!(component.get(..4), Some(&b"\0asm"[..]));
//! assert!(synix_transforms::component("no-such-transform").is_none());
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// The first-party transforms: name and component.
///
/// A static, because each crate that uses a constant gets a copy of its bytes: the command held all components 3 times.
pub static FIRST_PARTY: &[(&str, &[u8])] = &[
    ("chunk", include_bytes!("../components/chunk.wasm")),
    ("fold", include_bytes!("../components/fold.wasm")),
    ("group", include_bytes!("../components/group.wasm")),
    ("map", include_bytes!("../components/map.wasm")),
    ("merge", include_bytes!("../components/merge.wasm")),
    ("reduce", include_bytes!("../components/reduce.wasm")),
];

/// Returns the component of a first-party transform.
pub fn component(name: &str) -> Option<&'static [u8]> {
    let mut all = FIRST_PARTY.iter();
    all.find(|(known, _)| *known == name)
        .map(|(_, bytes)| *bytes)
}
