//! What clients have asked, and what they were told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use wf_host::machine::Answer;

/// What was asked.
#[derive(Clone, Debug)]
pub enum Asked {
    /// To start a run under a handler. `awaits`: and to be told how it ended.
    Start { handler: String, run: String, key: Option<String>, awaits: bool },
    /// To send an event, which carries its number.
    Send { handler: String, run: String, number: u64, key: Option<String> },
    /// To cancel this run.
    Cancel(String),
    /// To be told how a run ended.
    Await { run: String },
}

/// All that clients have asked.
#[derive(Clone, Default)]
pub struct Ledger(Rc<RefCell<Entries>>);

#[derive(Default)]
struct Entries {
    asked: BTreeMap<u64, (Asked, Option<Told>)>,
    next: u64,
    /// Something happens now with which answers may be lost.
    breaks: bool,
}

/// What a client knows.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a world has few of them")]
pub enum Told {
    Answer(Answer),
    /// The connection broke: it cannot know.
    Nothing,
    /// Its answer was dropped, and nothing had happened.
    Lost,
}

/// Where an answer goes.
pub struct Reply {
    id: u64,
    ledger: Option<Ledger>,
}

impl Ledger {
    pub fn ask(&self, asked: Asked) -> Reply {
        let mut entries = self.0.borrow_mut();
        entries.next += 1;
        let id = entries.next;
        entries.asked.insert(id, (asked, None));
        Reply { id, ledger: Some(self.clone()) }
    }

    fn tell(&self, id: u64, told: Told) {
        let mut entries = self.0.borrow_mut();
        let (asked, answer) = entries.asked.get_mut(&id).expect("it was asked");
        assert!(answer.is_none(), "{asked:?} is answered twice: {answer:?} and {told:?}");
        *answer = Some(told);
    }

    /// Whether answers may be lost from here on.
    pub fn breaks(&self, breaks: bool) {
        self.0.borrow_mut().breaks = breaks;
    }

    /// What was asked and what was told, in order.
    pub fn entries(&self) -> Vec<(Asked, Option<Told>)> {
        self.0.borrow().asked.values().cloned().collect()
    }
}

impl Reply {
    pub fn tell(mut self, answer: Answer) {
        self.ledger.take().expect("told once").tell(self.id, Told::Answer(answer));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(ledger) = self.ledger.take() {
            let told = if ledger.0.borrow().breaks { Told::Nothing } else { Told::Lost };
            ledger.tell(self.id, told);
        }
    }
}
