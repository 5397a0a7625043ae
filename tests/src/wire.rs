//! A bare connection, for what a proper client would never send.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::patience::DEADLINE;

/// A TCP connection to a server.
pub struct Wire(TcpStream);

impl Wire {
    /// Connects to `127.0.0.1:PORT`.
    pub fn connect(address: &str) -> Wire {
        let connection = TcpStream::connect(address).expect("the server listens");
        connection.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        connection.set_nodelay(true).expect("no delay");
        Wire(connection)
    }

    /// Writes bytes; false where the server has closed the connection.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Reads until the server closes the connection. What came before a reset counts too.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut seen = Vec::new();
        let mut part = [0; 4096];
        loop {
            match self.0.read(&mut part) {
                Ok(0) => return seen,
                Ok(length) => seen.extend_from_slice(&part[..length]),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::ConnectionReset) => return seen,
                Err(error) => panic!("neither an answer nor a close: {error}; seen {:?}", String::from_utf8_lossy(&seen)),
            }
        }
    }

    /// Reads until these bytes have come.
    pub fn read_until(&mut self, mark: &[u8]) -> Vec<u8> {
        let mut seen = Vec::new();
        let mut part = [0; 4096];
        while !seen.windows(mark.len()).any(|it| it == mark) {
            match self.0.read(&mut part) {
                Ok(length @ 1..) => seen.extend_from_slice(&part[..length]),
                other => panic!("{other:?} before {:?}: {:?}", String::from_utf8_lossy(mark), String::from_utf8_lossy(&seen)),
            }
        }
        seen
    }
}
