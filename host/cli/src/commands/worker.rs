//! `worker`: runs units of builds on other machines.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable::{escape_line, pluralize};
use synix_project::{Registration, WorkerEvent, WorkerOptions};
use tokio_util::sync::CancellationToken;

use crate::args::{Global, Worker};
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Worker, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = WorkerOptions {
        environment: global.environment().clone(),
        compiler: global.compiler(),
        listen: args.listen,
        content: args.content.clone(),
        register: args.register.clone(),
        advertise: args.advertise.clone(),
        jobs: args.jobs,
        identity_keys: args.identity_key.clone(),
    };
    let stop = CancellationToken::new();
    if screen.owns_process() {
        let stop = stop.clone();
        synix_project::on_interrupt(move || stop.cancel())?;
    }
    let is_open = args.identity_key.is_empty() && !args.listen.ip().is_loopback();
    synix_project::run_worker(&options, &stop, &|event| report(event, is_open, screen))?;
    Ok(ExitCode::Success)
}

fn report(event: &WorkerEvent<'_>, is_open: bool, screen: &Screen) {
    match event {
        WorkerEvent::Listening {
            address,
            content,
            jobs,
        } => {
            let document = json!({ "address": address, "content": content, "jobs": jobs });
            // A worker does not end because nobody reads what it prints.
            let _ = screen.print_result(&document, || {
                let chunks = pluralize(jobs.get() as u64, "chunk");
                let content = escape_line(content);
                vec![format!(
                    "listening on {address} for {chunks} at a time, with contents in {content}"
                )]
            });
            if is_open {
                screen.note(
                    "everybody who reaches this address can run units here; pass --identity-key to accept only your server",
                );
            }
        }
        WorkerEvent::Registration(registration) => {
            report_registration(registration, "worker", screen);
        }
    }
}

/// Reports whether the server knows this worker or service.
pub(super) fn report_registration(registration: &Registration, what: &str, screen: &Screen) {
    match registration {
        Registration::Known { server, endpoint } => screen.note(&format!(
            "the server at {} knows this {what} as {}",
            escape_line(server),
            escape_line(endpoint)
        )),
        Registration::Waiting { reason } => {
            screen.note(&format!("waiting for the server: {}", escape_line(reason)));
        }
    }
}
