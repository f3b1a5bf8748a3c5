//! What a target begins with: valid files, and the words of its format.

use std::env;
use std::fs;
use std::path::Path;

/// Names the folder for the first inputs; `fuzz/run` sets it.
const FOLDER: &str = "BIASCAM_FUZZ_FIRST";

/// Writes the first inputs into the folder that the environment names; without one, nothing happens.
pub fn begin(inputs: impl FnOnce() -> Vec<Vec<u8>>) {
    begin_with_words(inputs, Vec::new);
}

/// The same, and beside the inputs a dictionary of words.
pub fn begin_with_words(inputs: impl FnOnce() -> Vec<Vec<u8>>, words: impl FnOnce() -> Vec<String>) {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("inputs")).expect("a folder");
    for (number, bytes) in inputs().into_iter().enumerate() {
        fs::write(folder.join("inputs").join(number.to_string()), bytes).expect("written");
    }
    // libFuzzer refuses an empty file.
    let lines = words().into_iter().filter(|word| !word.contains(['"', '\\']));
    let lines: String = lines.map(|word| format!("\"{word}\"\n")).collect();
    fs::write(folder.join("dictionary"), format!("# words\n{lines}")).expect("written");
}
