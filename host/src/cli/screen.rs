//! The first screen: what was loaded, where it is, and what to try next.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use super::Problem;
use crate::host::Workflow;

/// What a server has to say when it is ready.
pub(super) struct Screen<'a> {
    pub address: SocketAddr,
    pub public_url: Option<&'a str>,
    pub workflows: &'a [Arc<Workflow>],
    /// Runs of an earlier host that go on.
    pub resumed: usize,
}

/// Prints it on stdout; what is risky goes to stderr.
#[expect(clippy::print_stdout, reason = "the command line's own output")]
pub(super) fn show(screen: &Screen) {
    println!("{}", text(screen));
    if !screen.address.ip().is_loopback() {
        Problem::new(format!("it listens on {}: whoever reaches this machine can start workflows and read runs", screen.address))
            .hint("`--host 127.0.0.1` keeps it on this machine")
            .warn();
    }
}

fn text(screen: &Screen) -> String {
    let url = url(screen);
    let width = screen.workflows.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    let mut text = format!("wf-host {}\n\n", env!("CARGO_PKG_VERSION"));
    for workflow in screen.workflows {
        let steps = workflow.definition.steps().count();
        let description = workflow.definition.description().and_then(|it| it.lines().next()).unwrap_or_default();
        let plural = if steps == 1 { " " } else { "s" };
        let line = format!("  {:width$}  {steps} step{plural}  {description}", workflow.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "\n  listening on  {url}");
    if let Some(public) = screen.public_url {
        let _ = writeln!(text, "  known outside as  {public}");
    }
    if screen.resumed > 0 {
        let _ = writeln!(text, "  going on with {} unfinished run{}", screen.resumed, if screen.resumed == 1 { "" } else { "s" });
    }
    let first = screen.workflows.first().map_or("NAME", |it| it.name.as_str());
    let _ = write!(text, "\n  try  curl -X POST {url}/workflows/{first}/run -d '{{}}'\n       curl {url}/handlers");
    text
}

fn url(screen: &Screen) -> String {
    if screen.address.ip().is_unspecified() {
        return format!("http://localhost:{}", screen.address.port());
    }
    format!("http://{}", screen.address)
}
