//! Which path leads where.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::Request;
use warp::http::header::{ALLOW, HeaderValue, LOCATION};
use warp::http::{Method, StatusCode, Uri};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::error::{ApiError, answer};
use super::uri::{self, Part};
use super::{
    Api, Options, Shared, Visitor, body, breakpoints, context, events, forks, handlers, health, history, logs, openapi, page, runs,
    session, workflows,
};

/// The paths as patterns, with what they allow: for the answer to another method.
const PATHS: [(&str, &str); 31] = [
    ("/", "GET, HEAD"),
    ("/ui/{}", "GET, HEAD"),
    ("/health", "GET, HEAD"),
    ("/workflows", "GET, HEAD"),
    ("/workflows/{}/run", "POST"),
    ("/workflows/{}/run-nowait", "POST"),
    ("/workflows/{}/schema", "GET, HEAD"),
    ("/workflows/{}/events", "GET, HEAD"),
    ("/workflows/{}/representation", "GET, HEAD"),
    ("/handlers", "GET, HEAD"),
    ("/handlers/{}", "GET, HEAD"),
    ("/handlers/{}/cancel", "POST"),
    ("/results/{}", "GET, HEAD"),
    ("/events/{}", "GET, HEAD, POST"),
    ("/api/v1/workflows", "GET, HEAD"),
    ("/api/v1/runs/{}", "GET, HEAD"),
    ("/api/v1/runs/{}/events", "GET, HEAD"),
    ("/api/v1/handlers/{}/context", "GET, HEAD"),
    ("/api/v1/runs/{}/logs", "GET, HEAD"),
    ("/api/v1/runs", "GET, HEAD"),
    ("/api/v1/runs/{}/history", "GET, HEAD"),
    ("/api/v1/runs/{}/state", "GET, HEAD"),
    ("/api/v1/runs/{}/representation", "GET, HEAD"),
    ("/api/v1/runs/{}/fork", "POST"),
    ("/api/v1/runs/{}/go-on", "POST"),
    ("/api/v1/workflows/{}/breakpoints", "GET, HEAD, POST"),
    ("/api/v1/workflows/{}", "GET, HEAD"),
    ("/api/v1/openapi.json", "GET, HEAD"),
    ("/api/v1/session", "GET, HEAD"),
    ("/api/v1/sign-in", "POST"),
    ("/api/v1/sign-out", "POST"),
];

/// A HEAD is answered as a GET; the server leaves the body out.
pub(super) fn head_as_get<B>(request: &mut Request<B>) {
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
}

/// Takes the prefix of the public URL away, where a proxy has left it, and signs that mean nothing.
/// Gives the answer where the page is asked for without the slash that its files stand below.
pub(super) fn place<B>(options: &Options, request: &mut Request<B>) -> Option<Response> {
    let uri = request.uri().clone();
    let path = uri::normal(uri.path());
    let prefix = options.prefix();
    let inner = path.strip_prefix(prefix).filter(|_| !prefix.is_empty() && !is_ours(&path));
    let inner = match inner {
        Some("") => return Some(redirect(&format!("{prefix}/"))),
        Some(inner) if inner.starts_with('/') => inner,
        _ => &path,
    };
    if inner != uri.path() {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = format!("{inner}{query}").parse().ok();
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
    }
    None
}

fn redirect(to: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(LOCATION, HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/")));
    response
}

/// Whether a path leads somewhere as it is.
fn is_ours(path: &str) -> bool {
    PATHS.iter().any(|(pattern, _)| fits(pattern, path))
}

/// A path with a slash at its end is another path, which is not there; warp would ignore it.
pub(super) fn trailing_slash<B>(request: &Request<B>) -> Option<Response> {
    let path = request.uri().path();
    (path.len() > 1 && path.ends_with('/')).then(|| ApiError::not_found("Not Found").response())
}

/// Every endpoint. Domain errors are replies; a rejection only means that no path fits.
pub(super) fn all(api: &Arc<Api>) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let reading = warp::get().and(with(api.clone())).and(warp::header::headers_cloned()).and(query()).boxed();
    let writing_up_to = |most| {
        warp::post().and(with(api.clone())).and(warp::header::headers_cloned()).and(query()).and(body::bytes(api.clone(), most)).boxed()
    };
    let writing = writing_up_to(u64::MAX);

    let page = warp::path::end().and(reading.clone()).then(|api, headers, _| answer(page::index(api, headers)));
    let asset = warp::path!("ui" / Part)
        .and(reading.clone())
        .then(|name: Part, api, headers, _| name.answer(|name| page::asset(api, name, headers)));
    let health = warp::path!("health").and(reading.clone()).then(|api, _, _| answer(health::get(api)));
    let listings = warp::path!("api" / "v1" / "workflows").and(reading.clone()).then(|api, _, _| answer(workflows::listings(api)));
    let list = warp::path!("workflows").and(reading.clone()).then(|api, _, _| answer(workflows::list(api)));
    let schema = warp::path!("workflows" / Part / "schema")
        .and(reading.clone())
        .then(|name: Part, api, _, _| name.answer(|name| workflows::schema(api, name)));
    let types = warp::path!("workflows" / Part / "events")
        .and(reading.clone())
        .then(|name: Part, api, _, _| name.answer(|name| workflows::events(api, name)));
    let graph = warp::path!("workflows" / Part / "representation")
        .and(reading.clone())
        .then(|name: Part, api, _, _| name.answer(|name| workflows::representation(api, name)));
    let run = warp::path!("workflows" / Part / "run")
        .and(writing.clone())
        .then(|name: Part, api, headers, _, body| name.answer(|name| runs::run(api, name, headers, body)));
    let nowait = warp::path!("workflows" / Part / "run-nowait")
        .and(writing.clone())
        .then(|name: Part, api, headers, _, body| name.answer(|name| runs::run_nowait(api, name, headers, body)));
    let one_run =
        warp::path!("api" / "v1" / "runs" / Part).and(reading.clone()).then(|run: Part, api, _, _| run.answer(|run| runs::get(api, run)));
    let run_events = warp::path!("api" / "v1" / "runs" / Part / "events")
        .and(reading.clone())
        .then(|run: Part, api, headers, query| run.answer(|run| events::of_run(api, run, headers, query)));
    let run_logs = warp::path!("api" / "v1" / "runs" / Part / "logs")
        .and(reading.clone())
        .then(|run: Part, api, headers, query| run.answer(|run| logs::get(api, run, headers, query)));
    let details = warp::path!("api" / "v1" / "workflows" / Part)
        .and(reading.clone())
        .then(|name: Part, api, _, _| name.answer(|name| workflows::details(api, name)));
    let document = warp::path!("api" / "v1" / "openapi.json").and(reading.clone()).then(|api, _, _| answer(openapi::get(api)));
    let runs = warp::path!("api" / "v1" / "runs").and(reading.clone()).then(|api, _, query| answer(runs::list(api, query)));
    let run_history = warp::path!("api" / "v1" / "runs" / Part / "history")
        .and(reading.clone())
        .then(|run: Part, api, headers, query| run.answer(|run| history::get(api, run, headers, query)));
    let run_state = warp::path!("api" / "v1" / "runs" / Part / "state")
        .and(reading.clone())
        .then(|run: Part, api, headers, query| run.answer(|run| history::state(api, run, headers, query)));
    let run_graph = warp::path!("api" / "v1" / "runs" / Part / "representation")
        .and(reading.clone())
        .then(|run: Part, api, _, _| run.answer(|run| history::graph(api, run)));
    let run_fork = warp::path!("api" / "v1" / "runs" / Part / "fork")
        .and(writing.clone())
        .then(|run: Part, api, headers, _, body| run.answer(|run| forks::fork(api, run, headers, body)));
    let run_go_on = warp::path!("api" / "v1" / "runs" / Part / "go-on")
        .and(writing.clone())
        .then(|run: Part, api, _, _, body| run.answer(|run| breakpoints::go_on(api, run, body)));
    let breaks = warp::path!("api" / "v1" / "workflows" / Part / "breakpoints")
        .and(reading.clone())
        .then(|name: Part, api, _, _| name.answer(|name| breakpoints::get(api, name)));
    let set_breaks = warp::path!("api" / "v1" / "workflows" / Part / "breakpoints")
        .and(writing.clone())
        .then(|name: Part, api, _, _, body| name.answer(|name| breakpoints::set(api, name, body)));
    let who = warp::path!("api" / "v1" / "session").and(reading.clone()).then(|api, headers, _| answer(session::get(api, headers)));
    let sign_in = warp::path!("api" / "v1" / "sign-in")
        .and(writing_up_to(session::FORM_MAX))
        .then(|api, headers, _, body| answer(session::sign_in(api, headers, body)));
    let sign_out =
        warp::path!("api" / "v1" / "sign-out").and(writing.clone()).then(|api, headers, _, _| answer(session::sign_out(api, headers)));
    let listed = warp::path!("handlers").and(reading.clone()).then(|api, _, query| answer(handlers::list(api, query)));
    let handler = warp::path!("handlers" / Part).and(reading.clone()).then(|id: Part, api, _, _| id.answer(|id| handlers::get(api, id)));
    let result = warp::path!("results" / Part).and(reading.clone()).then(|id: Part, api, _, _| id.answer(|id| handlers::result(api, id)));
    let cancel = warp::path!("handlers" / Part / "cancel")
        .and(writing.clone())
        .then(|id: Part, api, _, query, _| id.answer(|id| handlers::cancel(api, id, query)));
    let context = warp::path!("api" / "v1" / "handlers" / Part / "context")
        .and(reading.clone())
        .then(|id: Part, api, _, _| id.answer(|id| context::get(api, id)));
    let stream = warp::path!("events" / Part)
        .and(reading)
        .then(|id: Part, api, headers, query| id.answer(|id| events::of_handler(api, id, headers, query)));
    let send = warp::path!("events" / Part)
        .and(writing)
        .then(|id: Part, api, headers, _, body| id.answer(|id| events::send(api, id, headers, body)));

    // What is asked most comes first: each that does not fit costs.
    let of_workflows =
        run.or(nowait).unify().or(list).unify().or(listings).unify().or(schema).unify().or(types).unify().or(graph).unify().boxed();
    let of_handlers = listed.or(handler).unify().or(result).unify().or(cancel).unify().or(context).unify().boxed();
    let of_runs = send.or(stream).unify().or(one_run).unify().or(run_events).unify().or(run_logs).unify().boxed();
    let of_history = run_history
        .or(run_state)
        .unify()
        .or(run_fork)
        .unify()
        .or(run_graph)
        .unify()
        .or(runs)
        .unify()
        .or(details)
        .unify()
        .or(document)
        .unify()
        .boxed();
    let of_breakpoints = breaks.or(set_breaks).unify().or(run_go_on).unify().boxed();
    let of_visitors = who.or(sign_in).unify().or(sign_out).unify().boxed();
    let all = of_workflows
        .or(of_runs)
        .unify()
        .or(of_handlers)
        .unify()
        .or(of_history)
        .unify()
        .or(page)
        .unify()
        .or(asset)
        .unify()
        .or(health)
        .unify()
        .or(of_visitors)
        .unify()
        .or(of_breakpoints)
        .unify();
    all.or(warp::path::full().map(|path: FullPath| nowhere(path.as_str()))).unify()
}

/// What an endpoint has at hand, for whoever has come in by the door; nobody comes by another way.
fn with(api: Arc<Api>) -> impl Filter<Extract = (Shared,), Error = Rejection> + Clone {
    warp::ext::get::<Visitor>().map(move |visitor| Shared { api: api.clone(), visitor })
}

fn query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

/// Another method, or no such path.
pub(super) fn nowhere(path: &str) -> Response {
    let Some((_, allow)) = PATHS.iter().find(|(pattern, _)| fits(pattern, path)) else {
        return ApiError::not_found("Not Found").response();
    };
    let mut response = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("{}"), Some(part)) if !part.is_empty() => (),
            (Some(one), Some(other)) if one == other => (),
            _ => return false,
        }
    }
}
