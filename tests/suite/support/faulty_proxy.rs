//! A way to a server on this machine that loses calls and replies.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};

use crate::support::random::SeededRandom;

/// What happens to a connection, which carries one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    /// The server never sees it.
    LosesCall,
    /// The server carries it out, and nobody learns that.
    LosesReply,
}

/// Starts the proxy, which ends with this process, and returns its port.
pub(crate) fn start(server: u16, seed: u64) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut random = SeededRandom(seed);
        for client in listener.incoming().flatten() {
            let fate = match random.below(100) {
                0..3 => Fate::LosesCall,
                3..7 => Fate::LosesReply,
                _ => Fate::Passes,
            };
            // A broken connection is what this is about.
            std::thread::spawn(move || carry(&client, server, fate).unwrap_or_default());
        }
    });
    port
}

fn carry(client: &TcpStream, server: u16, fate: Fate) -> io::Result<()> {
    if fate == Fate::LosesCall {
        return client.shutdown(Shutdown::Both);
    }
    let server = TcpStream::connect(("127.0.0.1", server))?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let there = std::thread::spawn(move || {
        let copied = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
        copied
    });
    if fate == Fate::LosesReply {
        io::copy(&mut &server, &mut io::sink())?;
    } else {
        io::copy(&mut &server, &mut &*client)?;
    }
    client.shutdown(Shutdown::Both)?;
    let _ = there.join();
    Ok(())
}
