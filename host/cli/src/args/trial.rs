//! The arguments of trials: which units are built, and what is changed for one run.

use std::num::NonZero;
use std::str::FromStr as _;

use synix_engine::build::{Selection, UnitPattern};

use synix_project::{Overrides, ProjectError, Setting, TrialOptions};

use super::{CostArgs, FileArgs, Global, PipelineArg, TrustFlag};
use crate::failure::Usage;

/// The heading of the options of a trial.
const TRIALS: &str = "Options of trials";

/// The number of units that `try` builds of each layer whose inputs are sources.
const DEFAULT_LIMIT: NonZero<u64> = NonZero::<u64>::MIN.saturating_add(19);

/// A part of the pipeline, other settings, or both.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = TRIALS)]
pub(crate) struct TrialArgs {
    /// Build the units of this layer whose keys match, and only what they need; repeat the option for several
    #[arg(long, value_name = "LAYER[/GLOB]", value_parser = UnitPattern::from_str)]
    select: Vec<UnitPattern>,
    /// Build a sample of this many units of each layer whose inputs are sources, and what follows from it
    #[arg(long, value_name = "N")]
    limit: Option<NonZero<u64>>,
    /// Change a key of the pipeline file for this run, such as models.default.temperature=0.2
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::from_str)]
    settings: Vec<Setting>,
    /// Remove a key of the pipeline file for this run, such as models.default.temperature
    #[arg(long, value_name = "KEY", value_parser = Setting::unset)]
    unset: Vec<Setting>,
    /// Take the prompt of a layer from this file for this run
    #[arg(long, value_name = "LAYER=PATH")]
    prompt_file: Vec<String>,
    /// Name the trial [default: trial-1, or the next number]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
}

impl TrialArgs {
    /// Returns what is tried; `None` for the whole pipeline as it is.
    pub(crate) fn options(&self, global: &Global) -> anyhow::Result<Option<TrialOptions>> {
        let options = self.with_limit(global, self.limit)?;
        if !options.selection.is_everything() || !options.overrides.is_empty() {
            return Ok(Some(options));
        }
        if self.trial.is_some() {
            return Err(Usage(
                "--trial names a trial, but nothing is tried; add --limit, --select, --set, --unset or --prompt-file"
                    .to_owned(),
            )
            .into());
        }
        Ok(None)
    }

    fn with_limit(
        &self,
        global: &Global,
        limit: Option<NonZero<u64>>,
    ) -> Result<TrialOptions, ProjectError> {
        let prompts = self.prompt_file.iter();
        let prompts = prompts.map(|file| synix_project::read_prompt(global.environment(), file));
        let overrides = Overrides {
            settings: [&self.settings[..], &self.unset].concat(),
            prompts: prompts.collect::<Result<_, _>>()?,
        };
        if let Some((removed, other)) = overrides.conflict() {
            return Err(ProjectError::Usage(format!(
                "--unset {removed} removes what another option changes: `{other}`; pass only one of them"
            )));
        }
        Ok(TrialOptions {
            name: self.trial.clone(),
            selection: Selection {
                select: self.select.clone(),
                limit,
            },
            overrides,
        })
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Try {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArg,
    /// Send requests through the providers' batch APIs, and wait until the batches have ended
    #[arg(long)]
    pub(crate) batch: bool,
    /// Build units without the inputs that failed
    #[arg(long)]
    pub(crate) allow_partial: bool,
    #[command(flatten)]
    pub(crate) trust: TrustFlag,
    #[command(flatten)]
    pub(crate) costs: CostArgs,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    trial: TrialArgs,
}

impl Try {
    /// Returns what is tried: a sample, even if the user only selects or changes something.
    pub(crate) fn trial(&self, global: &Global) -> Result<TrialOptions, ProjectError> {
        let limit = self.trial.limit.unwrap_or(DEFAULT_LIMIT);
        self.trial.with_limit(global, Some(limit))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    /// The name of the trial
    pub(crate) trial: String,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};

    #[test]
    fn the_help_says_how_many_units_a_trial_has() {
        let args = Args::try_parse_from(["synix", "try"]).unwrap();
        let Command::Try(args_of_try) = &args.command else {
            panic!("another command");
        };
        let trial = args_of_try.trial(&args.global).unwrap();
        assert_eq!(trial.selection.limit, Some(DEFAULT_LIMIT));
        let docs = include_str!("../../../../docs/commands.md");
        assert!(docs.contains(&format!("a sample of {DEFAULT_LIMIT} units")));
    }

    #[test]
    fn a_name_alone_is_no_trial() {
        let args = Args::try_parse_from(["synix", "build", "--trial", "x"]).unwrap();
        let Command::Build(build) = &args.command else {
            panic!("another command");
        };
        assert!(build.trial.options(&args.global).is_err());
        for bad in ["--limit=0", "--set=x", "--select=/x"] {
            assert!(
                Args::try_parse_from(["synix", "build", bad]).is_err(),
                "{bad}"
            );
        }
    }
}
