//! Measures sync calls, beside a bare client that sends requests of the same size to the same server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use synix_scripted_provider::Script;

use crate::project::{Project, sync_layer};
use crate::report::{row, seconds};
use crate::{Options, Outcome};

const REQUESTS: u32 = 20_000;
const CONNECTIONS: u32 = 64;

/// About 1 KB of text, the size of a daily note.
const SENTENCE: &str =
    "We met at noon, spoke about the plan for the quarter and agreed on what comes next. ";

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let count = options.units.unwrap_or(REQUESTS);
    let documents = (0..count).map(|number| (format!("d{number:06}.txt"), text(number)));
    let project = Project::new(options, Script::new(), documents)?;
    let layer = sync_layer("made", "docs", "Sum up:");
    project.pipeline("sources.toml", "", "")?;
    project.pipeline("synix.toml", "", &layer)?;
    // The files are read, so that the build only calls.
    project.run(&["build", "--pipeline", "sources.toml"])?;
    let floor = bare_client(&project.provider.openai_url(), count)?;
    let concurrency = CONNECTIONS.to_string();
    let usage = project.run(&["build", "--concurrency", &concurrency])?;

    println!("{count} sync calls on {CONNECTIONS} connections to a provider on loopback\n");
    let rate = |time: Duration| f64::from(count) / time.as_secs_f64();
    row(
        "a bare client",
        &format!("{:.0} requests/s", rate(floor)),
        "the floor",
    );
    row(
        "build",
        &format!("{:.0} requests/s", rate(usage.wall)),
        &format!(
            "{:.2} of the floor; goal 0.33",
            rate(usage.wall) / rate(floor)
        ),
    );
    row("  in all", &seconds(usage.wall), &usage.memory());
    row(
        "  processor time per request",
        &format!("{} µs", (usage.processor / count).as_micros()),
        "",
    );
    Ok(())
}

fn text(number: u32) -> String {
    format!("Note {number}.\n{}\n", SENTENCE.repeat(12))
}

/// Sends `count` requests and reads their replies, without looking at them.
fn bare_client(url: &str, count: u32) -> Outcome<Duration> {
    let authority = url.trim_start_matches("http://");
    let (address, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
    let start = Instant::now();
    let done = thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|first| {
                scope.spawn(move || {
                    let numbers = (first..count).step_by(CONNECTIONS as usize);
                    send_all(address, path, numbers).map_err(|error| error.to_string())
                })
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().map_err(|_| "a client panicked".to_owned())?)
            .collect::<Result<Vec<()>, String>>()
    });
    done?;
    Ok(start.elapsed())
}

fn send_all(address: &str, path: &str, numbers: impl Iterator<Item = u32>) -> Outcome<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut replies = BufReader::new(stream.try_clone()?);
    for number in numbers {
        let body = json!({
            "model": "gpt-4o-mini",
            "max_completion_tokens": 100,
            // No build sends this text, so the provider does not take it for one that is paid twice.
            "messages": [{ "role": "user", "content": format!("Floor: {}", text(number)) }],
        })
        .to_string();
        let head = format!(
            "POST {path}/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer none\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
        read_reply(&mut replies)?;
    }
    Ok(())
}

fn read_reply(replies: &mut BufReader<TcpStream>) -> Outcome<()> {
    let mut line = String::new();
    replies.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(format!("the provider replied {line:?}").into());
    }
    let mut length = None;
    loop {
        line.clear();
        replies.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = Some(value.trim().parse::<usize>()?);
        }
    }
    let mut body = vec![0; length.ok_or("a reply without a length")?];
    replies.read_exact(&mut body)?;
    Ok(())
}
