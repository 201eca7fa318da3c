//! The project that a page shows. Its state is opened for each page.

use std::collections::BTreeMap;

use synix_core::digest::Digest;
use synix_engine::view::{CostGroup, Costs, ErrorView};
use synix_prices::Prices;
use synix_project::Options;
use synix_search::{Answer, Search};
use synix_store::{BuildId, Reader};
use synix_web::{Library, Planned, Plugin, State};

use super::plugins::describe;
use crate::commands::reading::SnapshotReader;
use crate::commands::search::in_snapshot;
use crate::failure;

pub(super) struct ProjectLibrary {
    options: Options,
}

impl ProjectLibrary {
    /// Refuses a folder without a project, so that the user learns of it on the terminal.
    pub(super) fn open(options: Options) -> anyhow::Result<Self> {
        synix_project::current_pipeline(&options)?;
        Ok(Self { options })
    }

    fn found(&self, wanted: &Search, snapshot: Option<&str>) -> anyhow::Result<Answer> {
        let reader = SnapshotReader::of(self.options.clone(), snapshot)?;
        Ok(in_snapshot(&reader, wanted, &|_| {})?.into_answer())
    }
}

impl Library for ProjectLibrary {
    fn open(&self) -> Result<State, ErrorView> {
        let open = || {
            let current = synix_project::current_pipeline(&self.options)?;
            Ok(State {
                reader: synix_project::open_reader(&self.options)?,
                pipeline: current.file,
                is_certain: current.is_certain,
            })
        };
        open().map_err(|error| failure::view(&error))
    }

    fn plan(&self) -> Result<Planned, ErrorView> {
        let planned = synix_project::planned_overview(&self.options);
        let (overview, plan) = planned.map_err(|error| failure::view(&error.into()))?;
        Ok(Planned { overview, plan })
    }

    fn prices(&self, reader: &Reader, build: Option<BuildId>) -> Result<Prices, ErrorView> {
        let prices = synix_project::prices(&self.options, reader, build);
        prices.map_err(|error| failure::view(&error.into()))
    }

    fn inputs(&self) -> Result<BTreeMap<String, Vec<String>>, ErrorView> {
        let inputs = synix_project::layer_inputs(&self.options);
        inputs.map_err(|error| failure::view(&error.into()))
    }

    fn costs(&self, by: CostGroup) -> Result<Costs, ErrorView> {
        let costs = synix_project::costs(&self.options, &[by]);
        costs.map_err(|error| failure::view(&error.into()))
    }

    fn plugins(&self) -> Result<Vec<Plugin>, ErrorView> {
        describe(&self.options).map_err(|error| failure::view(&error))
    }

    fn component_names(&self) -> Result<BTreeMap<Digest, String>, ErrorView> {
        let names = synix_project::component_names(&self.options);
        names.map_err(|error| failure::view(&error.into()))
    }

    fn search(&self, wanted: &Search, snapshot: Option<&str>) -> Result<Answer, ErrorView> {
        self.found(wanted, snapshot)
            .map_err(|error| failure::view(&error))
    }
}
