//! Files by their content: SHA-256 of each, without reading all of them each time.
//!
//! A file's hash is kept beside its size, the times of its last modification and of its last change of any kind, and its inode. While
//! all four are the same, the file is taken to be the same and is not read. What is trusted, then, is the file system's clock: the
//! change time cannot be set by a program, so that a copy with its old date, or an edit whose date was turned back, is noticed. One thing
//! could not be: a change within the same tick of that clock as the one before. So a file that was changed within the last moments
//! before it was read is hashed, but its hash is not kept: the next time it is read again (version control calls this the racy
//! case). Who trusts none of this asks for [`Belief::Nothing`].
//!
//! SHA-256, because the manifest has it for artefacts, processors have instructions for it, and opening 202,599 small files costs more
//! than hashing them.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

/// The hash of some content, which in all likelihood nothing else has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentHash(String);

impl ContentHash {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(disk::hash_of(bytes))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes one hash of a list: of names, each with a content. The caller decides the order, so that the file system's does not matter.
#[derive(Debug, Clone, Default)]
pub struct ListHash(String);

impl ListHash {
    /// Adds an entry.
    pub fn add(&mut self, name: &str, content: &str) {
        // Lengths keep two lists apart whose texts run together to the same.
        self.0 += &format!("{} {name} {} {content}\n", name.len(), content.len());
    }

    /// The list's hash.
    pub fn finish(&self) -> ContentHash {
        ContentHash::of(self.0.as_bytes())
    }
}

/// Whether hashes of an earlier time are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// Where size, times and inode are as they were.
    Unchanged,
    /// Never: every file is read.
    Nothing,
}

/// What tells a file that was not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    /// Nanoseconds since 1970.
    modified: i128,
    /// The same, of the last change of content or of anything that is known of the file.
    changed: i128,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        let time = |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Ok(Self {
            size: about.len(),
            modified: time(about.mtime(), about.mtime_nsec()),
            changed: time(about.ctime(), about.ctime_nsec()),
            inode: about.ino(),
        })
    }
}

/// A change this short before the reading may be followed by another with the same time: the coarsest clock of a file system that is in
/// use has two seconds.
const RACY: Duration = Duration::from_secs(2);
/// Files between two looks at whether to stop.
const CHUNK: usize = 1024;
/// Smaller files are read in one piece.
const SMALL: u64 = 1 << 20;
/// The first line of the file that keeps hashes.
const HEAD: &str = "hashes of files: SHA-256, size, modified, changed, inode, path\n";

/// Hashes of files, those of earlier times among them.
#[derive(Debug)]
pub struct Contents {
    known: Mutex<HashMap<PathBuf, (Stamp, ContentHash)>>,
    belief: Belief,
    /// Where hashes are kept.
    file: Option<PathBuf>,
    /// Whether there are others than in the file.
    changed: Mutex<bool>,
}

impl Contents {
    /// Hashes that are kept in this file, or nowhere. A file that is absent or damaged costs time and nothing else.
    pub fn open(file: Option<&Path>, belief: Belief) -> Self {
        let known = match (file, belief) {
            (Some(file), Belief::Unchanged) => fs::read_to_string(file).ok().and_then(|text| parse(&text)),
            _ => None,
        };
        Self {
            known: Mutex::new(known.unwrap_or_default()),
            belief,
            file: file.map(Path::to_owned),
            changed: Mutex::new(false),
        }
    }

    /// The hash of one file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(&self, path: &Path) -> io::Result<ContentHash> {
        let path = std::path::absolute(path)?;
        let stamp = Stamp::of(&path)?;
        let lock = |known: &Mutex<HashMap<_, (Stamp, ContentHash)>>| -> Option<ContentHash> {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .get(&path)
                .filter(|(then, _)| *then == stamp)
                .map(|(_, hash)| hash.clone())
        };
        // What this process has read itself it believes in any case.
        if let Some(hash) = lock(&self.known) {
            return Ok(hash);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let hash = ContentHash(if stamp.size < SMALL {
            disk::hash_of(&fs::read(&path)?)
        } else {
            disk::hash_of_file(&path)?
        });
        let age = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - stamp.changed;
        let settled = age > RACY.as_nanos() as i128;
        if settled && Stamp::of(&path)? == stamp {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(path, (stamp, hash.clone()));
            *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        }
        Ok(hash)
    }

    /// The hashes of many files, in their order. `tell` hears how many are done, and may say that it is enough: then there is no
    /// answer.
    ///
    /// # Errors
    /// The first file that cannot be read, and why.
    pub fn of_all(
        &self,
        paths: &[PathBuf],
        mut tell: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Option<Vec<ContentHash>>, (PathBuf, io::Error)> {
        let mut hashes = Vec::with_capacity(paths.len());
        for chunk in paths.chunks(CHUNK) {
            let found: Result<Vec<ContentHash>, _> = chunk
                .par_iter()
                .map(|path| self.of(path).map_err(|error| (path.clone(), error)))
                .collect();
            hashes.extend(found?);
            if tell(hashes.len()).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(hashes))
    }

    /// Whether hashes of an earlier time are believed.
    pub fn belief(&self) -> Belief {
        self.belief
    }

    /// Writes the hashes to their file, whole or not at all, if there are new ones. Those of folders that are gone are forgotten.
    ///
    /// # Errors
    /// When it cannot be written; then the next run reads more files again.
    pub fn keep(&self) -> disk::Result<()> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = self.file.as_ref().filter(|_| *changed) else {
            return Ok(());
        };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut folders: HashMap<&Path, bool> = HashMap::new();
        let mut lines: Vec<String> = Vec::with_capacity(known.len());
        for (path, (stamp, hash)) in known.iter() {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let there = *folders.entry(folder).or_insert_with(|| folder.is_dir());
            // A path that a line cannot hold is read each time.
            if let Some(path) = path.to_str().filter(|path| there && !path.contains('\n')) {
                let Stamp {
                    size,
                    modified,
                    changed,
                    inode,
                } = stamp;
                lines.push(format!("{hash} {size} {modified} {changed} {inode} {path}\n"));
            }
        }
        lines.sort_unstable();
        let body = HEAD.to_owned() + &lines.concat();
        let whole = format!("{body}{}\n", disk::hash_of(body.as_bytes()));
        disk::write_whole(file, whole.as_bytes())?;
        *changed = false;
        Ok(())
    }
}

/// The hashes in a file that is as it was written.
fn parse(text: &str) -> Option<HashMap<PathBuf, (Stamp, ContentHash)>> {
    let (body, hash) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let body = format!("{body}\n");
    if disk::hash_of(body.as_bytes()) != hash {
        return None;
    }
    let line = |line: &str| {
        let mut parts = line.splitn(6, ' ');
        let hash = ContentHash(parts.next()?.to_owned());
        let stamp = Stamp {
            size: parts.next()?.parse().ok()?,
            modified: parts.next()?.parse().ok()?,
            changed: parts.next()?.parse().ok()?,
            inode: parts.next()?.parse().ok()?,
        };
        Some((PathBuf::from(parts.next()?), (stamp, hash)))
    };
    body.strip_prefix(HEAD)?.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    /// Makes believe that all this was known for long: hashes of files that were only just written are not kept.
    fn settle(contents: &Contents, path: &Path) {
        let path = std::path::absolute(path).expect("a path");
        let stamp = Stamp::of(&path).expect("there");
        let hash = ContentHash(disk::hash_of_file(&path).expect("read"));
        contents.known.lock().expect("free").insert(path, (stamp, hash));
        *contents.changed.lock().expect("free") = true;
    }

    #[test]
    fn a_file_is_its_content() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a");
        let contents = Contents::open(None, Belief::Unchanged);
        fs::write(&path, b"abc").expect("written");
        assert_eq!(contents.of(&path).expect("read"), ContentHash::of(b"abc"));
        assert!(
            contents.known.lock().expect("free").is_empty(),
            "too young to be believed"
        );
        fs::write(&path, b"abd").expect("written");
        assert_eq!(contents.of(&path).expect("read"), ContentHash::of(b"abd"));
        contents.of(&folder.path().join("b")).expect_err("not there");
    }

    #[test]
    fn hashes_are_kept_and_believed_while_nothing_was_touched() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, cache) = (folder.path().join("a file"), folder.path().join("cache"));
        fs::write(&path, b"abc").expect("written");
        let contents = Contents::open(Some(&cache), Belief::Unchanged);
        settle(&contents, &path);
        contents.keep().expect("written");

        // A hash that is wrong shows where it is taken from.
        let text = fs::read_to_string(&cache).expect("kept");
        let lie = ContentHash::of(b"a lie");
        let body = text.lines().collect::<Vec<_>>()[..2].join("\n") + "\n";
        let body = body.replace(&ContentHash::of(b"abc").to_string(), &lie.to_string());
        fs::write(&cache, format!("{body}{}\n", disk::hash_of(body.as_bytes()))).expect("written");
        let believing = Contents::open(Some(&cache), Belief::Unchanged);
        assert_eq!(believing.of(&path).expect("known"), lie);
        let verifying = Contents::open(Some(&cache), Belief::Nothing);
        assert_eq!(verifying.of(&path).expect("read"), ContentHash::of(b"abc"));

        // The same size and the same date, but written again.
        let modified = fs::metadata(&path).expect("there").modified().expect("a time");
        fs::write(&path, b"abd").expect("written");
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(modified))
            .expect("turned back");
        assert_eq!(believing.of(&path).expect("read"), ContentHash::of(b"abd"));
    }

    #[test]
    fn a_damaged_file_of_hashes_is_not_believed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, cache) = (folder.path().join("a"), folder.path().join("cache"));
        fs::write(&path, b"abc").expect("written");
        let contents = Contents::open(Some(&cache), Belief::Unchanged);
        settle(&contents, &path);
        contents.keep().expect("written");
        let whole = fs::read_to_string(&cache).expect("kept");
        assert_eq!(parse(&whole).expect("whole").len(), 1);
        for damaged in [
            whole.replacen('3', "4", 1),
            whole[..whole.len() / 2].to_owned(),
            String::new(),
            "\n".to_owned(),
        ] {
            assert_eq!(parse(&damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn many_files_come_in_their_order_and_can_be_stopped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths: Vec<PathBuf> = (0..CHUNK + 10)
            .map(|number| folder.path().join(number.to_string()))
            .collect();
        for (number, path) in paths.iter().enumerate() {
            fs::write(path, number.to_string()).expect("written");
        }
        let contents = Contents::open(None, Belief::Unchanged);
        let mut told = Vec::new();
        let hashes = contents.of_all(&paths, |done| {
            told.push(done);
            ControlFlow::Continue(())
        });
        let hashes = hashes.expect("read").expect("all of them");
        assert_eq!(told, [CHUNK, CHUNK + 10]);
        assert_eq!(hashes[CHUNK + 3], ContentHash::of((CHUNK + 3).to_string().as_bytes()));
        assert!(
            contents
                .of_all(&paths, |_| ControlFlow::Break(()))
                .expect("read")
                .is_none()
        );
        fs::remove_file(&paths[5]).expect("removed");
        let (path, _) = contents
            .of_all(&paths, |_| ControlFlow::Continue(()))
            .expect_err("gone");
        assert_eq!(path, paths[5]);
    }

    #[test]
    fn a_list_is_its_names_and_contents_in_order() {
        let of = |entries: &[(&str, &str)]| {
            let mut list = ListHash::default();
            entries.iter().for_each(|(name, content)| list.add(name, content));
            list.finish()
        };
        let plain = of(&[("a", "1"), ("b", "2")]);
        assert_eq!(plain, of(&[("a", "1"), ("b", "2")]));
        for other in [
            of(&[("b", "2"), ("a", "1")]),
            of(&[("a", "1"), ("b", "3")]),
            of(&[("a", "1")]),
            of(&[("a", "1\n1 b 1 2")]),
        ] {
            assert_ne!(plain, other);
        }
    }
}
