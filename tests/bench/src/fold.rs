//! Measures a fold of many steps beside as many requests that do not depend on each other, one after the other.

use synix_scripted_provider::Script;

use crate::child::ResourceUsage;
use crate::project::Project;
use crate::report::{row, seconds};
use crate::{Options, Outcome};

/// Each is twice the one before: the time of each step should stay the same.
const STEPS: [u32; 3] = [250, 500, 1_000];

/// One call at a time, as in a fold.
const RUN: [&str; 3] = ["build", "--concurrency", "1"];

const FOLD: &str = r#"
[layers.made]
transform = "fold"
inputs = ["docs"]
config = { label = "story", prompt = "So far: {{ so_far }}\nNow: {{ content }}" }
"#;

const MAP: &str = r#"
[layers.made]
transform = "map"
inputs = ["docs"]
config = { prompt = "So far: nothing\nNow: {{ content }}" }
"#;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("a fold, beside `map` with the same number of requests, one call at a time\n");
    time(options, 10, FOLD)?;
    time(options, 10, MAP)?;
    for steps in options.units.map_or(STEPS.to_vec(), |units| vec![units]) {
        let floor = time(options, steps, MAP)?;
        let fold = time(options, steps, FOLD)?;
        let ratio = fold.wall.as_secs_f64() / floor.wall.as_secs_f64();
        row(
            &format!("map of {steps}"),
            &seconds(floor.wall),
            "the floor",
        );
        row(
            &format!("fold of {steps}"),
            &seconds(fold.wall),
            &format!("{ratio:.2} of the floor"),
        );
        row(
            "  processor time",
            &seconds(fold.processor),
            "goal 5 s for 1000",
        );
        row("  peak memory", &fold.memory(), "");
    }
    Ok(())
}

/// Builds a new project with this layer.
fn time(options: &Options, steps: u32, layer: &str) -> Outcome<ResourceUsage> {
    let documents = (0..steps).map(|number| {
        let text = format!("Document {number}. ").repeat(40);
        (format!("d{number:06}.txt"), text)
    });
    let project = Project::new(options, Script::new(), documents)?;
    project.pipeline("synix.toml", "", layer)?;
    project.run(&RUN)
}
