//! The stream of a run, read on as the journal tells of frames.

use bytes::Bytes;
use wf_engine::definition::Definition;
use wf_engine::effect::Effect;

use super::rows::OfRun;
use crate::store::finding;
use crate::store::{FrameRow, Result};

/// How far a stream is read.
pub(super) struct Frames {
    last: i64,
    row: std::vec::IntoIter<FrameRow>,
    /// The envelope of what has ended the run.
    pub(super) terminal: Option<Bytes>,
}

impl Default for Frames {
    fn default() -> Frames {
        Frames { last: -1, row: Vec::new().into_iter(), terminal: None }
    }
}

impl Frames {
    fn next(&mut self, of: &mut OfRun) -> Result<Option<FrameRow>> {
        loop {
            if let Some(frame) = self.row.next() {
                return Ok(Some(frame));
            }
            let Some(text) = of.read("stream", None, of.store.next_frames(of.key, self.last))?.flatten() else { return Ok(None) };
            self.last = text.last;
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
    pub(super) fn fit(&mut self, of: &mut OfRun, definition: &Definition, effects: &[Effect]) -> Result<bool> {
        let published = effects.iter().filter_map(|effect| if let Effect::Publish(frame) = effect { Some(frame) } else { None });
        for told in published {
            let (internal, terminal) = (definition.is_internal(&told.event.name), definition.is_terminal(&told.event.name));
            let what = match self.next(of)? {
                Some(frame) if (frame.sequence, frame.internal, frame.terminal) == (told.sequence, internal, terminal) => {
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
