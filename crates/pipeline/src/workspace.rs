//! A results folder at work: steps that have not run yet, or whose inputs have changed, are run and recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::content::Contents;
use crate::declaration::Declaration;
use crate::error::{Error, Result, StepError};
use crate::failures::Failures;
use crate::folder::ResultsFolder;
use crate::interrupt::Interrupt;
use crate::judgement::why;
use crate::leftovers::{Leftovers, Way};
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::reason::Reason;
use crate::record::{Provenance, StepRecord, utc};
use crate::sandbox::Sandbox;

/// A results folder that this process has taken, and the record of its steps.
#[derive(Debug)]
pub struct Workspace {
    results: ResultsFolder,
    /// Steps that run beside each other are recorded in it, and whoever runs steps only borrows the workspace.
    manifest: Mutex<Manifest>,
    contents: Contents,
    /// Who runs steps; each adds its own time and threads.
    maker: Provenance,
    progress: Progress,
    interrupt: Interrupt,
}

impl Workspace {
    /// Takes a results folder for `maker`. With `fresh`, nothing that earlier runs did counts.
    ///
    /// # Errors
    /// When the folder is held, cannot be written, or has a damaged manifest.
    pub fn open(
        folder: &Path,
        contents: Contents,
        maker: Provenance,
        fresh: bool,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let results = ResultsFolder::open(folder)?;
        let progress = Progress::new();
        let mut manifest = match Manifest::read(results.path()) {
            // Nothing that is in it counts, readable or not.
            Err(_) if fresh => Manifest::default(),
            manifest => manifest?,
        };
        if fresh {
            manifest.forget_all();
        } else if manifest.is_older() {
            progress.say(&format!(
                "{}: the record is of an older program, which did not say what each step read: every step runs again",
                results.path().display()
            ));
        }
        Ok(Self {
            results,
            manifest: Mutex::new(manifest),
            contents,
            maker,
            progress,
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

    /// Hashes of files.
    pub fn contents(&self) -> &Contents {
        &self.contents
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

    /// Runs a step unless its files are already there and what it reads is unchanged; says which, and why. What `work` writes to its
    /// sandbox becomes the step's artefacts.
    ///
    /// # Errors
    /// Those of `work`, and of reading and writing the record; [`Error::Interrupted`] before the work is begun.
    pub fn step<E: StepError>(
        &self,
        declaration: &Declaration,
        work: impl FnOnce(&Sandbox<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_unchanged(declaration)? {
            return Ok(());
        }
        self.interrupt.check().map_err(Error::from)?;
        let (start, sandbox) = (Start::now(), self.sandbox(declaration));
        work(&sandbox)?;
        // What is made is not lost for a signal that comes before it is recorded.
        let _held = self.interrupt.hold();
        Ok(self.add(declaration, &start, start.instant.elapsed(), sandbox.into_written())?)
    }

    /// Runs those of some steps whose files are not there, or whose inputs have changed, in one go: `work` gets the positions of those
    /// that are to run, and a sandbox for each. They share what none of them would have to do alone, so each is recorded with an equal
    /// part of the time.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn together<E: StepError>(
        &self,
        declarations: &[Declaration],
        work: impl FnOnce(&[(usize, Sandbox<'_>)]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut stale = Vec::new();
        for (position, declaration) in declarations.iter().enumerate() {
            if !self.is_unchanged(declaration)? {
                stale.push((position, self.sandbox(declaration)));
            }
        }
        if stale.is_empty() {
            return Ok(());
        }
        self.interrupt.check().map_err(Error::from)?;
        let start = Start::now();
        work(&stale)?;
        let _held = self.interrupt.hold();
        let share = start.instant.elapsed() / u32::try_from(stale.len()).unwrap_or(u32::MAX);
        for (position, sandbox) in stale {
            self.add(&declarations[position], &start, share, sandbox.into_written())?;
        }
        Ok(())
    }

    fn sandbox<'a>(&'a self, declaration: &'a Declaration) -> Sandbox<'a> {
        let reads = declaration.reads(&self.lock().stages);
        let step = (declaration.step(), declaration.version());
        Sandbox::new(step, reads, &self.results, &self.progress, &self.interrupt)
    }

    /// Why a step would run; `None` where it would not.
    ///
    /// # Errors
    /// When one of its files cannot be read.
    pub fn why(&self, declaration: &Declaration) -> Result<Option<Reason>> {
        why(&self.manifest(), self.results.path(), &self.contents, declaration)
    }

    /// Whether a step's files are already there and what it reads is unchanged: says so, or why not.
    ///
    /// # Errors
    /// As [`Self::why`].
    pub fn is_unchanged(&self, declaration: &Declaration) -> Result<bool> {
        let reason = self.why(declaration)?;
        let words = reason
            .as_ref()
            .map_or_else(|| "unchanged".to_owned(), Reason::to_string);
        self.progress.say(&format!("{:24} {words}", declaration.step()));
        Ok(reason.is_none())
    }

    /// Runs steps beside each other, whether or not they have run before. Each is recorded when it is finished; one that fails does
    /// not stop the others. Every failure but the returned one is said.
    ///
    /// # Errors
    /// The first of the steps' own, once all have ended, a failure before a stop that was asked for; and those of writing the manifest.
    pub fn side_by_side<E: StepError>(&self, steps: Vec<ConcurrentStep<'_, E>>) -> Result<(), E> {
        self.interrupt.check().map_err(Error::from)?;
        let mut failures = Failures::none();
        let mut running = steps.len();
        let (sender, finished) = mpsc::channel();
        thread::scope(|scope| {
            for one in steps {
                let ConcurrentStep {
                    declaration,
                    threads,
                    work,
                } = one;
                let to_be_told = sender.clone();
                let step = declaration.step().to_owned();
                let run = move || {
                    let work = || {
                        let (start, sandbox) = (Start::now(), self.sandbox(&declaration));
                        work(&sandbox).map(|()| (start, sandbox.into_written()))
                    };
                    let written = on_threads(threads, work).map_err(E::from).flatten();
                    let _held = self.interrupt.hold();
                    let added = written.and_then(|(start, written)| {
                        Ok(self.add(&declaration, &start, start.instant.elapsed(), written)?)
                    });
                    // The other end waits for every step.
                    let _ = to_be_told.send((declaration.step().to_owned(), added));
                };
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, run) {
                    let _ = sender.send((step, Err(Error::Threads(error).into())));
                }
            }
            drop(sender);
            for (step, added) in finished {
                running -= 1;
                let Err(error) = added else { continue };
                if let Some(words) = failures.add(&step, error, running > 0) {
                    self.progress.say(&words);
                }
            }
        });
        failures.result()
    }

    /// Takes away what no step of the plan makes: files that the record has as made by steps that the plan does not have. They may have
    /// taken days, so they are put into a new folder, where nothing is read. A file that somebody has changed since is
    /// left, and so is everything that no step has made.
    ///
    /// # Errors
    /// When a file cannot be moved, or the record not be written.
    pub fn keep_only(&self, steps: &BTreeSet<String>) -> Result<()> {
        let mut manifest = self.lock();
        self.leftovers().remove_unrecorded(&manifest.files());
        let unwanted: Vec<String> = manifest
            .stages
            .keys()
            .filter(|step| !steps.contains(*step))
            .cloned()
            .collect();
        if unwanted.is_empty() {
            return Ok(());
        }
        let leftovers = self.leftovers();
        let place = leftovers.place_for_earlier();
        for step in unwanted {
            let Some(record) = manifest.stages.remove(&step) else {
                continue;
            };
            leftovers.take_away(&step, &record, &manifest.files(), Way::Aside(&place))?;
        }
        manifest.write(&self.results)
    }

    /// Ends a run: all of its steps are recorded, and nothing is to be remembered of what they were about to write.
    pub fn settle(&self) {
        self.leftovers().remove_unrecorded(&self.manifest().files());
    }

    /// Records a step that has written these files in this time, as they are on disk. Files that it made the last time and not now go.
    fn add(&self, declaration: &Declaration, start: &Start, took: Duration, written: BTreeSet<String>) -> Result<()> {
        let step = declaration.step();
        let mut artefacts = BTreeMap::new();
        for relative in written {
            let path = self.results.join(&relative);
            let hash = disk::hash_of_file(&path).map_err(Error::io(&path, "reading back"))?;
            artefacts.insert(relative, hash);
        }
        let mut manifest = self.lock();
        let reads = declaration.reads(&manifest.stages);
        let record = StepRecord {
            key: reads.key(step, declaration.version()),
            version: declaration.version(),
            reads,
            seconds: took.as_secs_f64(),
            provenance: Provenance {
                threads: start.threads,
                started: utc(start.time),
                ..self.maker.clone()
            },
            artefacts,
        };
        let before = manifest.stages.insert(step.to_owned(), record);
        // First the record: the work may have taken hours.
        manifest.write(&self.results)?;
        match before {
            Some(before) => self.leftovers().take_away(step, &before, &manifest.files(), Way::Gone),
            None => Ok(()),
        }
    }

    fn leftovers(&self) -> Leftovers<'_> {
        Leftovers {
            results: &self.results,
            contents: &self.contents,
            progress: &self.progress,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Manifest> {
        // Nothing that can panic happens between two changes of the manifest: it is whole.
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a step began, and on how many threads.
struct Start {
    time: SystemTime,
    instant: Instant,
    threads: usize,
}

impl Start {
    fn now() -> Self {
        Self {
            time: SystemTime::now(),
            instant: Instant::now(),
            threads: rayon::current_num_threads(),
        }
    }
}

/// A step that can run beside others ([`Workspace::side_by_side`]).
pub struct ConcurrentStep<'a, E> {
    /// What it reads.
    pub declaration: Declaration,
    /// Threads of its own for its parallel loops.
    pub threads: usize,
    /// What it does: writes the step's files to its sandbox.
    pub work: StepWork<'a, E>,
}

/// The work of a step that can run on a thread of its own.
pub type StepWork<'a, E> = Box<dyn FnOnce(&Sandbox<'_>) -> Result<(), E> + Send + 'a>;

/// Runs `work` where parallel loops have so many threads of their own.
fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Threads(std::io::Error::other(error)))?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;
    use crate::content::Belief;
    use crate::interrupt::Interrupted;
    use crate::own_process::own_process;

    fn workspace(folder: &Path) -> Workspace {
        let contents = Contents::open(None, Belief::Unchanged);
        let maker = Provenance {
            device: "cpu".to_owned(),
            ..Provenance::default()
        };
        Workspace::open(folder, contents, maker, false, Interrupt::default()).expect("free")
    }

    /// A step that writes some files, each with the same content.
    fn write(workspace: &Workspace, declaration: &Declaration, files: &[&str]) {
        let work =
            |sandbox: &Sandbox<'_>| -> Result<()> { files.iter().try_for_each(|file| sandbox.write(file, b"made")) };
        workspace.step(declaration, work).expect("written");
    }

    /// Of two steps that share their work, only those that have something to do are in it, and each has its own record.
    #[test]
    fn steps_that_share_their_work_are_judged_one_by_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        let steps = ["a", "b"].map(|name| Declaration::of(name, 1));
        let run = |again: &[usize]| {
            workspace.together(&steps, |stale| -> Result<()> {
                let positions: Vec<usize> = stale.iter().map(|(position, _)| *position).collect();
                assert_eq!(positions, again);
                stale.iter().try_for_each(|(_, sandbox)| {
                    thread::sleep(Duration::from_millis(20));
                    sandbox.write(&format!("{}.txt", sandbox.step()), b"made")
                })
            })
        };
        run(&[0, 1]).expect("both");
        let seconds = |step: &str| workspace.manifest().stages[step].seconds;
        assert_eq!(seconds("a"), seconds("b"));
        assert!(seconds("a") >= 0.02, "half of both");
        let nothing = workspace.together(&steps, |_| -> Result<()> { panic!("nothing to do") });
        nothing.expect("unchanged");
        fs::remove_file(folder.path().join("b.txt")).expect("removed");
        run(&[1]).expect("the one without its file");
        assert!(workspace.manifest().stages["a"].artefacts.contains_key("a.txt"));
    }

    #[test]
    fn a_step_runs_until_it_has_written_what_it_should() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runs = Cell::new(0);
        let run = |workspace: &Workspace, setting: &str, version: u32| {
            let declaration = Declaration::of("a", version).settings("setting", setting);
            workspace.step(&declaration, |sandbox| -> Result<()> {
                runs.set(runs.get() + 1);
                sandbox.write("a.txt", setting.as_bytes())
            })
        };
        let first = workspace(folder.path());
        run(&first, "x", 1).expect("written");
        run(&first, "x", 1).expect("unchanged");
        assert_eq!(runs.get(), 1);
        run(&first, "y", 1).expect("written");
        assert_eq!(runs.get(), 2);
        first.results().write("a.txt", b"by another hand").expect("written");
        run(&first, "y", 1).expect("written");
        assert_eq!(runs.get(), 3);
        first.forget("a");
        run(&first, "y", 1).expect("written");
        assert_eq!(runs.get(), 4);
        drop(first);
        run(&workspace(folder.path()), "y", 1).expect("unchanged");
        assert_eq!(runs.get(), 4);
        run(&workspace(folder.path()), "y", 2).expect("written");
        assert_eq!(runs.get(), 5);
    }

    #[test]
    fn equal_bytes_do_not_wake_the_steps_behind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        let behind = Declaration::of("b", 1).artefact("a", "a.txt");
        write(&workspace, &Declaration::of("a", 1), &["a.txt"]);
        write(&workspace, &behind, &["b.txt"]);
        write(&workspace, &Declaration::of("a", 2), &["a.txt"]);
        assert_eq!(workspace.why(&behind).expect("readable"), None);
    }

    fn beside(name: &str, work: StepWork<'static, Error>) -> ConcurrentStep<'static, Error> {
        ConcurrentStep {
            declaration: Declaration::of(name, 1),
            threads: 1,
            work,
        }
    }

    #[test]
    fn a_step_that_fails_lets_the_others_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        let missing: &'static Path = Path::new("nowhere");
        let steps = vec![
            beside("bad", Box::new(|_| Err(Error::artefact(missing, "is damaged")))),
            beside("good", Box::new(|_| Ok(()))),
        ];
        workspace.side_by_side(steps).expect_err("one fails");
        let is_current = |step: &str| workspace.why(&Declaration::of(step, 1)).expect("readable").is_none();
        assert!(is_current("good"));
        assert!(!is_current("bad"));
    }

    #[test]
    fn who_made_a_step_stays_with_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(&workspace(folder.path()), &Declaration::of("a", 1), &["a.txt"]);
        let contents = Contents::open(None, Belief::Unchanged);
        let maker = Provenance {
            device: "cuda:0".to_owned(),
            ..Provenance::default()
        };
        let other = Workspace::open(folder.path(), contents, maker, false, Interrupt::default()).expect("free");
        write(&other, &Declaration::of("a", 1), &["a.txt"]);
        write(&other, &Declaration::of("b", 1), &["b.txt"]);
        let manifest = Manifest::read(folder.path()).expect("a record");
        let device = |step: &str| manifest.stages[step].provenance.device.clone();
        assert_eq!((device("a").as_str(), device("b").as_str()), ("cpu", "cuda:0"));
        assert_eq!(manifest.devices(), "cpu (a), cuda:0 (b)");
    }

    #[test]
    fn what_no_step_makes_any_more_goes_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        let there = |path: &str| folder.path().join(path).exists();
        write(&workspace, &Declaration::of("a", 1), &["a/1.txt", "a/2.txt"]);
        write(&workspace, &Declaration::of("b", 1), &["b/1.txt", "b/2.txt"]);
        fs::write(folder.path().join("b/mine.txt"), "mine").expect("written");
        fs::write(folder.path().join("b/2.txt"), "edited").expect("written");
        write(&workspace, &Declaration::of("a", 2), &["a/1.txt"]);
        assert!(there("a/1.txt") && !there("a/2.txt"));
        workspace.keep_only(&BTreeSet::from(["a".to_owned()])).expect("removed");
        assert!(there("a/1.txt") && !there("b/1.txt") && there("b/2.txt") && there("b/mine.txt"));
        assert!(
            !Manifest::read(folder.path())
                .expect("a record")
                .stages
                .contains_key("b")
        );
    }

    #[test]
    fn the_record_of_an_older_program_makes_every_step_run() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let older = r#"{"version": "0.0.9", "revision": null, "command": [], "seed": 1, "device": "cpu", "data": "faces",
            "stages": {"a": {"key": "0", "seconds": 1.0, "artefacts": {"a.txt": "0"}}}}"#;
        fs::write(folder.path().join("manifest.json"), older).expect("written");
        let workspace = workspace(folder.path());
        let reason = workspace
            .why(&Declaration::of("a", 1))
            .expect("readable")
            .expect("a reason");
        assert!(reason.to_string().starts_with("recorded by a program"), "{reason}");
        write(&workspace, &Declaration::of("a", 1), &["a.txt"]);
        assert_eq!(workspace.why(&Declaration::of("a", 1)).expect("readable"), None);
    }

    #[test]
    fn a_failure_counts_for_more_than_a_stop_that_came_before_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        let (stopped, after) = mpsc::channel();
        let stops = move |_: &Sandbox<'_>| {
            stopped.send(()).expect("heard");
            Err(Interrupted { signal: 2 }.into())
        };
        let fails = move |_: &Sandbox<'_>| {
            after.recv().expect("said");
            thread::sleep(Duration::from_millis(50));
            Err(Error::artefact(Path::new("nowhere"), "is damaged"))
        };
        let steps = vec![beside("stops", Box::new(stops)), beside("fails", Box::new(fails))];
        let message = workspace.side_by_side(steps).expect_err("one fails").to_string();
        assert!(message.contains("is damaged"), "{message}");
    }

    #[test]
    fn what_each_earlier_plan_made_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        for (plan, content) in [
            ("a", "first"),
            ("b", "second"),
            ("a", "third"),
            ("b", "fourth"),
            ("a", "fifth"),
        ] {
            workspace.keep_only(&BTreeSet::from([plan.to_owned()])).expect("moved");
            let declaration = Declaration::of(plan, 1).settings("content", content);
            let work = |sandbox: &Sandbox<'_>| -> Result<()> { sandbox.write("made.txt", content.as_bytes()) };
            workspace.step(&declaration, work).expect("written");
        }
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).expect("kept");
        let kept = ["earlier.plan", "earlier.plan-2", "earlier.plan-3", "earlier.plan-4"];
        assert_eq!(
            kept.map(|place| read(&format!("{place}/made.txt"))),
            ["first", "second", "third", "fourth"]
        );
        assert_eq!(read("made.txt"), "fifth");
    }

    /// A file of the system, which nobody can remove.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_old_file_that_cannot_be_removed_does_not_lose_the_record_of_the_work() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = workspace(folder.path());
        std::os::unix::fs::symlink("/proc", folder.path().join("old")).expect("a link");
        let hash = disk::hash_of(&fs::read("/proc/version").expect("read"));
        workspace.amend(|manifest| {
            let record = StepRecord {
                artefacts: BTreeMap::from([("old/version".to_owned(), hash)]),
                ..StepRecord::default()
            };
            manifest.stages.insert("a".to_owned(), record);
        });
        write(&workspace, &Declaration::of("a", 1), &["a.txt"]);
        drop(workspace);
        let recorded = Manifest::read(folder.path()).expect("a record");
        assert_eq!(recorded.files(), BTreeSet::from(["a.txt".to_owned()]));
    }

    #[test]
    fn a_file_that_stays_is_named() {
        let Some(mut again) = own_process("workspace::tests::a_file_that_stays_is_named") else {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let workspace = workspace(folder.path());
            write(
                &workspace,
                &Declaration::of("a", 1),
                &["a.txt", "no_file.txt", "gone.txt"],
            );
            for path in ["no_file.txt", "gone.txt"] {
                workspace.results().remove(path).expect("removed");
            }
            fs::create_dir(folder.path().join("no_file.txt")).expect("made");
            return workspace.keep_only(&BTreeSet::new()).expect("moved");
        };
        let output = again.output().expect("starts");
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("moved to earlier.plan: a.txt"), "{said}");
        assert!(
            said.contains("no longer makes no_file.txt, which stays: ") && said.contains("reading failed"),
            "{said}"
        );
        assert!(!said.contains("gone.txt"), "{said}");
    }
}
