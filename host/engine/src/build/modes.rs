//! How each layer's requests are answered. A mode is decided once for a build.

use super::layers::ReadyPipeline;
use crate::plan;
use synix_manifest::BatchChoice;
use synix_store::{BuildLayer, LayerMode};

#[derive(Debug, Clone)]
struct ModeChoice {
    batch: BatchChoice,
    has_batch_api: bool,
    min_batch: u64,
}

impl ModeChoice {
    /// Returns the mode of a layer whose requests need not be counted first.
    const fn fixed_mode(&self) -> Option<LayerMode> {
        match self.batch {
            BatchChoice::Always => Some(LayerMode::Batch),
            BatchChoice::Never => Some(LayerMode::Sync),
            BatchChoice::Auto => None,
        }
    }
}

/// The modes of a build's layers, by position.
#[derive(Debug, Clone)]
pub(super) struct Modes {
    /// `None` for layers without requests.
    choices: Vec<Option<ModeChoice>>,
    decided: Vec<Option<LayerMode>>,
}

impl Modes {
    /// Answers everything through the sync API.
    pub(super) fn all_sync(pipeline: &ReadyPipeline) -> Self {
        let mut modes = Self::by_layer(pipeline);
        for (decided, choice) in modes.decided.iter_mut().zip(&modes.choices) {
            *decided = choice.as_ref().map(|_| LayerMode::Sync);
        }
        modes
    }

    /// Answers the requests of one layer through the sync API.
    pub(super) fn one_sync() -> Self {
        Self {
            decided: vec![Some(LayerMode::Sync)],
            choices: vec![None],
        }
    }

    /// Answers each layer's requests as configured.
    pub(super) fn by_layer(pipeline: &ReadyPipeline) -> Self {
        let choices: Vec<_> = pipeline
            .layers
            .iter()
            .map(|layer| {
                let transform = layer.body.transform()?;
                transform.grants.any().then(|| ModeChoice {
                    batch: transform.batch,
                    has_batch_api: transform.has_batch_api,
                    min_batch: transform.min_batch,
                })
            })
            .collect();
        let decided = choices
            .iter()
            .map(|choice| choice.as_ref().and_then(ModeChoice::fixed_mode))
            .collect();
        Self { choices, decided }
    }

    /// Restores the decisions of earlier commands of the build.
    pub(super) fn restore(&mut self, layers: &[BuildLayer], pipeline: &ReadyPipeline) {
        for layer in layers {
            // By name, because the user may have allowed another pipeline.
            let position = pipeline
                .layers
                .iter()
                .position(|known| known.name.as_str() == layer.name);
            let decided = position.and_then(|position| self.decided.get_mut(position));
            if let (Some(mode), Some(decided)) = (layer.mode, decided) {
                *decided = Some(mode);
            }
        }
    }

    /// Returns the mode of a layer, if it is decided.
    pub(super) fn decided(&self, layer: usize) -> Option<LayerMode> {
        self.decided.get(layer).copied().flatten()
    }

    /// Decides the mode of a layer if further requests could not change it.
    pub(super) fn decide_early(&mut self, layer: usize, recorded: u64) -> Option<LayerMode> {
        let choice = self.choices.get(layer)?.as_ref()?;
        let mode = plan::decide_mode(
            choice.batch,
            choice.has_batch_api,
            recorded,
            choice.min_batch,
        );
        (mode == LayerMode::Batch).then(|| self.decide(layer, recorded))
    }

    /// Returns the mode that a layer has, or would get with this number of recorded requests.
    pub(super) fn expected(&self, layer: usize, recorded: u64) -> LayerMode {
        if let Some(mode) = self.decided(layer) {
            return mode;
        }
        self.choices
            .get(layer)
            .and_then(Option::as_ref)
            .map_or(LayerMode::Sync, |choice| {
                plan::decide_mode(
                    choice.batch,
                    choice.has_batch_api,
                    recorded,
                    choice.min_batch,
                )
            })
    }

    /// Decides the mode of a layer by the number of its recorded requests, unless it is decided.
    pub(super) fn decide(&mut self, layer: usize, recorded: u64) -> LayerMode {
        let mode = self.expected(layer, recorded);
        if let Some(decided) = self.decided.get_mut(layer) {
            *decided = Some(mode);
        }
        mode
    }
}

#[cfg(test)]
impl Modes {
    /// Returns the modes of one layer with requests, at a provider with batches.
    pub(super) fn of_one(batch: BatchChoice) -> Self {
        let choice = ModeChoice {
            batch,
            has_batch_api: true,
            min_batch: 1000,
        };
        Self {
            decided: vec![choice.fixed_mode()],
            choices: vec![Some(choice)],
        }
    }
}
