//! What a request costs in JSON that is read and written, whole, on its way through the host.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::watch;
use warp::http::{HeaderMap, StatusCode};
use wf_tests::wasm::Module;

use super::body::Room;
use super::door::{Door, Visitor};
use super::{Api, Options, Shared, context, history, logs, names, runs, workflows};
use crate::config::Config;
use crate::forms::Schemas;
use crate::host::Host;
use crate::model::{Limits, work};
use crate::registry::Source;
use crate::runtime::{self, Compiler, Runtime};
use crate::store::{Memory, Store};

const MANIFEST: &str = r#"{"name":"echo","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;

/// An API with one workflow, which ends with what it is given.
async fn api(folder: &tempfile::TempDir) -> Shared {
    api_of(folder, Arc::new(Memory::default()), Module::echoing(MANIFEST)).await
}

/// An API with one workflow on a store.
pub(super) async fn api_of(folder: &tempfile::TempDir, store: Arc<dyn Store>, module: Module) -> Shared {
    let path = folder.path().join("echo.wasm");
    std::fs::write(&path, module.binary()).expect("a file");
    let options = runtime::Options {
        cache_dir: None,
        compiler: Compiler::Here,
        threads: None,
        limits: Limits { instances_max: 2, ..Limits::default() },
    };
    let runtime = Runtime::new(options).expect("a runtime");
    let host = Host::open(store, runtime, Config::default()).await.expect("it opens");
    host.load(&Source::file(path)).await.expect("it loads");
    host.resume().await.expect("it accepts");
    let (options, refused_names) = (watch::channel(Options::default()).1, names::Refused::default());
    let door = Door::open(&options.borrow(), 0).expect("a door");
    let address = SocketAddr::from(([127, 0, 0, 1], 8080));
    let visitor = Visitor::unasked(address.ip(), &door);
    let api = Api { host, options, schemas: Schemas::default(), refused_names, address: Some(address), room: Room::default() };
    Shared { api: Arc::new(api), visitor }
}

#[tokio::test]
async fn what_may_be_long_is_written_by_a_thread_that_answers_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let api = api(&folder).await;
    let body = Bytes::from_static(br#"{"handler_id":"h","start_event":{"result":1}}"#);
    let answer = runs::run(api.clone(), "echo".to_owned(), HeaderMap::new(), Ok(body)).await.expect("it ends");
    let run = api.host.handler("h").await.expect("a handler").run;
    assert_eq!(answer.status(), StatusCode::OK);
    let (name, query) = (|| "echo".to_owned(), String::new);
    let answers = [
        ("history", history::get(api.clone(), run.clone(), HeaderMap::new(), query()).boxed()),
        ("state", history::state(api.clone(), run.clone(), HeaderMap::new(), query()).boxed()),
        ("state after an entry", history::state(api.clone(), run.clone(), HeaderMap::new(), "seq=1".to_owned()).boxed()),
        ("graph of a run", history::graph(api.clone(), run.clone()).boxed()),
        ("logs", logs::get(api.clone(), run.clone(), HeaderMap::new(), query()).boxed()),
        ("a page of logs", logs::get(api.clone(), run.clone(), HeaderMap::new(), "after=0".to_owned()).boxed()),
        ("context", context::get(api.clone(), "h".to_owned()).boxed()),
        ("schema", workflows::schema(api.clone(), name()).boxed()),
        ("events", workflows::events(api.clone(), name()).boxed()),
        ("graph", workflows::representation(api.clone(), name()).boxed()),
        ("details", workflows::details(api.clone(), name()).boxed()),
    ];
    work::take();
    for (what, answer) in answers {
        assert_eq!(answer.await.expect(what).status(), StatusCode::OK, "{what}");
        assert_eq!(work::take().1, 0, "{what} was written here");
    }
    // What is short is: the count counts.
    runs::get(api, run).await.expect("a run");
    assert_eq!(work::take().1, 1);
}

#[tokio::test]
async fn a_definition_is_read_by_a_thread_that_answers_nobody() {
    let (folder, store) = (tempfile::tempdir().expect("a folder"), Arc::<Memory>::default());
    let before = api_of(&folder, store.clone(), Module::echoing(MANIFEST)).await;
    assert_eq!(work::take().0, 0, "of a file that is loaded");
    for handler in ["ended", "asked"] {
        let body = format!(r#"{{"handler_id":"{handler}","start_event":{{"result":1}}}}"#);
        let answer = runs::run(before.clone(), "echo".to_owned(), HeaderMap::new(), Ok(body.into())).await.expect("it ends");
        assert_eq!(answer.status(), StatusCode::OK);
    }
    before.api.host.stop().await;
    // Another component by now: what those runs have begun with has to be read from the store.
    let newer = Module::echoing(&MANIFEST.replacen("echo", "other", 1));
    let after = api_of(&folder, store, newer).await;
    let run = after.api.host.handler("ended").await.expect("a handler").run;
    work::take();
    let answers = [
        ("graph of a run", history::graph(after.clone(), run.clone()).boxed()),
        ("history", history::get(after.clone(), run.clone(), HeaderMap::new(), String::new()).boxed()),
        ("state", history::state(after.clone(), run, HeaderMap::new(), String::new()).boxed()),
        ("context", context::get(after.clone(), "asked".to_owned()).boxed()),
    ];
    for (what, answer) in answers {
        assert_eq!(answer.await.expect(what).status(), StatusCode::OK, "{what}");
        assert_eq!(work::take().0, 0, "{what}: it was read here");
    }
}

#[tokio::test]
async fn a_greeting_is_read_and_written_so_often() {
    let folder = tempfile::tempdir().expect("a folder");
    let api = api(&folder).await;
    let body = Bytes::from_static(br#"{"start_event":{"result":"Hello, World!"}}"#);
    let run = || runs::run(api.clone(), "echo".to_owned(), HeaderMap::new(), Ok(body.clone()));
    // The first is read aside, where its schemas are prepared.
    run().await.expect("it ends");
    work::take();
    let answer = run().await.expect("it ends");
    assert_eq!(answer.status(), StatusCode::OK);
    let (read, written) = work::take();
    // Read: the body; its start event, for the form that it has; the event, for what no reader could read; what the run
    // ends with, for its frame; that frame, for the answer; and two frames that tell of the step.
    assert_eq!(read, 7);
    // Written: two entries, three frames, the answer.
    assert_eq!(written, 6);
}
