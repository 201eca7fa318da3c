//! Random bytes that are derived from the arguments of a call.

use super::Linker;
use super::interface::instance;
use crate::imports::State;
use synix_core::digest::{Digest, Encoder};

/// An endless stream of bytes: the digests of a seed and a counter.
pub(super) struct RandomBytes {
    seed: Digest,
    block: [u8; 32],
    used: usize,
    next: u64,
}

impl RandomBytes {
    pub(super) fn new(seed: Digest) -> Self {
        Self {
            seed,
            block: [0; 32],
            used: 32,
            next: 0,
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let block = Encoder::new("synix.random.v1")
                .digest(self.seed)
                .number(self.next)
                .finish();
            self.block = *block.as_bytes();
            self.next += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    fn number(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }
}

impl State {
    /// The bytes cost the host time and memory, so they count like bytes that the guest passes to the host.
    fn random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.meter.count_transfer(count)?;
        self.meter.charge_bytes(count);
        Ok(self.wasi.resources().random.bytes(count))
    }
}

/// Adds the interfaces of random bytes.
pub(super) fn add_to(linker: &mut Linker) -> wasmtime::Result<()> {
    for (interface, bytes, number) in [
        ("random/random", "get-random-bytes", "get-random-u64"),
        (
            "random/insecure",
            "get-insecure-random-bytes",
            "get-insecure-random-u64",
        ),
    ] {
        let mut random = instance(linker, interface)?;
        random.function(bytes, |state, (count,): (u64,)| {
            Ok((state.random_bytes(count)?,))
        })?;
        random.function(number, |state, ()| {
            Ok((state.wasi.resources().random.number(),))
        })?;
    }
    instance(linker, "random/insecure-seed")?.function("insecure-seed", |state, ()| {
        let random = &mut state.wasi.resources().random;
        Ok(((random.number(), random.number()),))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use synix_core::artifact::{Artifact, Content, Metadata};
    use synix_core::ids::{Kind, Label, UnitKey};

    #[test]
    fn a_seed_determines_the_bytes_however_they_are_read() {
        let whole = RandomBytes::new(Digest::of(b"a")).bytes(100);
        let mut parts = RandomBytes::new(Digest::of(b"a"));
        assert_eq!([parts.bytes(33), parts.bytes(67)].concat(), whole);
        assert_ne!(RandomBytes::new(Digest::of(b"b")).bytes(100), whole);
    }

    #[test]
    fn the_bytes_do_not_repeat() {
        let bytes = RandomBytes::new(Digest::of(b"a")).bytes(96);
        assert!(bytes[..32] != bytes[32..64] && bytes[32..64] != bytes[64..]);
    }

    /// Each argument of a call changes its seed.
    #[test]
    fn a_seed_depends_on_exactly_plugin_unit_inputs_and_config() {
        use crate::{Call, Header, Limits, Plugin, Sandbox, UnitSpec};

        let sandbox = Sandbox::new(1, None).unwrap();
        let load = |path: &str| {
            let bytes = synix_disk::read(path.as_ref()).unwrap();
            sandbox.load("guest", &bytes).unwrap()
        };
        let text = |content: &str| {
            let artifact = Artifact {
                label: Label::parse("a").unwrap(),
                kind: Kind::parse("text").unwrap(),
                content: Content::Text(content.to_owned()),
                metadata: Metadata::new(),
            };
            let digest = artifact.digest().unwrap();
            (artifact, digest)
        };
        let execute = |plugin: &Plugin, key: &str, content: &str, config: &str| {
            let unit = UnitSpec {
                key: UnitKey::parse(key).unwrap(),
                inputs: vec![0],
                config: None,
            };
            plugin.seed_of_execute(&Call {
                unit: &unit,
                inputs: &[text(content)],
                config,
                limits: &Limits::default(),
                grants: crate::Grants::NONE,
            })
        };
        let split = |plugin: &Plugin, content: &str, config: &str| {
            let (artifact, digest) = text(content);
            let header = Header {
                label: artifact.label,
                kind: artifact.kind,
                digest,
                metadata: artifact.metadata,
            };
            plugin.seed_of_split(&[header], config)
        };
        let (random, print) = (
            load(synix_test_components::WASI_RANDOM),
            load(synix_test_components::WASI_PRINT),
        );
        let seeds = [
            execute(&random, "a", "x", "{}"),
            execute(&random, "b", "x", "{}"),
            execute(&random, "a", "y", "{}"),
            execute(&random, "a", "x", "{ }"),
            execute(&print, "a", "x", "{}"),
            split(&random, "x", "{}"),
            split(&random, "y", "{}"),
            split(&random, "x", "{ }"),
            split(&print, "x", "{}"),
        ];
        let different: BTreeSet<String> = seeds.iter().map(ToString::to_string).collect();
        assert_eq!(different.len(), seeds.len(), "{seeds:?}");
        assert_eq!(seeds[0], execute(&random, "a", "x", "{}"));
        assert_eq!(seeds[5], split(&random, "x", "{}"));
    }
}
