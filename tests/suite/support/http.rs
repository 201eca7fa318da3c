//! HTTP calls whose every header the test chooses, over one connection each.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The reply of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpReply {
    pub(crate) status: u16,
    /// The names in lower case, and the values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl HttpReply {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Gets a page as a browser on this machine does.
pub(crate) fn get(server: SocketAddr, path: &str) -> HttpReply {
    call(server, "GET", path, &[("Host", &server.to_string())], b"").expect("a reply")
}

/// Sends a request with exactly these headers, besides those that end the connection and frame the body.
pub(crate) fn call(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<HttpReply> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("Connection: close\r\n\r\n");
    send(server, &[head.as_bytes(), body].concat(), method == "HEAD")
}

/// Sends bytes as they are, and reads the reply to them.
pub(crate) fn send(server: SocketAddr, bytes: &[u8], is_head: bool) -> io::Result<HttpReply> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(bytes)?;
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(end) = find(&received, b"\r\n\r\n") {
            break end + 4;
        }
        read_more(&mut stream, &mut received)?;
    };
    let (status, headers) = parse_head(&received[..head_end])?;
    let mut body = received.split_off(head_end);
    let mut reply = HttpReply {
        status,
        headers,
        body: Vec::new(),
    };
    if is_head || matches!(status, 204 | 304) {
        return Ok(reply);
    }
    let length = reply.header("content-length").map(str::to_owned);
    match length.map(|length| length.parse::<usize>()) {
        Some(Ok(length)) => {
            while body.len() < length {
                read_more(&mut stream, &mut body)?;
            }
            body.truncate(length);
        }
        Some(Err(_)) => return Err(invalid("a length that is no number")),
        None => {
            stream.read_to_end(&mut body)?;
            if reply.header("transfer-encoding") == Some("chunked") {
                body = joined_chunks(&body)?;
            }
        }
    }
    reply.body = body;
    Ok(reply)
}

fn read_more(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    let mut bytes = [0; 16 * 1024];
    match stream.read(&mut bytes)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            received.extend_from_slice(&bytes[..count]);
            Ok(())
        }
    }
}

fn parse_head(head: &[u8]) -> io::Result<(u16, Vec<(String, String)>)> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| invalid("no status"))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Ok((status, headers.collect()))
}

fn joined_chunks(mut rest: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n").ok_or_else(|| invalid("no end of a chunk's length"))?;
        let length = std::str::from_utf8(&rest[..end]).ok();
        let length = length.and_then(|length| usize::from_str_radix(length, 16).ok());
        let length = length.ok_or_else(|| invalid("a chunk without a length"))?;
        if length == 0 {
            return Ok(body);
        }
        let chunk = rest.get(end + 2..end + 2 + length);
        body.extend_from_slice(chunk.ok_or_else(|| invalid("a chunk that is cut"))?);
        rest = &rest[end + 4 + length..];
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
