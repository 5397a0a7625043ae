//! A server that workflows make requests to: it says what a test wants it to say, as badly as that may be.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The server. It ends when it is dropped.
pub struct Origin {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    gate: Semaphore,
    answer: Answer,
}

type Answer = Box<dyn Fn(&Seen, usize) -> Vec<Part> + Send + Sync>;

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET` and so on.
    pub method: String,
    /// With its query.
    pub path: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub enum Part {
    /// As they are.
    Bytes(Vec<u8>),
    /// Waits until the test lets one through.
    Gate,
    /// So many zeros, in pieces.
    Zeros(usize),
    /// Says nothing more, and stays.
    Hang,
    /// Ends the connection.
    Cut,
}

impl Seen {
    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in the request {self:?}"))
    }
}

impl Origin {
    /// Starts one on a free port of this machine. The closure gives the answer to each request, and knows which it is, from 0.
    pub async fn start(answer: impl Fn(&Seen, usize) -> Vec<Part> + Send + Sync + 'static) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = State { seen: Mutex::default(), connections: AtomicUsize::new(0), gate: Semaphore::new(0), answer: Box::new(answer) };
        let state = Arc::new(state);
        let own = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(own.clone(), stream));
            }
        });
        Origin { address, state, accepting }
    }

    /// One of its URLs.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("no panic while locked").clone()
    }

    /// How many connections it has had.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Lets so many answers past their gates.
    pub fn let_through(&self, count: usize) {
        self.state.gate.add_permits(count);
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A whole answer.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Part {
    let length = body.len().to_string();
    let head = head(status, &[headers, &[("content-length", &length)]].concat());
    Part::Bytes([head, body.as_bytes().to_vec()].concat())
}

/// The head of an answer whose body comes in [`chunk`]s.
pub fn chunked(status: u16, headers: &[(&str, &str)]) -> Part {
    Part::Bytes(head(status, &[headers, &[("transfer-encoding", "chunked")]].concat()))
}

/// A part of such a body; the empty one is its end.
pub fn chunk(text: &str) -> Part {
    Part::Bytes(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} So\r\n{lines}\r\n").into_bytes()
}

async fn serve(state: Arc<State>, mut stream: TcpStream) {
    let mut rest = Vec::new();
    while let Some(seen) = request(&mut stream, &mut rest).await {
        let number = {
            let mut all = state.seen.lock().expect("no panic while locked");
            all.push(seen.clone());
            all.len() - 1
        };
        for part in (state.answer)(&seen, number) {
            let written = match part {
                Part::Bytes(bytes) => stream.write_all(&bytes).await,
                Part::Gate => {
                    state.gate.acquire().await.expect("never closed").forget();
                    Ok(())
                }
                Part::Zeros(count) => {
                    let (zeros, mut left, mut written) = (vec![0; 64 << 10], count, Ok(()));
                    while left > 0 && written.is_ok() {
                        let now = left.min(zeros.len());
                        written = stream.write_all(&zeros[..now]).await;
                        left -= now;
                    }
                    written
                }
                Part::Hang => std::future::pending().await,
                Part::Cut => return,
            };
            if written.is_err() {
                return;
            }
        }
    }
}

/// The next request of a connection; none at its end.
async fn request(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = rest.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        more(stream, rest).await?;
    };
    let text = String::from_utf8_lossy(&rest[..end]).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines.filter_map(|it| it.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut seen = Seen { method, path, headers, body: Vec::new() };
    let length: usize = seen.header("content-length").parse().unwrap_or(0);
    rest.drain(..end + 4);
    while rest.len() < length {
        more(stream, rest).await?;
    }
    seen.body = rest.drain(..length).collect();
    Some(seen)
}

async fn more(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 8 << 10];
    let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
    rest.extend_from_slice(&buffer[..count]);
    Some(())
}
