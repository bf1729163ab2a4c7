//! How many connections this process can hold: each is a file descriptor, and so is much else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections of the listener of API and page: the clients of the live feed, and room for everybody
/// else.
pub(super) const CONNECTIONS_MAX: usize = 2_048;
/// Connections of the listener of health and metrics: probes, a few collectors, somebody who looks.
pub(super) const OPS_CONNECTIONS_MAX: usize = 64;
/// File descriptors left to the rest of the process: those, sockets to brokers and receivers, files.
const RESERVED: usize = 320;
/// Even where descriptors are fewer than what is reserved, somebody has to be able to ask.
const CONNECTIONS_MIN: usize = 64;

/// Raises the limit of open files as far as the system lets this process, and says how many
/// connections that makes. The usual limit of 1,024 is the soft one, made for programs that use
/// `select`; there are none here.
pub(super) fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let files = getrlimit(Resource::Nofile).current;
    let connections = within(files);
    if connections < CONNECTIONS_MAX {
        tracing::warn!(
            files,
            connections,
            wanted = CONNECTIONS_MAX,
            "the limit of open files leaves fewer connections; raise it (LimitNOFILE, ulimit -Hn)"
        );
    }
    connections
}

/// Connections within a limit of open files; without one, as many as are wanted.
fn within(files: Option<u64>) -> usize {
    let files = files.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let free = files.saturating_sub(RESERVED);
    free.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_left_to_the_rest() {
        assert_eq!(within(None), CONNECTIONS_MAX);
        assert_eq!(within(Some(1 << 20)), CONNECTIONS_MAX);
        assert_eq!(within(Some(1_024)), 704);
        assert_eq!(within(Some(100)), CONNECTIONS_MIN);
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        connections();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
