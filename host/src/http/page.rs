//! The page at `/`.

use warp::Reply;

use super::{Answer, Shared};

pub(super) async fn index(_: Shared) -> Answer {
    Ok(warp::reply::html(include_str!("page.html")).into_response())
}
