//! The tables, as a list of migrations. Never edit or remove a migration; add a new one.
//!
//! Narrow tables contain what is looked up, and wide ones (`…_body`, `…_detail`) what is shown. Internal ids are
//! integers; a digest is in one index only.
//!
//! | table | one row for each |
//! | --- | --- |
//! | `unit` | unit under one fingerprint; `realm` is the answer origin: empty for a provider, otherwise the cassette's digest |
//! | `unit_detail` | unit: the parts of its fingerprint, its model roles, its log |
//! | `unit_input` | input of a unit, in order |
//! | `transcript` | request of a unit, in order, with its answer |
//! | `artifact`, `artifact_body` | output of a unit or file of a source |
//! | `request`, `request_body` | request key |
//! | `answer`, `answer_body` | first complete and first truncated answer to a request from each origin; never changed |
//! | `attempt`, `attempt_note` | send of a request, in a sync call or a submission; open while in flight; `layer` is that of the request |
//! | `submission` | create call of a batch, written before the call |
//! | `submission_step` | state that a submission entered, in order |
//! | `build`, `build_layer`, `build_unit` | build; its layers; its stale units, `state` 3 if only an earlier command of the build had it |
//! | `build_job` | job of a service that opened or resumed a build, in order |
//! | `build_step` | time at which a build was resumed, interrupted, stopped by an error, or cancelled |
//! | `snapshot`, `snapshot_layer`, `layer_set`, `layer_set_unit` | what the pipeline makes now; equal layers share a set |
//! | `snapshot_layer.fingerprint` | the fingerprint of the layer, if each of its units was made |
//! | `layer_set_replaced` | artifact of a set's units that a newer one with the same label replaces |
//! | `unit_skipped` | reason for which a file's reader left something out; `examples` is a JSON list |
//! | `file_digest` | file of a source, with the digest of its bytes as of `stamped` |
//! | `file_failure` | file that its reader could not read, by the fingerprint of its unit |
//! | `shared_request` | request that may be claimed in a store of shared answers, or whose answer is not published there yet; `claim` is absent if the store was unavailable |
//! | `shared_answer` | answer that came from a store of shared answers |

/// The migration at index `n` converts format `n` to `n + 1`.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE unit (
  id INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  realm BLOB NOT NULL,
  layer TEXT NOT NULL,
  key TEXT NOT NULL,
  done INTEGER NOT NULL,
  partial INTEGER NOT NULL,
  build INTEGER NOT NULL,
  UNIQUE (fingerprint, realm)
);
CREATE TABLE unit_detail (
  unit INTEGER PRIMARY KEY REFERENCES unit,
  parts TEXT NOT NULL,
  roles TEXT,
  log TEXT
);
CREATE TABLE artifact (
  id INTEGER PRIMARY KEY,
  unit INTEGER NOT NULL REFERENCES unit,
  position INTEGER NOT NULL,
  label TEXT NOT NULL,
  kind TEXT NOT NULL,
  digest BLOB NOT NULL,
  size INTEGER NOT NULL
);
CREATE INDEX artifact_of_unit ON artifact (unit, position);
CREATE TABLE artifact_body (
  artifact INTEGER PRIMARY KEY REFERENCES artifact,
  media_type TEXT,
  metadata TEXT NOT NULL,
  content BLOB,
  object BLOB
);
CREATE TABLE unit_input (
  unit INTEGER NOT NULL REFERENCES unit,
  position INTEGER NOT NULL,
  artifact INTEGER NOT NULL REFERENCES artifact,
  PRIMARY KEY (unit, position)
) WITHOUT ROWID;
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  model TEXT NOT NULL
);
CREATE TABLE request_body (
  request INTEGER PRIMARY KEY REFERENCES request,
  document TEXT NOT NULL
);
CREATE TABLE transcript (
  unit INTEGER NOT NULL REFERENCES unit,
  position INTEGER NOT NULL,
  request INTEGER NOT NULL REFERENCES request,
  answer INTEGER REFERENCES answer,
  PRIMARY KEY (unit, position)
) WITHOUT ROWID;
CREATE TABLE build (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  parts TEXT NOT NULL,
  realm BLOB NOT NULL,
  opened INTEGER NOT NULL,
  closed INTEGER,
  cancelled INTEGER NOT NULL DEFAULT 0,
  error TEXT
);
CREATE TABLE build_layer (
  build INTEGER NOT NULL REFERENCES build,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  mode TEXT,
  fresh INTEGER NOT NULL,
  PRIMARY KEY (build, position)
) WITHOUT ROWID;
CREATE TABLE build_unit (
  build INTEGER NOT NULL REFERENCES build,
  layer INTEGER NOT NULL,
  key TEXT NOT NULL,
  state INTEGER NOT NULL,
  kind TEXT,
  message TEXT,
  PRIMARY KEY (build, layer, key)
) WITHOUT ROWID;
CREATE TABLE submission (
  id INTEGER PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,
  build INTEGER NOT NULL REFERENCES build,
  layers TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  state TEXT NOT NULL,
  status TEXT NOT NULL,
  file TEXT,
  batch TEXT,
  provisional INTEGER NOT NULL DEFAULT 0,
  newest TEXT,
  rejected TEXT NOT NULL DEFAULT '',
  divided INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0,
  note TEXT,
  opened INTEGER NOT NULL,
  changed INTEGER NOT NULL
);
CREATE INDEX submission_unsettled ON submission (id) WHERE state NOT IN ('settled', 'abandoned');
CREATE TABLE submission_step (
  id INTEGER PRIMARY KEY,
  submission INTEGER NOT NULL REFERENCES submission ON DELETE CASCADE,
  state TEXT NOT NULL,
  batch TEXT,
  at INTEGER NOT NULL
);
-- Written by the database itself, so that no step of a submission goes unrecorded.
CREATE TRIGGER submission_begun AFTER INSERT ON submission BEGIN
  INSERT INTO submission_step (submission, state, batch, at) VALUES (NEW.id, NEW.state, NEW.batch, NEW.changed);
END;
CREATE TRIGGER submission_moved AFTER UPDATE OF state ON submission WHEN NEW.state <> OLD.state BEGIN
  INSERT INTO submission_step (submission, state, batch, at) VALUES (NEW.id, NEW.state, NEW.batch, NEW.changed);
END;
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  request INTEGER NOT NULL REFERENCES request,
  build INTEGER NOT NULL REFERENCES build,
  submission INTEGER REFERENCES submission,
  layer TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0
);
-- The database itself refuses a second send of a request that is in flight.
CREATE UNIQUE INDEX attempt_open ON attempt (request) WHERE state = 0;
CREATE INDEX attempt_of_request ON attempt (request);
CREATE INDEX attempt_of_submission ON attempt (submission) WHERE submission IS NOT NULL;
CREATE INDEX attempt_of_build ON attempt (build);
CREATE TABLE attempt_note (
  attempt INTEGER PRIMARY KEY REFERENCES attempt,
  kind TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  request INTEGER NOT NULL REFERENCES request,
  realm BLOB NOT NULL,
  truncated INTEGER NOT NULL,
  attempt INTEGER REFERENCES attempt,
  UNIQUE (request, realm, truncated)
);
CREATE TABLE answer_body (
  answer INTEGER PRIMARY KEY REFERENCES answer,
  document TEXT NOT NULL
);
CREATE TABLE layer_set (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE
);
CREATE TABLE layer_set_unit (
  layer_set INTEGER NOT NULL REFERENCES layer_set,
  position INTEGER NOT NULL,
  unit INTEGER NOT NULL REFERENCES unit,
  PRIMARY KEY (layer_set, position)
) WITHOUT ROWID;
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  build INTEGER NOT NULL REFERENCES build,
  pipeline TEXT NOT NULL,
  made INTEGER NOT NULL
);
CREATE TABLE snapshot_layer (
  snapshot INTEGER NOT NULL REFERENCES snapshot,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  layer_set INTEGER NOT NULL REFERENCES layer_set,
  PRIMARY KEY (snapshot, position)
) WITHOUT ROWID;
",
    // Not every provider reports its token counts, and 0 tokens would cost nothing.
    "ALTER TABLE attempt ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;",
    // A row that was changed is neither shown nor used. Existing rows have no seal.
    "ALTER TABLE artifact ADD COLUMN seal INTEGER;
ALTER TABLE artifact_body ADD COLUMN seal INTEGER;
ALTER TABLE answer_body ADD COLUMN seal INTEGER;",
    // The same for a unit whose fingerprint, state or settings were changed, or swapped with those of another.
    "ALTER TABLE unit ADD COLUMN seal INTEGER;
ALTER TABLE unit_detail ADD COLUMN seal INTEGER;",
    // Readers: a file may make many artifacts or none, and an unchanged file is not read again.
    "CREATE TABLE layer_set_replaced (
  layer_set INTEGER NOT NULL REFERENCES layer_set,
  artifact INTEGER NOT NULL REFERENCES artifact,
  PRIMARY KEY (layer_set, artifact)
) WITHOUT ROWID;
CREATE TABLE unit_skipped (
  unit INTEGER NOT NULL REFERENCES unit,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  examples TEXT NOT NULL,
  seal INTEGER,
  PRIMARY KEY (unit, reason)
) WITHOUT ROWID;
CREATE TABLE file_digest (
  path TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  stamped INTEGER NOT NULL,
  digest BLOB NOT NULL,
  seal INTEGER
) WITHOUT ROWID;
ALTER TABLE build_layer ADD COLUMN skipped TEXT NOT NULL DEFAULT '[]';",
    // A file that cannot be read costs nothing as long as it, its reader and the reader's config are unchanged.
    "CREATE TABLE file_failure (
  fingerprint BLOB PRIMARY KEY,
  path TEXT NOT NULL,
  message TEXT NOT NULL,
  version TEXT NOT NULL,
  build INTEGER NOT NULL REFERENCES build,
  seal INTEGER
) WITHOUT ROWID;",
    // Trials, forecasts, the times of what a build did, and the order of labels. Existing rows have none of them.
    "ALTER TABLE build ADD COLUMN trial TEXT;
ALTER TABLE build ADD COLUMN forecast TEXT;
ALTER TABLE build_unit ADD COLUMN started INTEGER;
ALTER TABLE build_unit ADD COLUMN settled INTEGER;
ALTER TABLE attempt ADD COLUMN sent INTEGER;
ALTER TABLE attempt ADD COLUMN settled INTEGER;
ALTER TABLE snapshot ADD COLUMN name TEXT;
ALTER TABLE layer_set ADD COLUMN by_label BLOB;
ALTER TABLE layer_set ADD COLUMN seal INTEGER;
CREATE TABLE build_step (
  id INTEGER PRIMARY KEY,
  build INTEGER NOT NULL REFERENCES build,
  step TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX attempt_answered ON attempt (layer) WHERE state = 1;
CREATE INDEX build_step_of_build ON build_step (build);
CREATE UNIQUE INDEX snapshot_name ON snapshot (pipeline, name) WHERE name IS NOT NULL;",
    // Shared answers: claims and answers that a later command publishes, and where an answer came from.
    "CREATE TABLE shared_request (
  request INTEGER PRIMARY KEY REFERENCES request,
  build INTEGER NOT NULL REFERENCES build,
  store TEXT NOT NULL,
  claim TEXT
);
CREATE TABLE shared_answer (
  answer INTEGER PRIMARY KEY REFERENCES answer,
  build INTEGER NOT NULL REFERENCES build,
  store TEXT NOT NULL,
  provider TEXT NOT NULL,
  batch TEXT,
  answered INTEGER NOT NULL
);
CREATE INDEX shared_answer_of_build ON shared_answer (build);",
    // Unchanged layers: their units are taken from the snapshot without looking at each. The index finds the rows to
    // change when a unit is retired, which are nearly always none.
    "ALTER TABLE snapshot_layer ADD COLUMN fingerprint BLOB;
ALTER TABLE snapshot_layer ADD COLUMN seal INTEGER;
CREATE INDEX snapshot_layer_known ON snapshot_layer (fingerprint) WHERE fingerprint IS NOT NULL;",
    // Builds that a service runs: a job that is handed over again finds the build that it opened or resumed.
    "CREATE TABLE build_job (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL UNIQUE,
  build INTEGER NOT NULL REFERENCES build
);
CREATE INDEX build_job_of_build ON build_job (build);",
];
