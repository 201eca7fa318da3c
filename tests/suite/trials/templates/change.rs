//! A random change of a template: of a prompt, an input, a setting or a plugin; in the files, or as the options of a
//! trial.

use std::fs;

use toml::{Table, Value};

use crate::support::random::SeededRandom;
use crate::trials::templates::inputs::change_sources;
use crate::trials::templates::traced::{TracedTemplate, set};

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Prompt,
    Input,
    Setting,
    Plugin,
}

impl Sort {
    pub(super) const ALL: [Self; 4] = [Self::Prompt, Self::Input, Self::Setting, Self::Plugin];
}

/// A change, which is in the files of the project already.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) sort: Sort,
    /// Read in the message of a failure.
    #[expect(dead_code, reason = "shown by `Debug`")]
    what: String,
    /// The options of the commands.
    pub(super) flags: Vec<String>,
    /// The layer that has another plugin or setting.
    pub(super) layer: Option<String>,
}

/// A path of the pipeline file, and its value.
type Setting = (Vec<String>, Value);

impl Change {
    /// Makes a change. The pipeline file of the one before is gone; files stay as they are.
    pub(super) fn draw(
        template: &mut TracedTemplate,
        random: &mut SeededRandom,
        number: u64,
    ) -> Self {
        template.write_pipeline(&template.pipeline);
        let asks = template
            .transforms()
            .iter()
            .any(|(layer, _)| prompt_of(template, layer).is_some());
        let sort = match random.one_of(&Sort::ALL) {
            Sort::Prompt if !asks => Sort::Setting,
            sort => sort,
        };
        let mut flags = Vec::new();
        let mut layer = None;
        let what = match sort {
            Sort::Prompt => change_prompt(template, random, number, &mut flags),
            Sort::Input => change_sources(&template.project, random, number),
            Sort::Setting => {
                let setting = draw_setting(template, random, number);
                layer = Some(setting.0[1].clone());
                apply(template, random, &[setting], &mut flags)
            }
            Sort::Plugin => {
                let settings = draw_plugin(template, random, number);
                layer = Some(settings[0].0[1].clone());
                apply(template, random, &settings, &mut flags)
            }
        };
        select(template, random, &mut flags);
        Self {
            sort,
            what,
            flags,
            layer,
        }
    }
}

/// Returns the file with the prompt of a layer.
fn prompt_of(template: &TracedTemplate, layer: &str) -> Option<String> {
    let file = template.config(layer, "prompt_file")?.as_str()?;
    Some(file.to_owned())
}

fn change_prompt(
    template: &TracedTemplate,
    random: &mut SeededRandom,
    number: u64,
    flags: &mut Vec<String>,
) -> String {
    let layers = template.transforms().into_iter();
    let prompts: Vec<_> = layers
        .filter_map(|(layer, _)| Some((prompt_of(template, &layer)?, layer)))
        .collect();
    let (file, layer) = &prompts[index(random, prompts.len())];
    let text = fs::read_to_string(template.project.path(file)).unwrap();
    let text = format!("{}\n\nAnswer in way {number}.\n", text.trim_end());
    match random.below(3) {
        0 => {
            template.project.write(file, &text);
            format!("{file} edited")
        }
        1 => {
            template.project.write("other.md", &text);
            flags.push(format!("--prompt-file={layer}=other.md"));
            String::new()
        }
        _ => {
            flags.push(format!(
                "--set=layers.{layer}.config.system=Work in way {number}."
            ));
            String::new()
        }
    }
}

/// Draws a setting that is valid for the layer.
fn draw_setting(template: &TracedTemplate, random: &mut SeededRandom, number: u64) -> Setting {
    let transforms = template.transforms();
    let (layer, transform) = &transforms[index(random, transforms.len())];
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    let config = |key| path(&["layers", layer, "config", key]);
    let small = i64::try_from(number).unwrap();
    let of_any = |random: &mut SeededRandom| match random.below(3) {
        0 => (
            path(&["layers", layer, "revision"]),
            Value::from(format!("r{number}")),
        ),
        1 => (path(&["layers", layer, "repair"]), Value::from(small % 3)),
        _ => (
            path(&["layers", layer, "batch"]),
            Value::from(number.is_multiple_of(2)),
        ),
    };
    let asks = prompt_of(template, layer).is_some();
    match (random.below(6), transform.as_str()) {
        (0 | 1, "chunk") => (config("size"), Value::from(600 + 100 * (small % 9))),
        (0 | 1, "merge") => (
            config("similarity"),
            Value::from(f64::from(5 + u8::try_from(number % 5).unwrap()) / 10.0),
        ),
        (0 | 1, "embed") => (
            path(&["models", layer, "dimensions"]),
            Value::from(64 + small % 4),
        ),
        (0, "map" | "group") if asks => (
            config("label"),
            Value::from(format!(
                "{}-{number}",
                if transform == "map" {
                    "{{ label }}"
                } else {
                    "{{ group }}"
                }
            )),
        ),
        (0, "group") => (config("separator"), Value::from(format!("\n{number}\n"))),
        (0, "fold") => (
            config("initial"),
            Value::from(format!("Nothing in way {number}.")),
        ),
        // The number of parts depends on the answers.
        (0, "reduce") => (
            config("max_input_tokens"),
            Value::from(3000 + 500 * (small % 4)),
        ),
        (1, _) if asks => (
            path(&["models", layer, "temperature"]),
            Value::from(f64::from(u8::try_from(number % 10).unwrap()) / 10.0),
        ),
        (2, _) if asks => (
            path(&["models", layer, "max_tokens"]),
            Value::from(4000 + small),
        ),
        (3, _) if asks => (config("sample"), Value::from(small % 5)),
        _ => of_any(random),
    }
}

/// Draws another plugin for a layer: the same transform compiled to other bytes, or another transform.
fn draw_plugin(template: &TracedTemplate, random: &mut SeededRandom, number: u64) -> Vec<Setting> {
    let transforms = template.transforms();
    let (layer, transform) = &transforms[index(random, transforms.len())];
    let set = |key: &str, value: Value| {
        let path = ["layers", layer, key];
        (path.map(str::to_owned).to_vec(), value)
    };
    let prompt = |text: &str| ("prompt", Value::from(format!("{text} In way {number}.")));
    let other: Option<(&str, Vec<(&str, Value)>)> = match (random.below(3), transform.as_str()) {
        (0, "reduce") => Some((
            "fold",
            vec![
                prompt("{{ so_far }} {{ content }}"),
                ("initial", "Nothing.".into()),
                ("label", "all".into()),
            ],
        )),
        (1, "reduce") => Some((
            "group",
            vec![
                prompt("{{ group }}{% for one in inputs %} {{ one.content }}{% endfor %}"),
                ("by_template", "{{ kind }}".into()),
            ],
        )),
        (0 | 1, "fold") => Some((
            "reduce",
            vec![
                prompt("All:{% for one in inputs %} {{ one.content }}{% endfor %}"),
                ("label", "all".into()),
            ],
        )),
        (0 | 1, "merge") => Some(("chunk", vec![("size", 900.into())])),
        _ => None,
    };
    if let Some((transform, config)) = other {
        let config: Table = config
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        return vec![
            set("transform", transform.into()),
            set("config", config.into()),
        ];
    }
    let file = format!("plugins/{transform}.wasm");
    let path = template.project.path(&file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, rebuilt(transform, number % 3)).unwrap();
    let mut settings = vec![set("transform", format!("./{file}").into())];
    let grant = match transform.as_str() {
        "embed" => Some("embed"),
        "map" | "reduce" | "group" | "fold" => Some("llm"),
        _ => None,
    };
    settings.extend(grant.map(|grant| set("grants", Value::from(vec![grant]))));
    settings
}

/// Returns the component of a first-party transform with a section that makes it other bytes.
fn rebuilt(transform: &str, build: u64) -> Vec<u8> {
    let mut bytes = synix_components::component(transform).unwrap();
    let name = b"build";
    let content = build.to_string();
    // A custom section: its id, its size, and its name before its content.
    let size = 1 + name.len() + content.len();
    bytes.extend([
        0,
        u8::try_from(size).unwrap(),
        u8::try_from(name.len()).unwrap(),
    ]);
    bytes.extend(name);
    bytes.extend(content.as_bytes());
    bytes
}

/// Writes settings into the pipeline file, or makes them options.
fn apply(
    template: &TracedTemplate,
    random: &mut SeededRandom,
    settings: &[Setting],
    flags: &mut Vec<String>,
) -> String {
    if random.below(2) == 0 {
        flags.extend(
            settings
                .iter()
                .map(|(path, value)| format!("--set={}={value}", path.join("."))),
        );
        return String::new();
    }
    let mut pipeline = template.pipeline.clone();
    for (path, value) in settings {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        set(&mut pipeline, &path, value.clone());
    }
    template.write_pipeline(&pipeline);
    format!("{settings:?}")
}

/// Builds everything, a sample, or what a layer needs.
fn select(template: &TracedTemplate, random: &mut SeededRandom, flags: &mut Vec<String>) {
    let transforms = template.transforms();
    let (layer, _) = &transforms[index(random, transforms.len())];
    match random.below(6) {
        0 | 1 => flags.push(format!("--limit={}", 1 + random.below(12))),
        2 => flags.push(format!("--select={layer}")),
        3 => {
            flags.push(format!("--select={layer}"));
            flags.push(format!("--limit={}", 1 + random.below(5)));
        }
        _ => {}
    }
}

fn index(random: &mut SeededRandom, end: usize) -> usize {
    usize::try_from(random.below(end as u64)).unwrap()
}
