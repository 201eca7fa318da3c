//! A provider against a server that sends scripted replies.

mod batches;
mod complete;
mod embeddings;
mod unusual_replies;

const BATCH: &str = r#"{"id":"batch_1","status":"validating"}"#;
