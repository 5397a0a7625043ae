//! Some hosts on one store, their guests and their clients, all by chance.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use wf_engine::entry::{Event, Micros, RULES, Started};
use wf_engine::json::to_json;
use wf_host::machine::{Command, Fresh, letters};
use wf_host::model::{Idempotency, Refusal, Target};
use wf_host::store::{self, CommandId, Follows, Made, Store, start_scope};

use crate::client::{Asked, Told};
use crate::ground::{Ground, now, part};
use crate::guest::script;
use crate::host::Host;

const HANDLERS: usize = 6;
/// More turns to rest than any world needs.
const TURNS_MAX: usize = 2_000;
/// Of so many worlds one has two hosts; of those, one of so many has three.
const WITH_TWO: u64 = 3;
const WITH_THREE: u64 = 4;
/// How long a host may be gone, or only believe to be there: longer than a lease.
const AWAY_MAX: usize = 25_000_000;

pub struct World {
    pub(crate) ground: Ground,
    hosts: Vec<Host>,
    /// What a host outside of this world has asked through the store: the number of its event, none for a cancel.
    pub(crate) letters: BTreeMap<CommandId, (String, Option<u64>)>,
    /// Handlers that somebody has asked to purge.
    pub(crate) purged: BTreeSet<String>,
}

impl World {
    pub fn new(seed: u64) -> World {
        let ground = Ground::new(seed);
        let count = match (seed % WITH_TWO, seed / WITH_TWO % WITH_THREE) {
            (0, 0) => 3,
            (0, _) => 2,
            _ => 1,
        };
        let hosts = (0..count).map(|_| Host::new(&ground)).collect();
        World { ground, hosts, letters: BTreeMap::new(), purged: BTreeSet::new() }
    }

    /// How much happens in it.
    pub fn ticks(&self) -> usize {
        200 + 100 * self.hosts.len()
    }

    pub(crate) fn has_many(&self) -> bool {
        self.hosts.len() > 1
    }

    /// Something happens.
    pub fn tick(&mut self) {
        let leaps = self.has_many() && self.ground.up_to(20) == 0;
        let passed = 1 + self.ground.up_to(if leaps { 4_000_000 } else { 150_000 }) as u64;
        self.pass(passed);
        match self.ground.up_to(100) {
            0 => self.crash(),
            1 if self.has_many() => self.freeze(),
            2..=15 => self.client(),
            _ => {
                if let Some(host) = self.any_host() {
                    self.hosts[host].tick(&mut self.ground);
                }
            }
        }
        self.return_hosts();
        self.check_places();
    }

    /// Lets everything come to its end, in a kind world.
    pub fn settle(&mut self) {
        self.ground.kind = true;
        let away = self.hosts.iter().filter_map(|host| host.away).map(|(until, _)| until).max();
        self.pass(away.map_or(0, |until| until.saturating_sub(self.ground.at)));
        self.return_hosts();
        for host in &mut self.hosts {
            host.stalled = 0;
            // What is being read before the lease is renewed is not asked for.
            host.hear_all(&mut self.ground);
        }
        for host in &mut self.hosts {
            host.renew(&mut self.ground);
        }
        for host in &mut self.hosts {
            host.check_overtaken(&mut self.ground);
        }
        self.let_pass();
        for summary in self.ground.unfinished() {
            if let Some(queue) = &summary.queue {
                let max = self.ground.workflow(queue).limits.runs_max.map_or(usize::MAX, |max| max as usize);
                assert_eq!(self.ground.begun(queue), max, "run {} queues, and fewer go on than may", summary.run);
                continue;
            }
            let run = self.ground.replayed(&summary.workflow, &self.ground.journal(summary.key));
            let awaited: Vec<_> = run.awaited().collect();
            assert!(!run.needs_resume(), "run {} executes by its journal, and nobody has it", summary.run);
            assert_eq!(run.timers().count(), 0, "a timer of run {} is lost", summary.run);
            assert!(!awaited.is_empty(), "run {} waits for nothing, and nothing moves it", summary.run);
        }
        for host in &self.hosts {
            assert_eq!(now(self.ground.store.commanded(host.id)), Ok(Vec::new()), "nobody looks at what another host has asked");
        }
        for run in self.ground.runs().into_iter().filter(|run| run.status.is_running()) {
            let asked = self.ground.up_to(self.hosts.len());
            let reply = self.ground.ledger.ask(Asked::Cancel(run.run.clone()));
            self.hosts[asked].command(&mut self.ground, &run.run, Command::Cancel { reply });
        }
        self.let_pass();
        let unfinished: Vec<_> = self.ground.unfinished().into_iter().map(|it| it.run).collect();
        assert!(unfinished.is_empty(), "cancelled, and not ended: {unfinished:?}");
        let received = self.check_journals();
        self.check_answers(&received);
        self.check_letters(&received);
    }

    /// All that is left of it: what was asked and answered, every run with its journal, the clocks, and what chance
    /// would bring next.
    pub fn happened(&mut self) -> String {
        let ground = &mut self.ground;
        let next = (ground.up_to(usize::MAX), ground.number(), ground.at, ground.alive, ground.appends);
        let runs = ground.runs().into_iter();
        let runs: Vec<_> =
            runs.map(|run| (now(ground.store.journal(run.key)), now(ground.store.frames(&run.run, -1, usize::MAX)), run)).collect();
        format!("{next:?} {:?} {:?} {:?} {runs:?}", ground.ledger.entries(), self.letters, self.purged)
    }

    /// Until nothing happens any more, whatever time passes.
    fn let_pass(&mut self) {
        let (mut quiet, mut turns) = (0, 0);
        // The lease of a host that was killed, and the longest timer, are over by then.
        while quiet < 3 {
            turns += 1;
            assert!(turns < TURNS_MAX, "it comes to no end: {:?} places, and how many of them are driven", self.places());
            let before = self.ground.appends;
            self.pass(if quiet == 0 { 500_000 } else { 25_000_000 });
            for _ in 0..4 {
                self.hosts.iter_mut().for_each(|host| host.let_happen(&mut self.ground));
            }
            self.return_hosts();
            self.check_places();
            let at_rest = self.hosts.iter().all(|host| host.is_at_rest(&self.ground));
            quiet = if at_rest && self.ground.appends == before { quiet + 1 } else { 0 };
        }
    }

    fn places(&self) -> Vec<(usize, usize)> {
        self.hosts.iter().map(Host::places).collect()
    }

    fn pass(&mut self, time: Micros) {
        self.ground.at += time;
        self.ground.alive += time;
        let sure = self.ground.kind || !self.has_many();
        for host in self.hosts.iter_mut().filter(|host| host.is_up()) {
            if sure || self.ground.up_to(3) == 0 {
                host.renew(&mut self.ground);
            }
        }
    }

    /// Any of the hosts that are there.
    fn any_host(&mut self) -> Option<usize> {
        let up: Vec<usize> = (0..self.hosts.len()).filter(|host| self.hosts[*host].is_up()).collect();
        up.get(self.ground.up_to(up.len())).copied()
    }

    /// Every run has its place: with its owner, or where it is found again.
    fn check_places(&mut self) {
        let places = self.ground.store.places();
        self.hosts.iter().for_each(|host| host.check_places(&places));
        self.ground.check_turns(&places);
        self.ground.check_left(&places);
    }

    // What befalls hosts.

    /// A host is killed. Another comes in its place, at once or after a while.
    fn crash(&mut self) {
        let chosen = self.ground.up_to(self.hosts.len());
        if self.hosts[chosen].away.is_some_and(|(_, gone)| gone) {
            return;
        }
        if self.hosts[chosen].is_up() && self.ground.up_to(2) == 0 {
            self.hosts[chosen].break_off(&mut self.ground);
        }
        self.hosts[chosen].crash(&mut self.ground);
        self.goes(chosen);
    }

    fn goes(&mut self, host: usize) {
        if self.has_many() {
            let until = self.ground.at + self.ground.up_to(AWAY_MAX) as u64 * self.ground.up_to(2) as u64;
            self.hosts[host].away = Some((until, true));
        } else {
            // While no host is up, one of the clocks stands.
            self.ground.at += self.ground.up_to(5_000_000) as u64;
            self.hosts[host].away = Some((self.ground.at, true));
        }
    }

    /// A host is held up, with all that it believes.
    fn freeze(&mut self) {
        if let Some(host) = self.any_host() {
            let until = self.ground.at + self.ground.up_to(AWAY_MAX) as u64;
            self.hosts[host].away = Some((until, false));
        }
    }

    fn return_hosts(&mut self) {
        for host in 0..self.hosts.len() {
            if self.hosts[host].is_up() && self.hosts[host].has_stopped() {
                self.goes(host);
            }
            match self.hosts[host].away {
                Some((until, true)) if until <= self.ground.at => self.hosts[host] = Host::new(&self.ground),
                Some((until, false)) if until <= self.ground.at => self.hosts[host].away = None,
                _ => (),
            }
        }
    }

    // What clients do.

    fn client(&mut self) {
        let Some(host) = self.any_host() else { return };
        let handler = format!("h{}", self.ground.up_to(HANDLERS));
        let newest = now(self.ground.store.handler(&handler)).expect("an answer");
        let running = newest.as_ref().filter(|it| it.status.is_running()).map(|it| it.run.clone());
        match (self.ground.up_to(12), running) {
            (0..=4, None) | (0, Some(_)) => self.start(host, handler),
            (1..=4, Some(run)) => self.send(host, handler, run),
            (5..=6, Some(run)) => self.leave_letter(run),
            (7, Some(run)) => {
                let reply = self.ground.ledger.ask(Asked::Cancel(run.clone()));
                self.hosts[host].command(&mut self.ground, &run, Command::Cancel { reply });
            }
            (8, Some(run)) => self.wait(host, run),
            (9, _) => {
                self.purged.insert(handler.clone());
                self.hosts[host].purge(handler);
            }
            (10..=11, _) => self.ask_again(host),
            _ => (),
        }
    }

    fn start(&mut self, host: usize, handler: String) {
        let key = (self.ground.up_to(2) == 0).then(|| self.ground.number().to_string());
        let awaits = self.ground.up_to(2) == 0;
        self.begin(host, handler, key, awaits);
    }

    fn begin(&mut self, host: usize, handler: String, key: Option<String>, awaits: bool) {
        let ground = &mut self.ground;
        // Always the same for a handler: a key belongs to a workflow.
        let workflow = ground.workflows[usize::from(handler.as_bytes()[1]) % 2].clone();
        let run = format!("r{}", ground.number());
        let asked = ground.ledger.ask(Asked::Start { handler: handler.clone(), run: run.clone(), key: key.clone(), awaits });
        let made = key.as_ref().and_then(|key| now(ground.store.idempotency(&start_scope(&workflow.name), key)).expect("an answer"));
        if let Some(Made::Run(run)) = made.map(|it| it.made) {
            return asked.tell(Ok(ground.run(&run).expect("what a key made is there").into()));
        }
        let ops = script(|limit| ground.up_to(limit));
        let started = Started {
            rules: RULES,
            definition: vec![part()],
            workflow: workflow.name.clone(),
            handler,
            run,
            start: Event { name: "StartEvent".into(), payload: to_json(&json!({ "ops": ops })) },
            state: to_json(&json!({})),
            seed: Started::seed_text([7; 32]),
            timeout: workflow.definition.timeout(),
            additional_events: workflow.additional_events.clone(),
            state_max: None,
        };
        let idempotency = key.map(|key| Idempotency { key, body: [0; 32] });
        let (key, follows) = (ground.store.key(), Follows::Any);
        let fresh = Fresh { host: self.hosts[host].id, key, workflow, follows, started, idempotency, awaited: awaits };
        self.hosts[host].begin(ground, fresh, asked);
    }

    fn send(&mut self, host: usize, handler: String, run: String) {
        let key = (self.ground.up_to(2) == 0).then(|| self.ground.number().to_string());
        let number = self.ground.number();
        self.send_number(host, handler, run, number, key);
    }

    fn send_number(&mut self, host: usize, handler: String, run: String, number: u64, key: Option<String>) {
        let ground = &mut self.ground;
        let reply = ground.ledger.ask(Asked::Send { handler: handler.clone(), run: run.clone(), number, key: key.clone() });
        if let Some(key) = &key
            && now(ground.store.idempotency(&store::event_scope(&handler), key)).expect("an answer").is_some()
        {
            return reply.tell(Ok(ground.run(&run).expect("what a key sent to is there").into()));
        }
        let name = if ground.up_to(3) == 0 { "Note" } else { "Answer" };
        let event = Event { name: name.into(), payload: to_json(&json!({ "number": number })) };
        let idempotency = key.map(|key| Idempotency { key, body: [0; 32] });
        let id = format!("e{}", ground.number());
        self.hosts[host].command(ground, &run, Command::Send { id, event, target: Target::default(), idempotency, reply });
    }

    /// A host outside of this world, which does not own the run, leaves a command for whoever does.
    fn leave_letter(&mut self, run: String) {
        let number = (self.ground.up_to(8) > 0).then(|| self.ground.number());
        let command = match number {
            Some(number) => {
                let event = Event { name: "Answer".into(), payload: to_json(&json!({ "number": number })) };
                Command::Send { id: format!("l{number}"), event, target: Target::default(), idempotency: None, reply: () }
            }
            None => Command::Cancel { reply: () },
        };
        let letter = now(self.ground.store.send_command(&run, letters::command(command).0)).expect("it runs");
        self.letters.insert(letter, (run, number));
    }

    fn wait(&mut self, host: usize, run: String) {
        let reply = self.ground.ledger.ask(Asked::Await { run: run.clone() });
        self.hosts[host].wait(&mut self.ground, &run, reply);
    }

    /// Who does not know whether a request with a key was carried out sends it again.
    fn ask_again(&mut self, host: usize) {
        let unknown = |(asked, told): (Asked, Option<Told>)| match told {
            Some(Told::Nothing | Told::Answer(Err(Refusal::Unavailable(_)))) => Some(asked),
            _ => None,
        };
        let asked: Vec<Asked> = self.ground.ledger.entries().into_iter().filter_map(unknown).collect();
        if asked.is_empty() {
            return;
        }
        match asked[self.ground.up_to(asked.len())].clone() {
            Asked::Start { handler, key: Some(key), awaits, .. } => self.begin(host, handler, Some(key), awaits),
            // A later run of the handler would be another request.
            Asked::Send { handler, run, number, key: Some(key) } if self.ground.run(&run).is_some() => {
                self.send_number(host, handler, run, number, Some(key));
            }
            Asked::Await { run } => self.wait(host, run),
            _ => (),
        }
    }
}
