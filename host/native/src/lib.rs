//! Loads native code that synix itself compiled from a component.
//!
//! The engine runs native code unchecked, so this crate has the only `unsafe` block of the host and decides which code
//! to trust. There are two ways to get a [`NativeCode`]:
//!
//! - [`Seal::open`] returns it from bytes that this user's synix sealed with a
//!   secret of the user, for one component and one set of engine settings. The
//!   secret and the code are in folders of the user, never inside a project:
//!   the author of a cloned project can write files there, and seal none.
//! - [`NativeCode::from_compiler`] takes it from the process that synix has
//!   just started to compile a component.
//!
//! The sandbox decides where the code and the secret are stored.
//!
//! ```
//! use synix_core::digest::Digest;
//! use synix_native::{SECRET_BYTES, Seal};
//!
//! let component = Digest::of(b"the component");
//! let seal = Seal::new(&[7; SECRET_BYTES], 1);
//! let tag = seal.seal(component, b"machine code");
//! assert!(seal.open(component, b"machine code", &tag).is_some());
//! assert!(seal.open(component, b"other code", &tag).is_none());
//! ```

#![deny(unsafe_code)]
#![warn(missing_docs)]

use ring::hmac;
use synix_core::digest::{Digest, Encoder};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The size of a secret in bytes.
pub const SECRET_BYTES: usize = 32;
/// The size of a seal in bytes.
pub const SEAL_BYTES: usize = 32;

/// Seals compiled code with a secret of the user, for one set of engine settings.
pub struct Seal {
    key: hmac::Key,
    settings: u64,
}

/// Bytes with a valid seal.
#[derive(Debug, Clone, Copy)]
pub struct Sealed<'a> {
    body: &'a [u8],
}

/// Native code that synix compiled.
#[derive(Debug, Clone, Copy)]
pub struct NativeCode<'a> {
    code: &'a [u8],
}

impl Seal {
    /// Creates the seal of a user with this `secret`; `settings` is a hash of all settings that compiled code depends
    /// on.
    pub fn new(secret: &[u8; SECRET_BYTES], settings: u64) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            settings,
        }
    }

    /// Seals `body`, which contains the code of `component`.
    pub fn seal(&self, component: Digest, body: &[u8]) -> [u8; SEAL_BYTES] {
        let tag = hmac::sign(&self.key, self.covered(component, body).as_bytes());
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(tag.as_ref());
        seal
    }

    /// Returns the sealed bytes if the seal is valid for this user, component and settings.
    pub fn open<'a>(
        &self,
        component: Digest,
        body: &'a [u8],
        seal: &[u8; SEAL_BYTES],
    ) -> Option<Sealed<'a>> {
        let covered = self.covered(component, body);
        hmac::verify(&self.key, covered.as_bytes(), seal).ok()?;
        Some(Sealed { body })
    }

    fn covered(&self, component: Digest, body: &[u8]) -> Digest {
        Encoder::new("synix.compiled.sealed.v2")
            .digest(component)
            .number(self.settings)
            .digest(Digest::of(body))
            .finish()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays secret.
        f.debug_struct("Seal")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl<'a> Sealed<'a> {
    /// Returns all sealed bytes.
    pub const fn body(self) -> &'a [u8] {
        self.body
    }

    /// Splits the body into the bytes before the code, and the code.
    pub fn split_at(self, position: usize) -> Option<(&'a [u8], NativeCode<'a>)> {
        let (head, code) = self.body.split_at_checked(position)?;
        Some((head, NativeCode { code }))
    }
}

impl<'a> NativeCode<'a> {
    /// Accepts the code that a compiler sent over a pipe; this process must have started the compiler.
    ///
    /// The caller is responsible for the compiler: it is this executable, or the one that the embedding program named.
    pub const fn from_compiler(code: &'a [u8]) -> Self {
        Self { code }
    }

    /// Loads the code into an engine with the settings that it was compiled for.
    pub fn load(self, engine: &Engine) -> wasmtime::Result<Component> {
        #[expect(unsafe_code, reason = "loading native code is what this crate is for")]
        // SAFETY: `deserialize` requires bytes that the engine's compiler made and nobody changed. A `NativeCode` is
        // made in two places. `Seal::open` has verified that this user's synix sealed these bytes, for this component
        // and these settings; nobody else knows the secret. `from_compiler` takes what a compiler wrote that this
        // process started for this purpose. In both cases the engine compares its version and every setting with
        // those in the bytes, and refuses others.
        let component = unsafe { Component::deserialize(engine, self.code) };
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &str = "(component)";

    fn component() -> Digest {
        Digest::of(COMPONENT.as_bytes())
    }

    #[test]
    fn sealed_code_is_loaded() {
        let engine = Engine::default();
        let bytes = wat::parse_str(COMPONENT).unwrap();
        let code = engine.precompile_component(&bytes).unwrap();
        let body = [b"head".as_slice(), &code].concat();
        let seal = Seal::new(&[7; SECRET_BYTES], 1);
        let tag = seal.seal(component(), &body);
        let sealed = seal.open(component(), &body, &tag).unwrap();
        let (head, code) = sealed.split_at(4).unwrap();
        assert_eq!(head, b"head");
        assert!(code.load(&engine).is_ok());
        assert!(sealed.split_at(body.len() + 1).is_none());
    }

    #[test]
    fn only_the_sealed_bytes_of_this_user_component_and_settings_are_opened() {
        let seal = Seal::new(&[7; SECRET_BYTES], 1);
        let tag = seal.seal(component(), b"code");
        assert!(seal.open(component(), b"code", &tag).is_some());
        assert!(seal.open(component(), b"cod3", &tag).is_none());
        assert!(seal.open(Digest::of(b"other"), b"code", &tag).is_none());
        for other in [
            Seal::new(&[8; SECRET_BYTES], 1),
            Seal::new(&[7; SECRET_BYTES], 2),
        ] {
            assert!(other.open(component(), b"code", &tag).is_none());
        }
    }

    #[test]
    fn bytes_that_are_no_code_are_refused() {
        assert!(
            NativeCode::from_compiler(b"no code")
                .load(&Engine::default())
                .is_err()
        );
    }
}
