//! Uploads and downloads of files, streamed from and to the disk.

use std::path::Path;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::dialect::Dialect;
use crate::batch_input;
use crate::batch_state::FileId;
use crate::download::{self, RemoteFile};
use crate::error::ProviderError;
use crate::transport::{Call, Transport};
use crate::usage;

/// Uploads a file of requests. Retries after a lost reply, because a second upload costs nothing.
pub(crate) async fn upload(
    transport: &Transport,
    dialect: &Dialect,
    path: &Path,
    name: &str,
) -> Result<FileId, ProviderError> {
    let mut retry = transport.retry_state();
    loop {
        retry.sends += 1;
        match upload_once(transport, dialect, path, name).await {
            Ok(id) => return Ok(id),
            Err(error) => retry.back_off(error).await?,
        }
    }
}

async fn upload_once(
    transport: &Transport,
    dialect: &Dialect,
    path: &Path,
    name: &str,
) -> Result<FileId, ProviderError> {
    let (file, length) = batch_input::open(path).await?;
    let part = Part::stream_with_length(file, length).file_name(name.to_owned());
    let mut form = Form::new().text("purpose", dialect.purpose);
    if dialect.has_file_name_field {
        form = form.text("file_name", name.to_owned());
    }
    let form = form.part("file", part);
    let request = transport.request(Method::POST, dialect.upload)?;
    let request = request.multipart(form);
    let limit = transport.timeout_for(length);
    let reply = transport.send_json(request, limit).await?.value;
    match reply.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(FileId(id.to_owned())),
        _ => Err(transport.unreadable("a file without an id".to_owned())),
    }
}

/// Downloads a file of rows to `to`.
pub(crate) async fn download(
    transport: &Transport,
    file: &FileId,
    requests: u64,
    to: &Path,
) -> Result<u64, ProviderError> {
    let remote = RemoteFile {
        name: &file.0,
        path: &["files", &file.0, "content"],
        size: size(transport, file).await,
        rows: None,
        requests,
    };
    download::download(transport, &remote, to).await
}

/// Returns the size of a file, if the provider reports it.
async fn size(transport: &Transport, file: &FileId) -> Option<u64> {
    let call = Call {
        method: Method::GET,
        path: &["files", &file.0],
        query: &[],
        body: None,
    };
    // Some compatible servers lack this call. If it fails, the download reports the error.
    let reply = transport
        .call(&call, &mut transport.retry_state())
        .await
        .ok()?;
    reply.value.get("bytes").and_then(usage::parse_count)
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
        let received = server.received().remove(0);
        assert!(received.head.starts_with("POST /v1/files HTTP/1.1"));
        assert!(received.head.contains("content-length:"));
        let body = String::from_utf8(received.body).unwrap();
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
        assert_eq!(server.received().len(), 2);
    }

    #[tokio::test]
    async fn together_gets_its_own_purpose_and_a_file_name_field() {
        let (id, server) = uploaded_to(BatchApi::Together, vec![reply(r#"{"id":"f"}"#)]).await;
        id.unwrap();
        let received = server.received().remove(0);
        assert!(received.head.starts_with("POST /v1/files/upload HTTP/1.1"));
        let body = String::from_utf8(received.body).unwrap();
        for part in [
            "name=\"purpose\"\r\n\r\nbatch-api\r\n",
            "name=\"file_name\"\r\n\r\nsynix-7.jsonl\r\n",
        ] {
            assert!(body.contains(part), "{part}");
        }
    }
}
