//! Requests, and who answers them.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use hyper::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use warp::http::header::{HOST, HeaderValue};
use warp::reply::Response;

use super::door::Door;
use super::{Api, Options, body, browser, cors, names, routes};
use crate::forms;
use crate::host::Host;

type Routes = Arc<dyn Fn(Request<RequestBody>) -> BoxFuture<'static, Result<Response, Infallible>> + Send + Sync>;

/// Why a body could not be read to its end.
type Broken = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
pub type Body = BoxBody<Bytes, Broken>;

/// Who asks, by address: an extension of requests that come by a server of one's own. Rates, and how often somebody
/// may show a wrong key, are counted for each; those without it are one to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The whole API, with its page, as a service of tower: it answers requests, whichever connection they come on. Cheap
/// to clone.
#[derive(Clone)]
pub struct Service {
    api: Arc<Api>,
    door: Arc<Door>,
    routes: Routes,
}

impl<B> tower_service::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Broken>,
{
    type Response = hyper::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        let address = request.extensions().get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| *address);
        let request = request.map(RequestBody::new);
        Box::pin(async move { Ok(service.answer(request, address, false).await.map(|body| body.map_err(Into::into).boxed())) })
    }
}

impl Service {
    /// Of a host. Some of the options may change meanwhile. `address`: where it listens, if it does. An error: there are
    /// no threads.
    pub fn new(host: Host, options: watch::Receiver<Options>, address: Option<SocketAddr>) -> anyhow::Result<Service> {
        let door = Door::open(&options.borrow(), address.map_or(0, |it| it.port()))?;
        let (schemas, refused_names) = (forms::Schemas::default(), names::Refused::default());
        let api = Arc::new(Api { host, options, schemas, refused_names, address, room: body::Room::default() });
        let service = TowerToHyperService::new(warp::service(routes::all(&api)));
        Ok(Service { api, door, routes: Arc::new(move |request| Box::pin(service.call(request))) })
    }

    /// As they are now.
    pub(super) fn options(&self) -> Options {
        self.api.options.borrow().clone()
    }

    /// Waits until the audit log is on disk.
    pub(crate) async fn flush(&self) {
        self.door.flush().await;
    }

    pub(super) async fn answer(&self, mut request: Request<RequestBody>, address: IpAddr, by_tls: bool) -> Response {
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

    async fn inside(&self, mut request: Request<RequestBody>, address: IpAddr) -> Response {
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

/// The body of a request, whoever has read its head.
pub(super) struct RequestBody(Mutex<UnsyncBoxBody<Bytes, Broken>>);

impl RequestBody {
    pub(super) fn new<B>(body: B) -> RequestBody
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Broken>,
    {
        RequestBody(Mutex::new(body.map_err(Into::into).boxed_unsync()))
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        // Nobody shares it: the lock is for the types that want to be told so.
        let body = self.get_mut().0.get_mut().expect("no panic while locked");
        Pin::new(body).poll_frame(context)
    }
}
