//! Who comes in, and what they may do there. Without keys everybody comes in.

mod access;
mod rates;
mod visitor;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Request;
use tokio::sync::watch;
use warp::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, HeaderValue, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::Response;
use wf_engine::text::{NAME_MAX, cut};
use wf_engine::time::utc_text;

pub use rates::Rate;
pub(super) use visitor::Visitor;

use super::error::ApiError;
use super::{Options, cors, header, page};
use crate::audit::{Audit, Line};
use crate::clock::Clock;
use crate::host::Host;
use crate::keys::{self, KeyFile, Ring, SecretHash, Stamp};
use crate::model::Refusal;
use access::{Subject, Way};
use rates::{Rates, neighbourhood};
use visitor::Known;

/// What the cookie is called in which a browser keeps what somebody has signed in with; its port follows, as cookies
/// are of a host with all its ports.
pub(super) const SESSION_COOKIE: &str = "wf_host_session";
/// How often the file of keys is looked at, so that a key that was revoked is one at once.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often somebody may show what is no key, from one address; after that they are not even told.
const FAILURES: Rate = Rate::new(NonZeroU32::new(10).expect("some"), Duration::from_secs(60));

/// Where a server's keys are, and what it notes of those who use them.
#[derive(Clone, Debug)]
pub struct DoorFiles {
    /// The keys. Where there is no such file nobody needs one.
    pub keys: PathBuf,
    /// The audit log.
    pub audit: PathBuf,
}

/// How the door stands.
enum Standing {
    /// There are no keys.
    Open,
    /// Who shows one of these comes in.
    Locked(Ring),
    /// The keys cannot be read: nobody comes in.
    Broken,
}

/// What a run that was started is called, for the audit log.
#[derive(Clone)]
pub(super) struct Begun {
    pub handler: String,
    pub run: String,
}

/// The door of a server.
pub(super) struct Door {
    file: Option<KeyFile>,
    standing: watch::Sender<Arc<Standing>>,
    seen: Mutex<Option<Stamp>>,
    /// When somebody last began to look at the file.
    looked: tokio::sync::Mutex<Instant>,
    /// The name of the cookie.
    cookie: String,
    clock: Clock,
    audit: Option<Audit>,
    addresses: Option<Rates<IpAddr>>,
    keys: Option<Rates<String>>,
    failures: Rates<IpAddr>,
    /// How often each key's refusals are noted.
    refusals: Rates<String>,
}

/// Whoever has come in, and what the audit log is to say of it.
pub(super) struct Entered {
    pub visitor: Visitor,
    pub record: Record,
    /// What they ask for leads to no endpoint, whatever the routes say.
    pub nowhere: bool,
}

impl Door {
    /// With the keys as they are, and as they change, for a server at this port; at none of its own: 0.
    pub(super) fn open(options: &Options, port: u16) -> anyhow::Result<Arc<Door>> {
        let file = options.door.as_ref().map(|it| KeyFile::new(it.keys.clone()));
        let audit = options.door.as_ref().map(|it| Audit::start(it.audit.clone())).transpose();
        let audit = audit.map_err(|error| anyhow::anyhow!("the audit log has no thread: {error}"))?;
        let rate = options.rate_limit;
        let door = Arc::new(Door {
            standing: watch::Sender::new(Arc::new(Standing::Open)),
            seen: Mutex::new(None),
            looked: tokio::sync::Mutex::new(Instant::now()),
            cookie: format!("{SESSION_COOKIE}_{port}"),
            clock: Clock::new(0),
            audit,
            addresses: rate.map(Rates::new),
            keys: rate.map(Rates::new),
            failures: Rates::new(FAILURES),
            refusals: Rates::new(FAILURES),
            file,
        });
        door.look();
        let watched = Arc::downgrade(&door);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let Some(door) = watched.upgrade() else { return };
                door.look_aside().await;
            }
        });
        Ok(door)
    }

    /// Whether a key is needed.
    pub(super) fn is_locked(&self) -> bool {
        !matches!(**self.standing.borrow(), Standing::Open)
    }

    /// Waits until the audit log is on disk.
    pub(super) async fn flush(&self) {
        if let Some(audit) = &self.audit {
            audit.flush().await;
        }
    }

    /// Looks at the file on a thread that answers nobody: one at a time, however many guess, and whoever has waited
    /// for one that began after they came has looked.
    async fn look_aside(self: &Arc<Door>) {
        let came = Instant::now();
        let mut looked = self.looked.lock().await;
        if *looked > came {
            return;
        }
        *looked = Instant::now();
        let door = self.clone();
        // It may be too late for it: the server stops.
        let _ = tokio::task::spawn_blocking(move || door.look()).await;
    }

    /// Reads the keys where they have changed.
    fn look(&self) {
        let Some(file) = &self.file else { return };
        let mut seen = self.seen.lock().expect("no panic while locked");
        let stamp = file.stamp();
        if Some(&stamp) == seen.as_ref() {
            return;
        }
        *seen = Some(stamp);
        let standing = match file.read() {
            Ok(Some(keys)) => Standing::Locked(Ring::of(&keys)),
            // Nobody unlocks a door by losing the file of its keys.
            Ok(None) if self.is_locked() => {
                tracing::warn!(
                    "the keys in `{}` are gone: nobody comes in until they are back, or the server starts again",
                    file.path().display()
                );
                Standing::Locked(Ring::default())
            }
            Ok(None) => Standing::Open,
            Err(error) => {
                // It may only be busy: it is read again, whether it changes or not.
                *seen = None;
                if !matches!(**self.standing.borrow(), Standing::Broken) {
                    tracing::error!("{error}; {}", error.hint());
                }
                Standing::Broken
            }
        };
        self.standing.send_replace(Arc::new(standing));
    }

    /// Lets somebody in, or says why not.
    pub(super) async fn enter<B>(
        self: &Arc<Door>,
        host: &Host,
        options: &watch::Receiver<Options>,
        request: &Request<B>,
        address: IpAddr,
    ) -> Result<Entered, Box<Response>> {
        let path = request.uri().path();
        let entered = |known: Option<Known>| {
            let visitor = Visitor { key: known.map(Arc::new), ..Visitor::unasked(address, self) };
            Entered { visitor, record: Record(None), nowhere: false }
        };
        if path == "/health" {
            return Ok(entered(None));
        }
        visit(self.addresses.as_ref(), &neighbourhood(address))?;
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if let Some(file) = options.borrow().read_only.as_ref().filter(|_| !reads) {
            let detail = format!("'{file}' is shown here to be looked at: nothing can be started or changed");
            return Err(Box::new(ApiError::new(StatusCode::FORBIDDEN, detail).response()));
        }
        match &**self.standing.borrow() {
            Standing::Open => return Ok(entered(None)),
            Standing::Broken => {
                let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "Nobody can be let in: the server cannot read its keys");
                return Err(Box::new(error.response()));
            }
            Standing::Locked(_) => (),
        }
        if path == "/api/v1/sign-in" && *request.method() == Method::POST {
            return Ok(entered(None));
        }
        let Some(shown) = self.shown(&options.borrow(), request.headers()) else { return Err(Box::new(stranger(path, None))) };
        let Some(known) = self.known(&shown).await else {
            // What somebody was signed in with once is no guess.
            let guessed = request.headers().contains_key(AUTHORIZATION);
            let late = if guessed { self.turned_away(path, address) } else { None };
            return Err(Box::new(late.unwrap_or_else(|| stranger(path, Some(UNKNOWN)))));
        };
        visit(self.keys.as_ref(), &known.key.name)?;
        let changes = *request.method() == Method::POST;
        let way = if reads || changes { access::way(changes, path, request.uri().query().unwrap_or_default()) } else { None };
        let Some(way) = way else { return Ok(Entered { nowhere: true, ..entered(Some(known)) }) };
        let entered = entered(Some(known));
        match self.allowed(host, &entered.visitor, way, path).await {
            Ok(line) => Ok(Entered { record: Record(line.map(|line| (self.clone(), line))), ..entered }),
            Err(error) => Err(Box::new(error.response())),
        }
    }

    /// What the audit log is to say of somebody who may go there.
    async fn allowed(&self, host: &Host, visitor: &Visitor, way: Way, path: &str) -> Result<Option<Line>, ApiError> {
        let Some(key) = visitor.key() else { return Ok(None) };
        let line = |action| self.line(action, Some(&key.name), visitor.address());
        if let Some(scope) = way.scope.filter(|scope| !key.may(*scope)) {
            // Nobody fills the log with what they may not do.
            if self.refusals.visit(&key.name).is_ok() {
                self.note(Line { path: Some(cut(path.to_owned(), NAME_MAX)), status: Some(403), ..line("refused") });
            }
            return Err(ApiError::new(StatusCode::FORBIDDEN, format!("The key '{}' lacks the scope '{scope}'", key.name)));
        }
        if visitor.is_restricted() {
            may_see(host, visitor, &way.subject, path).await?;
        }
        let mut line = way.action.map(line);
        if let Some(line) = &mut line {
            match way.subject {
                Subject::Workflow(workflow) => line.workflow = Some(cut(workflow, NAME_MAX)),
                Subject::Handler(handler) => line.handler = Some(cut(handler, NAME_MAX)),
                Subject::Run(_) | Subject::Server => (),
            }
        }
        Ok(line)
    }

    /// What is the key behind this; looks once more where nobody knows it, as it may just have been made.
    async fn known(self: &Arc<Door>, shown: &str) -> Option<Known> {
        let hash = SecretHash::of(shown);
        let find = || match &**self.standing.borrow() {
            Standing::Locked(ring) => ring.find(&hash, self.clock.at()).cloned(),
            _ => None,
        };
        let mut key = find();
        if key.is_none() {
            self.look_aside().await;
            key = find();
        }
        key.map(|key| Known::new(key, hash))
    }

    /// The key, or what somebody has signed in with. A page of another origin does not come in with
    /// what its user has signed in with here, even where every origin may use the server.
    fn shown(&self, options: &Options, headers: &HeaderMap) -> Option<String> {
        if let Some(value) = header::text(headers, AUTHORIZATION.as_str()) {
            // Another scheme is for a proxy before us.
            let bearer = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            if let Some((_, key)) = bearer {
                return Some(key.trim().to_owned());
            }
        }
        if is_foreign(options, headers) { None } else { self.session(headers) }
    }

    /// What somebody has signed in with.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(';'));
        let mut own = cookies.filter_map(|it| it.trim().split_once('=')).filter(|(name, _)| *name == self.cookie);
        own.next().map(|(_, value)| value.to_owned())
    }

    /// What the browser is to keep of it, for so many seconds: no script reads it, no page of another site sends it,
    /// and no other server of this host gets it.
    pub(super) fn cookie(&self, options: &Options, session: &str, seconds: u64) -> HeaderValue {
        let by_tls = options.tls.is_some() || options.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let secure = if by_tls { "; Secure" } else { "" };
        let (name, prefix) = (&self.cookie, options.prefix());
        let text = |path| format!("{name}={session}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        // A path that no cookie can name is none.
        let named = !prefix.is_empty() && !prefix.contains(';');
        let own = named.then(|| HeaderValue::from_str(&text(prefix)).ok()).flatten();
        own.unwrap_or_else(|| HeaderValue::from_str(&text("/")).expect("cannot happen: a session is letters and digits"))
    }

    /// Notes that somebody has shown what is no key. The answer, where they did so too often.
    pub(super) fn turned_away(&self, path: &str, address: IpAddr) -> Option<Response> {
        let visit = self.failures.visit(&neighbourhood(address));
        if visit.is_ok() {
            self.note(Line { path: Some(cut(path.to_owned(), NAME_MAX)), status: Some(401), ..self.line("refused", None, address) });
        }
        visit.err().map(|wait| later(wait, "Too many wrong keys came from this address"))
    }

    /// Signs somebody in who shows a key; none: it is none.
    pub(super) async fn sign_in(self: &Arc<Door>, shown: String, address: IpAddr) -> Result<Option<String>, keys::Error> {
        // What somebody has signed in with does not last longer by signing in with it.
        let known = self.known(&shown).await.filter(|_| keys::is_key(&shown));
        let Some((known, file)) = known.zip(self.file.clone()) else { return Ok(None) };
        let (name, now) = (known.key.name.clone(), self.clock.at());
        let session = self.change(move || file.change(|keys| keys.open_session(&known.key.name, now))).await?;
        self.note(Line { status: Some(200), ..self.line("sign-in", Some(&name), address) });
        Ok(Some(session))
    }

    /// Signs somebody out who has signed in.
    pub(super) async fn sign_out(self: &Arc<Door>, shown: String) -> Result<(), keys::Error> {
        let Some(file) = self.file.clone() else { return Ok(()) };
        self.change(move || {
            file.change(|keys| {
                keys.close_session(&SecretHash::of(&shown));
                Ok(())
            })
        })
        .await
    }

    async fn change<T: Send + 'static>(&self, change: impl FnOnce() -> Result<T, keys::Error> + Send + 'static) -> Result<T, keys::Error> {
        let changed = tokio::task::spawn_blocking(change).await.expect("no panic");
        self.look();
        changed
    }

    fn line(&self, action: &'static str, key: Option<&str>, address: IpAddr) -> Line {
        Line {
            at: utc_text(self.clock.at()),
            key: key.map(str::to_owned),
            address: Some(address.to_canonical().to_string()),
            action,
            ..Line::default()
        }
    }

    fn note(&self, line: Line) {
        if let Some(audit) = &self.audit {
            audit.note(line);
        }
    }
}

/// What the audit log is to say of a request: also where whoever asked has gone before the answer.
pub(super) struct Record(Option<(Arc<Door>, Line)>);

impl Record {
    /// Notes what became of it.
    pub(super) fn answered(mut self, response: &Response) {
        let Some((_, line)) = &mut self.0 else { return };
        line.status = Some(response.status().as_u16());
        if let Some(begun) = response.extensions().get::<Begun>() {
            line.handler = Some(begun.handler.clone());
            line.run = Some(begun.run.clone());
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some((door, line)) = self.0.take() {
            door.note(line);
        }
    }
}

/// What was shown is no key, or one no longer.
pub(super) const UNKNOWN: &str = "The API key is not known, or has ended";

/// The answer to whoever shows no key, or a wrong one.
fn stranger(path: &str, wrong: Option<&str>) -> Response {
    let detail = wrong.unwrap_or("An API key is needed: send it as 'Authorization: Bearer KEY'");
    if path == "/" { page::sign_in(None) } else { unauthorized(detail, wrong.is_some()) }
}

/// 401 in the form of the API.
pub(super) fn unauthorized(detail: &str, wrong: bool) -> Response {
    let mut response = ApiError::new(StatusCode::UNAUTHORIZED, detail).response();
    challenge(&mut response, wrong);
    response
}

/// Says how to come in.
pub(super) fn challenge(response: &mut Response, wrong: bool) {
    let value = if wrong { "Bearer realm=\"wf-host\", error=\"invalid_token\"" } else { "Bearer realm=\"wf-host\"" };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(value));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Whether what a path names is there for a visitor. What is not answers as what does not exist.
async fn may_see(host: &Host, visitor: &Visitor, subject: &Subject, path: &str) -> Result<(), ApiError> {
    let sees = match subject {
        Subject::Server => return Ok(()),
        Subject::Workflow(name) if visitor.knows(name) => return Ok(()),
        Subject::Workflow(name) if path.ends_with("/events") => return Err(ApiError::not_found(format!("Workflow '{name}' not found"))),
        Subject::Workflow(_) => return Err(ApiError::not_found("Workflow not found")),
        Subject::Handler(id) => host.handler(id).await,
        Subject::Run(id) => host.run(id).await,
    };
    if visitor.knows(&sees?.workflow) { Ok(()) } else { Err(Refusal::NotFound.into()) }
}

/// Whether a page asks that is neither ours nor one that was named.
pub(super) fn is_foreign(options: &Options, headers: &HeaderMap) -> bool {
    let host = header::text(headers, HOST.as_str());
    headers.get(ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(|origin| cors::is_named(options, origin, host)))
}

fn visit<K: std::hash::Hash + Eq + Clone>(rates: Option<&Rates<K>>, who: &K) -> Result<(), Box<Response>> {
    let visit = rates.map_or(Ok(()), |rates| rates.visit(who));
    visit.map_err(|wait| Box::new(later(wait, "Too many requests")))
}

fn later(wait: Duration, detail: &str) -> Response {
    let mut response = ApiError::new(StatusCode::TOO_MANY_REQUESTS, detail).response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}
