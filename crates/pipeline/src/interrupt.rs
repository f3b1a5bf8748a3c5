//! Stopping on request: Ctrl-C, SIGTERM and a closed terminal (SIGHUP).
//!
//! Work that looks whether it is asked to stop ends by itself. Most of it need not look: every file is written whole or not at all, so
//! nothing is lost where the process ends in the middle of a step, and it does so when it has not come to its end a moment after the
//! signal. Only what would lose something [holds](Interrupt::hold) it until that is saved. A second signal stops at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::progress::{Progress, last_words};

/// How long the run may take to come to its end by itself while nothing holds it.
const PATIENCE: Duration = Duration::from_millis(300);

/// How often it is looked whether something holds it.
const TICK: Duration = Duration::from_millis(20);

/// How long words are waited for, which nobody may read: a pager takes what it shows.
const SAYING: Duration = Duration::from_millis(200);

/// The program was asked to stop (SIGINT, SIGTERM, SIGHUP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped; the same command goes on from what is finished")]
pub struct Interrupted {
    /// The signal's number: the exit status is 128 plus this.
    pub signal: i32,
}

/// The system does not tell the program of signals.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for Ctrl-C: {0}")]
pub struct ListenError(std::io::Error);

/// Tells whether the run was asked to stop.
#[derive(Debug, Clone)]
pub struct Interrupt {
    /// 0, or the signal's number.
    signal: Arc<AtomicUsize>,
    /// Whether the signal was answered.
    answered: Arc<AtomicBool>,
    /// How many things in hand save their state before they end.
    held: Arc<AtomicUsize>,
}

/// As long as it is there, the first signal ends nothing by force ([`Interrupt::hold`]).
#[derive(Debug)]
pub struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Interrupt {
    /// One that no signal reaches.
    fn default() -> Self {
        Self {
            signal: Arc::default(),
            answered: Arc::default(),
            held: Arc::default(),
        }
    }
}

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on; for the last not where whoever started the program has it ignored, as
    /// `nohup` does.
    ///
    /// # Errors
    /// When the system refuses to register a handler.
    pub fn listen() -> Result<Self, ListenError> {
        let stop = Self::default();
        let asked = Arc::new(AtomicBool::new(false));
        let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hang_up) {
            // In this order: the first signal finds `asked` unset and only sets it; the next one ends the process.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))
                .and_then(|_| flag::register(signal, Arc::clone(&asked)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize))
                .map_err(ListenError)?;
        }
        let all = [SIGINT, SIGTERM].into_iter().chain(hang_up);
        stop.answer_at_once(Signals::new(all).map_err(ListenError)?);
        Ok(stop)
    }

    /// Keeps the process until this is dropped, however long ago it was asked to stop: for what looks by itself whether it is, and then
    /// saves what would be lost.
    #[must_use]
    pub fn hold(&self) -> Held {
        self.held.fetch_add(1, Ordering::Relaxed);
        Held(Arc::clone(&self.held))
    }

    /// Whether a stop was asked for.
    pub fn is_asked(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// An error once a stop was asked for.
    ///
    /// # Errors
    /// Then, with the signal.
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.signal.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => {
                // The program may end before the other thread comes to speak.
                self.answer();
                Err(Interrupted {
                    signal: i32::try_from(signal).unwrap_or(SIGINT),
                })
            }
        }
    }

    /// Says once that the signal was understood; nobody waits for a reader who does not read.
    fn answer(&self) {
        if !self.answered.swap(true, Ordering::Relaxed) {
            meanwhile(|| Progress::new().say("stopping; what is finished is kept; again to stop now"));
        }
    }

    /// Answers the first signal when it comes, and sees to it that the process ends.
    fn answer_at_once(&self, mut signals: Signals) {
        let stop = self.clone();
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                stop.answer();
                stop.give_time();
                meanwhile(move || last_words(Interrupted { signal }));
                disk::remove_unfinished();
                low_level::exit(128 + signal);
            }
        };
        // Without the thread it is said when the step has ended.
        thread::Builder::new().name("signals".to_owned()).spawn(wait).ok();
    }

    /// Waits until nothing has held the process for a while.
    fn give_time(&self) {
        let mut free_since = Instant::now();
        while free_since.elapsed() < PATIENCE {
            thread::sleep(TICK);
            if self.held.load(Ordering::Relaxed) > 0 {
                free_since = Instant::now();
            }
        }
    }
}

/// Says something that may find nobody who reads, and does not wait for long.
fn meanwhile(say: impl FnOnce() + Send + 'static) {
    let (sender, said) = mpsc::channel();
    let speak = move || {
        say();
        sender.send(()).ok();
    };
    if thread::Builder::new().spawn(speak).is_ok() {
        said.recv_timeout(SAYING).ok();
    }
}

/// Whether the process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call only writes the present one, for which there is room; it is read where the call says that it
    // has been written.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_given_to_what_holds_and_a_moment_after_it() {
        let stop = Interrupt::default();
        let held = stop.hold();
        let other = stop.clone();
        let begun = Instant::now();
        let waiter = thread::spawn(move || other.give_time());
        thread::sleep(PATIENCE * 2);
        assert!(!waiter.is_finished());
        drop(held);
        waiter.join().expect("no panic");
        // When it was let go is seen a tick later or sooner.
        assert!(begun.elapsed() >= PATIENCE * 3 - 2 * TICK);
    }
}
