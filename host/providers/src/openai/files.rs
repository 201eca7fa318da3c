//! Files that go to OpenAI and come from it, never whole in memory.

use std::path::Path;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::dialect::Dialect;
use crate::counted;
use crate::download::{self, Remote};
use crate::error::ProviderError;
use crate::input;
use crate::state::FileId;
use crate::transport::{Call, Transport};

/// Uploads a file of requests. A second upload after a lost reply costs nothing.
pub(crate) async fn upload(
    transport: &Transport,
    dialect: &Dialect,
    path: &Path,
    name: &str,
) -> Result<FileId, ProviderError> {
    let mut patience = transport.patience();
    loop {
        patience.sends += 1;
        match upload_once(transport, dialect, path, name).await {
            Ok(id) => return Ok(id),
            Err(error) => patience.outlast(error).await?,
        }
    }
}

async fn upload_once(
    transport: &Transport,
    dialect: &Dialect,
    path: &Path,
    name: &str,
) -> Result<FileId, ProviderError> {
    let (file, length) = input::open(path).await?;
    let part = Part::stream_with_length(file, length).file_name(name.to_owned());
    let mut form = Form::new().text("purpose", dialect.purpose);
    if dialect.names_file {
        form = form.text("file_name", name.to_owned());
    }
    let form = form.part("file", part);
    let request = transport.request(Method::POST, dialect.upload)?;
    let request = request.multipart(form);
    let limit = transport.limit_for(length);
    let reply = transport.send_json(request, limit).await?.value;
    match reply.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(FileId(id.to_owned())),
        _ => Err(transport.unreadable("a file without id".to_owned())),
    }
}

/// Downloads a file of rows to `to`.
pub(crate) async fn download(
    transport: &Transport,
    file: &FileId,
    requests: u64,
    to: &Path,
) -> Result<u64, ProviderError> {
    let remote = Remote {
        name: &file.0,
        path: &["files", &file.0, "content"],
        size: size(transport, file).await,
        rows: None,
        requests,
    };
    download::download(transport, &remote, to).await
}

/// Returns the size that the provider keeps for a file, where it says one.
async fn size(transport: &Transport, file: &FileId) -> Option<u64> {
    let call = Call {
        method: Method::GET,
        path: &["files", &file.0],
        query: &[],
        body: None,
    };
    // Compatible servers have no such call; the download itself shows what is wrong.
    let reply = transport
        .json(&call, &mut transport.patience())
        .await
        .ok()?;
    reply.value.get("bytes").and_then(counted::number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, provider_of, reply};
    use synix_core::request::BatchApi;

    const ROWS: &str = "{\"a\":1}\n";

    async fn uploaded(replies: Vec<Vec<u8>>) -> (Result<FileId, ProviderError>, Server) {
        uploaded_to(BatchApi::OpenAi, replies).await
    }

    async fn uploaded_to(
        api: BatchApi,
        replies: Vec<Vec<u8>>,
    ) -> (Result<FileId, ProviderError>, Server) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        synix_disk::replace(&path, ROWS.as_bytes()).unwrap();
        let server = Server::start(replies);
        let id = provider_of(&server, api)
            .upload_batch(&path, "synix-7.jsonl")
            .await;
        (id, server)
    }

    #[tokio::test]
    async fn an_upload_carries_purpose_name_and_length() {
        let (id, server) = uploaded(vec![reply(r#"{"id":"file-1"}"#)]).await;
        assert_eq!(id.unwrap(), FileId("file-1".to_owned()));
        let seen = server.seen().remove(0);
        assert!(seen.head.starts_with("POST /v1/files HTTP/1.1"));
        assert!(seen.head.contains("content-length:"));
        let body = String::from_utf8(seen.body).unwrap();
        for part in [
            "name=\"purpose\"\r\n\r\nbatch\r\n",
            "filename=\"synix-7.jsonl\"",
            ROWS,
        ] {
            assert!(body.contains(part), "{part}");
        }
    }

    #[tokio::test]
    async fn a_lost_upload_is_sent_again() {
        let (id, server) = uploaded(vec![Vec::new(), reply(r#"{"id":"file-2"}"#)]).await;
        assert_eq!(id.unwrap(), FileId("file-2".to_owned()));
        assert_eq!(server.seen().len(), 2);
    }

    #[tokio::test]
    async fn together_is_told_its_own_purpose_and_the_name_apart() {
        let (id, server) = uploaded_to(BatchApi::Together, vec![reply(r#"{"id":"f"}"#)]).await;
        id.unwrap();
        let seen = server.seen().remove(0);
        assert!(seen.head.starts_with("POST /v1/files/upload HTTP/1.1"));
        let body = String::from_utf8(seen.body).unwrap();
        for part in [
            "name=\"purpose\"\r\n\r\nbatch-api\r\n",
            "name=\"file_name\"\r\n\r\nsynix-7.jsonl\r\n",
        ] {
            assert!(body.contains(part), "{part}");
        }
    }
}
