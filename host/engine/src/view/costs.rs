//! What the builds of a pipeline cost, by day, layer, model or build.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cost::rate;
use super::status::{RequestCounts, TokensView};
use synix_core::clock::Timestamp;
use synix_prices::{Amount, Bill, Prices};
use synix_store::{BuildId, Reader, SendRecord, SendState, StoreError};

/// What a sum of costs is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CostGroup {
    /// The day (UTC) on which requests were sent; if that is not recorded, the day on which the build was opened.
    Day,
    /// The layer of the requests.
    Layer,
    /// The model that was asked.
    Model,
    /// The build that sent them.
    Build,
}

/// What all builds of a pipeline cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// The sums, in the order of what they are about.
    pub costs: Vec<CostSum>,
    /// The sum of all.
    pub total: CostSum,
}

/// The cost of some requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CostSum {
    /// The day, such as `2026-11-28`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The layer; empty if it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The id of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The numbers of requests that were sent.
    pub requests: RequestCounts,
    /// The tokens that providers counted.
    pub tokens: TokensView,
    /// Their cost in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
    /// Why the cost is unknown, one line per cause.
    pub unpriced: Vec<String>,
}

/// What a sum is about; `None` for what it is not divided by.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    day: Option<Timestamp>,
    layer: Option<String>,
    model: Option<String>,
    build: Option<BuildId>,
}

#[derive(Debug, Default)]
struct Sum {
    requests: RequestCounts,
    bill: Bill,
}

impl Costs {
    /// Adds up what the builds of `pipeline` have sent, at `prices`, divided by each of `by`.
    pub fn of(
        reader: &Reader,
        pipeline: &str,
        by: &[CostGroup],
        prices: &Prices,
    ) -> Result<Self, StoreError> {
        let mut total = Sum::default();
        let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
        for (build, opened) in reader.builds_of(pipeline)? {
            reader.for_each_send(build, |send| {
                total.add(&send, prices);
                let key = Key::of(&send, build, opened, by);
                sums.entry(key).or_default().add(&send, prices);
            })?;
        }
        let costs = sums.into_iter().map(|(key, sum)| sum.view(key));
        Ok(Self {
            pipeline: pipeline.to_owned(),
            costs: costs.collect(),
            total: total.view(Key::default()),
        })
    }
}

impl Key {
    fn of(send: &SendRecord<'_>, build: BuildId, opened: Timestamp, by: &[CostGroup]) -> Self {
        let has = |group| by.contains(&group);
        Self {
            day: has(CostGroup::Day).then(|| send.sent.unwrap_or(opened).start_of_day()),
            layer: has(CostGroup::Layer).then(|| send.layer.to_owned()),
            model: has(CostGroup::Model).then(|| send.model.to_owned()),
            build: has(CostGroup::Build).then_some(build),
        }
    }
}

impl Sum {
    fn add(&mut self, send: &SendRecord<'_>, prices: &Prices) {
        let is_batch = send.submission.is_some();
        match (is_batch, send.state) {
            (true, _) => self.requests.batch += 1,
            (false, SendState::Unclear) => {}
            (false, SendState::Open | SendState::Closed) => self.requests.sync += 1,
        }
        if send.state == SendState::Unclear {
            self.requests.unclear += 1;
        }
        self.bill
            .add(prices, send.model, &send.usage, rate(is_batch));
    }

    fn view(self, key: Key) -> CostSum {
        let date = |day: Timestamp| day.to_string().chars().take_while(|c| *c != 'T').collect();
        CostSum {
            day: key.day.map(date),
            layer: key.layer,
            model: key.model,
            build: key.build.map(|build| build.to_string()),
            requests: self.requests,
            tokens: TokensView::of(&self.bill),
            cost_usd: self.bill.cost(),
            unpriced: self
                .bill
                .unpriced()
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}
