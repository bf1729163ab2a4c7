//! The transactional producer: drained commits, error classes, renewal.

use super::calls::{RETRY_PAUSE, repeat, within};
use super::consumer::list_at;
use super::settings::{KafkaSettings, transaction_timeout};
use crate::edge::clock::Deadline;
use crate::edge::log::{ErrorClass, LogError, Partition, ProduceRecord};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between looks at what is in flight. Polling with a timeout instead spins in the crate.
const DRAIN_PAUSE: Duration = Duration::from_micros(200);
/// How much longer than its own timeout a call may take before it is given up.
const HANG_MAX: Duration = Duration::from_secs(1);
/// A new producer may have to wait for the end of what its predecessor left open.
const INIT_TIMEOUT: Duration = Duration::from_secs(30);
/// Brokers that are there answer in a few milliseconds.
const MEET_TIMEOUT: Duration = Duration::from_secs(1);

/// What an error of the client asks for.
pub(super) fn classify(call: &'static str, error: &KafkaError) -> LogError {
    LogError::new(class_of(error), call, error.to_string())
}

fn class_of(error: &KafkaError) -> ErrorClass {
    use RDKafkaErrorCode::{Fenced, FencedInstanceId, OperationTimedOut, ProducerFenced};
    if let Some(Fenced | ProducerFenced | FencedInstanceId) = error.rdkafka_error_code() {
        return ErrorClass::Fenced;
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "non-exhaustive; what is new is fatal"
    )]
    match error {
        KafkaError::Transaction(e) if e.is_fatal() => ErrorClass::Fatal,
        KafkaError::Transaction(e) if e.txn_requires_abort() => ErrorClass::Abort,
        KafkaError::Transaction(e) if e.is_retriable() => ErrorClass::Retriable,
        KafkaError::Flush(OperationTimedOut) => ErrorClass::Retriable,
        KafkaError::MessageProduction(_) => ErrorClass::Abort,
        KafkaError::MessageConsumption(_) | KafkaError::Global(_) => ErrorClass::Noise,
        KafkaError::MetadataFetch(_)
        | KafkaError::OffsetFetch(_)
        | KafkaError::Seek(_)
        | KafkaError::GroupListFetch(_) => ErrorClass::Retriable,
        _ => ErrorClass::Fatal,
    }
}

/// Remembers why a transaction failed: what the client said of it, and of its first record that was
/// not delivered. The delivery report alone would name the purge that follows, not its cause.
#[derive(Debug, Default)]
struct Deliveries {
    transaction: Mutex<Option<String>>,
    record: Mutex<Option<String>>,
}

impl Deliveries {
    /// The cause, if anything failed; forgets it.
    fn take(&self) -> Option<String> {
        let taken = |slot: &Mutex<Option<String>>| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let record = taken(&self.record);
        taken(&self.transaction).or(record)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match facility {
            "TXNERR" => {
                let slot = self.transaction.lock();
                let mut slot = slot.unwrap_or_else(PoisonError::into_inner);
                slot.get_or_insert_with(|| message.to_owned());
            }
            // One for each partition, ahead of the one above.
            "ADDPARTS" => {}
            _ if matters(level) => {
                tracing::warn!(target: "librdkafka", facility, detail = message, "client says");
                return;
            }
            _ => {}
        }
        tracing::debug!(target: "librdkafka", facility, detail = message, "client says");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason, "client reports an error");
    }

    /// Only the member's are looked at; the operator may have asked for them all the same.
    fn stats(&self, _: rdkafka::Statistics) {}
}

const fn matters(level: RDKafkaLogLevel) -> bool {
    use RDKafkaLogLevel::{Alert, Critical, Emerg, Error, Warning};
    matches!(level, Emerg | Alert | Critical | Error | Warning)
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut first = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.to_string());
        }
    }
}

type Client = Arc<BaseProducer<Deliveries>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Open,
    MustAbort,
    /// After an unknown outcome nothing is ever called on it again.
    Spent,
}

enum Slot {
    /// `init_transactions` takes 55 to 505 ms: it runs beside the group join.
    Starting(JoinHandle<Result<Client, LogError>>),
    Running(Client),
    Empty,
}

/// The producer of one worker.
pub(super) struct Transaction {
    config: ClientConfig,
    slot: Slot,
    state: State,
    /// Deadline of one drain, commit or abort with all its repetitions; one call has half of it.
    timeout: Duration,
}

impl Transaction {
    pub(super) fn start(settings: &KafkaSettings) -> Self {
        let config = settings.producer();
        let starting = config.clone();
        let timeout = transaction_timeout(&config);
        Self {
            config,
            slot: Slot::Starting(thread::spawn(move || connect(&starting))),
            state: State::Ready,
            timeout,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::MustAbort)
    }

    /// Waits until the producer is initialised, so that its dead predecessor is fenced.
    pub(super) fn ready(&mut self) -> Result<(), LogError> {
        let connected = match std::mem::replace(&mut self.slot, Slot::Empty) {
            Slot::Running(client) => Ok(client),
            Slot::Starting(thread) => thread.join().unwrap_or_else(|_| {
                let detail = "the initialising thread panicked";
                Err(LogError::new(ErrorClass::Fatal, "init", detail))
            }),
            Slot::Empty => connect(&self.config),
        };
        self.slot = Slot::Running(connected?);
        Ok(())
    }

    fn client(&self, call: &'static str) -> Result<&Client, LogError> {
        match &self.slot {
            Slot::Running(client) => Ok(client),
            Slot::Starting(_) | Slot::Empty => Err(spent(call)),
        }
    }

    fn open(&self, call: &'static str) -> Result<&Client, LogError> {
        match self.state {
            State::Open => self.client(call),
            State::MustAbort => Err(LogError::new(ErrorClass::Abort, call, "abort first")),
            State::Ready | State::Spent => Err(spent(call)),
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), LogError> {
        if self.state != State::Ready {
            return Err(spent("begin"));
        }
        self.ready()?;
        let client = self.client("begin")?;
        client.context().take();
        let begun = client.begin_transaction();
        begun.map_err(|e| self.failed(classify("begin", &e)))?;
        self.state = State::Open;
        Ok(())
    }

    pub(super) fn produce(&mut self, record: &ProduceRecord<'_>) -> Result<(), LogError> {
        let client = self.open("produce")?;
        let deadline = Deadline::after(self.timeout);
        loop {
            let Err((error, _)) = client.send(outgoing(record)) else {
                return Ok(());
            };
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || deadline.has_passed() {
                // The transaction would commit without this record.
                return Err(self.failed(classify("produce", &error)));
            }
            client.poll(Duration::ZERO);
            thread::sleep(DRAIN_PAUSE);
        }
    }

    /// Beside the records that are in flight: the commit waits for both.
    pub(super) fn send_offsets(
        &mut self,
        offsets: &[(Partition, i64)],
        group: ConsumerGroupMetadata,
    ) -> Result<(), LogError> {
        let list = list_at(offsets)?;
        let client = self.open("send_offsets")?;
        let limit = self.timeout / 2;
        let group = Arc::new(group);
        let sent = repeat(self.timeout, || {
            let (of_call, list, group) = (Arc::clone(client), list.clone(), Arc::clone(&group));
            within("send_offsets", limit + HANG_MAX, move || {
                of_call.send_offsets_to_transaction(&list, &group, limit)
            })
        });
        // What failed first is the cause, and the client names another here.
        let sent = sent.map_err(|error| match (error.class, client.context().take()) {
            (ErrorClass::Abort, Some(detail)) => LogError { detail, ..error },
            _ => error,
        });
        sent.map_err(|e| self.failed(e))
    }

    pub(super) fn commit(&mut self) -> Result<(), LogError> {
        let client = self.open("commit")?;
        let done = drain("commit", client, self.timeout).and_then(|()| {
            repeat(self.timeout, || {
                let committed = client.commit_transaction(self.timeout / 2);
                committed.map_err(|e| classify("commit", &e))
            })
        });
        done.map_err(|e| self.failed(e))?;
        self.state = State::Ready;
        Ok(())
    }

    pub(super) fn abort(&mut self) -> Result<(), LogError> {
        match self.state {
            State::Ready => return Ok(()),
            State::Spent => return Err(spent("abort")),
            State::Open | State::MustAbort => {}
        }
        let client = self.client("abort")?;
        let aborted = repeat(self.timeout, || {
            // Delivery reports that nobody polls let the abort hang until its timeout.
            poll_out(client, self.timeout / 2);
            let aborted = client.abort_transaction(self.timeout / 2);
            aborted.map_err(|e| classify("abort", &e))
        });
        client.context().take();
        aborted.map_err(|e| {
            // An abort that must be aborted is a client that lost its way.
            let class = if e.requires_abort() {
                ErrorClass::Fatal
            } else {
                e.class
            };
            self.failed(LogError { class, ..e })
        })?;
        self.state = State::Ready;
        Ok(())
    }

    /// A new producer with the same id: a higher epoch, which fences the old one.
    pub(super) fn renew(&mut self) -> Result<(), LogError> {
        self.slot = Slot::Empty;
        self.ready()?;
        self.state = State::Ready;
        Ok(())
    }

    fn failed(&mut self, error: LogError) -> LogError {
        self.state = match error.class {
            ErrorClass::Abort => State::MustAbort,
            ErrorClass::Retriable | ErrorClass::Noise => self.state,
            ErrorClass::Unknown | ErrorClass::Fatal | ErrorClass::Fenced => State::Spent,
        };
        error
    }
}

fn spent(call: &'static str) -> LogError {
    let detail = "no transaction is open, or the producer is spent";
    LogError::new(ErrorClass::Fatal, call, detail)
}

fn connect(config: &ClientConfig) -> Result<Client, LogError> {
    let client = config.create_with_context(Deliveries::default());
    let client: Client = client.map(Arc::new).map_err(|e| classify("connect", &e))?;
    meet(&client);
    let deadline = Deadline::after(INIT_TIMEOUT);
    loop {
        let Err(error) = client.init_transactions(deadline.left()) else {
            return Ok(client);
        };
        let error = classify("init", &error);
        if !error.is_retriable() || deadline.has_passed() {
            return Err(error);
        }
        thread::sleep(RETRY_PAUSE);
    }
}

/// Connects to the brokers. The coordinator of transactions is asked for through any broker that is
/// connected already, and where none is librdkafka looks again half a second later. The first answer
/// names the brokers, the second comes from one of them.
fn meet(client: &Client) {
    for _ in 0..2 {
        let met = client
            .client()
            .fetch_metadata(Some("__transaction_state"), MEET_TIMEOUT);
        if let Err(error) = met {
            // They are away, and the call that needs them says so.
            tracing::debug!(%error, "no brokers yet");
            return;
        }
    }
}

/// Serves delivery reports until nothing is in flight; whether that was reached.
fn poll_out(client: &Client, within: Duration) -> bool {
    let deadline = Deadline::after(within);
    while client.in_flight_count() > 0 {
        if deadline.has_passed() {
            return false;
        }
        client.poll(Duration::ZERO);
        thread::sleep(DRAIN_PAUSE);
    }
    true
}

/// Waits for every delivery. A plain flush or commit would take at least 100 ms, since the crate
/// polls in slices of that length.
fn drain(call: &'static str, client: &Client, within: Duration) -> Result<(), LogError> {
    let abort = |detail: String| Err(LogError::new(ErrorClass::Abort, call, detail));
    if !poll_out(client, within) {
        return abort("records are still in flight".to_owned());
    }
    client.context().take().map_or(Ok(()), abort)
}

fn outgoing<'a>(record: &ProduceRecord<'a>) -> BaseRecord<'a, [u8], [u8]> {
    let mut outgoing = BaseRecord::to(record.topic).partition(record.partition);
    outgoing.key = record.key;
    outgoing.payload = record.value;
    if record.headers.is_empty() {
        return outgoing;
    }
    let headers = OwnedHeaders::new_with_capacity(record.headers.len());
    let headers = record
        .headers
        .iter()
        .fold(headers, |headers, (key, value)| {
            let value = Some(*value);
            headers.insert(Header { key, value })
        });
    outgoing.headers(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_class_of_the_document() {
        use RDKafkaErrorCode as Code;
        let cases = [
            (
                KafkaError::Flush(Code::OperationTimedOut),
                ErrorClass::Retriable,
            ),
            (KafkaError::Flush(Code::Fatal), ErrorClass::Fatal),
            (
                KafkaError::MetadataFetch(Code::BrokerTransportFailure),
                ErrorClass::Retriable,
            ),
            (
                KafkaError::MessageConsumption(Code::AllBrokersDown),
                ErrorClass::Noise,
            ),
            (
                KafkaError::Global(Code::BrokerTransportFailure),
                ErrorClass::Noise,
            ),
            (
                KafkaError::MessageConsumptionFatal(Code::FencedInstanceId),
                ErrorClass::Fenced,
            ),
            (
                KafkaError::MessageConsumptionFatal(Code::UnknownMemberId),
                ErrorClass::Fatal,
            ),
            (
                KafkaError::MessageProduction(Code::MessageSizeTooLarge),
                ErrorClass::Abort,
            ),
            (KafkaError::Canceled, ErrorClass::Fatal),
        ];
        for (error, class) in cases {
            assert_eq!(class_of(&error), class, "{error:?}");
        }
    }
}
