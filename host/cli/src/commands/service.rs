//! `service`: runs the builds that other machines submit.

use std::path::PathBuf;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable::{escape_line, pluralize};
use synix_project::StopTokens;
use synix_service::{ServedProject, ServiceEvent, ServiceOptions};

use super::remote::job_line;
use super::worker::report_registration;
use crate::args::{Global, Service};
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Service, screen: &Screen) -> anyhow::Result<ExitCode> {
    let at_hand = ServedProject {
        name: None,
        path: None,
    };
    let projects: Vec<ServedProject> = args.projects.iter().map(|text| served(text)).collect();
    let options = ServiceOptions {
        options: global.options(None),
        projects: if projects.is_empty() {
            vec![at_hand]
        } else {
            projects
        },
        listen: args.listen,
        register: args.register.clone(),
        advertise: args.advertise.clone(),
        jobs: args.jobs,
        identity_keys: args.identity_key.clone(),
        max_budget: args.max_budget,
    };
    let tokens = StopTokens::default();
    if screen.owns_process() {
        let (stop, leave) = (tokens.stop.clone(), tokens.leave.clone());
        synix_project::on_interrupts(move || stop.cancel(), move || leave.cancel())?;
    }
    let is_open = args.identity_key.is_empty() && !args.listen.ip().is_loopback();
    synix_service::run_service(&options, &tokens, &|event| report(event, is_open, screen))?;
    Ok(ExitCode::Success)
}

/// Reads `NAME=PATH` or `PATH`. What is before a `=` is a part of the path if it has a separator.
fn served(text: &str) -> ServedProject {
    match text.split_once('=') {
        Some((name, path)) if !name.contains(std::path::is_separator) => ServedProject {
            name: Some(name.to_owned()),
            path: Some(PathBuf::from(path)),
        },
        Some(_) | None => ServedProject {
            name: None,
            path: Some(PathBuf::from(text)),
        },
    }
}

fn report(event: &ServiceEvent, is_open: bool, screen: &Screen) {
    match event {
        ServiceEvent::Listening {
            address,
            projects,
            jobs,
        } => {
            let document = json!({ "address": address, "projects": projects, "jobs": jobs });
            // A service does not end because nobody reads what it prints.
            let _ = screen.print_result(&document, || {
                let builds = pluralize(jobs.get() as u64, "build");
                let projects = escape_line(&projects.join(", "));
                vec![format!(
                    "listening on {address} for {builds} at a time of {projects}"
                )]
            });
            if is_open {
                screen.note(
                    "everybody who reaches this address can run the builds of these projects; pass --identity-key to accept only your server",
                );
            }
        }
        ServiceEvent::Registration(registration) => {
            report_registration(registration, "service", screen);
        }
        ServiceEvent::Turn(report) => screen.note(&job_line(report)),
        ServiceEvent::Warning { project, message } => screen.note(&format!(
            "{}: {}",
            escape_line(project),
            escape_line(message)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_a_path_with_or_without_a_name() {
        let of = |text| {
            let served = served(text);
            let path = served.path.unwrap().display().to_string();
            (served.name, path)
        };
        assert_eq!(of("notes"), (None, "notes".to_owned()));
        assert_eq!(
            of("notes=/data/x.toml"),
            (Some("notes".to_owned()), "/data/x.toml".to_owned())
        );
        assert_eq!(of("/data/a=b"), (None, "/data/a=b".to_owned()));
    }
}
