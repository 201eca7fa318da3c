//! Shared answers in a bucket of S3.

use std::sync::{Barrier, OnceLock};

use synix_shared::{Creation, ObjectsError, ObjectsErrorKind};

use super::server;
use crate::shared::scenarios;
use crate::support::s3::S3Server;
use crate::support::team::{Team, TeamStore, ok, wait};
use crate::support::test_project::TestProject;

const VARIABLE: &str = "SYNIX_S3_PYTHON";

/// Returns the server of all tests of a process.
fn bucket() -> Option<&'static S3Server> {
    static SERVER: OnceLock<S3Server> = OnceLock::new();
    let python = server(VARIABLE)?;
    Some(SERVER.get_or_init(|| S3Server::start(&python)))
}

/// Runs a scenario of shared answers in a bucket.
fn in_bucket(scenario: fn(&dyn Fn(TestProject) -> Team)) {
    if let Some(server) = bucket() {
        scenario(&|project| Team::in_bucket(project, server));
    }
}

/// Everything else rests on this, so it also tests the server of these tests.
#[test]
fn exactly_one_of_16_writers_creates_an_object() {
    let Some(server) = bucket() else { return };
    let store = TeamStore::bucket(server);
    for round in 0..20 {
        let path = format!("v1/race/claims/k/{round:08}");
        let barrier = Barrier::new(16);
        let created: Vec<Creation> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16_u8)
                .map(|number| {
                    let (path, barrier, objects) = (&path, &barrier, store.open());
                    scope.spawn(move || {
                        barrier.wait();
                        wait(objects.create(path, vec![number])).unwrap()
                    })
                })
                .collect();
            let ends = writers.into_iter().map(|writer| writer.join().unwrap());
            ends.collect()
        });
        let is_created = |creation: &usize| created[*creation] == Creation::Created;
        let winners: Vec<usize> = (0..16).filter(is_created).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        // The others have changed nothing.
        assert_eq!(store.read(&path), [u8::try_from(winners[0]).unwrap()]);
    }
}

#[test]
fn an_object_is_read_listed_and_deleted() {
    let Some(server) = bucket() else { return };
    let objects = TeamStore::bucket(server).open();
    wait(async {
        assert_eq!(objects.get("v1/one/b", 10).await.unwrap(), None);
        assert!(objects.list("v1/one/").await.unwrap().is_empty());
        objects.create("v1/one/b", b"12345".to_vec()).await.unwrap();
        objects.create("v1/ones/c", b"1".to_vec()).await.unwrap();
        let infos = objects.list("v1/one/").await.unwrap();
        assert_eq!(infos.len(), 1);
        assert_eq!((infos[0].path.as_str(), infos[0].size), ("v1/one/b", 5));
        assert!(infos[0].modified > synix_core::clock::Timestamp(0));
        assert_eq!(objects.get("v1/one/b", 5).await.unwrap().unwrap(), b"12345");
        let error = objects.get("v1/one/b", 4).await.unwrap_err();
        assert_eq!(error.kind, ObjectsErrorKind::TooLarge);
        objects.delete("v1/one/b").await.unwrap();
        objects.delete("v1/one/b").await.unwrap();
        assert_eq!(objects.get("v1/one/b", 10).await.unwrap(), None);
    });
}

/// A page of a list has at most 1,000 objects.
#[test]
fn a_list_of_several_pages_is_complete() {
    let Some(server) = bucket() else { return };
    let store = TeamStore::bucket(server);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let objects = store.open();
            scope.spawn(move || {
                wait(async {
                    for number in 0..310 {
                        let path = format!("v1/pages/{thread}/{number:08}");
                        objects.create(&path, Vec::new()).await.unwrap();
                    }
                });
            });
        }
    });
    let mut paths: Vec<String> = wait(store.open().list("v1/pages/"))
        .unwrap()
        .into_iter()
        .map(|info| info.path)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 4 * 310);
}

fn create(store: &TeamStore) -> Result<Creation, ObjectsError> {
    wait(store.open().create("v1/denied/a", Vec::new()))
}

/// Each error says what to do, and none contains a secret.
#[test]
fn a_wrong_key_and_a_bucket_that_is_not_there_are_explained() {
    let Some(server) = bucket() else { return };
    let good = TeamStore::bucket(server);
    let secret = "an-invented-secret";
    let wrong_secret = good.with("AWS_SECRET_ACCESS_KEY", secret);
    let unknown_key = wrong_secret.with("AWS_ACCESS_KEY_ID", "AKIAINVENTEDKEYTHATISNONE");
    for store in [wrong_secret, unknown_key] {
        let error = create(&store).unwrap_err();
        assert_eq!(error.kind, ObjectsErrorKind::Denied, "{error:?}");
        assert!(error.advice.unwrap().contains("AWS_ACCESS_KEY_ID"));
        assert!(!format!("{error:?} {error}").contains(secret));
    }
    let nowhere = TeamStore {
        url: "s3://no-such-bucket".to_owned(),
        ..good
    };
    let error = create(&nowhere).unwrap_err();
    assert_eq!(error.kind, ObjectsErrorKind::Unusable, "{error:?}");
    assert!(error.advice.unwrap().contains("bucket"));
}

/// The set-up that docs/shared.md recommends for pull requests from strangers.
#[test]
fn a_key_that_may_only_read_suffices_for_a_read_only_build() {
    let Some(server) = bucket() else { return };
    let team = Team::in_bucket(TestProject::team(), server);
    ok(&team.in_first(&["build"]));
    let (before, sent) = (team.store().contents(), team.first.sent());
    let mut second = team.in_second(&["build"]);
    second.envs(server.reader_variables());
    let run = ok(second.env("SYNIX_SHARED_READ_ONLY", "1"));
    assert!(!run.stderr.contains("shared answers:"), "{run:?}");
    assert_eq!((team.store().contents(), team.first.sent()), (before, sent));
    let error = create(&team.store().with_all(server.reader_variables())).unwrap_err();
    assert_eq!(error.kind, ObjectsErrorKind::Denied, "{error:?}");
}

/// A store that cannot be reached is no reason for a build to fail.
#[test]
fn what_could_not_be_published_is_published_by_the_next_build() {
    let Some(server) = bucket() else { return };
    let team = Team::in_bucket(TestProject::team(), server);
    // Nothing listens on this port of this machine.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut away = team.in_first(&["build"]);
    let away = ok(away.env("AWS_ENDPOINT_URL", endpoint));
    assert!(
        away.stderr.contains("the build continues without them"),
        "{away:?}"
    );
    assert!(team.store().paths("answers").is_empty());
    let sent = team.first.sent();
    ok(&team.in_first(&["build"]));
    assert_eq!(team.store().paths("answers").len(), 4);
    ok(&team.in_second(&["build"]));
    assert_eq!(team.first.sent(), sent);
}

#[test]
fn the_second_project_pays_nothing() {
    in_bucket(scenarios::second_project_pays_nothing);
}

#[test]
fn a_sync_build_uses_the_answers_of_a_batch() {
    in_bucket(scenarios::sync_build_uses_answers_of_batch);
}

#[test]
fn two_builds_at_once_pay_once_for_each_request() {
    in_bucket(scenarios::two_builds_at_once_pay_once);
}

#[test]
fn a_refused_answer_is_not_shared() {
    in_bucket(scenarios::refused_answer_is_not_shared);
}

#[cfg(unix)]
#[test]
fn a_killed_holder_is_replaced_after_its_lease() {
    in_bucket(scenarios::killed_holder_is_replaced);
}

#[test]
fn the_claims_of_a_batch_outlive_its_command() {
    in_bucket(scenarios::claims_of_batch_outlive_command);
}

#[test]
fn a_damaged_answer_is_reported_and_not_used() {
    in_bucket(scenarios::damaged_answer_is_not_used);
}

#[test]
fn a_read_only_build_writes_nothing() {
    in_bucket(scenarios::read_only_build_writes_nothing);
}

#[test]
fn the_status_names_who_has_claimed_what() {
    in_bucket(scenarios::status_names_holders);
}

/// M1, M2, A3, L12: 8 projects, with kills and pauses, and a way to the bucket that loses calls and replies.
#[cfg(unix)]
#[test]
fn no_sequence_of_kills_and_lost_calls_loses_an_answer_or_pays_for_it_twice() {
    let Some(server) = bucket() else { return };
    let make = |seed| {
        let observed = TeamStore::bucket(server);
        let port = crate::support::faulty_proxy::start(server.port, seed);
        let endpoint = format!("http://127.0.0.1:{port}");
        (observed.with("AWS_ENDPOINT_URL", &endpoint), observed)
    };
    let counts = crate::shared::torture::run_sequences(&make, 1);
    println!("{counts:?}: 0 paid twice beyond a lease, 0 lost, 0 stuck");
    assert!(counts.has_kills());
}
