use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::batch::Batch;
use super::prepare::Preparer;
use crate::{Error, Result};

/// The batches of one epoch, in order. Made by [`Loader::epoch`](crate::Loader::epoch), and by
/// [`Loader::pixel_epoch`](crate::Loader::pixel_epoch) with the images as pixels.
pub struct Batches<B = Batch> {
    job: Arc<Job<B>>,
    remaining: Range<usize>,
    first: usize,
    workers: Vec<Worker<B>>,
    /// The next one, where it was [waited for](Self::is_ready_within) and has come.
    next: Option<Result<B>>,
}

/// Makes the batch of some images in an epoch; `None` when it was told to stop meanwhile.
pub(crate) type Prepare<B> = fn(&Preparer, &[usize], u64, &AtomicBool) -> Option<Result<B>>;

/// What all threads of an epoch share.
struct Job<B> {
    preparer: Arc<Preparer>,
    prepare: Prepare<B>,
    order: Arc<Vec<usize>>,
    epoch: u64,
    stop: AtomicBool,
}

/// Worker k of T builds batches first + k, first + k + T, ... and hands them over through a channel of its own, so that
/// reading the channels in turn gives the batches in order.
struct Worker<B> {
    /// `None` when the system had no thread to give: the caller's thread does this worker's part.
    thread: Option<(Receiver<Result<B>>, JoinHandle<()>)>,
}

impl<B: Send + 'static> Batches<B> {
    pub(crate) fn start(
        preparer: Arc<Preparer>,
        prepare: Prepare<B>,
        order: Arc<Vec<usize>>,
        epoch: u64,
        remaining: Range<usize>,
    ) -> Self {
        let threads = preparer.config().threads.min(remaining.len());
        let waiting = preparer.config().prefetch.checked_div(threads).unwrap_or(0);
        let job = Arc::new(Job {
            preparer,
            prepare,
            order,
            epoch,
            stop: AtomicBool::new(false),
        });
        let workers = (0..threads)
            .map(|worker| {
                let (sender, receiver) = sync_channel(waiting);
                let part = (remaining.start + worker..remaining.end).step_by(threads);
                let job = Arc::clone(&job);
                let thread = thread::Builder::new()
                    .name(format!("loader {worker}"))
                    .spawn(move || job.work(part, &sender));
                Worker {
                    thread: thread.ok().map(|handle| (receiver, handle)),
                }
            })
            .collect();
        Self {
            job,
            first: remaining.start,
            remaining,
            workers,
            next: None,
        }
    }

    /// Waits so long for the next batch, whose images may be large; whether [`next`](Iterator::next) now returns without waiting.
    pub fn is_ready_within(&mut self, time: Duration) -> bool {
        if self.next.is_some() || self.remaining.is_empty() {
            return true;
        }
        let number = self.remaining.start;
        // What the caller's thread makes is not there before it does.
        let Some(batches) = self.worker(number) else {
            return true;
        };
        self.next = match batches.recv_timeout(time) {
            Ok(batch) => Some(batch),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Error::Worker { batch: number })),
        };
        true
    }
}

impl<B> Batches<B> {
    /// From where a batch comes; `None` where the caller's thread makes it.
    fn worker(&self, number: usize) -> Option<&Receiver<Result<B>>> {
        let turn = (number - self.first).checked_rem(self.workers.len())?;
        self.workers[turn].thread.as_ref().map(|(batches, _)| batches)
    }
}

impl<B> Job<B> {
    fn work(&self, batches: impl Iterator<Item = usize>, out: &SyncSender<Result<B>>) {
        for number in batches {
            let Some(batch) = self.batch(number) else {
                return;
            };
            if out.send(batch).is_err() {
                return;
            }
        }
    }

    fn batch(&self, number: usize) -> Option<Result<B>> {
        let size = self.preparer.config().batch_size;
        let start = number * size;
        let end = (start + size).min(self.order.len());
        (self.prepare)(&self.preparer, &self.order[start..end], self.epoch, &self.stop)
    }
}

impl<B> Iterator for Batches<B> {
    type Item = Result<B>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.remaining.next()?;
        if let Some(batch) = self.next.take() {
            return Some(batch);
        }
        match self.worker(number) {
            // A channel closes early only if its worker panicked.
            Some(batches) => Some(batches.recv().unwrap_or(Err(Error::Worker { batch: number }))),
            None => self.job.batch(number),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.remaining.size_hint()
    }
}

impl<B> ExactSizeIterator for Batches<B> {}

impl<B> Drop for Batches<B> {
    fn drop(&mut self) {
        self.job.stop.store(true, Ordering::Relaxed);
        // Closing all channels first wakes the workers that wait for room in them.
        let (receivers, handles): (Vec<_>, Vec<_>) = self.workers.drain(..).filter_map(|worker| worker.thread).unzip();
        drop(receivers);
        for handle in handles {
            // A worker that panicked has been reported in its batch's place.
            let _ = handle.join();
        }
    }
}
