//! Why a file of the hub could not be had.

use std::path::PathBuf;

use hf_hub::api::sync::ApiError;

use pipeline::Interrupted;

/// Why a file of the hub could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// `HF_HUB_OFFLINE` forbids asking.
    #[error("HF_HUB_OFFLINE is set, so nothing is downloaded; unset it")]
    Offline,
    /// Nowhere to keep downloads.
    #[error("there is no home folder for the hub's cache; name one with HF_HUB_CACHE or HF_HOME")]
    NoCache,
    /// The hub's answer was an error.
    #[error("{what}: {}", meaning(*status))]
    Status {
        /// Repository and file.
        what: String,
        /// The status of the answer.
        status: u16,
    },
    /// The hub did not answer, or the connection broke.
    #[error(
        "{what}: the connection to {endpoint} failed ({reason}); what has arrived is kept, the same command goes on from there"
    )]
    Connection {
        /// Repository and file.
        what: String,
        /// The hub's address.
        endpoint: String,
        /// The system's reason.
        reason: String,
    },
    /// The hub went silent.
    #[error(
        "{what}: nothing has arrived for {seconds} s; what has arrived is kept, the same command goes on from there"
    )]
    Silent {
        /// Repository and file.
        what: String,
        /// For how long it was waited.
        seconds: u64,
    },
    /// An answer that is not what the hub's protocol says.
    #[error("{what}: the answer is not a hub's ({reason}); is HF_ENDPOINT right?")]
    Answer {
        /// Repository and file.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that is not what the hub states; it has been removed.
    #[error(
        "{what}: {found} arrived where the hub states {expected}; the file was removed, the same command downloads it anew"
    )]
    Damaged {
        /// Repository and file.
        what: String,
        /// Size or hash of what arrived.
        found: String,
        /// Size or hash that the hub states.
        expected: String,
    },
    /// The repository no longer has the files that are looked for.
    #[error("{what}: the repository has no such file")]
    Absent {
        /// Repository and file.
        what: String,
    },
    /// The system has no thread to wait for the hub on.
    #[error("no thread can be started ({0})")]
    Threads(std::io::Error),
    /// Another process downloads the same file.
    #[error("{}: another process is downloading this file; wait for it", path.display())]
    Held {
        /// Its lock.
        path: PathBuf,
    },
    /// The program was asked to stop. What has arrived is kept.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// A file of the cache or in its place could not be read or written.
    #[error("{}: reading or writing failed", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// What an answer's status means here, and what to do.
fn meaning(status: u16) -> String {
    match status {
        401 | 403 => format!(
            "access refused (status {status}): the repository may ask for an agreement on its page; accept it, and set HF_TOKEN to \
             a token of your account"
        ),
        404 => "not found (status 404): the repository or file is gone or has another name".to_owned(),
        429 => "too many requests (status 429): wait some minutes, or set HF_TOKEN for a larger allowance".to_owned(),
        500..=599 => format!("the hub has a fault of its own (status {status}): try again later"),
        _ => format!("the hub answered with status {status}"),
    }
}

impl HubError {
    /// Translates hf-hub's error about `what`.
    pub(super) fn of(error: ApiError, what: &str, endpoint: &str) -> Self {
        let what = what.to_owned();
        let reason = |error: &dyn std::fmt::Display| error.to_string();
        let connection = |reason: String| Self::Connection {
            what: what.clone(),
            endpoint: endpoint.to_owned(),
            reason,
        };
        match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(status) => Self::Status { what, status },
                ureq::Error::BadUri(uri) => Self::Answer {
                    what,
                    reason: format!("{uri} is no address"),
                },
                other => connection(reason(&other)),
            },
            ApiError::IoError(error) => connection(reason(&error)),
            ApiError::LockAcquisition(path) => Self::Held { path },
            other => Self::Answer {
                what,
                reason: reason(&other),
            },
        }
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 429 | 500..=599),
            Self::Connection { .. } | Self::Damaged { .. } => true,
            _ => false,
        }
    }
}
