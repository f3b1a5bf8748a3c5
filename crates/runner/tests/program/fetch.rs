//! `biascam data fetch`, through hf-hub, against a server that speaks the hub's protocol.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::hub::{HubServer, Misbehaviour, sha256};
use crate::place::{fails, succeeds};

const TRAIN: &str = "img_align+identity+attr/train-00000-of-00001.parquet";
const TEST: &str = "img_align+identity+attr/test-00000-of-00001.parquet";

/// Contents that no shorter or shifted part can be mistaken for.
fn contents(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn celeba() -> HubServer {
    let files = [
        ("README.md", 50),
        (TRAIN, 300_000),
        (TEST, 100_000),
        ("cropped/train-00000-of-00001.parquet", 70_000),
    ];
    let files = files
        .iter()
        .zip(1..)
        .map(|(&(name, length), seed)| (name.to_owned(), contents(seed, length)));
    HubServer::start("datasets/flwrlabs/celeba", files.collect())
}

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn out(&self, relative: &str) -> PathBuf {
        self.folder.path().join("out").join(relative)
    }

    fn command(&self, what: &str, endpoint: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(["data", "fetch", what, "--out"]).arg(self.out(""));
        for variable in ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_HUB_OFFLINE"] {
            command.env_remove(variable);
        }
        command
            .env("HF_ENDPOINT", endpoint)
            .env("HF_HOME", self.folder.path().join("hf"));
        command.env("NO_PROXY", "127.0.0.1");
        command
    }

    fn fetch(&self, what: &str, hub: &HubServer) -> Output {
        self.command(what, &hub.endpoint).output().expect("the program starts")
    }

    /// Every file below a folder of this machine.
    fn files(&self, relative: &str) -> Vec<PathBuf> {
        fn below(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    below(&path, found)
                } else {
                    found.push(path)
                }
            }
        }
        let mut found = Vec::new();
        below(&self.folder.path().join(relative), &mut found);
        found
    }
}

#[test]
fn celeba_arrives_whole_and_is_not_downloaded_twice() {
    let (machine, hub) = (Machine::new(), celeba());
    let output = machine
        .command("celeba", &hub.endpoint)
        .env("HF_TOKEN", "hf_secret")
        .output()
        .expect("starts");
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["2 files, 400.0 kB", "non-commercial", "verified"] {
        assert!(said.contains(part), "{said:?} should contain {part:?}");
    }
    assert_eq!(fs::read(machine.out(TRAIN)).expect("a shard"), contents(2, 300_000));
    assert_eq!(fs::read(machine.out(TEST)).expect("a shard"), contents(3, 100_000));
    assert_eq!(
        machine.files("out").len(),
        2,
        "only the shards of one configuration are wanted"
    );
    let requests = hub.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.token.as_deref() == Some("Bearer hf_secret")),
        "{requests:?}"
    );

    succeeds(&machine.fetch("celeba", &hub));
    let again: Vec<String> = hub.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(again, ["/api/datasets/flwrlabs/celeba/revision/main?blobs=true"]);

    // A file that was changed in its place is replaced by the cache's, without a download.
    fs::remove_file(machine.out(TEST)).expect("removed");
    fs::write(machine.out(TEST), b"other").expect("written");
    succeeds(&machine.fetch("celeba", &hub));
    assert_eq!(fs::read(machine.out(TEST)).expect("a shard"), contents(3, 100_000));
    assert_eq!(hub.requests().len(), 1);
}

#[test]
fn warnings_in_a_log_are_plain_text() {
    let machine = Machine::new();
    // Nothing answers at this port.
    let output = machine
        .command("resnet18", "http://127.0.0.1:9")
        .output()
        .expect("starts");
    let said = fails(&output);
    assert!(said.contains(" WARN ") && said.contains("trying again"), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains("runner::"), "{said}");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (machine, hub) = (Machine::new(), celeba());
    hub.misbehave(Misbehaviour {
        cut_after: Some(40_000),
        ..Misbehaviour::default()
    });
    let message = fails(&machine.fetch("celeba", &hub));
    for part in ["train-00000-of-00001.parquet", "goes on from there", "By hand"] {
        assert!(message.contains(part), "{message:?} should contain {part:?}");
    }
    assert!(
        machine.files("out").is_empty(),
        "nothing half-written in the place of a file"
    );

    hub.misbehave(Misbehaviour::default());
    hub.requests();
    succeeds(&machine.fetch("celeba", &hub));
    let resumed = hub.requests().iter().any(|request| request.from == Some(120_000));
    assert!(resumed, "three attempts of 40,000 bytes each are gone on with");
    assert_eq!(fs::read(machine.out(TRAIN)).expect("a shard"), contents(2, 300_000));
}

#[test]
fn a_server_that_cannot_resume_is_asked_for_the_whole_file() {
    let (machine, hub) = (Machine::new(), celeba());
    hub.misbehave(Misbehaviour {
        cut_after: Some(40_000),
        ..Misbehaviour::default()
    });
    fails(&machine.fetch("celeba", &hub));
    hub.misbehave(Misbehaviour {
        ignores_range: true,
        ..Misbehaviour::default()
    });
    succeeds(&machine.fetch("celeba", &hub));
    assert_eq!(fs::read(machine.out(TRAIN)).expect("a shard"), contents(2, 300_000));
}

#[test]
fn a_shard_that_is_not_what_the_hub_states_is_refused_and_removed() {
    let (machine, hub) = (Machine::new(), celeba());
    hub.misbehave(Misbehaviour {
        corrupts: true,
        ..Misbehaviour::default()
    });
    let message = fails(&machine.fetch("celeba", &hub));
    assert!(
        message.contains("SHA-256") && message.contains(&sha256(&contents(2, 300_000))),
        "{message}"
    );
    assert!(machine.files("out").is_empty());
    let large = machine
        .files("hf")
        .into_iter()
        .filter(|path| fs::metadata(path).is_ok_and(|file| file.len() > 1_000));
    assert_eq!(large.count(), 0, "no damaged file stays in the cache");
    hub.misbehave(Misbehaviour::default());
    succeeds(&machine.fetch("celeba", &hub));
}

#[test]
fn each_refusal_has_one_clear_message() {
    for (status, expected) in [
        (401, "HF_TOKEN"),
        (404, "not found"),
        (429, "too many requests"),
        (500, "try again later"),
        (503, "try again later"),
    ] {
        let (machine, hub) = (Machine::new(), celeba());
        hub.misbehave(Misbehaviour {
            status: Some(status),
            ..Misbehaviour::default()
        });
        let message = fails(&machine.fetch("celeba", &hub));
        for part in [expected, &status.to_string(), "By hand", "mmlab"] {
            assert!(message.contains(part), "{message:?} should contain {part:?}");
        }
        assert!(machine.files("out").is_empty() && machine.files("hf").is_empty());
        let attempts = if matches!(status, 429 | 500 | 503) { 3 } else { 1 };
        assert_eq!(hub.requests().len(), attempts, "status {status}");
    }
}

#[test]
fn without_a_network_it_says_what_to_do_by_hand() {
    let machine = Machine::new();
    // Bound and closed again: nothing listens there.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let output = machine
        .command("resnet50", &format!("http://{nowhere}"))
        .output()
        .expect("starts");
    let message = fails(&output);
    for part in [
        "connection",
        "By hand",
        "timm/resnet50.tv_in1k",
        "resnet50.tv_in1k.safetensors",
    ] {
        assert!(message.contains(part), "{message:?} should contain {part:?}");
    }
    let (hub, started) = (celeba(), Instant::now());
    let output = machine
        .command("celeba", &hub.endpoint)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .expect("starts");
    assert!(fails(&output).contains("HF_HUB_OFFLINE"));
    assert!(hub.requests().is_empty() && started.elapsed() < Duration::from_secs(5));
    let output = machine.command("celeba", "no address").output().expect("starts");
    assert!(fails(&output).contains("no address"));
}

#[test]
fn weights_are_named_after_their_repository() {
    let machine = Machine::new();
    let files = vec![
        ("config.json".to_owned(), contents(1, 10)),
        ("model.safetensors".to_owned(), contents(9, 5_000)),
    ];
    let hub = HubServer::start("timm/resnet18.tv_in1k", files);
    succeeds(&machine.fetch("resnet18", &hub));
    assert_eq!(
        fs::read(machine.out("resnet18.tv_in1k.safetensors")).expect("weights"),
        contents(9, 5_000)
    );
}

#[test]
fn ctrl_c_leaves_a_part_that_is_gone_on_with() {
    let (machine, hub) = (Machine::new(), celeba());
    hub.misbehave(Misbehaviour {
        cut_after: Some(50_000),
        stall: true,
        ..Misbehaviour::default()
    });
    let mut child = machine
        .command("celeba", &hub.endpoint)
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let part = || {
        machine
            .files("hf")
            .into_iter()
            .find(|path| path.extension().is_some_and(|name| name == "part"))
    };
    let arrived = || {
        part()
            .and_then(|path| fs::metadata(path).ok())
            .is_some_and(|part| part.len() == 50_000)
    };
    while !arrived() && child.try_wait().expect("a status").is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(kill.expect("a shell").success());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("goes on from what is finished"));
    assert!(machine.files("out").is_empty());

    hub.misbehave(Misbehaviour::default());
    hub.requests();
    succeeds(&machine.fetch("celeba", &hub));
    assert!(hub.requests().iter().any(|request| request.from == Some(50_000)));
    assert_eq!(fs::read(machine.out(TRAIN)).expect("a shard"), contents(2, 300_000));
}
