//! How the planted guests divide their inputs.

use std::sync::atomic::{AtomicU32, Ordering};

use synix_plugin::{Error, Header, Unit};

use crate::kit::{self, sorted, unit};

static CALLS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn split(fault: &str, inputs: &[Header], config: &str) -> Result<Vec<Unit>, Error> {
    let count = inputs.len();
    let each = |key: &dyn Fn(&str, u32) -> String| -> Vec<Unit> {
        let units = sorted(inputs).into_iter();
        units
            .map(|(label, at)| unit(key(label, at), vec![at]))
            .collect()
    };
    let plain = |label: &str, _: u32| label.to_owned();
    let header = |at: u32| &inputs[at as usize];
    let mut units = each(&plain);
    match fault {
        "good-split-traps" => kit::trap(),
        "good-split-refuses" if inputs.is_empty() => {
            return Err(Error::InvalidInput("no inputs, no groups".to_owned()));
        }
        "all-two" => {}
        "many-all" | "mixed-all" | "good-all" => {
            let order = sorted(inputs).into_iter().map(|(_, at)| at).collect();
            return Ok(vec![unit("all", order)]);
        }
        "split-unknown" => units.extend([unit("more", vec![count as u32])]),
        "split-twice" => units
            .iter_mut()
            .for_each(|one| one.inputs = vec![one.inputs[0]; 2]),
        "split-same-key" => units = each(&|_, _| "one".to_owned()),
        "split-empty-key" => units = each(&|_, _| String::new()),
        "split-long-key" => units = each(&|label, _| label.repeat(200)),
        "split-line-key" => units = each(&|label, _| format!("{label}\n")),
        "split-no-input" => units.extend([unit("none", vec![])]),
        "split-config-list" => units
            .iter_mut()
            .for_each(|one| one.config = Some("[]".to_owned())),
        "split-none" => units.clear(),
        "split-many" => {
            let numbered = |one: &Unit| {
                (0..10_000)
                    .map(|n| unit(format!("{} {n}", one.key), one.inputs.clone()))
                    .collect::<Vec<_>>()
            };
            units = units.iter().flat_map(numbered).collect();
        }
        "split-asks" => drop(kit::ask("How many?")),
        "split-loops" => while std::hint::black_box(count > 0) {},
        "split-traps-one" if count == 1 => kit::trap(),
        "split-traps-three" if count == 3 => kit::trap(),
        "split-traps-many" if count > 64 => kit::trap(),
        "split-bare" => {
            if inputs
                .iter()
                .any(|one| kit::metadata(one, "topic").is_none())
            {
                kit::trap();
            }
        }
        "split-odd-metadata" => {
            if inputs
                .iter()
                .filter_map(|one| kit::metadata(one, "topic"))
                .any(|topic| !topic.is_string())
            {
                kit::trap();
            }
        }
        "split-digest-keys" => units = each(&|_, at| header(at).digest.clone()),
        "split-count-keys" => units = each(&|label, _| format!("{label} of {count}")),
        "split-cut-keys" => units = each(&|label, _| label.chars().take(24).collect()),
        "split-lower-keys" => units = each(&|label, _| label.to_lowercase()),
        "split-state" => {
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            units = each(&|label, _| format!("{label} {call}"));
        }
        "split-config-bytes" => units = each(&|label, _| format!("{label} {}", config.len())),
        "split-arrival" => {
            let pairs = inputs.chunks(2).zip(0..);
            units = pairs
                .map(|(pair, at)| {
                    let key: Vec<&str> = pair.iter().map(|one| one.label.as_str()).collect();
                    unit(
                        key.join(" "),
                        (2 * at..2 * at + pair.len() as u32).collect(),
                    )
                })
                .collect();
        }
        "split-arrival-inside" => units = vec![unit("all", (0..count as u32).collect())],
        "split-forgets-first" => drop(units.drain(..units.len().min(1))),
        "split-forgets-late" if count > 64 => units.truncate(64),
        "good-grouped-sorted" => {
            let mut groups = std::collections::BTreeMap::<String, Vec<u32>>::new();
            for (_, at) in sorted(inputs) {
                let topic = kit::metadata(header(at), "topic")
                    .map_or_else(|| "none".to_owned(), |topic| topic.to_string());
                groups.entry(topic).or_default().push(at);
            }
            units = groups
                .into_iter()
                .map(|(topic, at)| {
                    unit(
                        topic
                            .chars()
                            .take(200)
                            .collect::<String>()
                            .replace(char::is_control, "?"),
                        at,
                    )
                })
                .collect();
        }
        "good-grouped-overlap" => {
            let order: Vec<(&str, u32)> = sorted(inputs);
            units = order
                .windows(2)
                .map(|two| {
                    unit(
                        format!("{} {}", two[0].0, two[1].0),
                        vec![two[0].1, two[1].1],
                    )
                })
                .collect();
            if order.len() == 1 {
                units = each(&plain);
            }
        }
        _ => {}
    }
    Ok(units)
}
