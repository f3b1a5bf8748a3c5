//! Results on standard output.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use crate::error::{Error, Result};

/// Prints a line, in which what a terminal would obey is shown instead ([`disk::visible`]). A reader that has seen enough (`biascam inspect ... | head`) is no failure: the program then ends quietly.
///
/// # Errors
/// When standard output cannot be written for another reason, such as a full disk.
pub fn print(line: impl Display) -> Result<()> {
    let line = line.to_string();
    match writeln!(std::io::stdout(), "{}", disk::visible(&line)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Error::io("standard output".as_ref(), "writing")(error)),
    }
}
