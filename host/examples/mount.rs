//! A server of one's own, on hyper, that has more to say than workflows do: their API is one of its services.
//!
//! ```sh
//! make examples
//! cargo run --release --example mount -- 127.0.0.1:8080
//! curl localhost:8080/hello
//! curl localhost:8080/flows/workflows
//! ```

use std::convert::Infallible;
use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tower_service::Service as _;
use wf_host::WorkflowServer;
use wf_host::http::{Body, Peer, Service};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let flows = WorkflowServer::builder()
        .add_workflow("greet", "target/examples/greeting.wasm")
        // What is below it is found, and pages and clients are given whole URLs.
        .http(|options| options.public_url = Some(format!("{url}/flows")))
        .start()
        .await?;
    say(&format!("listening on {url}"));
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = tokio::signal::ctrl_c() => break,
        };
        let service = flows.service();
        let answer = service_fn(move |mut request| {
            request.extensions_mut().insert(Peer(peer.ip()));
            answer(service.clone(), request)
        });
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            // A client that breaks off is no error of ours.
            let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
    flows.stop().await;
    Ok(())
}

async fn answer(mut flows: Service, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.uri().path().starts_with("/flows") {
        return flows.call(request).await;
    }
    let body = Full::from(if request.uri().path() == "/hello" { "hello\n" } else { "nothing here\n" });
    Ok(Response::new(body.map_err(|never| match never {}).boxed()))
}

#[expect(clippy::print_stdout, reason = "a program's own output")]
fn say(text: &str) {
    println!("{text}");
}
