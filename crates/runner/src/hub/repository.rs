//! Listing and downloading.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use disk::hash_of_file;
use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo};
use serde::Deserialize;

use super::environment::Environment;
use super::error::HubError;
use pipeline::Interrupt;

/// How often a request is made that may succeed a little later.
const ATTEMPTS: u32 = 3;
/// How long the first wait between two attempts is; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long a download may stand still.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a stop is looked for, and progress shown.
const TICK: Duration = Duration::from_millis(100);

/// The hub, and the cache of what was downloaded from it.
#[derive(Debug)]
pub struct Hub {
    environment: Environment,
    api: Api,
}

/// A file of a repository, as the hub states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its path in the repository.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its contents, which the hub states of large files.
    pub sha256: Option<String>,
}

/// The part of the hub's listing that is used.
#[derive(Deserialize)]
struct Listing {
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<LargeFile>,
}

#[derive(Deserialize)]
struct LargeFile {
    sha256: String,
    size: u64,
}

impl Hub {
    /// The hub that the environment names.
    ///
    /// # Errors
    /// When no client can be made for it.
    pub fn new(environment: Environment) -> Result<Self, HubError> {
        let api = ApiBuilder::from_cache(Cache::new(environment.cache.clone()))
            .with_endpoint(environment.endpoint.clone())
            .with_token(environment.token.clone())
            .with_progress(false)
            .build()
            .map_err(|error| HubError::of(error, "the hub", &environment.endpoint))?;
        Ok(Self { environment, api })
    }

    /// The files of a repository.
    ///
    /// # Errors
    /// [`HubError`], after some attempts where that may help.
    pub fn list(&self, repository: &Repo, interrupt: &Interrupt) -> Result<Vec<RemoteFile>, HubError> {
        let what = repository.url();
        let answer = |reason: String| HubError::Answer {
            what: what.clone(),
            reason,
        };
        self.patiently(interrupt, || {
            let (api, repository) = (self.api.clone(), repository.clone());
            let (endpoint, name) = (self.environment.endpoint.clone(), what.clone());
            let work = move || {
                let fault = |error: ureq::Error| HubError::of(Box::new(error).into(), &name, &endpoint);
                let request = api.repo(repository).info_request().query("blobs", "true");
                let mut response = request.call().map_err(fault)?;
                response.body_mut().read_to_string().map_err(fault)
            };
            let text: String = self.watched(&what, interrupt, &Arc::default(), &mut |_| {}, work)?;
            let listing: Listing = serde_json::from_str(&text).map_err(|error| answer(pipeline::json_fault(&error)))?;
            Ok(listing
                .siblings
                .into_iter()
                .map(|file| RemoteFile {
                    size: file.lfs.as_ref().map(|lfs| lfs.size).or(file.size).unwrap_or_default(),
                    sha256: file.lfs.map(|lfs| lfs.sha256),
                    path: file.rfilename,
                })
                .collect())
        })
    }

    /// Downloads a file into the hub's cache, going on where an earlier download ended, and verifies it. `show` is told
    /// how many bytes have arrived.
    ///
    /// # Errors
    /// [`HubError`], after some attempts where that may help; [`HubError::Interrupted`]. What has arrived by
    /// then is kept in the cache, and is gone on with; nothing is there under the file's own name.
    pub fn download(
        &self,
        repository: &Repo,
        file: &RemoteFile,
        interrupt: &Interrupt,
        show: &mut dyn FnMut(u64),
    ) -> Result<PathBuf, HubError> {
        let what = format!("{}/{}", repository.url(), file.path);
        let cache = Cache::new(self.environment.cache.clone());
        if let Some(path) = cache.repo(repository.clone()).get(&file.path)
            && verify(&path, file, &what).is_ok()
        {
            show(file.size);
            return Ok(path);
        }
        self.patiently(interrupt, || {
            if let Some(sha256) = &file.sha256 {
                // hf-hub goes on even behind the end of the file, which no server answers.
                let part = cache.repo(repository.clone()).blob_path(sha256).with_extension("part");
                if fs::metadata(&part).is_ok_and(|part| part.len() >= file.size) {
                    fs::remove_file(&part).map_err(|source| HubError::Io { path: part, source })?;
                }
            }
            let arrived = Arc::<AtomicU64>::default();
            let (api, repository, path) = (self.api.clone(), repository.clone(), file.path.clone());
            let (endpoint, name, counter) = (
                self.environment.endpoint.clone(),
                what.clone(),
                Counter(arrived.clone()),
            );
            let work = move || {
                let download = api.repo(repository).download_with_progress(&path, counter);
                download.map_err(|error| HubError::of(error, &name, &endpoint))
            };
            let path = self.watched(&what, interrupt, &arrived, show, work)?;
            if let Err(error) = verify(&path, file, &what) {
                // The name leads to a file among the cache's blobs: both go, so that no one takes them for whole.
                if let Ok(blob) = fs::canonicalize(&path) {
                    fs::remove_file(blob).ok();
                }
                fs::remove_file(&path).ok();
                return Err(error);
            }
            Ok(path)
        })
    }

    /// Tries again, with growing waits, what may succeed a little later.
    fn patiently<T>(
        &self,
        interrupt: &Interrupt,
        mut attempt: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        if self.environment.offline {
            return Err(HubError::Offline);
        }
        let mut made = 1;
        loop {
            match attempt() {
                Err(error) if error.is_transient() && made < ATTEMPTS => {
                    tracing::warn!("{error}; trying again");
                    let until = Instant::now() + FIRST_WAIT * 2_u32.pow(made - 1);
                    while Instant::now() < until {
                        interrupt.check()?;
                        std::thread::sleep(TICK);
                    }
                    made += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs `work` on a thread of its own, so that a stop is heard and a silent hub noticed while it waits for bytes.
    fn watched<T: Send + 'static>(
        &self,
        what: &str,
        interrupt: &Interrupt,
        arrived: &AtomicU64,
        show: &mut dyn FnMut(u64),
        work: impl FnOnce() -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, HubError> {
        let (sender, receiver) = mpsc::channel();
        let started = std::thread::Builder::new().spawn(move || sender.send(work()));
        started.map_err(HubError::Threads)?;
        let mut last = (0, Instant::now());
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) => {
                    interrupt.check()?;
                    let now = arrived.load(Ordering::Relaxed);
                    show(now);
                    if now != last.0 {
                        last = (now, Instant::now());
                    } else if last.1.elapsed() >= PATIENCE {
                        return Err(HubError::Silent {
                            what: what.to_owned(),
                            seconds: PATIENCE.as_secs(),
                        });
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(HubError::Answer {
                        what: what.to_owned(),
                        reason: "hf-hub could not make sense of it".to_owned(),
                    });
                }
            }
        }
    }
}

/// Counts the bytes of a download.
struct Counter(Arc<AtomicU64>);

impl Progress for Counter {
    fn init(&mut self, _size: usize, _file: &str) {
        self.0.store(0, Ordering::Relaxed);
    }
    fn update(&mut self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
    fn finish(&mut self) {}
}

/// Compares a file's size and hash with what the hub states.
///
/// # Errors
/// [`HubError::Damaged`], [`HubError::Io`].
pub(super) fn verify(path: &Path, file: &RemoteFile, what: &str) -> Result<(), HubError> {
    let fault = |source| HubError::Io {
        path: path.to_owned(),
        source,
    };
    let damaged = |found: String, expected: String| HubError::Damaged {
        what: what.to_owned(),
        found,
        expected,
    };
    let size = fs::metadata(path).map_err(fault)?.len();
    if size != file.size {
        return Err(damaged(format!("{size} bytes"), format!("{} bytes", file.size)));
    }
    if let Some(expected) = &file.sha256 {
        let found = hash_of_file(path).map_err(fault)?;
        if found != *expected {
            return Err(damaged(format!("SHA-256 {found}"), expected.clone()));
        }
    }
    Ok(())
}

/// Puts a downloaded file in its place: as a second name of the cache's file where the system can, as a copy otherwise.
///
/// # Errors
/// [`HubError::Io`]; a half-written copy is removed.
pub fn place(cached: &Path, destination: &Path) -> Result<(), HubError> {
    let fault = |source| HubError::Io {
        path: destination.to_owned(),
        source,
    };
    if let Some(folder) = destination.parent() {
        fs::create_dir_all(folder).map_err(fault)?;
    }
    let source = fs::canonicalize(cached).map_err(fault)?;
    let mut part = destination.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::remove_file(&part).ok();
    let placed = fs::hard_link(&source, &part)
        .or_else(|_| fs::copy(&source, &part).map(drop))
        .and_then(|()| fs::rename(&part, destination));
    // A rename between two names of one file does nothing and leaves both.
    fs::remove_file(&part).ok();
    placed.map_err(fault)
}

/// Whether `destination` is already the file that the hub states.
pub fn is_placed(destination: &Path, file: &RemoteFile) -> bool {
    verify(destination, file, "").is_ok()
}
