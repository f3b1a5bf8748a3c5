//! What is to be there after a loss of power: a file that was synced may still be missing from its folder, which is synced by itself.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Syncs the folder of a file: afterwards the file has its name there, also if the power fails.
///
/// # Errors
/// The system's. A file system whose folders cannot be synced has no such errors: it cannot promise more.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Makes a folder and those that lead to it. Each is there after a loss of power too, and so is what is synced in it.
///
/// # Errors
/// The system's, also where a file has the name.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), make_folder)?;
    match fs::create_dir(folder) {
        // Another process was faster.
        Err(_) if folder.is_dir() => Ok(()),
        made => made.and_then(|()| sync_folder_of(folder)),
    }
}

/// Syncs a folder, without what is in its files.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows opens no folders, and keeps its own log of them.
    if cfg!(windows) {
        return Ok(());
    }
    // A folder that may be written and not be read can take files.
    let folder = match File::open(folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
        opened => opened?,
    };
    match folder.sync_all() {
        Err(error) if is_unsupported(&error) => Ok(()),
        synced => synced,
    }
}

/// Syncs all files and folders below a folder, and itself.
///
/// # Errors
/// The system's.
pub(crate) fn sync_below(folder: &Path) -> io::Result<()> {
    // All at once: to sync 40,000 files one by one takes minutes, and their file system half a second.
    #[cfg(target_os = "linux")]
    match rustix::fs::syncfs(File::open(folder)?).map_err(io::Error::from) {
        Err(error) if is_unsupported(&error) => {}
        synced => return synced,
    }
    sync_each_below(folder)
}

fn sync_each_below(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_each_below(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_with_those_that_lead_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (deep, file) = (folder.path().join("a/b/c"), folder.path().join("a/file"));
        for _ in 0..2 {
            make_folder(&deep).unwrap();
            assert!(deep.is_dir());
        }
        make_folder(Path::new("")).unwrap();
        fs::write(&file, b"").unwrap();
        make_folder(&file.join("d")).unwrap_err();
        make_folder(&file).unwrap_err();
    }

    #[test]
    fn folders_and_all_that_is_in_them_are_synced() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), b"c").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", folder.path().join("a/link")).unwrap();
        sync_below(folder.path()).unwrap();
        sync_each_below(folder.path()).unwrap();
        sync_folder_of(&folder.path().join("a/b/c")).unwrap();
        sync_folder_of(Path::new("here")).unwrap();
        sync_folder(&folder.path().join("absent")).unwrap_err();
    }
}
