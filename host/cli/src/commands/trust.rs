//! `trust`: what a project asks for, and the user's yes to it.

use std::path::PathBuf;

use serde_json::json;
use synix_core::printable;
use synix_core::exit_code::ExitCode;
use synix_project::{Permission, TrustGrant, TrustQuestion};

use crate::args::{Global, PipelineArg};
use crate::failure::Usage;
use crate::render::Screen;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<TrustCommand>,
    #[command(flatten)]
    pipeline: PipelineArg,
    /// Say yes without being asked
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Subcommand)]
enum TrustCommand {
    /// List everything that you said yes to
    List,
    /// Take back what you said yes to for a project
    Revoke {
        /// The project's folder [default: that of synix.toml here or in the nearest folder above]
        project: Option<PathBuf>,
    },
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => ask(global, args, screen),
        Some(TrustCommand::List) => list(global, screen),
        Some(TrustCommand::Revoke { project }) => revoke(global, project.as_ref(), screen),
    }
}

fn ask(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let question = TrustQuestion::of(&global.options(args.pipeline.pipeline.as_ref()))?;
    let has_yes = question.missing().is_empty();
    if !has_yes && !args.yes && screen.can_ask() {
        screen.part(|| text(&question))?;
        let answer = screen.ask("Do you want all of this, now and in later builds? [y/N] ")?;
        return Ok(if is_yes(&answer) {
            question.say_yes()?;
            screen.talk("noted; `synix trust revoke` takes it back");
            ExitCode::Success
        } else {
            screen.talk("nothing was noted");
            ExitCode::Refused
        });
    }
    if args.yes {
        question.say_yes()?;
    }
    let trusted = has_yes || args.yes;
    screen.answer(&document(&question, trusted), || text(&question))?;
    if trusted {
        if !has_yes {
            screen.talk("noted; `synix trust revoke` takes it back");
        }
        return Ok(ExitCode::Success);
    }
    screen.talk(
        "error: there is no terminal to ask you on; `synix trust --yes` says yes to all of it",
    );
    Ok(ExitCode::Refused)
}

fn document(question: &TrustQuestion, trusted: bool) -> serde_json::Value {
    let asked: Vec<_> = question
        .asked()
        .iter()
        .map(|ask| {
            let is_missing = question.missing().contains(ask);
            json!({ "ask": ask, "what": ask.words(), "trusted": trusted || !is_missing })
        })
        .collect();
    json!({ "project": question.project(), "asked": asked, "trusted": trusted })
}

fn text(question: &TrustQuestion) -> Vec<String> {
    let project = printable::escape_line(&question.project().display().to_string());
    if question.asked().is_empty() {
        return vec![format!("{project} asks for nothing that needs your yes")];
    }
    let mut lines = vec![format!("{project} asks to:")];
    lines.extend(question.asked().iter().map(|ask: &Permission| {
        let known = if question.missing().contains(ask) {
            ""
        } else {
            " (you said yes)"
        };
        format!("  {}{known}", ask.words())
    }));
    lines
}

/// Anything but a yes is a no.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn list(global: &Global, screen: &Screen) -> anyhow::Result<ExitCode> {
    let yeses = synix_project::trusted(global.environment())?;
    let documents: Vec<_> = yeses
        .iter()
        .map(|yes| {
            let asked: Vec<_> = yes.asked.iter().map(|asked| &asked.what).collect();
            json!({ "project": yes.project, "given": yes.given, "asked": asked })
        })
        .collect();
    screen.answer(&json!({ "trusted": documents }), || {
        if yeses.is_empty() {
            return vec!["you said yes to nothing so far".to_owned()];
        }
        yeses.iter().flat_map(said).collect()
    })?;
    Ok(ExitCode::Success)
}

fn said(yes: &TrustGrant) -> Vec<String> {
    let project = printable::escape_line(&yes.project.display().to_string());
    let mut lines = vec![format!("{project}, {}:", yes.given)];
    let asked = yes.asked.iter();
    lines.extend(asked.map(|asked| format!("  {}", printable::escape_line(&asked.what))));
    lines
}

fn revoke(global: &Global, folder: Option<&PathBuf>, screen: &Screen) -> anyhow::Result<ExitCode> {
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => synix_project::folder(&global.options(None))?,
    };
    let shown = printable::escape_line(&folder.display().to_string());
    let revoked = synix_project::revoke_trust(global.environment(), &folder)?;
    if !revoked {
        return Err(Usage(format!(
            "you said yes to nothing in {shown}; `synix trust list` names the projects"
        ))
        .into());
    }
    screen.answer(&json!({ "project": folder, "revoked": true }), || {
        format!("what you said yes to in {shown} is taken back")
    })?;
    Ok(ExitCode::Success)
}
