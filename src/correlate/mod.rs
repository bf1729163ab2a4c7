//! Stage 2: the entries of one partition in; alerts, audit records, relays and state changes out.
