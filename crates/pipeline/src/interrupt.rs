//! Stopping on request: Ctrl-C, SIGTERM and a closed terminal (SIGHUP) finish the step in hand and save its state; a second one stops at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::progress::Progress;

/// The program was asked to stop (SIGINT, SIGTERM, SIGHUP) and has saved its state.
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
    answered: Arc<Once>,
}

impl Default for Interrupt {
    /// One that no signal reaches.
    fn default() -> Self {
        Self {
            signal: Arc::default(),
            answered: Arc::new(Once::new()),
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

    /// Says once that the signal was understood.
    fn answer(&self) {
        self.answered
            .call_once(|| Progress::new().say("stopping after this step; again to stop now"));
    }

    /// Answers the first signal when it comes: what is in hand may take a while to come to its end.
    fn answer_at_once(&self, mut signals: Signals) {
        let stop = self.clone();
        let wait = move || {
            if signals.forever().next().is_some() {
                stop.answer();
            }
        };
        // Without the thread it is said when the step has ended.
        thread::Builder::new().name("signals".to_owned()).spawn(wait).ok();
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
