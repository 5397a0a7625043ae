use wf_guest::prelude::*;

/// A line whose words are to be counted.
#[derive(Event)]
struct Line {
    text: String,
}

/// How many it has.
#[derive(Event)]
struct Counted {
    words: usize,
}

struct FanOut;

/// Counts the words of a text, several lines at once.
#[workflow]
impl FanOut {
    /// Makes an event of each line: what is returned as a list goes out as a fan.
    #[step]
    fn split(&self, _context: &Context, start: StartEvent) -> Result<Vec<Line>> {
        let text: String = start.get("text")?.unwrap_or_default();
        Ok(text.lines().map(|line| Line { text: line.to_owned() }).collect())
    }

    /// Counts one. At most four are counted at once; others wait for their turn.
    #[step(num_workers = 4)]
    fn count(&self, _context: &Context, line: Line) -> Result<Counted> {
        Ok(Counted { words: line.text.split_whitespace().count() })
    }

    /// Takes all that came of the fan, in the order of its lines, once the last is there.
    #[step]
    fn sum(&self, _context: &Context, all: Collect<Counted>) -> Result<StopEvent> {
        let lines: Vec<usize> = all.into_iter().map(|it| it.words).collect();
        Ok(StopEvent::new(json!({ "words": lines.iter().sum::<usize>(), "lines": lines })))
    }
}
