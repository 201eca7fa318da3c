//! The table of a plan: a row for each layer, and the total.

use synix_engine::plan::{Plan, PlanLayer, PlannedRequests};

use super::amounts::{at_least, at_most};

pub(super) fn row(layer: &PlanLayer) -> [String; 8] {
    let [requests, input, output, cost] = if has_no_requests(layer) {
        ["0", "-", "-", "-"].map(str::to_owned)
    } else {
        request_cells(&layer.planned)
    };
    [
        layer.name.clone(),
        layer.mode.to_owned(),
        unit_cell(layer.units, layer.units_guess, layer.units_exact),
        unit_cell(layer.stale, layer.stale_guess, layer.units_exact),
        requests,
        input,
        output,
        cost,
    ]
}

pub(super) fn total(plan: &Plan) -> [String; 8] {
    let total = &plan.total;
    let [requests, input, output, cost] = if plan.layers.iter().all(has_no_requests) {
        ["0", "-", "-", "-"].map(str::to_owned)
    } else {
        request_cells(&total.planned)
    };
    [
        "total".to_owned(),
        String::new(),
        unit_cell(total.units, total.units_guess, total.units_exact),
        unit_cell(total.stale, total.stale_guess, total.units_exact),
        requests,
        input,
        output,
        cost,
    ]
}

/// Returns the cell for the expected cost.
pub(super) fn expected_cell(planned: &PlannedRequests) -> String {
    if planned.requests == 0 {
        return if planned.exact { "-" } else { "?" }.to_owned();
    }
    planned
        .cost_usd_expected
        .map_or_else(|| "unknown".to_owned(), |cost| cost.to_string())
}

/// Returns whether a layer has no requests to price, now or after unknown answers.
const fn has_no_requests(layer: &PlanLayer) -> bool {
    layer.planned.exact && layer.planned.requests == 0
}

/// Returns whether a layer has stale units and all the answers that they need.
pub(super) const fn is_on_record(layer: &PlanLayer) -> bool {
    has_no_requests(layer)
        && layer.planned.answered > 0
        && layer.planned.in_flight == 0
        && layer.planned.missing == 0
}

/// Returns whether a number of a layer is unknown.
pub(super) const fn is_unknown(layer: &PlanLayer) -> bool {
    let no_units = !layer.units_exact && layer.units_guess.is_none() && layer.units == 0;
    no_units || !layer.planned.exact
}

fn unit_cell(known: u64, guess: Option<u64>, exact: bool) -> String {
    match guess {
        Some(guess) => format!("~{guess}"),
        None if exact => known.to_string(),
        None if known == 0 => "?".to_owned(),
        None => format!("{known}+"),
    }
}

/// Returns the cells for requests, tokens and cost: upper bounds if no further request can follow, otherwise lower
/// bounds.
fn request_cells(planned: &PlannedRequests) -> [String; 4] {
    if !planned.exact && planned.requests == 0 {
        return ["?", "?", "?", "?"].map(str::to_owned);
    }
    let more = if planned.exact { "" } else { "+" };
    let unknown = || "unknown".to_owned();
    let sign = if planned.input_tokens_estimated {
        "~"
    } else {
        ""
    };
    let input = planned
        .input_tokens
        .map_or_else(unknown, |tokens| format!("{sign}{tokens}{more}"));
    let (output, cost) = if planned.exact {
        (
            planned
                .output_tokens_max
                .map_or_else(unknown, |tokens| format!("up to {tokens}")),
            planned
                .cost_usd_max
                .map_or_else(unknown, |cost| format!("up to {}", at_most(cost))),
        )
    } else {
        (
            "?".to_owned(),
            planned
                .cost_usd_min
                .map_or_else(unknown, |cost| format!("{}+", at_least(cost))),
        )
    };
    [format!("{}{more}", planned.requests), input, output, cost]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_number_is_a_question_mark_and_a_guess_has_a_tilde() {
        assert_eq!(unit_cell(0, None, false), "?");
        assert_eq!(unit_cell(3, None, false), "3+");
        assert_eq!(unit_cell(3, None, true), "3");
        assert_eq!(unit_cell(3, Some(5), false), "~5");
    }
}
