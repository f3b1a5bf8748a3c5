//! What a disk may hold after loss of power, from a record of what was written and synced.
//!
//! What was synced is there: the bytes of a file by `fsync` of the file, names by `fsync` of their folder. Of anything else each part
//! may be there or not. That is more than any one file system does, and what POSIX allows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Folders (nothing) and files (their bytes) by their path.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A line of the record.
#[derive(Debug)]
pub struct Call {
    what: String,
    path: PathBuf,
    /// Where a file was before it was renamed or linked.
    from: PathBuf,
    place: usize,
    bytes: Vec<u8>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.path.display())
    }
}

/// Reads what the shim has recorded.
pub fn calls(mut log: &[u8]) -> Vec<Call> {
    let mut calls = Vec::new();
    while !log.is_empty() {
        let end = log.iter().position(|&byte| byte == b'\n').expect("a whole line");
        let head = std::str::from_utf8(&log[..end]).expect("text");
        let fields: Vec<&str> = head.split(' ').collect();
        let number = |field: usize| fields[field].parse::<usize>().expect("a number");
        let mut rest = &log[end + 1..];
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at(length);
            rest = left;
            taken
        };
        let path = |bytes: &[u8]| PathBuf::from(String::from_utf8(bytes.to_vec()).expect("text"));
        calls.push(Call {
            what: fields[0].to_owned(),
            path: path(take(number(1))),
            from: path(take(number(2))),
            place: number(3),
            bytes: take(number(4)).to_vec(),
        });
        log = rest;
    }
    calls
}

/// What is there of that which was not synced.
#[derive(Debug)]
pub enum Unsynced<'a> {
    /// Nothing.
    Lost,
    /// All names, and no bytes: files are empty, or as long as they were and full of zeros.
    Names {
        /// Whether the length is there.
        zeros: bool,
    },
    /// All of it.
    Kept,
    /// What the numbers say.
    Drawn(&'a mut ChaCha8Rng),
}

/// A change of a file that is not synced.
#[derive(Clone, Debug)]
enum Written {
    Bytes(usize, Vec<u8>),
    Cut(usize),
}

impl Written {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Cut(length) => file.resize(*length, 0),
            Self::Bytes(place, bytes) => {
                file.resize(file.len().max(place + bytes.len()), 0);
                file[*place..place + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

/// A change of a folder that is not synced: what has this name from now on. A rename is one change, of two folders at most.
#[derive(Clone, Debug)]
struct Named {
    call: usize,
    name: PathBuf,
    node: Option<usize>,
}

#[derive(Clone, Debug)]
enum Node {
    File {
        synced: Vec<u8>,
        written: Vec<Written>,
    },
    Folder {
        synced: BTreeMap<PathBuf, usize>,
        named: Vec<Named>,
    },
}

/// A disk that is empty but for one folder.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    calls: usize,
}

impl Disk {
    /// The folder is at `root`.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            nodes: vec![Node::Folder {
                synced: BTreeMap::new(),
                named: Vec::new(),
            }],
            calls: 0,
        }
    }

    /// Does what was recorded.
    pub fn apply(&mut self, call: &Call) {
        self.calls += 1;
        match call.what.as_str() {
            "create" => self.add(
                &call.path,
                Node::File {
                    synced: Vec::new(),
                    written: Vec::new(),
                },
            ),
            "mkdir" => self.add(
                &call.path,
                Node::Folder {
                    synced: BTreeMap::new(),
                    named: Vec::new(),
                },
            ),
            "rename" | "link" => {
                let node = self.at(&call.from).expect("a file");
                self.name(&call.path, Some(node));
                if call.what == "rename" {
                    self.name(&call.from, None);
                }
            }
            "unlink" => self.name(&call.path, None),
            "write" => self.write(&call.path, Written::Bytes(call.place, call.bytes.clone())),
            "cut" => self.write(&call.path, Written::Cut(call.place)),
            "sync" => self.sync(&call.path),
            other => panic!("{other} is not known"),
        }
    }

    /// What the disk may hold now.
    pub fn state(&self, unsynced: &mut Unsynced<'_>) -> Tree {
        // One decision for each call, because a rename is there in both folders or in none.
        let kept: Vec<bool> = match unsynced {
            Unsynced::Lost => vec![false; self.calls + 1],
            Unsynced::Names { .. } | Unsynced::Kept => vec![true; self.calls + 1],
            Unsynced::Drawn(random) => {
                // A journal keeps the order; others do not.
                let (journal, last) = (random.random(), random.random_range(0..=self.calls));
                let mut decide = |call| if journal { call <= last } else { random.random() };
                (0..=self.calls).map(&mut decide).collect()
            }
        };
        let mut tree = Tree::new();
        let mut open = vec![(PathBuf::new(), 0)];
        while let Some((path, node)) = open.pop() {
            match &self.nodes[node] {
                Node::File { synced, written } => {
                    tree.insert(path, Some(bytes(synced, written, unsynced)));
                }
                Node::Folder { synced, named } => {
                    let mut names = synced.clone();
                    for change in named.iter().filter(|change| kept[change.call]) {
                        match change.node {
                            Some(node) => names.insert(change.name.clone(), node),
                            None => names.remove(&change.name),
                        };
                    }
                    open.extend(names.into_iter().map(|(name, node)| (path.join(name), node)));
                    tree.insert(path, None);
                }
            }
        }
        tree.remove(Path::new(""));
        tree
    }

    fn add(&mut self, path: &Path, node: Node) {
        self.nodes.push(node);
        self.name(path, Some(self.nodes.len() - 1));
    }

    fn name(&mut self, path: &Path, node: Option<usize>) {
        let folder = self
            .at(path.parent().expect("a folder"))
            .expect("a folder that was made");
        let call = self.calls;
        let name = PathBuf::from(path.file_name().expect("a name"));
        match &mut self.nodes[folder] {
            Node::Folder { named, .. } => named.push(Named { call, name, node }),
            Node::File { .. } => panic!("{} is in a file", path.display()),
        }
    }

    /// What has this path for a process.
    fn at(&self, path: &Path) -> Option<usize> {
        let mut node = 0;
        for name in path.strip_prefix(&self.root).ok()?.iter().map(Path::new) {
            let Node::Folder { synced, named } = &self.nodes[node] else {
                return None;
            };
            node = match named.iter().rev().find(|change| change.name == name) {
                Some(change) => change.node?,
                None => *synced.get(name)?,
            };
        }
        Some(node)
    }

    fn write(&mut self, path: &Path, change: Written) {
        // A file that was removed while it was open is written by nobody who could read it.
        let Some(node) = self.at(path) else { return };
        match &mut self.nodes[node] {
            Node::File { written, .. } => written.push(change),
            Node::Folder { .. } => panic!("{} is a folder", path.display()),
        }
    }

    fn sync(&mut self, path: &Path) {
        let Some(node) = self.at(path) else { return };
        match &mut self.nodes[node] {
            Node::File { synced, written } => written.drain(..).for_each(|change| change.apply(synced)),
            Node::Folder { synced, named } => {
                for change in named.drain(..) {
                    match change.node {
                        Some(node) => synced.insert(change.name, node),
                        None => synced.remove(&change.name),
                    };
                }
            }
        }
    }
}

/// What there is of a file.
fn bytes(synced: &[u8], written: &[Written], unsynced: &mut Unsynced<'_>) -> Vec<u8> {
    let mut file = synced.to_vec();
    match unsynced {
        Unsynced::Lost => {}
        Unsynced::Kept => written.iter().for_each(|change| change.apply(&mut file)),
        Unsynced::Names { zeros } => {
            for change in written {
                match change {
                    Written::Bytes(place, bytes) if *zeros => {
                        Written::Bytes(*place, vec![0; bytes.len()]).apply(&mut file)
                    }
                    Written::Bytes(..) => {}
                    Written::Cut(length) => file.truncate(*length),
                }
            }
        }
        Unsynced::Drawn(random) => {
            for change in written {
                match (random.random_range(0..4), change) {
                    (0, _) => {}
                    (1, Written::Bytes(place, bytes)) => {
                        let torn = random.random_range(0..=bytes.len());
                        Written::Bytes(*place, bytes[..torn].to_vec()).apply(&mut file);
                    }
                    (2, Written::Bytes(place, bytes)) => Written::Bytes(*place, vec![0; bytes.len()]).apply(&mut file),
                    _ => change.apply(&mut file),
                }
            }
        }
    }
    file
}
