//! Fails units and layers, and holds back the dependants of failed units.

use super::BuildError;
use super::answerer::Answerer;
use super::event::Event;
use super::layers::ReadyTransform;
use super::limit_excess::LimitKind;
use super::progress::Freshness;
use super::recorder::Record as _;
use super::scheduler::{Scheduler, Step};
use synix_core::ids::UnitKey;
use synix_core::request::{Failure, FailureKind, Usage};

impl<A: Answerer> Step<'_, '_, '_, A> {
    pub(super) fn fail_unit(&mut self, number: usize, failure: &Failure) -> Result<(), BuildError> {
        let Some(unit) = self.units[number].take() else {
            return Ok(());
        };
        self.record_failure(unit.layer, unit.spec.key.clone(), failure)
    }

    /// Fails a layer that could not be divided into units.
    pub(super) fn fail_layer(&mut self, layer: usize, failure: &Failure) -> Result<(), BuildError> {
        self.layers[layer].progress.unit_added(Freshness::Stale);
        // A layer's name is a valid unit key, because its rule is stricter.
        let key = UnitKey::parse(self.layer_name(layer)).map_err(|error| BuildError::Metadata {
            layer: self.layer_name(layer).to_owned(),
            path: String::new(),
            detail: error.to_string(),
        })?;
        self.record_failure(layer, key, failure)
    }

    /// Records and reports that an open unit failed.
    pub(super) fn record_failure(
        &mut self,
        layer: usize,
        key: UnitKey,
        failure: &Failure,
    ) -> Result<(), BuildError> {
        self.record.failed(layer, &key, failure)?;
        (self.context.observer)(&Event::Failed {
            layer: self.layer_name(layer).to_owned(),
            unit: key.to_string(),
            kind: failure.kind,
            message: failure.message.clone(),
        });
        let run = &mut self.layers[layer];
        run.failed_units.push(key);
        run.progress.unit_failed();
        self.check_complete(layer)
    }

    pub(super) fn hold_back_dependants(
        &mut self,
        layer: usize,
        transform: &ReadyTransform,
    ) -> Result<(), BuildError> {
        if self.context.allow_partial {
            return Ok(());
        }
        for input in &transform.inputs {
            for key in self.layers[*input].failed_units.clone() {
                if !self.sample.misses(layer, *input, &key) {
                    continue;
                }
                let needs = format!("{}/{key}", self.layer_name(*input));
                // The key that the unit would have. No unit has a key that is too long.
                let key = if transform.inputs.len() == 1 {
                    key
                } else {
                    UnitKey::from_stored(&needs).unwrap_or(key)
                };
                self.hold_back(layer, key, &needs)?;
            }
        }
        Ok(())
    }

    fn hold_back(&mut self, layer: usize, key: UnitKey, needs: &str) -> Result<(), BuildError> {
        if !self.try_count(layer, LimitKind::Units, 1) {
            return Ok(());
        }
        self.layers[layer].progress.unit_added(Freshness::Stale);
        let message = format!("it needs {needs}, which failed");
        let failure = Failure {
            kind: FailureKind::HeldBack,
            message,
            transient: false,
            usage: Usage::default(),
        };
        self.record_failure(layer, key, &failure)
    }

    /// Holds back the units that the layer had before, or the layer itself if it had none.
    pub(super) fn hold_back_layer(
        &mut self,
        layer: usize,
        missing: &str,
    ) -> Result<(), BuildError> {
        let name = self.layer_name(layer);
        let mut keys = self.previous.keys(name)?;
        if keys.is_empty() {
            keys.push(self.layer_name(layer).to_owned());
        }
        for key in keys.iter().filter_map(|key| UnitKey::from_stored(key).ok()) {
            if key.as_str() == name || self.scheduler.sample.takes_group(layer, &key) {
                self.hold_back(layer, key, missing)?;
            }
        }
        Ok(())
    }
}

impl<A: Answerer> Scheduler<'_, A> {
    /// Returns a failed unit upstream of a layer, at any distance. A file that no sample takes is missed by nobody.
    pub(super) fn failed_upstream(&self, layer: usize) -> Option<String> {
        let transform = self.context.pipeline.layers[layer].body.transform()?;
        transform.inputs.iter().find_map(|input| {
            let mut failed = self.layers[*input].failed_units.iter();
            match failed.find(|key| self.sample.misses(layer, *input, key)) {
                Some(key) => Some(format!("{}/{key}", self.layer_name(*input))),
                None => self.failed_upstream(*input),
            }
        })
    }
}

pub(super) fn truncated_failure() -> Failure {
    Failure {
        kind: FailureKind::Truncated,
        message: "the answer reached its token limit; raise max_tokens, or set accept = [\"truncated\"] in the layer".to_owned(),
        transient: false,
        usage: Usage::default(),
    }
}
