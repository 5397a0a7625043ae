//! Workflows under the harness for native tests, as their authors would test them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use wf_guest::prelude::*;
use wf_guest::testing::Test;
use wf_guest::{RawEvent, StepInput};

#[derive(Event, Clone)]
#[event(input_required)]
struct Question {
    text: String,
}

#[derive(Event, Clone)]
#[event(human_response)]
struct Reply {
    text: String,
}

#[derive(Event, Clone)]
struct Item {
    number: u32,
}

#[derive(Event, Clone)]
struct Square {
    number: u32,
}

/// Sent by nobody.
#[derive(Event)]
struct Stranger {
    text: String,
}

struct Asking;

#[workflow(additional_events(Question, Reply))]
impl Asking {
    #[step]
    fn ask(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        context.set("asked", true)?;
        let question = Question { text: start.get("question")?.unwrap_or_else(|| "who?".to_owned()) };
        let first = context.wait::<Reply>().id("first").request(&question)?.get()?;
        let second = context.wait::<Reply>().id("second").timeout(Duration::from_secs(60)).get();
        let second = match second {
            Ok(reply) => reply.text,
            Err(failure) if failure.kind() == "timeout" => "nobody".to_owned(),
            Err(failure) => return Err(failure),
        };
        context.info(&format!("{} and {second}", first.text));
        Ok(StopEvent::new(json!([first.text, second])))
    }
}

#[test]
fn a_wait_takes_no_time_until_it_is_answered() {
    let mut run = Test::of(Asking).start(json!({}));
    assert!(run.is_running());
    assert_eq!(run.state::<Value>(), json!({ "asked": true }));
    assert_eq!(run.published_of::<Question>()[0].text, "who?");
    run.send(&Reply { text: "Ada".into() });
    run.send(&Reply { text: "Grace".into() });
    assert_eq!(run.result::<Vec<String>>(), ["Ada", "Grace"]);
    assert_eq!(run.stop::<StopEvent>().result::<Value>().expect("JSON"), json!(["Ada", "Grace"]));
    assert_eq!(run.lines()[0].message, "Ada and Grace");
    assert_eq!((run.lines()[0].level.as_str(), run.lines()[0].step.as_str()), ("info", "ask"));
    assert_eq!(run.attempts("ask"), 1, "a re-entry is no further attempt");
}

#[test]
fn the_clock_moves_when_the_test_says_so() {
    let mut run = Test::of(Asking).start(json!({}));
    run.send(&Reply { text: "Ada".into() });
    let before = run.now();
    run.advance(Duration::from_secs(59));
    assert!(run.is_running());
    run.advance(Duration::from_secs(1));
    assert_eq!(run.result::<Vec<String>>(), ["Ada", "nobody"]);
    assert_eq!(run.now() - before, Duration::from_secs(60));
}

#[test]
fn scripted_answers_come_by_themselves() {
    let run =
        Test::of(Asking).answer(|question: Question| Reply { text: question.text.to_uppercase() }).start(json!({ "question": "so?" }));
    assert!(run.is_running(), "only the first wait asks");
    let mut run = run;
    run.finish();
    assert_eq!(run.result::<Vec<String>>(), ["SO?", "nobody"]);
    assert_eq!(run.published_types(), ["Question", "StopEvent"]);
}

#[test]
fn a_run_can_be_cancelled() {
    let mut run = Test::of(Asking).start(json!({}));
    run.cancel();
    assert!(run.is_cancelled() && !run.is_running());
}

#[test]
#[should_panic(expected = "the workflow does not declare `Stranger`: the API would refuse it")]
fn what_the_api_refuses_the_harness_refuses() {
    Test::of(Asking).start(json!({})).send(&Stranger { text: String::new() });
}

#[test]
#[should_panic(expected = "the run has not completed\nit is running, and only an event helps\n  Question {\"text\":\"who?\"}")]
fn an_assertion_that_fails_says_how_the_run_stands() {
    Test::of(Asking).start(json!({})).result::<Value>();
}

struct Squares;

#[workflow]
impl Squares {
    #[step]
    fn split(&self, _context: &Context, start: StartEvent) -> Result<Vec<Item>> {
        Ok((0..start.get("n")?.unwrap_or(3)).map(|number| Item { number }).collect())
    }

    #[step(num_workers = 2, retry(delay = 1.0, attempts_max = 2))]
    fn square(&self, context: &Context, item: Item) -> Result<Square> {
        context.sleep(Duration::from_millis(10));
        context.edit::<u32>("seen", |seen| seen.unwrap_or(0) + 1)?;
        Ok(Square { number: item.number * item.number })
    }

    #[step]
    fn join(&self, _context: &Context, all: Collect<Square>) -> Result<StopEvent> {
        Ok(StopEvent::new(all.into_iter().map(|square| square.number).collect::<Vec<_>>()))
    }
}

#[test]
fn a_fan_out_is_joined_in_its_slots() {
    let mut run = Test::of(Squares).start(json!({ "n": 5 }));
    let before = run.now();
    run.finish();
    assert_eq!(run.result::<Vec<u32>>(), [0, 1, 4, 9, 16]);
    assert_eq!(run.now() - before, Duration::from_millis(30), "five in two slots take three turns");
}

#[test]
fn a_failed_first_attempt_is_tried_again() {
    let mut run = Test::of(Squares).fail_first("square", 1, Failure::new("NetworkError", "cut")).start(json!({ "n": 2 }));
    run.finish();
    assert_eq!(run.result::<Vec<u32>>(), [0, 1]);
    assert_eq!((run.attempts("square"), run.attempts("join")), (4, 1));
    assert_eq!(run.state::<Value>(), json!({ "seen": 4 }), "an edit is committed at once, and stays");
}

#[test]
fn no_attempts_left_is_the_runs_failure() {
    let mut run = Test::of(Squares).fail_first("square", 2, Failure::new("NetworkError", "cut")).start(json!({ "n": 1 }));
    run.finish();
    assert!(run.failure().contains("cut"), "{}", run.failure());
}

#[test]
fn restarts_change_nothing() {
    let mut run = Test::of(Squares).restart_at_every_commit().start(json!({ "n": 4 }));
    run.finish();
    assert_eq!(run.result::<Vec<u32>>(), [0, 1, 4, 9]);
    assert_eq!(run.state::<Value>(), json!({ "seen": 4 }));
}

struct Careless;

static CALLS: AtomicU32 = AtomicU32::new(0);

#[workflow]
impl Careless {
    /// Does another thing at each entry.
    #[step]
    fn go(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let path = format!("call{}", CALLS.fetch_add(1, Ordering::Relaxed));
        context.set(&path, 1)?;
        context.commit();
        Ok(StopEvent::new("done"))
    }
}

#[test]
fn restarts_bring_nondeterminism_to_light() {
    assert_eq!(Test::of(Careless).start(json!({})).result::<String>(), "done");
    let run = Test::of(Careless).restart_at_every_commit().start(json!({}));
    assert!(run.failure().contains("nondeterministic step"), "{}", run.failure());
}

struct Working;

#[workflow(timeout = 3600.0)]
impl Working {
    #[step(retry(delay = 5.0, attempts_max = 3))]
    fn work(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let expensive: u32 = context.memo("expensive", || Ok(context.attempt() + 7))?;
        assert!(context.attempt() > 0, "the first attempt panics");
        if context.attempt() == 1 {
            return Err(Failure::new("Busy", "later").retry_after(Duration::from_secs(100)));
        }
        let (one, two) = (context.now(), context.now());
        let key = context.idempotency_key("payment");
        context.publish(&Item { number: expensive })?;
        Ok(StopEvent::new(json!({ "memo": expensive, "later": two > one, "key": key.len(), "run": context.run_id() })))
    }
}

#[test]
fn panics_memos_and_delays_are_as_on_the_host() {
    let mut run = Test::of(Working).start(json!({}));
    run.advance(Duration::from_secs(5));
    assert_eq!(run.attempts("work"), 2);
    run.advance(Duration::from_secs(99));
    assert!(run.is_running());
    run.advance(Duration::from_secs(1));
    assert_eq!(run.result::<Value>(), json!({ "memo": 7, "later": true, "key": 36, "run": "run" }));
    assert_eq!(run.published_of::<Item>()[0].number, 7);
}

struct Unsound;

#[workflow]
impl Unsound {
    #[step]
    fn never(&self, _context: &Context, _item: Item) -> Result<StopEvent> {
        Ok(StopEvent::new(()))
    }
}

#[test]
#[should_panic(expected = "wf-host would not load the workflow `unsound`:")]
fn a_definition_is_checked_as_the_host_does() {
    let _ = Test::of(Unsound);
}

#[test]
#[should_panic(expected = "a context lives in a run")]
fn a_context_outside_a_run_says_where_it_lives() {
    Context::new().info("hello");
}

/// A reply with a signature.
#[derive(Event)]
#[event(base = "Reply")]
struct Signed {
    text: String,
    by: String,
}

struct Patient;

#[workflow(additional_events(Reply, Signed))]
impl Patient {
    /// Fails once, and then says what it knows of that and what it was told.
    #[step(retry(delay = 2.0, attempts_max = 2))]
    fn ask(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        let before = context.retry_info();
        if before.attempts == 0 {
            return Err(Failure::new("Impatient", "not yet"));
        }
        let reply = context.wait::<Reply>().subtypes().get()?;
        let last = before.last_failure.map(|failure| failure.kind().to_owned());
        let by = reply.downcast::<Signed>()?.map(|signed| signed.by);
        Ok(StopEvent::new(json!([before.attempts, before.elapsed.as_secs(), last, reply.text, by])))
    }
}

#[test]
fn an_attempt_knows_of_the_one_before_it_and_a_wait_takes_a_subtype() {
    let mut run = Test::of(Patient).start(json!({}));
    run.advance(Duration::from_secs(2));
    run.send(&Signed { text: "yes".into(), by: "Ada".into() });
    assert_eq!(run.result::<Value>(), json!([1, 2, "Impatient", "yes", "Ada"]));
}

#[derive(Event)]
struct Order {
    number: u32,
}

#[derive(Event)]
#[event(base = "Order")]
struct Rush {
    number: u32,
    hours: u32,
}

#[derive(Event)]
#[event(base = "Rush")]
struct Night {
    number: u32,
    hours: u32,
    lamp: bool,
}

#[derive(Event)]
struct Payment {
    amount: u32,
}

#[derive(Events)]
enum Placed {
    Order(Order),
    Rush(Rush),
    Night(Night),
    Payment(Payment),
}

#[derive(Event)]
struct Packed {
    line: String,
}

struct Shop;

#[workflow]
impl Shop {
    #[step]
    fn place(&self, _context: &Context, _start: StartEvent) -> Result<Vec<Placed>> {
        let (one, two, three) = (Order { number: 1 }, Rush { number: 2, hours: 3 }, Night { number: 4, hours: 5, lamp: true });
        Ok(vec![one.into(), Payment { amount: 6 }.into(), two.into(), three.into(), Payment { amount: 7 }.into()])
    }

    #[step]
    fn pay(&self, _context: &Context, payment: Payment, order: Subtype<Order>) -> Result<Option<Packed>> {
        Ok(Some(Packed { line: format!("{} {} for {}", order.type_name(), order.number, payment.amount) }))
    }

    #[step]
    fn pack(&self, _context: &Context, order: Subtype<Order>) -> Result<Packed> {
        let (rush, night) = (order.downcast::<Rush>()?, order.downcast::<Night>()?);
        let line = match (rush, night) {
            (Some(rush), None) => format!("rush in {}", rush.hours),
            (None, Some(night)) => format!("night in {} with {}", night.hours, night.lamp),
            _ => format!("plain: {}", order.is::<Order>()),
        };
        Ok(Packed { line: format!("{} {line}", order.into_inner().number) })
    }

    #[step]
    fn ship(&self, _context: &Context, all: Collect<Packed>) -> Result<StopEvent> {
        let mut lines: Vec<String> = all.into_iter().map(|packed| packed.line).collect();
        lines.sort();
        Ok(StopEvent::new(lines))
    }
}

#[test]
fn a_step_that_takes_subtypes_sees_which_one_it_is_given() {
    let run = Test::of(Shop).restart_at_every_commit().start(json!({}));
    let expected = ["1 plain: true", "2 rush in 3", "4 night in 5 with true", "Order 1 for 6", "Rush 2 for 7"];
    assert_eq!(run.result::<Vec<String>>(), expected);
}

struct Gathering;

#[workflow]
impl Gathering {
    #[step]
    fn place(&self, _context: &Context, _start: StartEvent) -> Result<Vec<Placed>> {
        Ok(vec![Rush { number: 1, hours: 2 }.into(), Order { number: 3 }.into()])
    }

    #[step]
    fn all(&self, _context: &Context, all: Collect<Subtype<Order>>) -> Result<StopEvent> {
        Ok(StopEvent::new(all.into_iter().map(|order| order.type_name().to_owned()).collect::<Vec<_>>()))
    }

    #[step]
    fn paid(&self, _context: &Context, _payment: Payment) -> Result<Option<StopEvent>> {
        Ok(None)
    }
}

#[test]
fn all_events_of_a_fan_out_may_be_of_subtypes() {
    assert_eq!(Test::of(Gathering).start(json!({})).result::<Vec<String>>(), ["Rush", "Order"]);
}

#[test]
fn an_event_whose_fields_do_not_fit_its_type_is_an_error() {
    let event = RawEvent { name: "Rush".into(), payload: r#"{"number":1,"hours":"soon"}"#.into() };
    let order = Subtype::<Order>::take(&mut [event].into()).expect("its base fits");
    assert!(order.downcast::<Night>().expect("it is of another type").is_none());
    assert!(order.downcast::<Rush>().map(drop).expect_err("no hours").message().contains("soon"));
}

#[test]
fn a_long_number_of_a_start_event_is_not_rounded() {
    let event: StartEvent = serde_json::from_str(r#"{"long":12345678901234567890123,"none":null}"#).expect("a start event");
    assert_eq!(event.get::<u128>("long").expect("a number"), Some(12_345_678_901_234_567_890_123));
    assert_eq!(event.get::<u128>("none").expect("nothing"), None);
    assert_eq!(serde_json::to_string(&event).expect("JSON"), r#"{"long":12345678901234567890123,"none":null}"#);
}

/// More than 64 bits hold, and more digits than a double does.
const LONG: u128 = 12_345_678_901_234_567_890_123;
const LEAST: i128 = i128::MIN;

#[derive(Event, Clone)]
struct Long {
    number: u128,
    least: i128,
}

fn long() -> Long {
    Long { number: LONG, least: LEAST }
}

fn check_long(long: &Long) {
    assert_eq!((long.number, long.least), (LONG, LEAST));
}

#[derive(Event)]
struct Wanted {
    number: u128,
}

struct Exact;

#[workflow]
impl Exact {
    #[step]
    fn spread(&self, context: &Context, start: StartEvent) -> Result<Vec<Long>> {
        assert_eq!((start.get("long")?, context.get("begun.long")?), (Some(LONG), Some(LEAST)));
        context.set("set", LONG)?;
        context.push("pushed", LEAST)?;
        context.edit("edited", |_: Option<u128>| LONG)?;
        context.edit_exclusive("alone", |_: Option<i128>| LEAST)?;
        assert_eq!((context.get("set")?, context.get("pushed.0")?), (Some(LONG), Some(LEAST)));
        assert_eq!((context.get("edited")?, context.get("alone")?), (Some(LONG), Some(LEAST)));
        assert_eq!((context.memo("long", || Ok(LONG))?, context.memo("least", || Ok(LEAST))?), (LONG, LEAST));
        context.publish::<Long>(&long())?;
        context.log("info", "long", long_fields());
        assert_eq!(context.wait::<Wanted>().requirement("number", LONG).get()?.number, LONG);
        Ok(vec![long(), long()])
    }

    #[step]
    fn gather(&self, context: &Context, event: Long) -> Result<Option<StopEvent>> {
        let all = context.collect(&event, 2)?;
        all.iter().flatten().for_each(check_long);
        Ok(all.map(|all| StopEvent::new([all[0].number as i128, all[1].least])))
    }
}

fn long_fields() -> BTreeMap<&'static str, i128> {
    [("least", LEAST)].into()
}

#[test]
fn a_long_number_is_carried_everywhere_as_it_came() {
    let begun = BTreeMap::from([("begun", BTreeMap::from([("long", LEAST)]))]);
    for test in [Test::of(Exact), Test::of(Exact).restart_at_every_commit()] {
        let mut run = test.state(&begun).start(BTreeMap::from([("long", LONG)]));
        run.published_of::<Long>().iter().for_each(check_long);
        assert!(run.is_running(), "{}", run.failure());
        run.send(&Wanted { number: LONG + 1 });
        assert!(run.is_running(), "it wants another number");
        run.send(&Wanted { number: LONG });
        assert_eq!(run.result::<[i128; 2]>(), [LONG as i128, LEAST]);
        assert_eq!(run.stop::<StopEvent>().result::<(u128, i128)>().expect("two numbers"), (LONG, LEAST));
        let state: Numbers = run.state();
        assert_eq!((state.set, state.edited, state.pushed[0], state.alone), (LONG, LONG, LEAST, LEAST));
        assert_eq!(run.lines()[0].message, "long", "its fields are JSON");
    }
}

#[derive(wf_guest::serde::Deserialize)]
#[serde(crate = "wf_guest::serde")]
struct Numbers {
    set: u128,
    edited: u128,
    pushed: Vec<i128>,
    alone: i128,
}

#[test]
fn a_stop_event_carries_its_result_as_it_came() {
    for (stop, text) in [
        (StopEvent::new(u128::MAX), r#"{"result":340282366920938463463374607431768211455}"#),
        (StopEvent::new(i128::MIN), r#"{"result":-170141183460469231731687303715884105728}"#),
        (StopEvent::new(1.0), r#"{"result":1.0}"#),
        (StopEvent::new(()), r#"{"result":null}"#),
    ] {
        assert_eq!(serde_json::to_string(&stop).expect("JSON"), text);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<StopEvent>(text).expect("a stop event")).expect("JSON"), text);
    }
    let none: StopEvent = serde_json::from_str(r#"{"more":1}"#).expect("a stop event");
    assert_eq!(none.result::<Option<u8>>().expect("nothing"), None);
    assert!(StopEvent::new("text").result::<u8>().expect_err("a text").message().starts_with("the result of the stop event: "));
}

fn unsound() -> BTreeMap<(u8, u8), u8> {
    [((1, 2), 3)].into()
}

struct Formless;

#[workflow]
impl Formless {
    /// What is no JSON is refused, each with its reason.
    #[step(retry(attempts_max = 5))]
    fn stop(&self, context: &Context, _start: StartEvent) -> Result<StopEvent> {
        context.log("info", "formless", unsound());
        context.set("a", unsound()).expect_err("it is no JSON");
        context.push("a", unsound()).expect_err("it is no JSON");
        Ok(StopEvent::new(unsound()))
    }
}

#[test]
fn a_result_that_is_no_json_fails_the_step_at_once() {
    let mut run = Test::of(Formless).start(json!({}));
    run.finish();
    assert_eq!(run.failure(), "StopEvent: its result is no JSON: key must be a string");
    assert_eq!(run.attempts("stop"), 1, "no further attempt would do better");
    assert_eq!(run.lines()[0].message, "formless [the fields are no JSON: key must be a string]");
    assert_eq!(run.state::<Value>(), json!({}));
    assert!(StopEvent::new(unsound()).result::<Value>().expect_err("no JSON").message().ends_with("key must be a string"));
}

#[derive(Event)]
struct Rescued {
    number: u128,
}

struct Rescue;

#[workflow(additional_events(Rescued))]
impl Rescue {
    #[step]
    fn split(&self, _context: &Context, _start: StartEvent) -> Result<Long> {
        Ok(long())
    }

    #[step]
    fn fail(&self, _context: &Context, _long: Long) -> Result<StopEvent> {
        Err(Failure::new("Sorry", "no"))
    }

    /// What failed is seen as it came.
    #[step(catch_error)]
    fn recover(&self, context: &Context, failed: StepFailedEvent) -> Result<StopEvent> {
        let written = serde_json::to_string(&failed)?;
        assert!(written.contains(r#""input_event":{"type":"Long","value":{"number":12345678901234567890123,"#), "{written}");
        let input = failed.input_event.expect("it was given one");
        assert_eq!(input.name, Long::NAME);
        context.publish(&Rescued { number: input.parse::<Long>()?.number })?;
        Ok(StopEvent::new(input.parse::<Long>()?.least))
    }
}

#[test]
fn a_step_that_catches_errors_sees_the_event_as_it_came() {
    let run = Test::of(Rescue).start(json!({}));
    assert_eq!(run.result::<i128>(), LEAST);
    assert_eq!(run.published_of::<Rescued>()[0].number, LONG);
}

struct Misled;

#[workflow]
impl Misled {
    #[step]
    fn try_it(&self, context: &Context, start: StartEvent) -> Result<StopEvent> {
        match start.get::<String>("how")?.as_deref() {
            Some("sleep") => {
                context.edit_exclusive("n", |n: Option<u32>| {
                    context.sleep(Duration::from_secs(2));
                    n.unwrap_or(0)
                })?;
            }
            Some("step") => context.send_to("nope", &StartEvent::default())?,
            Some("type") => {
                context.set("count", "text")?;
                context.edit("count", |count: Option<u32>| count.unwrap_or(0))?;
            }
            _ => drop(context.memo("m", || Ok("text".to_owned())).and_then(|_| context.memo("m", || Ok(1)))?),
        }
        Ok(StopEvent::new("it went well"))
    }
}

#[test]
fn what_cannot_be_done_fails_and_says_where() {
    for (how, expected) in [
        ("sleep", "a sleep of a second or more is not possible in the exclusive edit of `n`: end that with edit-commit"),
        ("step", "Step nope does not exist"),
        ("type", "the state holds another type at `count`: invalid type: string \"text\", expected u32 at line 1 column 6"),
        ("memo", "the memo `m` holds another type: invalid type: string \"text\", expected i32 at line 1 column 6"),
    ] {
        let run = Test::of(Misled).start(json!({ "how": how }));
        assert!(run.failure().ends_with(expected), "{how}: {}", run.failure());
    }
    assert_eq!(Failure::new("NetworkError", "cut").to_string(), "NetworkError: cut");
}
