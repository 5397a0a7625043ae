use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::Fields;
use wasip2::io::poll::poll;
use wasip2::random::random::get_random_bytes;
use wf_guest::prelude::*;

struct Hostile;

/// Does to its host and its neighbours whatever the start event names.
#[workflow]
impl Hostile {
    /// Never returns by itself.
    #[step]
    fn hurt(&self, _context: &Context, start: StartEvent) -> Result<StopEvent> {
        let fault: String = start.get("fault")?.unwrap_or_default();
        let mut kept = Vec::new();
        match fault.as_str() {
            "spin" => loop {
                std::hint::black_box(());
            },
            "sleep" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "nap" => loop {
                std::thread::sleep(Duration::from_millis(900));
            },
            "grow" => loop {
                kept.push(vec![1_u8; 1 << 20]);
            },
            "http" => {
                let fields: Vec<Fields> = (0..1000).map(|_| Fields::new()).collect();
                for (number, fields) in fields.iter().enumerate() {
                    for _ in 0..100 {
                        // Whether it may is none of its business.
                        let _ = fields.append(&format!("x-{number}"), &[b'x'; 1 << 10]);
                    }
                }
            }
            "handles" => {
                let mut timers = Vec::new();
                loop {
                    timers.push(subscribe_duration(0));
                }
            }
            "polls" => {
                let timer = subscribe_duration(0);
                let timers = vec![&timer; 50_000];
                loop {
                    poll(&timers);
                }
            }
            "random" => loop {
                std::hint::black_box(get_random_bytes(64 << 20));
            },
            "write" => {
                let (stdout, text) = (get_stdout(), vec![b'\n'; 50 << 20]);
                loop {
                    let _ = stdout.write(&text);
                }
            }
            _ => return Err(Failure::new("ValueError", format!("there is no fault `{fault}`"))),
        }
        Ok(StopEvent::new(fault))
    }
}
