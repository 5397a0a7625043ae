//! A history in pages, each from a snapshot of the run before it: together they tell what a whole one tells.

use std::sync::Arc;

use wf_engine::definition::Definition;
use wf_engine::entry::Entry;
use wf_engine::history::{Delivery, History};
use wf_engine::run::Run;
use wf_engine::{journal, snapshot};

/// A run before its first entry: of the first definition, with those that forks of it go on with.
pub fn begin(definitions: &[Arc<Definition>]) -> Run {
    with(Run::new(definitions[0].clone()), definitions)
}

fn with(mut run: Run, definitions: &[Arc<Definition>]) -> Run {
    definitions.iter().for_each(|it| run.redefine(it.clone()));
    run
}

/// Takes a journal apart into pages of so many entries. Each of them knows all definitions.
#[track_caller]
pub fn check(definitions: &[Arc<Definition>], entries: &[Entry], size: usize) {
    let whole = journal::history(begin(definitions), entries).expect("the journal fits");
    let mut run = begin(definitions);
    let mut joined = History::default();
    for page in entries.chunks(size) {
        let bytes = snapshot::take(&run);
        let restored = || with(snapshot::restore(run.definition().clone(), &bytes).expect("a snapshot"), definitions);
        join(&mut joined, journal::history(restored(), page).expect("the page fits"));
        run = journal::replay(restored(), page).expect("the page fits");
    }
    assert_eq!(format!("{:?}", joined.moments), format!("{:?}", whole.moments), "in pages of {size}");
    assert_eq!(format!("{:#?}", joined.deliveries), format!("{:#?}", whole.deliveries), "in pages of {size}");
}

fn join(whole: &mut History, page: History) {
    whole.moments.extend(page.moments);
    for (id, next) in page.deliveries {
        match whole.deliveries.get_mut(&id) {
            Some(known) => go_on(known, next),
            None => drop(whole.deliveries.insert(id, next)),
        }
    }
}

/// A later page begins with where the earlier one has left it.
fn go_on(known: &mut Delivery, next: Delivery) {
    assert_eq!((known.seq, known.at, &known.step), (next.seq, next.at, &next.step), "when it was made, on every page");
    let left = known.spans.pop().expect("it stood somewhere");
    assert_eq!((left.seq, left.until), (next.spans[0].seq, None), "it is told where it stood");
    known.spans.extend(next.spans);
    known.sent.extend(next.sent);
    known.failures.extend(next.failures);
    (known.events, known.end) = (next.events, next.end);
}
