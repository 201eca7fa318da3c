//! Seeded changes of the shipped templates: what a plan and a trial predict is what the provider bills.
//!
//! The suite tries some changes of each template. `SYNIX_TEMPLATE_CHANGES` sets another number in all, such as 200.

mod change;
mod comparison;
mod inputs;
mod traced;

use std::collections::BTreeMap;
use std::thread;

use crate::support::costs::error_quantiles;
use crate::support::random::SeededRandom;
use crate::support::templates::names;
use crate::support::test_project::number_from_environment;
use crate::trials::templates::change::{Change, Sort};
use crate::trials::templates::comparison::{Comparison, compare};
use crate::trials::templates::traced::TracedTemplate;

/// The number of changes in a run of the suite.
const CHANGES: u64 = 20;

/// Prints how many predictions were exact, and the distribution of the errors of the expected cost.
#[test]
fn what_is_predicted_of_a_changed_template_is_what_is_billed() {
    let templates = names();
    let changes = number_from_environment("SYNIX_TEMPLATE_CHANGES").unwrap_or(CHANGES);
    let each = changes.div_ceil(templates.len() as u64);
    let of_templates: Vec<Vec<(Sort, Comparison)>> = thread::scope(|scope| {
        let templates = templates.iter().zip(1..);
        let runs: Vec<_> = templates
            .map(|(template, seed)| scope.spawn(move || change_repeatedly(template, seed, each)))
            .collect();
        let ended = runs.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .map(|run| run.expect("a run without a failure"))
            .collect()
    });
    let all: Vec<(Sort, Comparison)> = of_templates.into_iter().flatten().collect();
    for line in report(&all) {
        println!("{line}");
    }
    for sort in Sort::ALL {
        assert!(all.iter().any(|(of, _)| *of == sort), "{sort:?}");
    }
    // A plan that calls everything inexact would be right as well.
    let exact = all.iter().filter(|(_, one)| one.is_exact).count();
    assert!(exact * 3 >= all.len(), "{exact} of {} are exact", all.len());
}

/// Builds a template, and changes it again and again.
fn change_repeatedly(template: &str, seed: u64, changes: u64) -> Vec<(Sort, Comparison)> {
    let mut random = SeededRandom(seed);
    let mut traced = TracedTemplate::new(template);
    traced.vary_answers(&mut random);
    traced.project.ok(&["build"]);
    let numbers = 0..changes;
    let compared = numbers.map(|number| {
        traced.vary_answers(&mut random);
        let change = Change::draw(&mut traced, &mut random, number);
        let context = format!("{template}, change {number}: {change:?}");
        (
            change.sort,
            compare(&traced, &change, &mut random, &context),
        )
    });
    compared.collect()
}

/// Describes how many numbers of each sort of change were exact, and the errors of the expected costs.
fn report(all: &[(Sort, Comparison)]) -> Vec<String> {
    let mut sorts: BTreeMap<Sort, (u64, u64, u64)> = BTreeMap::new();
    for (sort, one) in all {
        let counts = sorts.entry(*sort).or_default();
        counts.0 += 1;
        counts.1 += u64::from(one.is_exact);
        counts.2 += one.sent;
    }
    let sorts = sorts.into_iter().map(|(sort, (changes, exact, sent))| {
        format!("{sort:?}: {changes} changes, {exact} with an exact number, {sent} requests")
    });
    let of_plans = all.iter().flat_map(|(_, one)| one.plan_errors.clone());
    let of_builds = all.iter().filter_map(|(_, one)| one.build_error);
    let errors = [
        error_quantiles("plan", &mut of_plans.collect::<Vec<_>>()),
        error_quantiles("build", &mut of_builds.collect::<Vec<_>>()),
    ];
    sorts.chain(errors).collect()
}
