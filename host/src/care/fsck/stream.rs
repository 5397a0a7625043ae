//! The stream of a run, read on as the journal tells of frames.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use wf_engine::definition::Definition;
use wf_engine::effect::Effect;
use wf_engine::entry::Event;

use super::rows::OfRun;
use super::same::same;
use crate::model::{Fields, UNDECLARED, envelope};
use crate::store::finding;
use crate::store::{FrameRow, Result};

/// How far a stream is read.
pub(super) struct Frames {
    last: i64,
    /// The row that is read, and what is left of it.
    key: i64,
    row: std::vec::IntoIter<FrameRow>,
    /// The envelope of what has ended the run.
    pub(super) terminal: Option<Bytes>,
}

/// What an entry has published.
pub(super) struct Published<'a> {
    pub(super) definition: &'a Definition,
    pub(super) workflow: &'a str,
    /// The types of the events that a step has published: what these hold is in no journal.
    pub(super) called: Vec<Arc<str>>,
    pub(super) effects: &'a [Effect],
}

impl Published<'_> {
    /// Whether a frame holds an event of which the journal tells.
    fn holds(&self, frame: &[u8], told: &Event) -> bool {
        // What no build puts in an envelope.
        if Fields::read("its payload", &told.payload).is_err() {
            return false;
        }
        let expected = envelope(self.definition, self.workflow, told);
        if expected == frame {
            return true;
        }
        let [shown, expected] = [frame, &expected[..]].map(|json| serde_json::from_slice::<Map<String, Value>>(json).ok());
        let (Some(shown), Some(expected)) = (shown, expected) else { return false };
        let is_in_journal = !(told.payload.get() == "{}" && self.called.contains(&told.name));
        shown.get("type") == expected.get("type") && (!is_in_journal || same(&fields(&shown), &fields(&expected)))
    }
}

/// The fields of an event, whether its type declares them or not. Other builds have left out none, where one is null.
fn fields(envelope: &Map<String, Value>) -> Value {
    let Some(Value::Object(value)) = envelope.get("value") else { return envelope.get("value").cloned().unwrap_or_default() };
    let mut fields = value.clone();
    if let Some(Value::Object(undeclared)) = value.get(UNDECLARED) {
        fields.remove(UNDECLARED);
        fields.extend(undeclared.clone());
    }
    fields.retain(|_, value| !value.is_null());
    fields.into()
}

impl Default for Frames {
    fn default() -> Frames {
        Frames { last: -1, key: 0, row: Vec::new().into_iter(), terminal: None }
    }
}

impl Frames {
    fn next(&mut self, of: &mut OfRun) -> Result<Option<FrameRow>> {
        loop {
            if let Some(frame) = self.row.next() {
                return Ok(Some(frame));
            }
            let Some(text) = of.read("stream", None, of.store.next_frames(of.key, self.last))?.flatten() else { return Ok(None) };
            (self.last, self.key) = (text.last, text.key);
            let row = Some(text.key.to_string());
            let frames = of.read("stream", row.clone(), of.store.frames(&text))?.unwrap_or_default();
            if let Some(last) = frames.last().filter(|last| i64::try_from(last.sequence) != Ok(text.last)) {
                let what = format!("it ends with frame {}, and says that it ends with frame {}", last.sequence, text.last);
                of.add("stream", row, what, finding::RESTORE_RUN, None);
            }
            self.row = frames.into_iter();
        }
    }

    /// Whether the next frames are those that an entry has published.
    pub(super) fn fit(&mut self, of: &mut OfRun, published: &Published) -> Result<bool> {
        let definition = published.definition;
        let told = published.effects.iter().filter_map(|effect| if let Effect::Publish(frame) = effect { Some(frame) } else { None });
        for told in told {
            let (internal, terminal) = (definition.is_internal(&told.event.name), definition.is_terminal(&told.event.name));
            let what = match self.next(of)? {
                Some(frame) if (frame.sequence, frame.internal, frame.terminal) == (told.sequence, internal, terminal) => {
                    if !published.holds(&frame.json, &told.event) {
                        let what = format!("frame {} does not hold what the journal tells", told.sequence);
                        of.add("stream", Some(self.key.to_string()), what, finding::RESTORE_RUN, None);
                    }
                    self.terminal = terminal.then_some(frame.json);
                    continue;
                }
                Some(frame) => {
                    format!("frame {} stands at the place of frame {}, of which the journal tells", frame.sequence, told.sequence)
                }
                None => format!("frame {} is missing, of which the journal tells", told.sequence),
            };
            of.add("stream", None, what, finding::RESTORE_RUN, None);
            return Ok(false);
        }
        Ok(true)
    }

    /// At the end of the journal there are no more frames.
    pub(super) fn end(&mut self, of: &mut OfRun) -> Result<()> {
        if let Some(more) = self.next(of)? {
            of.add("stream", None, format!("the journal does not tell of frame {}", more.sequence), finding::RESTORE_RUN, None);
        }
        Ok(())
    }
}
