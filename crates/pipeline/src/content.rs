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
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// A change this short before the reading may be followed by another with the same time: most file systems take the time from the
/// system's tick, of milliseconds, and the coarsest clock of one that is in use has two seconds.
const RACY: Duration = Duration::from_secs(2);
/// Smaller files are read in one piece.
const SMALL: u64 = 1 << 20;
/// The first line of the file that keeps hashes.
const HEAD: &str = "hashes of files: SHA-256, size, modified, changed, inode, path\n";

/// What is known of a file, or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    stamp: Stamp,
    hash: ContentHash,
}

/// Hashes of files, those of earlier times among them.
#[derive(Debug)]
pub struct Contents {
    known: Mutex<HashMap<PathBuf, Known>>,
    /// Where hashes are kept.
    file: Option<PathBuf>,
    /// Whether there are others than in the file.
    changed: AtomicBool,
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
            file: file.map(Path::to_owned),
            changed: AtomicBool::new(false),
        }
    }

    /// The hash of one file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(&self, path: &Path) -> io::Result<ContentHash> {
        self.known_or(path, path, || {
            let small = fs::metadata(path)?.len() < SMALL;
            if small {
                Ok(disk::hash_of(&fs::read(path)?))
            } else {
                disk::hash_of_file(path)
            }
        })
    }

    /// The hash of one part of a file that has many, whose bytes `read` reads. It is trusted while the whole file is untouched.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_part(
        &self,
        file: &Path,
        part: &str,
        read: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<ContentHash> {
        self.known_or(file, &file.join(part), || Ok(disk::hash_of(&read()?)))
    }

    fn known_or(&self, file: &Path, name: &Path, hash: impl FnOnce() -> io::Result<String>) -> io::Result<ContentHash> {
        let name = std::path::absolute(name)?;
        let stamp = Stamp::of(file)?;
        if let Some(known) = self.lock().get(&name).filter(|known| known.stamp == stamp) {
            return Ok(known.hash.clone());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let hash = ContentHash(hash()?);
        let age = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - stamp.changed;
        if age > RACY.as_nanos() as i128 && Stamp::of(file)? == stamp {
            let known = Known {
                stamp,
                hash: hash.clone(),
            };
            self.lock().insert(name, known);
            self.changed.store(true, Ordering::Relaxed);
        }
        Ok(hash)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the hashes to their file, whole or not at all, if there are new ones. Those of folders that are gone are forgotten.
    ///
    /// # Errors
    /// When it cannot be written; then the next run reads more files again.
    pub fn keep(&self) -> disk::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.changed.load(Ordering::Relaxed)) else {
            return Ok(());
        };
        let known = self.lock();
        let mut folders: HashMap<&Path, bool> = HashMap::new();
        let mut lines: Vec<String> = Vec::with_capacity(known.len());
        for (path, Known { stamp, hash }) in known.iter() {
            let folder = path.parent().unwrap_or(Path::new("/"));
            // Of a part of a file, the folder is that file.
            let there = *folders.entry(folder).or_insert_with(|| folder.exists());
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
        self.changed.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// The hashes in a file that is as it was written.
fn parse(text: &str) -> Option<HashMap<PathBuf, Known>> {
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
        let known = Known { stamp, hash };
        Some((PathBuf::from(parts.next()?), known))
    };
    body.strip_prefix(HEAD)?.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    /// Makes believe that this was known for long: hashes of files that were only just written are not kept.
    fn settle(contents: &Contents, file: &Path, name: &Path, bytes: &[u8]) {
        let known = Known {
            stamp: Stamp::of(file).expect("there"),
            hash: ContentHash::of(bytes),
        };
        let name = std::path::absolute(name).expect("a path");
        contents.lock().insert(name, known);
        contents.changed.store(true, Ordering::Relaxed);
    }

    #[test]
    fn a_file_is_its_content() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a");
        let contents = Contents::open(None, Belief::Unchanged);
        fs::write(&path, b"abc").expect("written");
        assert_eq!(contents.of(&path).expect("read"), ContentHash::of(b"abc"));
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
        settle(&contents, &path, &path, b"abc");
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

        // The same size and the same date, but written again, after the coarsest tick of a system.
        std::thread::sleep(Duration::from_millis(20));
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
        settle(&contents, &path, &path, b"abc");
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
    fn a_part_of_a_file_has_the_hash_of_its_bytes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("archive");
        fs::write(&path, b"abcdef").expect("written");
        let contents = Contents::open(None, Belief::Unchanged);
        let of = |part: &str, bytes: &[u8]| contents.of_part(&path, part, || Ok(bytes.to_vec())).expect("read");
        assert_eq!(of("first", b"abc"), ContentHash::of(b"abc"));
        assert_eq!(of("second", b"def"), ContentHash::of(b"def"));
        settle(&contents, &path, &path.join("first"), b"abc");
        assert_eq!(of("first", b"not read again"), ContentHash::of(b"abc"));
        fs::write(&path, b"abxdefg").expect("written");
        assert_eq!(of("first", b"abx"), ContentHash::of(b"abx"));
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

    #[test]
    fn a_file_that_is_rewritten_within_a_tick_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a");
        let contents = Contents::open(None, Belief::Unchanged);
        for number in 0..200_u8 {
            // In place, of the same size: only the time of the change could tell.
            fs::write(&path, [number]).expect("written");
            assert_eq!(contents.of(&path).expect("read"), ContentHash::of(&[number]));
        }
        // On a file system whose clock ticks faster than this loop all of that holds by itself.
        assert!(contents.lock().is_empty(), "too young to be believed");
    }
}
