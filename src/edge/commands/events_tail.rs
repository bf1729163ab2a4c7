//! `deskwarden events tail`: the entries of the events topic as JSON, one a line.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use crate::collect::block;
use crate::collect::entity::{Entity, EntityKind};
use crate::correlate::relay::Relay;
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{ConfigArgs, Needs};
use crate::edge::kafka::TopicReader;
use crate::edge::log::topics::Topic;
use crate::edge::log::{LogError, OwnedRecord, Partition, Polled};

/// What is printed is seen at the latest after this time.
const WAIT: Duration = Duration::from_millis(200);

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden events tail --config deskwarden.yaml
  deskwarden events tail --config deskwarden.yaml --from-beginning --limit 10
  deskwarden events tail --config deskwarden.yaml --entity 'identity|hris:E1' --from-beginning \\
    --until-end

Each line has partition, offset, index within the block and append time of an entry, its kind and
receiver, and its content. Numbers and addresses are keyed there, as everywhere behind `collect`.
Exit codes: 0 ended as asked, 1 the brokers are away, or a block cannot be read, 64 the
configuration is wrong.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Begin with the oldest entry that is kept, not with the next one that comes.
    #[arg(long)]
    from_beginning: bool,
    /// End where the topic ends at the start, instead of waiting for more.
    #[arg(long)]
    until_end: bool,
    /// One partition only.
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Only what concerns one entity, such as 'ticket|servicenow:INC0010001'.
    #[arg(long, value_name = "KIND|ID", value_parser = entity_named)]
    entity: Option<Entity>,
    /// End after so many entries.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

fn entity_named(text: &str) -> Result<Entity, String> {
    let names = EntityKind::ALL.map(EntityKind::as_str).join(", ");
    let (kind, id) = text
        .split_once('|')
        .filter(|(_, id)| !id.is_empty())
        .ok_or_else(|| "write KIND|ID, such as 'identity|hris:E1'".to_owned())?;
    let kind = EntityKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind);
    let kind = kind.ok_or_else(|| format!("the kinds are {names}"))?;
    Ok(Entity::new(kind, id))
}

/// Prints entries until asked to end.
///
/// # Errors
/// A configuration that is wrong, brokers that are away, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Brokers)?;
    let topic = config.topic(Topic::Events);
    let doing = format!("cannot read {topic}");
    let failed = |error: LogError| CommandError::kafka(doing.clone(), &error);
    super::topics::connect(&config)?;
    let mut reader =
        TopicReader::connect(&config.command_settings("events-tail")).map_err(failed)?;
    let count = reader.partition_count(&topic).map_err(failed)?;
    let mut open = BTreeSet::new();
    let mut from = Vec::new();
    for number in numbers(args, count)? {
        let partition = Partition::new(topic.as_str(), number);
        let ends = reader.ends(&partition).map_err(failed)?;
        let at = if args.from_beginning {
            ends.low
        } else {
            ends.stable
        };
        if at < ends.stable {
            open.insert(partition.clone());
        }
        from.push((partition, at));
    }
    reader.add(&from).map_err(failed)?;
    let mut tail = Tail {
        args,
        printed: 0,
        ending: Ending::Clean,
    };
    while !(tail.is_full() || args.until_end && open.is_empty()) {
        match reader.next(WAIT).map_err(failed)? {
            Polled::Record(record) => tail.print(&record, out, notes)?,
            Polled::End { partition, .. } => drop(open.remove(&partition)),
            Polled::Idle | Polled::Assigned(_) | Polled::Revoked { .. } => out.flush()?,
        }
    }
    Ok(tail.ending)
}

fn numbers(args: &Args, count: i32) -> Result<Vec<i32>, CommandError> {
    let of_entity = args
        .entity
        .as_ref()
        .map(|entity| entity.partition(count.max(1)));
    match (args.partition, of_entity) {
        (Some(number), _) if !(0..count).contains(&number) => Err(CommandError::Usage(format!(
            "--partition {number}: the topic has {count}, from 0 to {}",
            count - 1
        ))),
        (Some(number), Some(own)) if number != own => Err(CommandError::Usage(format!(
            "--partition {number}: the entity is in partition {own}; leave --partition out"
        ))),
        (Some(number), _) | (None, Some(number)) => Ok(vec![number]),
        (None, None) => Ok((0..count).collect()),
    }
}

struct Tail<'a> {
    args: &'a Args,
    printed: u64,
    ending: Ending,
}

impl Tail<'_> {
    fn is_full(&self) -> bool {
        self.args.limit.is_some_and(|limit| self.printed >= limit)
    }

    fn print(
        &mut self,
        record: &OwnedRecord,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let (number, offset) = (record.partition.number, record.offset);
        let entries = match block::decode(record.value.as_deref().unwrap_or_default()) {
            Ok(entries) => entries,
            Err(error) => {
                self.ending = Ending::Refused;
                writeln!(notes, "error: partition {number}, offset {offset}: {error}")?;
                return Ok(());
            }
        };
        for (index, entry) in entries.iter().enumerate() {
            let wanted = &self.args.entity;
            if self.is_full() || wanted.is_some() && entry.receiver() != *wanted {
                continue;
            }
            let json = block::json(entry, relay);
            let content = json.strip_prefix('{').unwrap_or(&json);
            let log_ts = record.timestamp.0;
            writeln!(
                out,
                "{{\"partition\":{number},\"offset\":{offset},\"index\":{index},\
                 \"log_ts\":{log_ts},{content}"
            )?;
            self.printed += 1;
        }
        Ok(())
    }
}

fn relay(bytes: &[u8]) -> serde_json::Value {
    let relay = Relay::decode(bytes);
    relay.map_or(serde_json::Value::Null, |relay| {
        serde_json::to_value(relay).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_named_by_kind_and_id() {
        let entity = entity_named("identity|hris:E1|x").unwrap();
        assert_eq!(entity, Entity::new(EntityKind::Identity, "hris:E1|x"));
        for text in ["identity", "identity|", "person|x"] {
            assert!(entity_named(text).is_err(), "{text}");
        }
        for kind in EntityKind::ALL {
            assert!(entity_named(&format!("{}|x", kind.as_str())).is_ok());
        }
    }
}
