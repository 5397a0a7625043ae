//! From a listening socket to requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{Api, Options, cors, routes};
use crate::forms;
use crate::host::Host;

/// How long a client may take to send the head of a request; an idle connection ends with it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait before accepting again when the system has no descriptors left.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until the future resolves; then accepts no more, and waits for what is under way as
/// long as the options allow.
pub async fn serve(
    host: Host,
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let connections = Arc::new(Semaphore::new(options.connections_max));
    let timeout = options.shutdown_timeout;
    let api = Arc::new(Api { host, options, schemas: forms::Schemas::default() });
    let service = hyper::service::Service::call;
    let routes = TowerToHyperService::new(warp::service(routes::all(&api)));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let turn = connections.clone().acquire_owned().await?;
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        let (api, routes) = (api.clone(), routes.clone());
        let answer = service_fn(move |mut request| {
            let (api, routes) = (api.clone(), routes.clone());
            async move {
                let origin = match cors::check(&api.options, &request) {
                    Ok(origin) => origin,
                    Err(response) => return Ok::<_, Infallible>(*response),
                };
                if let Some(response) = routes::trailing_slash(&request) {
                    return Ok(response);
                }
                routes::head_as_get(&mut request);
                let mut response = service(&routes, request).await?;
                cors::allow(origin, &mut response);
                Ok(response)
            }
        });
        let connection = connection(stream).serve_connection_with(answer);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no error of ours.
            let _ = watched.await;
            drop(turn);
        });
    }
    drop(listener);
    if tokio::time::timeout(timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end within {timeout:?} and are cut");
    }
    Ok(())
}

struct Connection(TcpStream);

fn connection(stream: TcpStream) -> Connection {
    // Frames are small and wanted at once.
    let _ = stream.set_nodelay(true);
    Connection(stream)
}

impl Connection {
    fn serve_connection_with<S>(self, service: S) -> hyper::server::conn::http1::Connection<TokioIo<TcpStream>, S>
    where
        S: hyper::service::HttpService<hyper::body::Incoming>,
        S::ResBody: 'static,
        <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        builder.serve_connection(TokioIo::new(self.0), service)
    }
}
