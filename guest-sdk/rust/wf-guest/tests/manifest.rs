//! What the macros write into the manifest.

use wf_guest::prelude::*;
use wf_guest::{Wait, Workflow};

mod orders {
    use wf_guest::prelude::*;

    #[derive(Event)]
    pub struct Note {
        pub text: String,
    }
}

mod shipping {
    use wf_guest::prelude::*;

    #[derive(Event)]
    #[event(module = "shop.shipping")]
    pub struct Note {
        pub parcel: u32,
    }
}

#[derive(Event)]
#[event(input_required)]
struct Question {
    text: String,
}

#[derive(Event, Clone)]
#[event(human_response)]
struct Reply {
    text: String,
}

#[derive(Event)]
struct Refusal;

#[derive(Event, Clone)]
struct Job {
    number: u32,
}

#[derive(Event, Default)]
struct Started {
    number: u32,
}

#[derive(Events)]
enum Decision {
    Yes(Reply),
    No(Refusal),
}

fn manifest<W: Workflow>(_workflow: W) -> Value {
    W::describe().parse().expect("JSON")
}

fn step<'a>(manifest: &'a Value, name: &str) -> &'a Value {
    manifest["steps"].as_array().expect("steps").iter().find(|step| step["name"] == name).expect("the step")
}

fn names(manifest: &Value) -> Vec<&str> {
    manifest["events"].as_array().expect("events").iter().filter_map(|event| event["name"].as_str()).collect()
}

struct Asking;

#[workflow]
impl Asking {
    #[step]
    fn ask(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        context.publish(&Started::default())?;
        let question = Question { text: "well?".into() };
        let wait = context.wait_any::<Decision>().timeout(Duration::from_secs(1));
        match wait.request(&question)?.get()? {
            Decision::Yes(reply) => self.work(context, reply.text.len()),
            Decision::No(Refusal) => Ok(()),
        }?;
        Ok(StopEvent::new(()))
    }

    #[step]
    fn job(&self, context: &Context, job: Job) -> Result<Option<StopEvent>> {
        if job.number > 0 {
            context.send_to("job", &Job { number: job.number - 1 })?;
        }
        Ok(None)
    }

    fn work(&self, context: &Context, jobs: usize) -> Result<()> {
        for number in 0..jobs as u32 {
            let job = Job { number };
            context.send(&job)?;
        }
        Ok(())
    }
}

#[test]
fn what_a_steps_words_show_is_declared() {
    let manifest = manifest(Asking);
    assert_eq!(step(&manifest, "ask")["sends"], json!(["Started", "Question", "Job"]));
    assert_eq!(step(&manifest, "job")["sends"], json!(["Job"]));
    assert_eq!(names(&manifest), ["StopEvent", "Started", "Question", "Job", "Reply", "Refusal"].split_at(1).1);
}

#[test]
fn what_a_step_waits_for_and_no_other_has_to_do_with_comes_from_outside() {
    assert_eq!(manifest(Asking)["additional_events"], json!(["Reply", "Refusal"]));
}

struct Inner;

#[workflow(additional_events(Question, Reply))]
impl Inner {
    #[step(sends(Job))]
    fn ask(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let jobs: Vec<Job> = (0..3).map(|number| Job { number }).collect();
        for job in &jobs {
            context.send(job)?;
        }
        assert!(context.publish(&Refusal).is_ok(), "the stream takes it");
        context.wait::<Job>().get()?;
        Ok(StopEvent::new(()))
    }
}

#[test]
fn what_a_step_sends_is_not_from_outside() {
    let manifest = manifest(Inner);
    assert_eq!(manifest["additional_events"], json!(["Question", "Reply"]), "each that is listed, and no type that a step sends");
    assert_eq!(step(&manifest, "ask")["sends"], json!(["Job", "Refusal"]));
}

struct Hidden;

#[workflow]
impl Hidden {
    #[step]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let other = context;
        let told = |context: &Context| context.publish(&Started::default());
        let again = |context| told(context);
        again(other)?;
        Some(other).map_or(Ok(()), |context| context.publish(&Job { number: 1 }))?;
        let wait = self.asking(other)?;
        let wait = if start.fields().is_empty() { wait } else { wait.fresh() };
        let reply = self.ask_with(wait.id("it"))?;
        other.publish(&self.refusal())?;
        Ok(StopEvent::new(reply.text))
    }

    fn asking(&self, context: &Context) -> Result<Wait<Reply>> {
        Ok(context.wait::<Reply>())
    }

    fn ask_with(&self, wait: Wait<Reply>) -> Result<Reply> {
        wait.request(&Self::question()?)?.get()
    }

    fn question() -> Result<Question> {
        Ok(Question { text: "well?".into() })
    }

    fn refusal(&self) -> Refusal {
        Refusal
    }
}

#[test]
fn a_context_and_a_wait_are_known_by_any_name() {
    let manifest = manifest(Hidden);
    assert_eq!(step(&manifest, "ask")["sends"], json!(["Started", "Job", "Refusal", "Question"]));
    assert_eq!(manifest["additional_events"], json!(["Reply"]));
}

struct Branching;

#[workflow]
impl Branching {
    #[step]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        let wait = match start.fields().len() {
            0 => context.wait::<Reply>(),
            _ => context.wait::<Reply>().fresh(),
        };
        let question = if start.fields().is_empty() { Question { text: "well?".into() } } else { Question { text: "so?".into() } };
        let reply = { wait.requirement("a", 1) }.request(&question)?.get()?;
        Ok(StopEvent::new(reply.text))
    }
}

#[test]
fn what_either_branch_gives_is_known() {
    assert_eq!(step(&manifest(Branching), "ask")["sends"], json!(["Question"]));
}

struct Twice;

#[workflow]
impl Twice {
    #[step]
    fn go(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        context.publish(&orders::Note { text: String::new() })?;
        context.publish(&shipping::Note { parcel: 1 })?;
        context.publish::<orders::Note>(&orders::Note { text: String::new() })?;
        Ok(StopEvent::new(()))
    }
}

#[test]
fn two_types_of_one_name_are_both_declared() {
    let manifest = manifest(Twice);
    let modules: Vec<&str> = manifest["events"].as_array().unwrap().iter().filter_map(|event| event["module"].as_str()).collect();
    assert_eq!((names(&manifest), modules), (vec!["Note", "Note"], vec!["manifest.orders", "shop.shipping"]));
    assert_eq!(step(&manifest, "go")["sends"], json!(["Note"]));
}

struct Options;

#[workflow]
impl Options {
    #[step(emits_any)]
    fn split(&self, _context: &Context, _start: StartEvent) -> Result<Vec<Job>> {
        Ok(Vec::new())
    }

    #[step(order = "arrival", take = 2)]
    fn join(&self, _context: &Context, jobs: Collect<Job>) -> Result<StopEvent> {
        Ok(StopEvent::new(jobs.into_iter().count()))
    }
}

#[test]
fn options_of_steps_reach_the_manifest() {
    let manifest = manifest(Options);
    assert_eq!(step(&manifest, "split")["emits_any"], json!(true));
    let join = step(&manifest, "join");
    assert_eq!((&join["order"], &join["take"], &join["join"]), (&json!("arrival"), &json!(2), &json!("all")));
}

#[test]
fn the_schemas_of_integers_have_both_ends() {
    let manifest = manifest(Options);
    let number = &manifest["events"][0]["schema"]["properties"]["number"];
    assert_eq!(number, &json!({ "type": "integer", "format": "uint32", "minimum": 0, "maximum": u32::MAX }));
}
