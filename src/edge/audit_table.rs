//! Audit records as a table in a file.

use std::io::{self, Write};

use crate::deliver::audit::Placed;
use crate::deliver::audit::row::{COLUMNS, row};
use crate::edge::telemetry::shown;

/// Longest field of a table: what a cell of the usual spreadsheets holds.
const FIELD_BYTES_MAX: usize = 32_767;

/// Writes a line of names and a line for each record, as CSV (RFC 4180).
///
/// # Errors
/// What the output says.
pub fn write<'p>(records: impl IntoIterator<Item = &'p Placed>, to: impl Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(COLUMNS)?;
    for placed in records {
        // What a terminal obeys, or shows in another order than it stands there.
        let fields = row(placed).into_iter();
        table.write_record(fields.map(|field| shown(&field, FIELD_BYTES_MAX)))?;
    }
    table.flush()
}
