//! `trust`: shows the permissions that a project asks for, and lets the user grant or revoke them.

use std::path::PathBuf;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_project::{Permission, TrustGrant, TrustRequest};

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
    /// Grant all permissions without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Subcommand)]
enum TrustCommand {
    /// List all permissions that you have granted
    List,
    /// Revoke the permissions that you have granted to a project
    Revoke {
        /// The project folder [default: that of synix.toml in this folder or its nearest parent that has one]
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
    let request = TrustRequest::of(&global.options(args.pipeline.pipeline.as_ref()))?;
    let is_trusted = request.missing().is_empty();
    if !is_trusted && !args.yes && screen.can_ask() {
        screen.print_part(|| result_lines(&request))?;
        let answer =
            screen.ask("Do you grant all of these permissions, now and in later builds? [y/N] ")?;
        return Ok(if is_yes(&answer) {
            request.grant()?;
            screen.note("granted; run `synix trust revoke` to revoke it");
            ExitCode::Success
        } else {
            screen.note("nothing was granted");
            ExitCode::Refused
        });
    }
    if args.yes {
        request.grant()?;
    }
    let trusted = is_trusted || args.yes;
    screen.print_result(&document(&request, trusted), || result_lines(&request))?;
    if trusted {
        if !is_trusted {
            screen.note("granted; run `synix trust revoke` to revoke it");
        }
        return Ok(ExitCode::Success);
    }
    screen.note(
        "error: there is no terminal to ask you on; run `synix trust --yes` to grant all permissions",
    );
    Ok(ExitCode::Refused)
}

fn document(request: &TrustRequest, trusted: bool) -> serde_json::Value {
    let asked: Vec<_> = request
        .asked()
        .iter()
        .map(|permission| {
            let is_missing = request.missing().contains(permission);
            json!({ "ask": permission, "what": permission.description(), "trusted": trusted || !is_missing })
        })
        .collect();
    json!({ "project": request.project(), "asked": asked, "trusted": trusted })
}

fn result_lines(request: &TrustRequest) -> Vec<String> {
    let project = printable::escape_line(&request.project().display().to_string());
    if request.asked().is_empty() {
        return vec![format!(
            "{project} asks for nothing that needs your permission"
        )];
    }
    let mut lines = vec![format!("{project} asks to:")];
    lines.extend(request.asked().iter().map(|permission: &Permission| {
        let known = if request.missing().contains(permission) {
            ""
        } else {
            " (granted)"
        };
        format!("  {}{known}", permission.description())
    }));
    lines
}

/// Returns whether the answer is yes. Any other answer is no.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn list(global: &Global, screen: &Screen) -> anyhow::Result<ExitCode> {
    let grants = synix_project::trust_grants(global.environment())?;
    let documents: Vec<_> = grants
        .iter()
        .map(|grant| {
            let asked: Vec<_> = grant
                .permissions
                .iter()
                .map(|permission| &permission.description)
                .collect();
            json!({ "project": grant.project, "given": grant.granted_at, "asked": asked })
        })
        .collect();
    screen.print_result(&json!({ "trusted": documents }), || {
        if grants.is_empty() {
            return vec!["you have not granted any permission yet".to_owned()];
        }
        grants.iter().flat_map(grant_lines).collect()
    })?;
    Ok(ExitCode::Success)
}

fn grant_lines(grant: &TrustGrant) -> Vec<String> {
    let project = printable::escape_line(&grant.project.display().to_string());
    let mut lines = vec![format!("{project}, {}:", grant.granted_at)];
    let permissions = grant.permissions.iter();
    lines.extend(
        permissions
            .map(|permission| format!("  {}", printable::escape_line(&permission.description))),
    );
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
            "you have granted no permission to {shown}; run `synix trust list` to see the projects"
        ))
        .into());
    }
    screen.print_result(&json!({ "project": folder, "revoked": true }), || {
        format!("the permissions of {shown} are revoked")
    })?;
    Ok(ExitCode::Success)
}
