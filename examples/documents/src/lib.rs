mod text;

use std::fs;

use wf_guest::prelude::*;

/// Which document is to be reported on.
#[derive(Event)]
#[event(start)]
struct Document {
    /// A file of the folder `documents`.
    file: String,
}

/// A part of it.
#[derive(Event)]
struct Chunk {
    number: usize,
    text: String,
}

/// What is in a part.
#[derive(Event)]
struct Summary {
    number: usize,
    sentence: String,
    words: usize,
}

/// Asks a person to look at what came of it.
#[derive(Event)]
#[event(input_required)]
struct ReviewRequest {
    /// The report as it would be written.
    draft: String,
}

/// What the person says.
#[derive(Event)]
#[event(human_response)]
struct ReviewResponse {
    /// Whether it is written.
    approved: bool,
    /// A title of one's own.
    title: Option<String>,
}

/// What has become of the document.
#[derive(Event)]
#[event(stop)]
struct Reported {
    /// The file of the folder `reports`; none: it was refused.
    report: Option<String>,
    chunks: usize,
    words: usize,
}

struct Documents;

/// Reads a document, sums up its parts at once, asks a person, and writes a report.
#[workflow]
impl Documents {
    /// Reads it once: what a file holds is no part of the journal, so it is kept.
    #[step]
    fn split(&self, context: &Context, document: Document) -> Result<Vec<Chunk>> {
        let path = format!("/documents/{}", text::file_name(&document.file)?);
        let text: String = context.memo("text", || Ok(fs::read_to_string(&path)?))?;
        context.set("file", &document.file)?;
        Ok(text::chunks(&text).into_iter().enumerate().map(|(number, text)| Chunk { number, text }).collect())
    }

    /// Picks the sentence that says most. Here a model would be asked; examples/chat shows how.
    #[step(num_workers = 4)]
    fn map(&self, _context: &Context, chunk: Chunk) -> Result<Summary> {
        let words = chunk.text.split_whitespace().count();
        Ok(Summary { number: chunk.number, sentence: text::telling(&chunk.text), words })
    }

    /// Puts the parts together, in their order, and asks.
    #[step]
    fn reduce(&self, context: &Context, all: Collect<Summary>) -> Result<ReviewRequest> {
        let all: Vec<Summary> = all.into_iter().collect();
        let body: String = all.iter().map(|it| format!("{}. {}\n", it.number + 1, it.sentence)).collect();
        let counts = json!({ "chunks": all.len(), "words": all.iter().map(|it| it.words).sum::<usize>() });
        context.set("counts", counts)?;
        context.set("body", &body)?;
        Ok(ReviewRequest { draft: body })
    }

    /// Writes it where the person agrees. Done twice, after a crash, it is the same file.
    #[step]
    fn write(&self, context: &Context, review: ReviewResponse) -> Result<Reported> {
        let file: String = context.get("file")?.unwrap_or_default();
        let body: String = context.get("body")?.unwrap_or_default();
        let count = |what: &str| context.get(&format!("counts.{what}")).map(Option::unwrap_or_default);
        let (chunks, words) = (count("chunks")?, count("words")?);
        let mut report = None;
        if review.approved {
            let title = review.title.unwrap_or_else(|| format!("What {file} says"));
            let name = format!("{}.md", file.trim_end_matches(".txt"));
            fs::write(format!("/reports/{name}"), format!("# {title}\n\n{body}\n{words} words in {chunks} parts.\n"))?;
            report = Some(name);
        }
        Ok(Reported { report, chunks, words })
    }
}
