//! A template whose layers have models of their own, so that the provider's ledger shows whose requests it was sent.

use std::fs;

use synix_scripted_provider::{Reply, Script};
use toml::{Table, Value};

use crate::support::random::{SeededRandom, skewed_length};
use crate::support::templates;
use crate::support::test_project::TestProject;

/// The prices of a million tokens that [`crate::support::costs::billed`] uses: input and output.
const PRICES: [(&str, f64, f64); 3] = [
    ("gpt-4o-mini", 0.15, 0.6),
    ("claude-haiku-4-5", 1.0, 5.0),
    ("text-embedding-3-small", 0.02, 0.0),
];

/// The maximum number of words of a varied answer: less than any `max_tokens` of a template.
const MAX_WORDS: usize = 350;

pub(crate) struct TracedTemplate {
    pub(crate) project: TestProject,
    /// The pipeline file before a change.
    pub(crate) pipeline: Table,
    script: Script,
}

impl TracedTemplate {
    pub(crate) fn new(template: &str) -> Self {
        let project = templates::project(template);
        let text = fs::read_to_string(project.path("synix.toml")).unwrap();
        let mut pipeline: Table = text.parse().unwrap();
        trace(&mut pipeline);
        for provider in ["openai", "anthropic"] {
            let settings = [
                ("look_again", Value::from(vec![0, 0])),
                ("backoff", Value::from(0)),
            ];
            for (key, value) in settings {
                set(&mut pipeline, &["providers", provider, key], value);
            }
        }
        let traced = Self {
            project,
            pipeline,
            script: templates::script(template),
        };
        traced.write_pipeline(&traced.pipeline);
        traced
    }

    pub(crate) fn write_pipeline(&self, pipeline: &Table) {
        self.project.write("synix.toml", &pipeline.to_string());
    }

    /// Returns the names of the layers that a transform makes, with the name of the transform.
    pub(crate) fn transforms(&self) -> Vec<(String, String)> {
        let layers = self.pipeline["layers"].as_table().unwrap();
        let transforms = layers.iter().filter_map(|(name, layer)| {
            let transform = layer.get("transform")?.as_str()?;
            Some((name.clone(), transform.to_owned()))
        });
        transforms.collect()
    }

    /// Returns a key of a layer's config.
    pub(crate) fn config(&self, layer: &str, key: &str) -> Option<&Value> {
        self.pipeline["layers"][layer].get("config")?.get(key)
    }

    /// Gives each answer that is a text another length. JSON stays as it is, because it decides what follows.
    pub(crate) fn vary_answers(&self, random: &mut SeededRandom) {
        let mut script = self.script.clone();
        for rule in &mut script.rules {
            let Reply::Text(text) = &mut rule.reply else {
                continue;
            };
            if serde_json::from_str::<serde_json::Value>(text).is_ok() {
                continue;
            }
            let words: Vec<&str> = text.split_whitespace().collect();
            // The median of these lengths is 40.
            let factor = usize::try_from(skewed_length(random)).unwrap();
            let length = (words.len() * factor / 40).clamp(1, MAX_WORDS);
            let varied: Vec<&str> = words.iter().copied().cycle().take(length).collect();
            *text = varied.join(" ");
        }
        self.project.script(script);
    }
}

/// Gives each layer that a transform makes a model of its own, which answers as the layer's model does and costs as much.
fn trace(pipeline: &mut Table) {
    let layers = pipeline["layers"].as_table().unwrap().clone();
    for (name, layer) in &layers {
        if layer.get("transform").is_none() {
            continue;
        }
        let role = layer.get("model").and_then(Value::as_str);
        let role = role.unwrap_or("default");
        // A template for embeddings alone has no role for the layers that ask nothing.
        let Some(mut settings) = pipeline["models"].get(role).cloned() else {
            continue;
        };
        let model = settings["model"].as_str().unwrap().to_owned();
        let own = model_of(&model, name);
        let (_, input, output) = PRICES
            .into_iter()
            .find(|(known, ..)| *known == model)
            .unwrap();
        let price = [
            ("input", input),
            ("cached_input", input),
            ("cache_write", input),
            ("output", output),
            ("batch", 0.5),
        ];
        for (key, value) in price {
            set(pipeline, &["prices", &own, key], Value::from(value));
        }
        settings["model"] = Value::from(own);
        set(pipeline, &["models", name], settings);
        set(
            pipeline,
            &["layers", name, "model"],
            Value::from(name.as_str()),
        );
    }
}

/// Returns the model of a layer.
fn model_of(model: &str, layer: &str) -> String {
    format!("{model}.{layer}")
}

/// Returns the layer that a model in the ledger belongs to.
pub(crate) fn layer_of(model: &str) -> &str {
    model.rsplit_once('.').unwrap().1
}

/// Sets a key of a table, and makes the tables on the way.
pub(crate) fn set(table: &mut Table, path: &[&str], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert((*key).to_owned(), value);
        return;
    }
    let inner = table.entry(*key).or_insert_with(|| Table::new().into());
    set(inner.as_table_mut().unwrap(), rest, value);
}
