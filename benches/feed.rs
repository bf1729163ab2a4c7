//! The live feed alone: a server in a process of its own, on one core, over the in-memory log; and a
//! crowd of clients over loopback, each of which checks that it is given every alert once and in
//! order. The benchmark fails where one is not.
//!
//! ```text
//! cargo bench --bench feed
//! cargo bench --bench feed -- --clients 1000 --rate 200 --seconds 20 --mixed
//! ```
//!
//! The load is open: alerts are published when they are due, however far the clients are. CPU-seconds
//! are those of the server's process, system calls and the publishing included.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a measurement may panic, and asks the clock"
)]

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use crowd::{Alerts, Client, PARTITIONS, Part, Progress, Want, partition};
use deskwarden::collect::time::Timestamp;
use deskwarden::edge::log::ProduceRecord;
use deskwarden::edge::log::memory::MemoryBroker;
use serving::{Serving, Setup};

#[path = "../tests/support/crowd.rs"]
mod crowd;
#[path = "../tests/support/serving.rs"]
mod serving;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clock ticks of `/proc` are hundredths of a second on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Latencies are counted in tenths of a millisecond, up to ten seconds.
const BUCKET_MICROS: u64 = 100;
const BUCKETS: usize = 100_000;

#[derive(Debug, Parser)]
#[command(about = "A crowd of clients of the live feed, and what serving it costs")]
struct Options {
    /// `cargo bench` passes it.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
    /// Becomes the server.
    #[arg(long, hide = true)]
    serve: bool,
    #[arg(long, default_value_t = 1_000)]
    clients: usize,
    /// Alerts a second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Five filters in turn; otherwise all want all.
    #[arg(long)]
    mixed: bool,
    /// The core that the server is bound to, with `taskset`.
    #[arg(long, default_value_t = 0)]
    core: usize,
}

fn main() {
    let options = Options::parse();
    if options.serve {
        serve();
    } else {
        measure(&options);
    }
}

fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}

// --- The server ------------------------------------------------------------------------------

/// Says where it listens; publishes as it is told: how many, how many a second.
fn serve() {
    let setup = Setup {
        partitions: PARTITIONS,
        ..Setup::default()
    };
    let serving = Serving::start(MemoryBroker::default(), setup);
    println!("{}", serving.api);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let words: Vec<u32> = line
        .split_whitespace()
        .map(|w| w.parse().unwrap())
        .collect();
    let (alerts, started) = (Alerts::default(), Instant::now());
    for number in 0..words[0] {
        let due = Duration::from_secs(1) * number / words[1];
        while let Some(left) = due.checked_sub(started.elapsed()).filter(|l| !l.is_zero()) {
            std::thread::sleep(left);
        }
        let number = u64::from(number);
        let record = ProduceRecord {
            topic: serving::TOPIC,
            partition: partition(number),
            key: Some(&number.to_be_bytes()),
            headers: &[],
            value: Some(&alerts.document(number, micros())),
        };
        serving.broker.append(&record, Timestamp(0)).unwrap();
    }
    println!("{}", started.elapsed().as_micros());
    // Ends with whoever started it.
    std::io::stdin().read_line(&mut line).unwrap();
}

struct Server {
    child: Child,
    said: BufReader<ChildStdout>,
    told: ChildStdin,
}

impl Server {
    fn start(core: usize) -> Self {
        let program = std::env::current_exe().unwrap();
        let started = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = started.expect("taskset, of util-linux, binds the server to a core");
        Self {
            said: BufReader::new(child.stdout.take().unwrap()),
            told: child.stdin.take().unwrap(),
            child,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// CPU-seconds so far, user and system.
    fn cpu(&self) -> [f64; 2] {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let mut fields = fields.split_whitespace().skip(11);
        [(); 2].map(|()| fields.next().unwrap().parse::<f64>().unwrap() / TICKS_PER_SECOND)
    }

    /// The most that was resident, in MiB.
    fn resident_peak(&self) -> u64 {
        let status = self.proc("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib / 1_024
    }
}

// --- The crowd -------------------------------------------------------------------------------

fn part(n: usize, is_mixed: bool) -> Part {
    let wants = Want::ALL;
    Part {
        want: if is_mixed {
            wants[n % wants.len()]
        } else {
            Want::All
        },
        lines: n / wants.len() % 2 == 1,
        leaves_after: None,
        stalls: None,
    }
}

fn sum(crowd: &[Arc<Progress>], of: impl Fn(&Progress) -> &AtomicU64) -> u64 {
    crowd.iter().map(|p| of(p).load(Ordering::Acquire)).sum()
}

struct Span {
    seconds: f64,
    publishing_seconds: f64,
    cpu: [f64; 2],
    resident_peak: u64,
}

/// From the first alert until everybody has seen the last.
fn watch(
    server: &mut Server,
    crowd: &[Arc<Progress>],
    over: &AtomicBool,
    (alerts, rate): (u32, u32),
) -> Span {
    let wait = |is_so: &dyn Fn(&Progress) -> bool| {
        while !crowd.iter().all(|progress| is_so(progress)) && !over.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait(&|p| p.connects.load(Ordering::Acquire) > 0);
    let (started, before) = (Instant::now(), server.cpu());
    writeln!(server.told, "{alerts} {rate}").unwrap();
    let publishing: f64 = server.line().parse().unwrap();
    wait(&|p| p.reached.load(Ordering::Acquire) >= u64::from(alerts));
    let (seconds, after) = (started.elapsed().as_secs_f64(), server.cpu());
    Span {
        seconds,
        publishing_seconds: publishing / 1e6,
        cpu: [after[0] - before[0], after[1] - before[1]],
        resident_peak: server.resident_peak(),
    }
}

fn measure(options: &Options) {
    let mut server = Server::start(options.core);
    let at = server.line().parse().unwrap();
    let alerts = options.rate * options.seconds;
    let late = Rc::new(RefCell::new(vec![0_u64; BUCKETS]));
    let clients = (0..options.clients).map(|n| {
        let late = Rc::clone(&late);
        let arrived = move |moment: u64| {
            let bucket = micros().saturating_sub(moment) / BUCKET_MICROS;
            let bucket = usize::try_from(bucket).unwrap().min(BUCKETS - 1);
            late.borrow_mut()[bucket] += 1;
        };
        Client::new(at, part(n, options.mixed), alerts.into(), Rc::new(arrived))
    });
    let clients: Vec<Client> = clients.collect();
    let crowd: Vec<_> = clients.iter().map(|c| Arc::clone(&c.progress)).collect();
    let (_published, published) = tokio::sync::watch::channel(0);
    let over = AtomicBool::new(false);
    let load = (alerts, options.rate);
    let span = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&mut server, &crowd, &over, load));
        crowd::follow(clients, &published, &over);
        watching.join().unwrap()
    });
    report(options, &crowd, &span, &late.borrow());
    drop(server.told);
    server.child.wait().unwrap();
}

fn percentile(late: &[u64], share: f64) -> f64 {
    let wanted = (late.iter().sum::<u64>() as f64 * share).ceil() as u64;
    let mut seen = 0;
    let reaches = |count: &u64| {
        seen += count;
        seen >= wanted
    };
    let bucket = late.iter().position(reaches).unwrap_or(BUCKETS) as f64;
    bucket * BUCKET_MICROS as f64 / 1_000.0
}

fn report(options: &Options, crowd: &[Arc<Progress>], span: &Span, late: &[u64]) {
    let events = sum(crowd, |p| &p.events);
    let bytes = Alerts::default().mean_bytes();
    let alerts = f64::from(options.rate * options.seconds);
    let [user, system] = span.cpu.map(|seconds| seconds / span.seconds);
    println!(
        "{} clients, {}, documents of {bytes} bytes",
        options.clients,
        if options.mixed {
            "five filters"
        } else {
            "all alerts"
        }
    );
    println!(
        "published  {:.1} alerts/s for {:.1} s",
        alerts / span.publishing_seconds,
        span.publishing_seconds
    );
    println!(
        "delivered  {:.0} events/s, {:.0} MB/s; {events} events, none missed, repeated or out of order",
        events as f64 / span.seconds,
        events as f64 * bytes as f64 / span.seconds / 1e6
    );
    println!(
        "server     {:.2} CPU-seconds a second ({user:.2} user, {system:.2} system), on core {}; {} MiB at most",
        user + system,
        options.core,
        span.resident_peak
    );
    println!(
        "from publishing to receipt: p50 {:.1} ms, p99 {:.1} ms, all {:.1} ms",
        percentile(late, 0.5),
        percentile(late, 0.99),
        percentile(late, 1.0)
    );
    let connects = sum(crowd, |p| &p.connects);
    println!("cut off    {}", connects - options.clients as u64);
}
