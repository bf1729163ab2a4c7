//! Where the brokers of the tests are. A test that cannot run says so; where `CI=true` it fails.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    reason = "each test uses its part; the environment tells where brokers are"
)]

const VARIABLE: &str = "DESKWARDEN_TEST_BROKERS";
const PROCESS: &str = "DESKWARDEN_TEST_BROKER_PID";

/// Their addresses.
pub(crate) fn addresses() -> Option<String> {
    given(VARIABLE, "host:port")
}

/// The process of the broker that is ours to stop and to set permissions on.
pub(crate) fn own_process() -> Option<u32> {
    given(PROCESS, "process").map(|process| process.parse().unwrap())
}

fn given(variable: &str, form: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{variable} is not set: in CI a skipped test is a failure"
        );
        println!("skipped: set {variable}={form}, or use tests/run, which starts a broker");
    }
    value
}
