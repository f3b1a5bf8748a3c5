//! A results folder at work: steps that have not run yet, or whose inputs have changed, are run and recorded.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use disk::hash_of_file;

use super::error::{Error, Result, StepError, describe};
use super::folder::ResultsFolder;
use super::interrupt::Interrupt;
use super::key::Key;
use super::manifest::{Manifest, StepRecord};
use super::progress::Progress;

/// A results folder that this process has taken, and the record of its steps.
#[derive(Debug)]
pub struct Workspace {
    results: ResultsFolder,
    /// Steps that run beside each other are recorded in it, and whoever runs steps only borrows the workspace.
    manifest: Mutex<Manifest>,
    /// That of the program's results: steps of another one run again.
    version: u32,
    progress: Progress,
    interrupt: Interrupt,
}

impl Workspace {
    /// Takes a results folder. With `fresh`, forgets what earlier runs did.
    ///
    /// # Errors
    /// When the folder is held, cannot be written, or has a damaged manifest.
    pub fn open(folder: &Path, version: u32, fresh: bool, interrupt: Interrupt) -> Result<Self> {
        let results = ResultsFolder::open(folder)?;
        let manifest = if fresh {
            Manifest::default()
        } else {
            Manifest::read(results.path())?
        };
        Ok(Self {
            results,
            manifest: Mutex::new(manifest),
            version,
            progress: Progress::new(),
            interrupt,
        })
    }

    /// The folder.
    pub fn results(&self) -> &ResultsFolder {
        &self.results
    }

    /// Where progress is shown.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether to stop.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The record as it is now: a copy, so that nobody holds it while steps run.
    pub fn manifest(&self) -> Manifest {
        self.lock().clone()
    }

    /// Changes the record in memory; [`Self::save`], or the next step that runs, writes it.
    pub fn amend(&self, change: impl FnOnce(&mut Manifest)) {
        change(&mut self.lock());
    }

    /// Forgets that a step has run, in memory.
    pub fn forget(&self, step: &str) {
        self.amend(|manifest| {
            manifest.stages.remove(step);
        });
    }

    /// Writes the record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<()> {
        self.lock().write(&self.results)
    }

    /// Runs a step unless its files are already there and its inputs, whose key is given, are unchanged.
    ///
    /// `work` writes the step's files and returns their paths in the results folder.
    ///
    /// # Errors
    /// Those of `work`, and of writing the manifest; [`Error::Interrupted`] before the work is begun.
    pub fn stage<E: StepError>(
        &self,
        step: &str,
        key: Key,
        work: impl FnOnce() -> Result<Vec<String>, E>,
    ) -> Result<(), E> {
        if self.is_unchanged(step, &key) {
            return Ok(());
        }
        self.interrupt.check().map_err(Error::from)?;
        let started = Instant::now();
        let written = work()?;
        let record = self.record(step, key, started.elapsed(), written)?;
        Ok(self.add(step.to_owned(), record)?)
    }

    /// Whether a step's files are already there and its inputs unchanged.
    pub fn is_current(&self, step: &str, key: &Key) -> bool {
        let key = key.clone().of_step(self.version, step);
        self.manifest().is_current(&self.results, step, &key)
    }

    /// The same, and says so.
    pub fn is_unchanged(&self, step: &str, key: &Key) -> bool {
        let unchanged = self.is_current(step, key);
        if unchanged {
            self.progress.say(&format!("{step:24} unchanged"));
        }
        unchanged
    }

    /// Runs steps beside each other, whether or not they have run before. Each is recorded when it is finished; one that fails does
    /// not stop the others.
    ///
    /// # Errors
    /// The first of the steps' own, once all have ended; and those of writing the manifest.
    pub fn stages_side_by_side<E: StepError>(&self, steps: Vec<ConcurrentStep<'_, E>>) -> Result<(), E> {
        self.interrupt.check().map_err(Error::from)?;
        let mut first_error = None;
        let mut running = steps.len();
        let (sender, finished) = mpsc::channel();
        thread::scope(|scope| -> Result<()> {
            for one in steps {
                let ConcurrentStep {
                    name,
                    key,
                    threads,
                    work,
                } = one;
                let sender = sender.clone();
                scope.spawn(move || {
                    let started = Instant::now();
                    let written = on_threads(threads, work).map_err(E::from).flatten();
                    let record = written.and_then(|written| Ok(self.record(&name, key, started.elapsed(), written)?));
                    // The other end waits for every step.
                    let _ = sender.send((name, record));
                });
            }
            drop(sender);
            for (name, record) in finished {
                running -= 1;
                match record {
                    Ok(record) => self.add(name, record)?,
                    Err(error) => {
                        // The others may take hours; the run ends with the first error.
                        if running > 0 && !error.is_interruption() {
                            let why = describe(&error);
                            self.progress.say(&format!("{name:24} failed, the others go on: {why}"));
                        }
                        first_error.get_or_insert(error);
                    }
                }
            }
            Ok(())
        })?;
        first_error.map_or(Ok(()), Err)
    }

    /// The record of a step that wrote these files, as they are on disk.
    fn record(&self, step: &str, key: Key, time: Duration, written: Vec<String>) -> Result<StepRecord> {
        let hashed = written.into_iter().map(|relative| {
            let path = self.results.join(&relative);
            let hash = hash_of_file(&path).map_err(Error::io(&path, "reading back"))?;
            Ok((relative, hash))
        });
        Ok(StepRecord {
            key: key.of_step(self.version, step),
            seconds: time.as_secs_f64(),
            artefacts: hashed.collect::<Result<_>>()?,
        })
    }

    /// Records a step.
    fn add(&self, step: String, record: StepRecord) -> Result<()> {
        let mut manifest = self.lock();
        manifest.stages.insert(step, record);
        manifest.write(&self.results)
    }

    fn lock(&self) -> MutexGuard<'_, Manifest> {
        // Nothing that can panic happens between two changes of the manifest: it is whole.
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step that can run beside others ([`Workspace::stages_side_by_side`]).
pub struct ConcurrentStep<'a, E> {
    /// Its name.
    pub name: String,
    /// That of its inputs.
    pub key: Key,
    /// Threads of its own for its parallel loops.
    pub threads: usize,
    /// What it does: writes the step's files and returns their paths in the results folder.
    pub work: Box<dyn FnOnce() -> Result<Vec<String>, E> + Send + 'a>,
}

/// Runs `work` where parallel loops have so many threads of their own.
fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    Ok(pool.map_err(Error::Threads)?.install(work))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn workspace(folder: &Path, version: u32) -> Workspace {
        Workspace::open(folder, version, false, Interrupt::default()).expect("free")
    }

    #[test]
    fn a_step_runs_until_it_has_written_what_it_should() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runs = Cell::new(0);
        let run = |workspace: &Workspace, setting: &str| {
            workspace.stage("a", Key::default().text(setting), || -> Result<_> {
                runs.set(runs.get() + 1);
                workspace.results().write("a.txt", setting.as_bytes())?;
                Ok(vec!["a.txt".to_owned()])
            })
        };
        let first = workspace(folder.path(), 1);
        run(&first, "x").expect("written");
        run(&first, "x").expect("unchanged");
        assert_eq!(runs.get(), 1);
        run(&first, "y").expect("written");
        assert_eq!(runs.get(), 2);
        first.results().write("a.txt", b"by another hand").expect("written");
        run(&first, "y").expect("written");
        assert_eq!(runs.get(), 3);
        first.forget("a");
        run(&first, "y").expect("written");
        assert_eq!(runs.get(), 4);
        drop(first);
        run(&workspace(folder.path(), 1), "y").expect("unchanged");
        assert_eq!(runs.get(), 4);
        run(&workspace(folder.path(), 2), "y").expect("written");
        assert_eq!(runs.get(), 5);
    }

    #[test]
    fn a_step_that_fails_lets_the_others_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path(), 1);
        let step = |name: &str, work: Box<dyn FnOnce() -> Result<Vec<String>> + Send>| ConcurrentStep {
            name: name.to_owned(),
            key: Key::default(),
            threads: 1,
            work,
        };
        let missing = Path::new("nowhere");
        let steps = vec![
            step("bad", Box::new(|| Err(Error::artefact(missing, "is damaged")))),
            step("good", Box::new(|| Ok(Vec::new()))),
        ];
        workspace.stages_side_by_side(steps).expect_err("one fails");
        assert!(workspace.is_current("good", &Key::default()));
        assert!(!workspace.is_current("bad", &Key::default()));
    }
}
