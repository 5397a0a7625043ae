//! What the steps of a run have written: `/api/v1/runs/{id}/logs`.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use warp::http::HeaderMap;
use wf_engine::text::LEVEL_END;
use wf_engine::time::utc_text;

use super::aside::aside;
use super::error::{ApiError, ErrorBody};
use super::uri::pairs;
use super::{Answer, Shared, compressed};
use crate::store::{LogRow, Written};

/// Lines on a page.
const LINES_DEFAULT: usize = 1000;
const LINES_MAX: usize = 10_000;

/// What a run's steps have written.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Logs {
    /// By invocation, attempt and place; on a page, in the order in which they came. One with the invocation, attempt, source
    /// and number of an earlier one takes its place.
    logs: Vec<LogLine>,
    /// On a page: lines of earlier pages, or of this one, that are no more. After a crash, what a step had written may go with it.
    gone: Vec<Gone>,
    /// On a page: what to give as `after` for what comes later.
    last: Option<u64>,
    /// Whether there is more by now.
    more: bool,
}

/// A line.
#[derive(Serialize, ToSchema)]
struct LogLine {
    /// Which invocation.
    invocation: u64,
    /// Which attempt of it.
    attempt: u32,
    /// `log`, `stdout`, `stderr`, `host` for what the host says to it, or `failure` for how the attempt ended.
    source: String,
    /// Its place in that source.
    number: u64,
    /// When, on the guest's clock.
    at: String,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    level: String,
    /// The line.
    message: String,
    /// What was said with it.
    #[schema(value_type = Object)]
    fields: Box<RawValue>,
}

/// Lines that went: those of a source from a number on, which came before so many lines of the page.
#[derive(Serialize, ToSchema)]
struct Gone {
    /// Which invocation.
    invocation: u64,
    /// Which attempt of it.
    attempt: u32,
    /// Which source.
    source: String,
    /// The first number.
    number: u64,
    /// How many lines of this page had come by then: what follows them stays.
    before: usize,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the query")]
pub(super) struct LogsQuery {
    /// A page: what came after a place, 0 for the first, or `last` of an earlier page. Left out, with `limit`: all there is.
    #[param(minimum = 0)]
    after: Option<u64>,
    /// A page of about so many lines, up to 10000 [default, with `after`: 1000]. What was written at once is on one page.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u64>,
}

/// The lines that a run's steps have written.
#[utoipa::path(get, path = "/api/v1/runs/{run_id}/logs", operation_id = "get_logs", tag = "runs", params(("run_id" = String, Path), LogsQuery),
    responses((status = 200, body = Logs), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(api: Shared, run: String, headers: HeaderMap, query: String) -> Answer {
    let takes = compressed::takes(&headers);
    let (mut after, mut limit) = (None, None);
    for (key, value) in pairs(&query)?.into_iter().filter(|(_, value)| !value.is_empty()) {
        match key.as_str() {
            "after" => after = Some(value.parse::<u64>().map_err(|_| ApiError::bad(format!("Invalid after: '{value}'")))?),
            "limit" => {
                let within = value.parse::<usize>().ok().filter(|it| (1..=LINES_MAX).contains(it));
                limit = Some(within.ok_or_else(|| ApiError::bad(format!("Invalid limit: '{value}'. Give 1 to {LINES_MAX}")))?);
            }
            _ => (),
        }
    }
    if after.is_none() && limit.is_none() {
        let rows = api.host.logs(&run).await?;
        return aside(move || compressed::json(takes, &Logs { logs: rows.into_iter().map(LogLine::from).collect(), ..Logs::default() }))
            .await;
    }
    let written = api.host.written(&run, after.unwrap_or_default(), limit.unwrap_or(LINES_DEFAULT)).await?;
    aside(move || compressed::json(takes, &Logs::from(written))).await
}

impl From<Written> for Logs {
    fn from(Written { lines, last, more }: Written) -> Logs {
        let mut page = Logs { last: Some(last), more, ..Logs::default() };
        for row in lines {
            if row.level == LEVEL_END {
                let LogRow { invocation, attempt, source, number, .. } = row;
                page.gone.push(Gone { invocation, attempt, source, number, before: page.logs.len() });
            } else {
                page.logs.push(row.into());
            }
        }
        page
    }
}

impl From<LogRow> for LogLine {
    fn from(row: LogRow) -> LogLine {
        let LogRow { invocation, attempt, source, number, at, level, message, fields } = row;
        let fields = RawValue::from_string(fields).expect("cannot happen: a line's fields were checked when it came");
        LogLine { invocation, attempt, source, number, at: utc_text(at), level, message, fields }
    }
}
