//! Expected outputs in files: compared, or rewritten with `GOLDEN=update`.

use std::path::Path;

/// Whether expected outputs are to be rewritten.
#[expect(clippy::disallowed_methods, reason = "a test reads its own switch")]
pub fn update() -> bool {
    std::env::var("GOLDEN").is_ok_and(|value| value == "update")
}

/// Compares a text with a file, or writes the file.
pub fn check(path: &Path, actual: &str) -> Result<(), String> {
    if update() {
        return std::fs::write(path, actual).map_err(|fault| fault.to_string());
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "{} differs; GOLDEN=update rewrites it\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    ))
}
