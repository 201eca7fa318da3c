//! A dataset that Croissant 1.1 describes: a folder with the rows and `croissant.json`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::ReleaseError;
use super::columns::{FIXED, MemberType, Members, content, heading, metadata};
use super::export::Export;
use super::file_name::file_name;
use super::folder::OutputFolder;
use super::rows::Row;
use synix_engine::view::Making;

/// The description.
const DESCRIPTION: &str = "croissant.json";

/// The rows.
const DATA: &str = "data.jsonl";

/// The name of the record set.
const RECORDS: &str = "artifacts";

/// What a dataset has that a model wrote, in the vocabulary of the IPTC.
const MACHINE_MADE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

/// The columns that say how a row was made, with their types and meanings.
const MADE: [(&str, &str, &str); 6] = [
    ("id", "sc:Text", "The digest of the artifact."),
    (
        "media_type",
        "sc:Text",
        "The media type of bytes, whose content is in base64; empty for texts.",
    ),
    (
        "machine_made",
        "sc:Boolean",
        "Whether a model wrote the artifact or something that it was made from.",
    ),
    (
        "models",
        "sc:Text",
        "The models that answered, as a JSON list.",
    ),
    (
        "time",
        "sc:DateTime",
        "When the build began that made the artifact.",
    ),
    (
        "prompt",
        "sc:Text",
        "The digest of the settings that the prompts come from; empty if nothing was asked.",
    ),
];

/// The source artifacts, apart from the others because it is a list.
const SOURCES: &str = "sources";

pub(super) fn write(
    export: &Export<'_>,
    folder: &mut OutputFolder,
    path: &str,
) -> Result<u64, ReleaseError> {
    let members = Members::of(export.rows)?;
    let mut makings = export.rows.makings();
    let mut count = 0;
    let mut by_model = false;
    folder.write(&format!("{path}/{DATA}"), |out| {
        export.rows.for_each(|row| {
            let making = makings.of(&row.found)?;
            by_model |= making.by_model;
            write_line(&record(&row, &making, &members), out)?;
            count += 1;
            Ok::<_, ReleaseError>(())
        })
    })?;
    let data = folder.files().last().cloned();
    let (size, digest) = data.map_or((0, String::new()), |file| {
        (file.size, file.sha256.to_string())
    });
    let document = describe(export, &members, by_model, (size, &digest));
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    folder.put(&format!("{path}/{DESCRIPTION}"), &[&bytes])?;
    Ok(count)
}

fn write_line(record: &Map<String, Value>, out: &mut dyn Write) -> Result<(), ReleaseError> {
    let mut line =
        serde_json::to_vec(record).map_err(|error| ReleaseError::Write(io::Error::other(error)))?;
    line.push(b'\n');
    out.write_all(&line).map_err(ReleaseError::Write)
}

/// Every row has every column, because readers of tables learn the columns from the first rows.
fn record(row: &Row, making: &Making, members: &Members) -> Map<String, Value> {
    let time = making.time.map(|time| time.to_string());
    let prompt = making.prompt.map(|prompt| prompt.to_string());
    let fixed = [
        json!(row.layer),
        json!(row.label),
        json!(row.kind),
        json!(content(row).unwrap_or_default()),
        json!(metadata(row)),
    ];
    let made = [
        json!(row.id),
        json!(row.content.media_type().unwrap_or_default()),
        json!(making.by_model),
        json!(json!(making.models).to_string()),
        json!(time),
        json!(prompt.unwrap_or_default()),
    ];
    let mut record = Map::new();
    let names = FIXED.iter().zip(fixed);
    record.extend(names.map(|(name, value)| ((*name).to_owned(), value)));
    let names = MADE.iter().zip(made);
    record.extend(names.map(|((name, _, _), value)| ((*name).to_owned(), value)));
    record.insert(SOURCES.to_owned(), json!(making.sources.as_ref()));
    for (name, kind) in members.iter() {
        let value = row.data.as_ref().and_then(|data| data.get(name));
        let value = value.cloned().unwrap_or_default();
        let value = if kind == MemberType::Json && !value.is_null() {
            json!(value.to_string())
        } else {
            value
        };
        record.insert(column(name), value);
    }
    record
}

/// Returns the column of a member, which is none of those above either.
fn column(member: &str) -> String {
    let heading = heading(member);
    let is_taken = MADE
        .iter()
        .map(|(name, _, _)| *name)
        .chain([SOURCES])
        .any(|name| name.eq_ignore_ascii_case(&heading));
    if is_taken {
        format!("data.{heading}")
    } else {
        heading
    }
}

fn describe(
    export: &Export<'_>,
    members: &Members,
    by_model: bool,
    (size, digest): (u64, &str),
) -> Value {
    let Export {
        settings, about, ..
    } = export;
    let title = settings.title.as_deref().unwrap_or(&about.name);
    let described = settings.description.clone();
    let mut document = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": title,
        "description": described.unwrap_or_else(|| {
            format!("{title}: artifacts of {} of {}, written by synix.", about.snapshot, about.pipeline)
        }),
        "version": about.snapshot,
        "datePublished": about.taken.to_string(),
        "distribution": [{
            "@type": "cr:FileObject",
            "@id": DATA,
            "name": DATA,
            "contentUrl": DATA,
            "contentSize": format!("{size} B"),
            "encodingFormat": "application/jsonlines",
            "sha256": digest,
        }],
        "recordSet": [{
            "@type": "cr:RecordSet",
            "@id": RECORDS,
            "name": RECORDS,
            "description": "An artifact is a record.",
            "key": [{ "@id": field_id("layer") }, { "@id": field_id("label") }],
            "field": fields(members),
        }],
    });
    if let Some(license) = &settings.license {
        document["license"] = json!(license);
    }
    if by_model {
        document["sc:digitalSourceType"] = json!({ "@id": MACHINE_MADE });
    }
    document
}

fn fields(members: &Members) -> Vec<Value> {
    let mut fields: Vec<Value> = FIXED
        .iter()
        .zip([
            "The layer that the artifact is in.",
            "The name of the artifact within its layer.",
            "The sort of the artifact.",
            "The text; empty if the columns of an answer in JSON have it.",
            "The metadata as a JSON object.",
        ])
        .map(|(name, description)| field(name, "sc:Text", description))
        .collect();
    fields.extend(
        MADE.iter()
            .map(|(name, kind, description)| field(name, kind, description)),
    );
    let mut sources = field(
        SOURCES,
        "sc:Text",
        "The source artifacts that the artifact comes from, as layer/label.",
    );
    sources["isArray"] = json!(true);
    sources["arrayShape"] = json!("-1");
    fields.push(sources);
    for (name, kind) in members.iter() {
        let kind = match kind {
            MemberType::Bool => "sc:Boolean",
            MemberType::Int => "sc:Integer",
            MemberType::Float => "sc:Float",
            MemberType::Null | MemberType::Text | MemberType::Json => "sc:Text",
        };
        fields.push(field(&column(name), kind, "A member of an answer in JSON."));
    }
    fields
}

fn field(column: &str, kind: &str, description: &str) -> Value {
    json!({
        "@type": "cr:Field",
        "@id": field_id(column),
        "name": file_name(column),
        "description": description,
        "dataType": kind,
        "source": {
            "fileObject": { "@id": DATA },
            "extract": { "column": column },
        },
    })
}

/// Ids are parts of URLs, and a member may have any name.
fn field_id(column: &str) -> String {
    format!("{RECORDS}/{}", file_name(column))
}

/// The context that the specification of Croissant 1.1 gives.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "arrayShape": "cr:arrayShape",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "equivalentProperty": "cr:equivalentProperty",
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isArray": "cr:isArray",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}
