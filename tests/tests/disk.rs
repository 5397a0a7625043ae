//! A disk that is full for a while: what was accepted is kept, what was not is refused.

use std::time::Duration;

use wf_tests::{Client, Serve, until};

/// As text in a body.
fn large(place: usize) -> String {
    format!(r#"{{"start_event":{{"name":"{}{place}"}}}}"#, "x".repeat(20_000))
}

async fn start(client: &Client, place: usize) -> wf_tests::Answer {
    client.attempt("POST", "/workflows/greeting/run-nowait", &[], &large(place)).await.expect("an answer")
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_accepted() {
    let serve = Serve { files_may_be_full: true, ..Serve::guests(&["greeting"]) };
    let mut server = serve.start().await;
    let sizes = |server: &wf_tests::Server| {
        let files = std::fs::read_dir(server.data()).expect("the data directory").flatten();
        files.filter_map(|it| it.metadata().ok()).map(|it| it.len()).max().unwrap_or(0)
    };
    server.limit_files(Some(sizes(&server) + 256 * 1024));
    let mut accepted = Vec::new();
    let mut refused = 0;
    for place in 0..400 {
        let answer = tokio::time::timeout(Duration::from_secs(30), start(&server, place)).await.expect("an answer in time");
        match answer.status {
            200 => accepted.push(answer.handler()),
            503 => {
                assert!(answer.json()["detail"].is_string(), "{answer:?}");
                refused += 1;
            }
            other => panic!("{other}: {answer:?}"),
        }
        if refused > 3 {
            break;
        }
    }
    assert!(refused > 0, "the disk was not full after {} runs", accepted.len());
    assert_eq!(server.get("/health").await.status, 200);
    server.limit_files(None);
    let handler = until("the store to take writes again", async || {
        let answer = start(&server, 1000).await;
        (answer.status == 200).then(|| answer.handler())
    })
    .await;
    assert_eq!(server.ended(&handler).await.text("status"), "completed");
    for handler in &accepted {
        assert_eq!(server.ended(handler).await.text("status"), "completed", "{handler}");
    }
    server.crash().await;
    for handler in &accepted {
        assert_eq!(server.ended(handler).await.text("status"), "completed", "{handler}");
    }
}
