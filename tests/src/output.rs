//! What a process prints, as it prints it.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The text that came so far from a pipe.
pub struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    /// Reads a pipe to its end, in the background.
    pub fn of(mut pipe: impl Read + Send + 'static) -> Output {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = text.clone();
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut part) {
                sink.lock().expect("no panic while locked").extend_from_slice(&part[..length]);
            }
        });
        Output { text, reader: Some(reader) }
    }

    /// What came so far.
    pub fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("no panic while locked")).into_owned()
    }

    /// All of it; waits until the process has closed the pipe.
    pub fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.so_far()
    }
}
