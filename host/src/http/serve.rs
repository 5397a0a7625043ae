//! From a listening socket to requests.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use warp::http::header::{HOST, HeaderValue};
use warp::reply::Response;

use super::door::Door;
use super::tls::{self, Tls};
use super::underway::Underway;
use super::{Api, Options, body, browser, cors, names, routes};
use crate::forms;
use crate::host::Host;

/// How long a client may take to send the head of a request; an idle connection ends with it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that is gone without a word is asked after this much silence, then so often, and so many
/// times: a stream that says little would not find out for long.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);
/// How long to wait before accepting again when the system has no descriptors left.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until the future resolves; then accepts no more, and waits for what is under way as
/// long as the options allow. Some of them may change meanwhile.
pub async fn serve(
    host: Host,
    options: watch::Receiver<Options>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let connections = Arc::new(Semaphore::new(options.borrow().connections_max));
    let (timeout, tls) = (options.borrow().shutdown_timeout, options.borrow().tls.clone());
    let address = listener.local_addr()?;
    let door = Door::open(&options.borrow(), address.port())?;
    let following = tls.clone().map(|tls| tokio::spawn(tls.follow()));
    let (schemas, refused_names) = (forms::Schemas::default(), names::Refused::default());
    let api = Arc::new(Api { host, options, schemas, refused_names, address, room: body::Room::default() });
    let service = TowerToHyperService::new(warp::service(routes::all(&api)));
    let routes: Routes = Arc::new(move |request| Box::pin(service.call(request)));
    let server = Server { api, door, routes };
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let turn = connections.clone().acquire_owned().await?;
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
        let (server, watcher, tls) = (server.clone(), graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            connection(server, watcher, stream, tls, peer.ip()).await;
            drop(turn);
        });
    }
    drop(listener);
    if tokio::time::timeout(timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end within {timeout:?} and are cut");
    }
    following.iter().for_each(JoinHandle::abort);
    server.door.flush().await;
    Ok(())
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
async fn connection(server: Server, watcher: Watcher, stream: TcpStream, tls: Option<Tls>, address: IpAddr) {
    let by_tls = tls.is_some();
    let service = service_fn(move |request| {
        let server = server.clone();
        async move { Ok::<_, Infallible>(server.answer(request, address, by_tls).await) }
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

type Routes = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Result<Response, Infallible>> + Send + Sync>;

/// What answers requests, whichever connection they come on.
#[derive(Clone)]
struct Server {
    api: Arc<Api>,
    door: Arc<Door>,
    routes: Routes,
}

impl Server {
    async fn answer(&self, mut request: Request<Incoming>, address: IpAddr, by_tls: bool) -> Response {
        // The newer protocol says so elsewhere.
        if !request.headers().contains_key(HOST)
            && let Some(host) = request.uri().authority().and_then(|it| HeaderValue::from_str(it.as_str()).ok())
        {
            request.headers_mut().insert(HOST, host);
        }
        let admitted = self.admit(&mut request);
        let mut response = match admitted {
            Ok(origin) => {
                let mut response = self.inside(request, address).await;
                cors::allow(origin, &mut response);
                response
            }
            Err(response) => *response,
        };
        browser::warn(&mut response, by_tls, self.door.is_locked());
        response
    }

    /// What every request passes before the door: its allowed origin, or the answer.
    fn admit<B>(&self, request: &mut Request<B>) -> Result<Option<HeaderValue>, Box<Response>> {
        let options = self.api.options.borrow();
        // Where there are keys, a page that leads its name here has none to show.
        if !self.door.is_locked() {
            self.api.refused_names.check(&options, request).map_err(|error| Box::new(error.response()))?;
        }
        if let Some(response) = routes::place(&options, request) {
            return Err(Box::new(response));
        }
        cors::check(&options, request)
    }

    async fn inside(&self, mut request: Request<Incoming>, address: IpAddr) -> Response {
        let entered = match self.door.enter(&self.api.host, &self.api.options, &request, address).await {
            Ok(entered) => entered,
            Err(response) => return *response,
        };
        if entered.nowhere {
            return routes::nowhere(request.uri().path());
        }
        if let Some(response) = routes::trailing_slash(&request) {
            return response;
        }
        routes::head_as_get(&mut request);
        request.extensions_mut().insert(entered.visitor);
        let Ok(response) = (self.routes)(request).await;
        entered.record.answered(&response);
        response
    }
}
