//! The commands, and the arguments of those that do not build.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use clap::Subcommand;
use synix_engine::view::CostGroup;
use synix_release::Format;
use synix_search::{Condition, Mode};

use super::{BatchBuild, Build, BuildsCommand, Plan, Promote, Resume, Try, Watch};
use crate::commands::plugin::PluginCommand;
use crate::commands::trust;
use crate::quantity::{self, duration};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a project from a template
    Init(Init),
    /// Show what a build would do, without sending anything
    Plan(Plan),
    /// Build what has changed with single requests, several at a time
    Build(Build),
    /// Build a sample, and show its outputs beside the newest ones and what the whole would cost
    Try(Try),
    /// Write the settings of a trial into the pipeline file
    Promote(Promote),
    /// Build what has changed through the providers' batch APIs
    #[command(subcommand)]
    BatchBuild(BatchBuild),
    /// Build again each time something changes that the project is built from
    Watch(Watch),
    /// Continue a build, as `batch-build resume` does
    Resume(Resume),
    /// Show what is stale, what is running, what has failed and what it has cost
    Status(Status),
    /// List all builds, the newest first
    #[command(visible_alias = "runs")]
    Builds(Builds),
    /// Show what the builds of the pipeline cost, by day, layer, model or build
    Costs(Costs),
    /// List the snapshots, the newest first
    Snapshots,
    /// Show what differs between two snapshots, and why
    Diff(Diff),
    /// List the artifacts
    List(List),
    /// Show an artifact
    Show(Show),
    /// Find artifacts by words or by meaning
    Search(Search),
    /// Show everything that an artifact was made from
    Lineage(Lineage),
    /// Write the artifacts of layers in a format that other programs read
    Export(Export),
    /// Let an agent read the artifacts through the Model Context Protocol on stdin and stdout
    Mcp(Mcp),
    /// Show builds and artifacts as a web page on this machine
    #[cfg(feature = "view")]
    View(super::View),
    /// Write all outputs of a snapshot to a release folder, or check a release
    Release(Release),
    /// Delete the artifacts, but keep the answers they were made from
    Clean,
    /// Delete old units, contents and request texts that no retained snapshot refers to
    Gc(Gc),
    /// Show or clean the store of answers that several machines share
    #[command(subcommand)]
    Shared(SharedCommand),
    /// Run units for the builds of other machines, which a server of Restate hands over
    #[cfg(feature = "restate")]
    Worker(super::Worker),
    /// Run builds that other machines submit, which a server of Restate hands over
    #[cfg(feature = "restate")]
    Service(super::Service),
    /// Hand a build to a service
    #[cfg(feature = "restate")]
    Submit(super::Submit),
    /// Show what happened in a build of a service
    #[cfg(feature = "restate")]
    Logs(super::Logs),
    /// Show the permissions that a project asks for, and ask you to grant them
    Trust(trust::Args),
    /// Create, check, run and pin plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Replay a project in a copy and compare the output of each command with a golden file
    Test(Test),
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
    /// Print the manual page, or write one for each command to a folder
    Man(Man),
    /// The former name of `test`
    #[command(subcommand, hide = true)]
    Demo(Demo),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PipelineArg {
    /// The pipeline file or its folder, as with --pipeline
    #[arg(id = "FILE", value_name = "PIPELINE", conflicts_with = "pipeline")]
    pub(crate) pipeline: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// The folder of the new project
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Start from this template
    #[arg(long, value_name = "NAME", default_value = "team-report")]
    pub(crate) template: String,
    /// List the templates without creating a project
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Show this build instead: build-7, 7, an unambiguous beginning of its id, or the job of a service
    pub(crate) build: Option<String>,
    #[cfg(feature = "restate")]
    #[command(flatten)]
    pub(crate) remote: super::RemoteArgs,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Builds {
    #[command(subcommand)]
    pub(crate) command: Option<BuildsCommand>,
    /// List at most this many builds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// List the builds that are older than this one
    #[arg(long, value_name = "BUILD")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Costs {
    /// Add up the costs by day, layer, model or build, or by several of them: day,layer
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',', default_value = "day", value_parser = cost_group)]
    pub(crate) by: Vec<CostGroup>,
}

fn cost_group(text: &str) -> Result<CostGroup, String> {
    match text {
        "day" => Ok(CostGroup::Day),
        "layer" => Ok(CostGroup::Layer),
        "model" => Ok(CostGroup::Model),
        "build" => Ok(CostGroup::Build),
        _ => Err("write day, layer, model or build, or several of them with commas".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArg {
    /// Read this snapshot: its id, its build such as build-7, the name of a trial, or @-1 for the one before the newest [default: the newest]
    #[arg(long, value_name = "ID")]
    pub(crate) snapshot: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The first snapshot, as with --snapshot of other commands
    #[arg(default_value = "@-1")]
    pub(crate) before: String,
    /// The second snapshot
    #[arg(default_value = "@")]
    pub(crate) after: String,
    /// Compare this layer only
    #[arg(long)]
    pub(crate) layer: Option<String>,
    /// Count the artifacts that differ instead of showing them
    #[arg(long)]
    pub(crate) stat: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// List this layer only
    pub(crate) layer: Option<String>,
    /// List at most this many artifacts of the layer
    #[arg(long, value_name = "N", requires = "layer", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// List the artifacts whose labels come after this one
    #[arg(
        long,
        value_name = "LABEL",
        requires = "layer",
        allow_hyphen_values = true
    )]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// Words, "phrases in quotes", the beginning of a word with *, and what results must not have with -
    #[arg(required = true, value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Search this layer only; repeat the option to search several
    #[arg(long)]
    pub(crate) layer: Vec<String>,
    /// Find only artifacts whose metadata have this value; repeat the option for several values
    #[arg(long = "where", value_name = "KEY=VALUE", value_parser = Condition::from_str)]
    pub(crate) conditions: Vec<Condition>,
    /// Compare by words, meaning (embeddings) or both (hybrid) [default: hybrid if there are embeddings, otherwise words]
    #[arg(long, value_name = "MODE", value_parser = Mode::from_str)]
    pub(crate) mode: Option<Mode>,
    /// Show at most this many results
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Search a release instead: its folder, or its search file
    #[arg(long = "in", value_name = "FOLDER", conflicts_with = "snapshot")]
    pub(crate) release: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Name {
    /// The label (with the layer if several layers have it), the id, or the beginning of either
    #[arg(value_name = "[LAYER/]LABEL|ID")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) name: Name,
    /// Print the content unchanged to a terminal, including control characters
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lineage {
    #[command(flatten)]
    pub(crate) name: Name,
    /// Go this many steps from artifact to artifact
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Show what was made from the artifact instead; the name can be the path of a source file
    #[arg(long)]
    pub(crate) down: bool,
    /// Show only the source files that the artifact was made from
    #[arg(long, conflicts_with_all = ["down", "depth"])]
    pub(crate) roots: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The layers, in the order of the rows
    #[arg(required = true, value_name = "LAYER")]
    pub(crate) layers: Vec<String>,
    /// The format: document, files, jsonl, csv, parquet, search or croissant
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = Format::from_str)]
    pub(crate) format: Format,
    /// Write to this file, or new folder, instead of stdout
    #[arg(short, long, value_name = "PATH", required_if_eq("json", "true"))]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Mcp {
    /// Serve a release instead: its folder, or its search file
    #[arg(long = "in", value_name = "FOLDER", conflicts_with = "snapshot")]
    pub(crate) release: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Release {
    /// Write the release to this folder [default: release next to the pipeline file]
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// Keep this many releases, the new one included, and delete older ones [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: Option<u32>,
    /// Compare the current release in this folder with its receipt instead of writing one
    #[arg(long, value_name = "DIR", conflicts_with_all = ["to", "keep", "snapshot"])]
    pub(crate) check: Option<PathBuf>,
    /// Check every release in the folder
    #[arg(long, requires = "check")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Delete data that is older than this, such as 90d or 12h [default: 30d, or any age with --max-size]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) older_than: Option<Duration>,
    /// Keep deleting, oldest first, until the state is at most this size, such as 2GB or 500MB
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(crate) max_size: Option<u64>,
    /// Keep this many snapshots of each pipeline
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_snapshots: u32,
    /// Also delete answers that no retained unit uses; you pay again if a build needs them
    #[arg(long)]
    pub(crate) answers: bool,
    /// Show what would be deleted without deleting it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SharedCommand {
    /// Show whether the store is reachable, which requests are claimed, and what is not published yet
    Status(PipelineArg),
    /// Delete claims on answered requests and heartbeats of processes that are gone; never an answer
    Gc(PipelineArg),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// The project folder, which contains the cassette
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Write the golden files instead of comparing them
    #[arg(long, visible_alias = "update-goldens")]
    pub(crate) update: bool,
    /// Also write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Write a page for each command to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    /// Replay the project in a copy and compare the output of each command with a golden file
    Run(Test),
}
