//! What authors stumble over first.

use wf_guest::prelude::*;
use wf_guest::testing::Test;

/// Something that stands within an event.
#[derive(Data, Clone, Debug, PartialEq)]
struct Line {
    text: String,
    size: Size,
}

#[derive(Data, Clone, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large { by: u8 },
}

#[derive(Event, Clone)]
#[event(start)]
struct Order {
    lines: Vec<Line>,
}

#[derive(Event, Clone)]
struct Part {
    of: String,
}

struct Ordering;

#[workflow]
impl Ordering {
    #[step]
    fn split(&self, context: &Context, order: Order) -> Result<Vec<Part>> {
        context.set("lines", &order.lines)?;
        Ok(["a", "b", "a", "b"].into_iter().map(|of| Part { of: of.into() }).collect())
    }

    #[step(retry(attempts_max = 2))]
    fn gather(&self, context: &Context, part: Part) -> Result<Option<StopEvent>> {
        let Some(all) = context.collect_in(&part.of, &part, 2)? else { return Ok(None) };
        Ok(Some(StopEvent::new(all.into_iter().map(|it| it.of).collect::<String>())))
    }
}

fn order() -> Order {
    Order { lines: vec![Line { text: "tea".into(), size: Size::Small }, Line { text: "milk".into(), size: Size::Large { by: 2 } }] }
}

#[test]
fn what_stands_within_an_event_needs_one_derive_and_no_other_crate() {
    let run = Test::of(Ordering).start(order());
    assert_eq!(
        run.state::<Value>(),
        json!({ "lines": [{ "text": "tea", "size": "small" }, { "text": "milk", "size": { "large": { "by": 2 } } }] })
    );
}

/// Whatever stands within an event, in every form that a type can have.
#[derive(Data, Clone, Debug, PartialEq)]
struct Branch {
    size: Size,
    weight: Grams,
    of: Vec<Branch>,
    bark: Bark,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip)]
    seen: bool,
}

#[derive(Data, Clone, Debug, PartialEq)]
struct Grams(u64);

#[derive(Data, Clone, Debug, PartialEq)]
enum Bark {
    Bare,
    Thick(Grams),
    Twice(Grams, Box<Branch>),
}

#[test]
fn data_may_hold_data_of_every_form_and_itself() {
    let leaf = Branch { size: Size::Small, weight: Grams(1), of: Vec::new(), bark: Bark::Bare, note: None, seen: false };
    let bark = Bark::Twice(Grams(2), Box::new(leaf.clone()));
    let branch = Branch { of: vec![Branch { bark: Bark::Thick(Grams(3)), ..leaf.clone() }], bark, note: Some("old".into()), ..leaf };
    let small = json!({ "size": "small", "weight": 1, "of": [], "bark": "Bare" });
    let thick = json!({ "size": "small", "weight": 1, "of": [], "bark": { "Thick": 3 } });
    let text = json!({ "size": "small", "weight": 1, "of": [thick], "bark": { "Twice": [2, small] }, "note": "old" });
    assert_eq!(json!(branch), text);
    assert_eq!(wf_guest::serde_json::from_value::<Branch>(text).expect("it is read"), branch);
}

#[test]
fn what_is_collected_under_an_id_is_collected_apart_from_others() {
    assert_eq!(Test::of(Ordering).start(order()).result::<String>(), "aa");
}

#[derive(Event)]
struct Done {
    of: String,
}

struct Gathering;

#[workflow]
impl Gathering {
    #[step]
    fn split(&self, _context: &Context, _start: StartEvent) -> Result<Vec<Part>> {
        Ok(["a", "b", "c"].into_iter().map(|of| Part { of: of.into() }).collect())
    }

    #[step(retry(attempts_max = 2))]
    fn work(&self, context: &Context, part: Part) -> Result<Done> {
        context.info(&part.of);
        Ok(Done { of: part.of })
    }

    #[step]
    fn all(&self, _context: &Context, all: Collect<Done>) -> Result<StopEvent> {
        Ok(StopEvent::new(all.into_iter().map(|it| it.of).collect::<String>()))
    }
}

#[test]
fn one_delivery_fails_and_no_other() {
    let mut run = Test::of(Gathering).fail_first_of("work", 1, 1, Failure::new("Boom", "once")).start(json!({}));
    run.finish();
    assert_eq!((run.result::<String>().as_str(), run.attempts("work")), ("abc", 4));
    let of = |name: &str| run.lines().iter().filter(|it| it.message == name).count();
    assert_eq!([of("a"), of("b"), of("c")], [1, 2, 1]);
}

#[test]
#[should_panic(expected = "the API would refuse this `Order`")]
fn a_start_event_that_does_not_fit_is_refused_as_the_api_does() {
    let _ = Test::of(Ordering).start(json!({ "lines": [{ "text": 1 }] }));
}
