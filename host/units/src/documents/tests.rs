//! Documents survive their journey, and nothing else is accepted.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, GuestRequest, Message, Part, Role, Usage};

/// Any JSON value that has a canonical form.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    prop::collection::btree_map(any::<String>(), any_json(), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn any_artifact() -> impl Strategy<Value = Artifact> {
    let content = prop_oneof![
        any::<String>().prop_map(Content::Text),
        any::<Vec<u8>>().prop_map(|data| Content::Bytes {
            media_type: "image/png".to_owned(),
            data,
        }),
    ];
    let metadata = prop::collection::btree_map(any::<String>(), any_json(), 0..4);
    ("[a-zß/.]{1,20}", content, metadata).prop_map(|(label, content, metadata)| Artifact {
        label: label.parse().unwrap(),
        kind: "note".parse().unwrap(),
        content,
        metadata,
    })
}

fn any_request() -> impl Strategy<Value = GuestRequest> {
    let part = prop_oneof![
        any::<String>().prop_map(Part::Text),
        any::<String>().prop_map(|data| Part::Image {
            media_type: "image/png".to_owned(),
            data,
        }),
    ];
    let roles = prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)];
    let message = (roles, prop::collection::vec(part, 0..3));
    let message = message.prop_map(|(role, parts)| Message { role, parts });
    let settings = (
        any::<bool>(),
        any::<Option<u32>>(),
        prop::option::of(0.0..2.0),
        any::<Option<String>>(),
        any::<u32>(),
    );
    let documents = (prop::option::of(any_json()), any_object());
    let stop = prop::collection::vec(any::<String>(), 0..3);
    (
        prop::collection::vec(message, 0..4),
        stop,
        settings,
        documents,
    )
        .prop_map(
            |(
                messages,
                stop,
                (is_embedding, max_tokens, temperature, model, sample),
                documents,
            )| {
                GuestRequest {
                    is_embedding,
                    messages,
                    max_tokens,
                    temperature,
                    stop,
                    response_format: documents.0,
                    model,
                    sample,
                    options: documents.1,
                }
            },
        )
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let tokens = (any::<[u64; 5]>(), any::<bool>());
    (any::<String>(), any::<bool>(), tokens, any_object()).prop_map(
        |(text, is_complete, (tokens, uncounted), details)| Answer {
            text,
            ending: match is_complete {
                true => Ending::Complete,
                false => Ending::Truncated,
            },
            model: "m".to_owned(),
            usage: Usage {
                input_tokens: tokens[0],
                cached_tokens: tokens[1],
                cache_write_tokens: tokens[2],
                output_tokens: tokens[3],
                reasoning_tokens: tokens[4],
                uncounted,
            },
            details,
        },
    )
}

/// Returns a document after its journey.
fn travelled<T: Serialize + for<'d> Deserialize<'d>>(document: &T) -> T {
    serde_json::from_slice(&serde_json::to_vec(document).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn an_artifact_survives_its_journey(artifact in any_artifact()) {
        let output = travelled(&WireArtifact::of(&artifact)).into_output().unwrap();
        prop_assert_eq!(&output, &artifact);
        let digest = artifact.digest().unwrap();
        let input = WireInput { digest, artifact: WireArtifact::of(&artifact) };
        let fetch = |_| Err(DocumentError::Encoding { what: "", encoding: "" });
        let (input, _) = travelled(&input).into_input(fetch).unwrap();
        prop_assert_eq!(&input, &artifact);
    }

    #[test]
    fn a_content_may_be_an_object(artifact in any_artifact()) {
        let content = artifact.content.as_bytes().to_vec();
        let object = ObjectRef::to(&content);
        let input = WireInput {
            digest: artifact.digest().unwrap(),
            artifact: WireArtifact::with_object(&artifact, object),
        };
        let fetch = |fetched| {
            assert_eq!(fetched, object);
            Ok::<_, DocumentError>(content)
        };
        let (input, _) = travelled(&input).into_input(fetch).unwrap();
        prop_assert_eq!(input, artifact);
    }

    #[test]
    fn an_input_without_its_digest_is_refused(artifact in any_artifact(), other in any_artifact()) {
        prop_assume!(artifact != other);
        let input = WireInput {
            digest: other.digest().unwrap(),
            artifact: WireArtifact::of(&artifact),
        };
        let fetch = |_| Err(DocumentError::Encoding { what: "", encoding: "" });
        let is_refused = matches!(input.into_input(fetch), Err(DocumentError::InputDigest { .. }));
        prop_assert!(is_refused);
    }

    #[test]
    fn a_request_and_its_digest_survive_their_journey(requests in prop::collection::vec(any_request(), 1..3)) {
        let wire: Vec<WireRequest> = requests.iter().map(WireRequest::of).collect();
        let read: Vec<GuestRequest> = travelled(&wire)
            .into_iter()
            .map(|request| request.into_request().unwrap())
            .collect();
        prop_assert_eq!(&read, &requests);
        prop_assert_eq!(round_digest(&read), round_digest(&requests));
        prop_assert_ne!(round_digest(&requests[1..]), round_digest(&requests));
    }

    #[test]
    fn an_answer_survives_its_journey(answer in any_answer()) {
        let read = travelled(&WireAnswer::of(answer.clone())).into_answer().unwrap();
        prop_assert_eq!(read, answer);
    }

    #[test]
    fn a_chunk_survives_its_journey(artifact in any_artifact(), answer in any_answer(), text: String) {
        let job = UnitJob { config: Some(text), ..job(&artifact, answer) };
        let mut chunk = UnitChunk::new(7, 8);
        chunk.transforms.push(settings());
        chunk.push(job.encode());
        let digests: Vec<Digest> = chunk.unit_digests().collect();
        let read = UnitChunk::decode(&chunk.encode()).unwrap();
        prop_assert_eq!((read.outcome_bytes, read.seconds, read.len()), (7, 8, 1));
        prop_assert_eq!(&read.transforms, &[settings()]);
        prop_assert_eq!(read.unit(0).unwrap(), job);
        prop_assert_eq!(read.unit_digests().collect::<Vec<_>>(), digests);
        let is_refused = matches!(read.unit(1), Err(DocumentError::Position { .. }));
        prop_assert!(is_refused);
    }

    #[test]
    fn an_outcome_survives_its_journey(artifact in any_artifact(), request in any_request(), message: String) {
        let reports = reports(&artifact, &request, &message);
        let encoded: Vec<_> = reports.iter().map(UnitReport::encode).collect();
        let chunk = Digest::of(b"chunk");
        let outcome = ChunkOutcome::encode(chunk, &encoded, |_, _| Err(())).unwrap();
        let outcome = ChunkOutcome::decode(&outcome).unwrap();
        prop_assert_eq!(outcome.chunk, chunk);
        prop_assert_eq!(outcome.units, WireOutcome::List(reports));
    }

    /// Whatever arrives, reading it is no panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, value in any_json()) {
        for bytes in [bytes, value.to_string().into_bytes()] {
            prop_assert!(UnitChunk::decode(&bytes).is_err());
            prop_assert!(ChunkOutcome::decode(&bytes).is_err());
        }
    }
}

fn settings() -> TransformSettings {
    TransformSettings {
        name: "map".to_owned(),
        component: ObjectRef::to(b"component"),
        config: TextPayload::Text("{}".to_owned()),
        limits: WireLimits {
            fuel: u64::MAX,
            memory_bytes: 1,
            wall_ms: 2,
            hostcall_bytes: 3,
            output_bytes: 4,
            requests: 5,
            tokens: None,
        },
        grants: WireGrants {
            llm: true,
            embed: false,
        },
    }
}

fn job(artifact: &Artifact, answer: Answer) -> UnitJob {
    let round = AnsweredRound {
        requests: Digest::of(b"requests"),
        response: RoundResponse::Answers(vec![WireAnswer::of(answer)]),
    };
    UnitJob {
        transform: 0,
        key: "unit".parse().unwrap(),
        positions: vec![0, u32::MAX],
        config: None,
        inputs: Inputs::List(vec![WireInput {
            digest: artifact.digest().unwrap(),
            artifact: WireArtifact::of(artifact),
        }]),
        rounds: vec![
            Rounds::Object(ObjectRef::to(b"rounds")),
            Rounds::Round(round),
        ],
    }
}

fn reports(artifact: &Artifact, request: &GuestRequest, message: &str) -> Vec<UnitReport> {
    let line = WireLine {
        level: "info".to_owned(),
        message: message.to_owned(),
    };
    let ends = [
        UnitEnd::Done {
            outputs: vec![WireArtifact::of(artifact)],
            log: vec![line],
        },
        UnitEnd::Round {
            requests: vec![WireRequest::of(request)],
        },
        UnitEnd::Failed {
            message: message.to_owned(),
            transient: true,
        },
        UnitEnd::Diverged { round: 3 },
        UnitEnd::NotRun,
    ];
    ends.into_iter()
        .map(|end| UnitReport {
            unit: Digest::of(message.as_bytes()),
            end,
        })
        .collect()
}

fn artifact() -> Artifact {
    Artifact {
        label: "a".parse().unwrap(),
        kind: "note".parse().unwrap(),
        content: Content::Text("text".to_owned()),
        metadata: BTreeMap::new(),
    }
}

fn answer() -> Answer {
    Answer {
        text: "yes".to_owned(),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

/// Returns the document with another member in each of its objects in turn. The names of metadata are free.
fn with_unknown_members(document: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    match document {
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("more".to_owned(), json!(1));
            found.push(Value::Object(more));
            for (name, member) in members.iter().filter(|(name, _)| *name != "metadata") {
                for member in with_unknown_members(member) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), member);
                    found.push(Value::Object(changed));
                }
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                for item in with_unknown_members(item) {
                    let mut changed = items.clone();
                    changed[position] = item;
                    found.push(Value::Array(changed));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

#[test]
fn an_unknown_member_is_refused_wherever_it_is() {
    let mut chunk = UnitChunk::new(7, 8);
    chunk.transforms.push(settings());
    chunk.push(job(&artifact(), answer()).encode());
    let chunk: Value = serde_json::from_slice(&chunk.encode()).unwrap();
    let changed = with_unknown_members(&chunk);
    assert!(changed.len() > 15, "{}", changed.len());
    for changed in changed {
        let read = UnitChunk::decode(changed.to_string().as_bytes());
        let refused = read.and_then(|chunk| chunk.unit(0));
        assert!(
            matches!(refused, Err(DocumentError::Syntax { .. })),
            "{changed}"
        );
    }
    let reports = reports(&artifact(), &GuestRequest::user("What?"), "no");
    let reports: Vec<_> = reports.iter().map(UnitReport::encode).collect();
    let chunk = Digest::of(b"chunk");
    let outcome = ChunkOutcome::encode(chunk, &reports, |_, _| Err(())).unwrap();
    let outcome: Value = serde_json::from_slice(&outcome).unwrap();
    let changed = with_unknown_members(&outcome);
    assert!(changed.len() > 15, "{}", changed.len());
    for changed in changed {
        let refused = ChunkOutcome::decode(changed.to_string().as_bytes());
        assert!(
            matches!(refused, Err(DocumentError::Syntax { .. })),
            "{changed}"
        );
    }
}

#[test]
fn another_version_is_named() {
    let chunk: Value = serde_json::from_slice(&UnitChunk::new(7, 8).encode()).unwrap();
    let with = |name: &str, value: Value| {
        let mut changed = chunk.clone();
        changed[name] = value;
        UnitChunk::decode(changed.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(with("schema", json!(2)).starts_with("a chunk of units has the schema 2"));
    assert!(with("version", json!("9.9.9")).starts_with("the build is made by synix 9.9.9"));
    // A later version may have other members.
    let later = br#"{"schema": 3, "chunks": []}"#;
    let error = UnitChunk::decode(later).unwrap_err();
    assert!(
        matches!(error, DocumentError::Schema { schema: 3, .. }),
        "{error:?}"
    );
}

#[test]
fn a_document_that_is_too_large_is_not_read() {
    let large = vec![b' '; MAX_MESSAGE_BYTES + 1];
    for error in [
        UnitChunk::decode(&large).unwrap_err(),
        ChunkOutcome::decode(&large).unwrap_err(),
    ] {
        assert!(matches!(error, DocumentError::TooLarge { .. }), "{error:?}");
    }
}

#[test]
fn a_large_outcome_becomes_an_object() {
    let report = |bytes: usize| {
        let end = UnitEnd::Failed {
            message: "x".repeat(bytes),
            transient: false,
        };
        UnitReport {
            unit: Digest::of(b"unit"),
            end,
        }
    };
    let reports = vec![
        report(MAX_INLINE_OUTCOME_BYTES / 2),
        report(MAX_INLINE_OUTCOME_BYTES / 2),
    ];
    let encoded: Vec<_> = reports.iter().map(UnitReport::encode).collect();
    let mut stored = None;
    let outcome = ChunkOutcome::encode(Digest::of(b"chunk"), &encoded, |object, bytes| {
        stored = Some((object, bytes));
        Ok::<_, ()>(())
    });
    let outcome = ChunkOutcome::decode(&outcome.unwrap()).unwrap();
    let (object, bytes) = stored.unwrap();
    assert_eq!(outcome.units, WireOutcome::Object(object));
    assert_eq!(ObjectRef::to(&bytes), object);
    assert_eq!(ChunkOutcome::decode_list(&bytes).unwrap(), reports);
}

/// Returns the examples in the document about the wire format.
fn documented() -> Vec<&'static str> {
    let text = include_str!("../../../../docs/scale.md");
    let (_, section) = text.split_once("\n## Wire format\n").unwrap();
    let fences = section.split("```json\n").skip(1);
    fences
        .map(|fence| fence.split_once("```").unwrap().0)
        .collect()
}

#[test]
fn the_documented_examples_are_documents() {
    let examples = documented();
    let [chunk, outcome] = examples.as_slice() else {
        panic!("{} examples", examples.len())
    };
    let chunk = UnitChunk::decode(chunk.as_bytes()).unwrap();
    let job = chunk.unit(0).unwrap();
    let Inputs::List(inputs) = job.inputs else {
        panic!("{:?}", job.inputs)
    };
    let fetch = |_| {
        Err(DocumentError::Encoding {
            what: "",
            encoding: "",
        })
    };
    for input in inputs {
        input.into_input(fetch).unwrap();
    }
    let [Rounds::Round(round)] = job.rounds.as_slice() else {
        panic!("{:?}", job.rounds)
    };
    let outcome = ChunkOutcome::decode(outcome.as_bytes()).unwrap();
    let WireOutcome::List(reports) = outcome.units else {
        panic!("{:?}", outcome.units)
    };
    let UnitEnd::Round { requests } = &reports[0].end else {
        panic!("{:?}", reports[0].end)
    };
    let requests = requests.iter().cloned().map(WireRequest::into_request);
    let requests: Vec<GuestRequest> = requests.map(Result::unwrap).collect();
    assert_eq!(round.requests, round_digest(&requests));
}
