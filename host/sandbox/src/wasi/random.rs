//! Random bytes that follow from what a call is given.

use super::Linker;
use super::interface::instance;
use crate::imports::State;
use synix_core::digest::{Digest, Encoder};

/// An endless row of bytes: the digests of a seed and a counter.
pub(super) struct Random {
    seed: Digest,
    block: [u8; 32],
    used: usize,
    next: u64,
}

impl Random {
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
    /// Bytes cost the host time and memory, so they count as handed over.
    fn random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.meter.hand_over(count)?;
        self.meter.charge_bytes(count);
        Ok(self.wasi.open().random.bytes(count))
    }
}

/// Offers the random numbers.
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
        random.function(number, |state, ()| Ok((state.wasi.open().random.number(),)))?;
    }
    instance(linker, "random/insecure-seed")?.function("insecure-seed", |state, ()| {
        let random = &mut state.wasi.open().random;
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
    fn a_seed_gives_one_row_of_bytes_however_it_is_taken() {
        let whole = Random::new(Digest::of(b"a")).bytes(100);
        let mut parts = Random::new(Digest::of(b"a"));
        assert_eq!([parts.bytes(33), parts.bytes(67)].concat(), whole);
        assert_ne!(Random::new(Digest::of(b"b")).bytes(100), whole);
    }

    #[test]
    fn a_row_does_not_repeat_its_seed() {
        let row = Random::new(Digest::of(b"a")).bytes(96);
        assert!(row[..32] != row[32..64] && row[32..64] != row[64..]);
    }

    /// Whatever a call is given is in its seed; what asks for no random bytes has none to make.
    #[test]
    fn a_seed_follows_from_plugin_unit_inputs_and_config_and_from_nothing_else() {
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
                grants_llm: false,
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
