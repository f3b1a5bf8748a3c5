//! Standard error, which may go away while the program runs: a terminal is closed, or the reader of `2>&1 | head` has seen enough. What
//! cannot be said then is lost; the work goes on, and so does the saving of its state.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// Writes a line to standard error, in one piece. `eprintln!` would end the program where nobody reads. What a terminal would obey, such as
/// the escape codes in the name of a file, is shown instead ([`disk::visible`]).
pub fn to_stderr(line: impl Display) {
    let line = format!("{line}\n");
    io::stderr().write_all(disk::visible(&line).as_bytes()).ok();
}

/// Where bars are drawn: on the terminal, if standard error is one that can show them.
pub(crate) fn bars_target() -> ProgressDrawTarget {
    let target = ProgressDrawTarget::stderr();
    if target.is_hidden() {
        return target;
    }
    let terminal = Terminal {
        term: Term::buffered_stderr(),
        gone: AtomicBool::new(false),
    };
    ProgressDrawTarget::term_like_with_hz(Box::new(terminal), DRAWN_A_SECOND)
}

/// As often as indicatif draws on its own.
const DRAWN_A_SECOND: u8 = 20;

/// A terminal that never fails: indicatif panics where a line is put above the bars of one that does.
#[derive(Debug)]
struct Terminal {
    term: Term,
    /// Then nothing more is written: what the terminal does not take would pile up in memory.
    gone: AtomicBool,
}

impl Terminal {
    fn try_to(&self, draw: impl FnOnce(&Term) -> io::Result<()>) -> io::Result<()> {
        if !self.gone.load(Ordering::Relaxed) && draw(&self.term).is_err() {
            self.gone.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.term.width()
    }

    fn height(&self) -> u16 {
        self.term.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.try_to(|term| term.move_cursor_up(lines))
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.try_to(|term| term.move_cursor_down(lines))
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.try_to(|term| term.move_cursor_right(columns))
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.try_to(|term| term.move_cursor_left(columns))
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.try_to(|term| term.write_line(text))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.try_to(|term| term.write_str(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.try_to(Term::clear_line)
    }

    fn flush(&self) -> io::Result<()> {
        self.try_to(Term::flush)
    }
}
