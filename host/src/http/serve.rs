//! From a listening socket to requests.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::Options;
use super::service::{RequestBody, Service};
use super::tls::{self, Tls};
use super::underway::Underway;

/// How long a client may take to send the head of a request; an idle connection ends with it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that is gone without a word is asked after this much silence, then so often, and so many
/// times: a stream that says little would not find out for long.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);
/// How long to wait before accepting again when the system has no descriptors left.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until the future resolves; then accepts no more, and waits for what is under way as
/// long as the options allow.
pub async fn serve(service: Service, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) {
    let Options { connections_max, shutdown_timeout: timeout, tls, .. } = service.options();
    let connections = Arc::new(Semaphore::new(connections_max));
    let following = tls.clone().map(|tls| tokio::spawn(tls.follow()));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let turn = connections.clone().acquire_owned().await.expect("never closed");
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        tune(&stream);
        let (service, watcher, tls) = (service.clone(), graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            connection(service, watcher, stream, tls, peer.ip()).await;
            drop(turn);
        });
    }
    drop(listener);
    if tokio::time::timeout(timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end within {timeout:?} and are cut");
    }
    following.iter().for_each(JoinHandle::abort);
    service.flush().await;
}

/// Frames are small and wanted at once; and whoever is gone is found out.
fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let (time, interval, retries) = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(retries);
    // Where the system has no such thing, a write finds out later.
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// Serves a connection to its end. A client that breaks off is no error of ours.
async fn connection(service: Service, watcher: Watcher, stream: TcpStream, tls: Option<Tls>, address: IpAddr) {
    let by_tls = tls.is_some();
    let service = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request.map(RequestBody::new), address, by_tls).await) }
    });
    let mut older = http1::Builder::new();
    older.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let Some(tls) = tls else {
        let _ = watcher.watch(older.serve_connection(TokioIo::new(stream), service)).await;
        return;
    };
    let Some(stream) = tls.accept(stream).await else { return };
    if tls::is_http2(&stream) {
        let mut newer = http2::Builder::new(TokioExecutor::new());
        newer.timer(TokioTimer::new()).keep_alive_interval(Some(HEADER_TIMEOUT)).keep_alive_timeout(HEADER_TIMEOUT);
        // Signs of life are no requests: whoever asks for nothing goes, as with the older protocol.
        let underway = Underway::default();
        let idle = underway.idle(HEADER_TIMEOUT);
        let service = service_fn(move |request| {
            let (begun, answer) = (underway.begin(), service.call(request));
            async move { Ok::<_, Infallible>(answer.await?.map(|body| begun.with(body))) }
        });
        tokio::select! {
            _ = watcher.watch(newer.serve_connection(TokioIo::new(stream), service)) => (),
            () = idle => (),
        }
    } else {
        let _ = watcher.watch(older.serve_connection(TokioIo::new(stream), service)).await;
    }
}
