use wasip2::http::outgoing_handler;
use wasip2::http::types::{Headers, OutgoingRequest, Scheme};
use wf_guest::prelude::*;

struct Ask;

/// Asks for what it was not granted, and reports what it was told.
#[workflow]
impl Ask {
    /// Asks for a file, an environment variable the network and HTTP.
    #[step]
    fn ask(&self, _context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let file = std::fs::read_to_string("/etc/passwd").map(|_| "granted".to_owned()).unwrap_or_else(|error| error.to_string());
        let variables: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
        let network = std::net::TcpStream::connect("127.0.0.1:80").map(|_| "granted".to_owned()).unwrap_or_else(|error| error.to_string());
        let http = fetch();
        Ok(StopEvent::new(json!({ "file": file, "variables": variables, "network": network, "http": http })))
    }
}

/// What becomes of a request to the outside.
fn fetch() -> String {
    let request = OutgoingRequest::new(Headers::new());
    let set = request.set_scheme(Some(&Scheme::Http)).and_then(|()| request.set_authority(Some("127.0.0.1:80")));
    let set = set.and_then(|()| request.set_path_with_query(Some("/")));
    if set.is_err() {
        return "the request could not be made".to_owned();
    }
    match outgoing_handler::handle(request, None) {
        Err(error) => format!("{error:?}"),
        Ok(answer) => {
            answer.subscribe().block();
            match answer.get() {
                Some(Ok(Ok(_))) => "granted".to_owned(),
                other => format!("{other:?}"),
            }
        }
    }
}
