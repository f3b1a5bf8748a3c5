//! A server on this machine that speaks the Hugging Face hub's protocol, and can be told to misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sha2::{Digest, Sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server does wrong.
#[derive(Default, Clone)]
pub struct Misbehaviour {
    /// Answers everything with this status.
    pub status: Option<u16>,
    /// Closes the connection after this many bytes of a file.
    pub cut_after: Option<usize>,
    /// Then keeps the connection open and says nothing.
    pub stall: bool,
    /// Sends the whole file whatever part was asked for.
    pub ignores_range: bool,
    /// Sends another byte in the middle of each file.
    pub corrupts: bool,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub path: String,
    /// The first byte that was asked for, of requests for a file.
    pub from: Option<usize>,
    pub token: Option<String>,
}

struct State {
    repository: String,
    files: Vec<(String, Vec<u8>)>,
    misbehaviour: Misbehaviour,
    requests: Vec<Request>,
}

/// The server; it ends with the test's process.
pub struct HubServer {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

impl HubServer {
    /// Serves one repository (`datasets/NAME` or `NAME`) with these files.
    pub fn start(repository: &str, files: Vec<(String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State {
            repository: repository.to_owned(),
            files,
            misbehaviour: Misbehaviour::default(),
            requests: Vec::new(),
        }));
        let (shared, own) = (Arc::clone(&state), endpoint.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, endpoint) = (Arc::clone(&shared), own.clone());
                // A client that goes away in the middle is what these tests are about.
                std::thread::spawn(move || answer(stream, &state, &endpoint).ok());
            }
        });
        Self { endpoint, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no server thread panicked")
    }

    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.state().misbehaviour = misbehaviour;
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answer(mut stream: TcpStream, state: &Mutex<State>, endpoint: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut range, mut token) = (None, None);
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        match name.to_lowercase().as_str() {
            "range" => range = value.strip_prefix("bytes=").map(str::to_owned),
            "authorization" => token = Some(value.to_owned()),
            _ => {}
        }
    }
    let (bad, repository, files) = {
        let mut state = state.lock().expect("no server thread panicked");
        let from = range.as_ref().and_then(|range| range.split('-').next()?.parse().ok());
        state.requests.push(Request {
            path: path.clone(),
            from,
            token,
        });
        (
            state.misbehaviour.clone(),
            state.repository.clone(),
            state.files.clone(),
        )
    };
    if let Some(status) = bad.status {
        return head(&mut stream, status, &["Content-Length: 0".to_owned()]);
    }

    let kind = if repository.starts_with("datasets/") {
        ""
    } else {
        "models/"
    };
    if path == format!("/api/{kind}{repository}/revision/main?blobs=true") {
        let siblings: Vec<_> = files
            .iter()
            .map(|(name, bytes)| {
                let (sha256, size) = (sha256(bytes), bytes.len());
                serde_json::json!({"rfilename": name, "size": size, "lfs": {"sha256": sha256, "size": size, "pointerSize": 134}})
            })
            .collect();
        let body = serde_json::json!({"id": repository, "sha": COMMIT, "siblings": siblings}).to_string();
        head(&mut stream, 200, &[format!("Content-Length: {}", body.len())])?;
        return stream.write_all(body.as_bytes());
    }
    let file = |prefix: &str| {
        let name = path.strip_prefix(prefix)?;
        files.iter().find(|(known, _)| known == name)
    };
    // As the hub does: the repository's address names the contents and leads to another that has them.
    if let Some((name, bytes)) = file(&format!("/{repository}/resolve/main/")) {
        let fields = [
            format!("Location: {endpoint}/cdn/{name}"),
            format!("X-Repo-Commit: {COMMIT}"),
            format!("X-Linked-Etag: \"{}\"", sha256(bytes)),
            format!("X-Linked-Size: {}", bytes.len()),
            "ETag: \"of-the-redirect\"".to_owned(),
            "Content-Length: 0".to_owned(),
        ];
        return head(&mut stream, 302, &fields);
    }
    let Some((_, bytes)) = file("/cdn/") else {
        return head(&mut stream, 404, &["Content-Length: 0".to_owned()]);
    };
    let mut bytes = bytes.clone();
    if bad.corrupts {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    let total = bytes.len();
    let (from, to) = match range.as_deref().and_then(|range| range.split_once('-')) {
        Some((from, to)) => (
            from.parse().unwrap_or(0),
            to.parse().map_or(total, |last: usize| last + 1),
        ),
        None => (0, total),
    };
    if from >= total {
        return head(
            &mut stream,
            416,
            &[
                format!("Content-Range: bytes */{total}"),
                "Content-Length: 0".to_owned(),
            ],
        );
    }
    let (status, part) = if bad.ignores_range && from > 0 {
        (200, &bytes[..])
    } else {
        (206, &bytes[from..to])
    };
    let fields = [
        format!("Content-Length: {}", part.len()),
        format!("Content-Range: bytes {from}-{}/{total}", to - 1),
    ];
    head(&mut stream, status, &fields)?;
    match bad.cut_after {
        Some(sent) if part.len() > sent => {
            stream.write_all(&part[..sent])?;
            stream.flush()?;
            if bad.stall {
                std::thread::sleep(Duration::from_secs(600));
            }
            Ok(())
        }
        _ => stream.write_all(part),
    }
}

fn head(stream: &mut TcpStream, status: u16, fields: &[String]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} -\r\nConnection: close\r\n")?;
    for field in fields {
        write!(stream, "{field}\r\n")?;
    }
    write!(stream, "\r\n")
}
