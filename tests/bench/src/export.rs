//! Measures a large export of ChatGPT: reading it, building again, and the next export, in which one conversation has
//! grown and one is new.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use synix_chats::Chats;
use synix_core::digest::Digest;
use synix_scripted_provider::{Endpoint, Script, ScriptedProvider};

use crate::child::ResourceUsage;
use crate::corpus::write;
use crate::readers::{chatgpt, command, megabytes, native, pipeline};
use crate::report::{row, seconds};
use crate::{Options, Outcome};

/// They make 1 GB of JSON.
const CONVERSATIONS: u32 = 21_000;

/// A question about the end of each conversation, so that one that has grown has another one.
const QUESTIONS: &str = r#"
[layers.names]
transform = "map"
inputs = ["read"]
[layers.names.config]
prompt = "Name it: {{ content[-200:] }}"
"#;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let count = u64::from(options.units.unwrap_or(CONVERSATIONS));
    let folder = crate::temporary_folder()?;
    let root = folder.path();
    fs::create_dir(root.join("in"))?;
    let january = root.join("in/2026-01.zip");
    let all = (0..count).map(|number| (number, chatgpt::MESSAGES));
    let bytes = chatgpt::write(&january, all.clone())?;
    let file = root.join("synix.toml");
    write(&file, &pipeline("chats", "", ""))?;
    // Compiles the reader and reads the file into the cache of the system.
    command(options, root, &["plan"])?;
    println!(
        "{count} conversations, {:.0} MB, in a zip of {:.0} MB\n",
        megabytes(bytes),
        megabytes(fs::metadata(&january)?.len())
    );

    let floor = native::run::<Chats>(&[january], "{}")?;
    let rate = |time: std::time::Duration| megabytes(bytes) / time.as_secs_f64();
    row(
        "the parser without a sandbox",
        &format!("{:.0} MB/s", rate(floor.time)),
        "the floor",
    );
    let show = |name: &str, run: ResourceUsage| {
        row(
            name,
            &seconds(run.wall),
            &format!(
                "{:.0} MB per second of processor time, {}",
                rate(run.processor),
                run.memory()
            ),
        );
    };
    show("plan", command(options, root, &["plan"])?);
    show("build", command(options, root, &["build"])?);
    let again = command(options, root, &["build"])?;
    row(
        "build again, nothing changed",
        &seconds(again.wall),
        &again.memory(),
    );

    exports(options, root)?;

    let provider = ScriptedProvider::start(Script::new());
    let questions = format!(
        "{QUESTIONS}[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\nmax_tokens = 100\n\
         [providers.openai]\nbase_url = \"{}\"\n",
        provider.openai_url()
    );
    write(&file, &pipeline("chats", "", &questions))?;
    command(options, root, &["build"])?;
    let asked = provider.ledger().calls(Endpoint::Chat);
    row("requests", &asked.to_string(), "one for each conversation");
    let again = command(options, root, &["build"])?;
    row(
        "build again, nothing changed",
        &seconds(again.wall),
        &again.memory(),
    );

    let grown = all.map(|(number, messages)| match number {
        7 => (number, messages + 2),
        _ => (number, messages),
    });
    chatgpt::write(
        &root.join("in/2026-02.zip"),
        grown.chain([(count, chatgpt::MESSAGES)]),
    )?;
    show("the next export", command(options, root, &["build"])?);
    let more = provider.ledger().calls(Endpoint::Chat) - asked;
    row("  requests", &more.to_string(), "one has grown, one is new");
    Ok(())
}

/// Measures what is written of the conversations, beside reading, hashing and writing the same bytes: synix shows no
/// content that does not match its digest.
fn exports(options: &Options, root: &Path) -> Outcome<()> {
    for format in ["jsonl", "csv", "parquet", "document"] {
        let name = format!("out.{format}");
        let arguments = ["export", "read", "--format", format, "-o", &name];
        let run = command(options, root, &arguments)?;
        let path = root.join(&name);
        let size = megabytes(fs::metadata(&path)?.len());
        let start = Instant::now();
        let bytes = fs::read(&path)?;
        std::hint::black_box(Digest::of(&bytes));
        fs::File::create(root.join("copy"))?.write_all(&bytes)?;
        let floor = start.elapsed();
        row(
            &format!("export as {format}"),
            &format!("{:.0} MB/s", size / run.wall.as_secs_f64()),
            &format!(
                "{size:.0} MB, {}; read, hashed and copied at {:.0} MB/s",
                run.memory(),
                size / floor.as_secs_f64()
            ),
        );
        fs::remove_file(path)?;
    }
    Ok(())
}
