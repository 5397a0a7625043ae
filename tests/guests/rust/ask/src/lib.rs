use wf_guest::prelude::*;

struct Ask;

/// Asks for what it was not granted, and reports what it was told.
#[workflow]
impl Ask {
    /// Asks for a file, an environment variable and the network.
    #[step]
    fn ask(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let file = std::fs::read_to_string("/etc/passwd").map(|_| "granted".to_owned()).unwrap_or_else(|error| error.to_string());
        let variables: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
        let network = std::net::TcpStream::connect("127.0.0.1:80").map(|_| "granted".to_owned()).unwrap_or_else(|error| error.to_string());
        Ok(StopEvent::new(json!({ "file": file, "variables": variables, "network": network })))
    }
}
