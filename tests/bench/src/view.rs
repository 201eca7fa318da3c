//! Measures the pages of `synix view` over a large snapshot, beside the style sheet, which reads no state.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use synix_search::testing::{self, Layer};
use synix_store::Store;

use crate::child;
use crate::corpus::write;
use crate::report::row;
use crate::{Options, Outcome};

const ARTIFACTS: u32 = 1_000_000;

/// How often a page is opened; the median is printed.
const REPETITIONS: usize = 9;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let count = options.units.unwrap_or(ARTIFACTS);
    let folder = crate::temporary_folder()?;
    let root = folder.path();
    write(
        &root.join("synix.toml"),
        "[pipeline]\nname = \"bench\"\n\n[layers.notes]\nsource = \"*.md\"\n",
    )?;
    let store = Store::open(&root.join(".synix"))?;
    let notes = (0..count).map(|number| {
        let text = format!("This is the note with the number {number}.");
        let note = testing::text(&format!("note-{number:07}"), &text, json!({}));
        (note, Vec::new())
    });
    let mut layers: Vec<Layer> = vec![("notes".to_owned(), notes.collect())];
    testing::build(&store, &layers, 1)?;
    let taken = Instant::now();
    if let Some((note, _)) = layers[0].1.first_mut() {
        *note = testing::text("note-0000000", "This is another note.", json!({}));
    }
    testing::build(&store, &layers, 2)?;
    println!("{count} artifacts\n");
    row(
        "a build with one change",
        &milliseconds(taken.elapsed()),
        "without a plan: units, layer set and the order of its labels",
    );
    drop(store);
    let started = Instant::now();
    let server = Server::start(options, root)?;
    server.get("/")?;
    row("start and first page", &milliseconds(started.elapsed()), "");
    let floor = median(|| server.get("/style.css"))?;
    row("floor: the style sheet", &milliseconds(floor), "");
    let middle = count / 2;
    let last = count - 2;
    for (name, page) in [
        ("overview", "/".to_owned()),
        ("first page of a layer", "/layer?name=notes".to_owned()),
        (
            "page in the middle",
            format!("/layer?name=notes&after=note-{middle:07}"),
        ),
        (
            "last page",
            format!("/layer?name=notes&after=note-{last:07}"),
        ),
        (
            "an artifact",
            format!("/artifact?layer=notes&label=note-{middle:07}"),
        ),
        (
            "its content",
            format!("/raw?layer=notes&label=note-{middle:07}"),
        ),
        ("snapshots", "/snapshots".to_owned()),
        ("difference of two snapshots", "/diff".to_owned()),
        ("builds", "/builds".to_owned()),
        ("a build", "/build?id=build-2".to_owned()),
        ("costs", "/costs".to_owned()),
    ] {
        let time = median(|| server.get(&page))?;
        row(name, &milliseconds(time), &page);
    }
    Ok(())
}

/// `synix view`, which ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(options: &Options, project: &std::path::Path) -> Outcome<Self> {
        let mut child = child::synix(&options.binary, &["view", "--port", "0"], project)?
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut server = Self {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://");
        address
            .ok_or("no address")?
            .trim_end_matches('/')
            .clone_into(&mut server.address);
        Ok(server)
    }

    /// Gets a page, which must be there.
    fn get(&self, page: &str) -> Outcome<()> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "GET {page} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        if reply.starts_with(b"HTTP/1.1 200 ") {
            Ok(())
        } else {
            Err(format!("{page}: {}", String::from_utf8_lossy(&reply)).into())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn median(mut run: impl FnMut() -> Outcome<()>) -> Outcome<Duration> {
    let mut times = Vec::new();
    for _ in 0..REPETITIONS {
        let started = Instant::now();
        run()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[REPETITIONS / 2])
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
