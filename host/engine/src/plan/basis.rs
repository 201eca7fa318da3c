//! Finds what answers on record say about those that a plan expects.

use std::collections::HashMap;

use synix_prices::{Basis, Estimate, InputSums};
use synix_store::{AttemptId, Reader, RecentAnswer, RecentAnswers, StoreError};

/// The maximum number of answers that a basis has.
const MAX_ANSWERS: u32 = 1000;
/// The maximum number of them whose input is estimated again, and of the tokens of that: both take time.
const MAX_ESTIMATED: usize = 30;
const MAX_ESTIMATED_TOKENS: u64 = 100_000;

/// Whose answers an expected cost rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BasisOrigin {
    /// Those of the same layer and model.
    Layer,
    /// Those of the same model, because the layer has none.
    Model,
}

impl BasisOrigin {
    /// Returns the name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layer => "layer",
            Self::Model => "model",
        }
    }
}

/// A basis and whose answers it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundBasis {
    /// What the answers say.
    pub basis: Basis,
    /// Whose answers they are.
    pub origin: BasisOrigin,
}

/// Finds each basis once.
#[derive(Debug)]
pub(crate) struct Bases<'a> {
    reader: Option<&'a Reader>,
    /// Only answers before this attempt count; `None`: all.
    before: Option<AttemptId>,
    /// Whether the input of the answers is needed as well.
    estimates_input: bool,
    found: HashMap<(Option<String>, String), Option<Basis>>,
}

impl<'a> Bases<'a> {
    /// Finds the bases of requests that have not been sent.
    pub(crate) fn of_plan(reader: Option<&'a Reader>) -> Self {
        Self {
            reader,
            before: None,
            estimates_input: true,
            found: HashMap::new(),
        }
    }

    /// Finds the bases that were on record before an attempt. They say nothing about inputs.
    pub(crate) fn before(reader: &'a Reader, attempt: AttemptId) -> Self {
        Self {
            reader: Some(reader),
            before: Some(attempt),
            estimates_input: false,
            found: HashMap::new(),
        }
    }

    /// Returns the basis of a layer's requests to a model, or that of all requests to the model.
    pub(crate) fn find(
        &mut self,
        layer: &str,
        model: &str,
    ) -> Result<Option<FoundBasis>, StoreError> {
        for (layer, origin) in [
            (Some(layer), BasisOrigin::Layer),
            (None, BasisOrigin::Model),
        ] {
            if let Some(basis) = self.basis(layer, model)? {
                return Ok(Some(FoundBasis { basis, origin }));
            }
        }
        Ok(None)
    }

    fn basis(&mut self, layer: Option<&str>, model: &str) -> Result<Option<Basis>, StoreError> {
        let key = (layer.map(str::to_owned), model.to_owned());
        if let Some(found) = self.found.get(&key) {
            return Ok(*found);
        }
        let basis = self.read(layer, model)?;
        self.found.insert(key, basis);
        Ok(basis)
    }

    fn read(&self, layer: Option<&str>, model: &str) -> Result<Option<Basis>, StoreError> {
        let Some(reader) = self.reader else {
            return Ok(None);
        };
        let answers = reader.recent_answers(RecentAnswers {
            layer,
            model,
            before: self.before,
            limit: MAX_ANSWERS,
        })?;
        let inputs = if self.estimates_input {
            input_sums(reader, &answers)
        } else {
            InputSums::default()
        };
        let outputs = answers.iter().map(|answer| answer.output_tokens);
        Ok(Basis::of(outputs.collect(), inputs))
    }
}

/// Adds up the input of the newest answers, as counted and as estimated.
fn input_sums(reader: &Reader, answers: &[RecentAnswer]) -> InputSums {
    let mut sums = InputSums::default();
    for answer in answers.iter().take(MAX_ESTIMATED) {
        if sums.estimated >= MAX_ESTIMATED_TOKENS {
            break;
        }
        // `gc` deletes the texts of old requests.
        let Ok(request) = reader.request(answer.request) else {
            continue;
        };
        if let Ok(estimated) = Estimate::of(&request).input_tokens {
            sums.counted = sums.counted.saturating_add(answer.input_tokens);
            sums.estimated = sums.estimated.saturating_add(estimated);
        }
    }
    sums
}
