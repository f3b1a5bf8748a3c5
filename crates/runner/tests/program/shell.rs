//! Shell completions and manual pages: made of the command line's definition, so that each command is in them.

use std::process::Command;

use crate::place::succeeds;

fn biascam(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    succeeds(&command.args(arguments).output().expect("the program starts"))
}

const COMMANDS: [&str; 4] = ["reproduce", "explain-images", "measure-scores", "experiments"];

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = biascam(&["completions", shell]);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("dry-run"), "{shell}");
    }
    // bash itself completes by it, where it is.
    let place = tempfile::tempdir().expect("a temporary folder");
    let script = place.path().join("biascam.bash");
    std::fs::write(&script, biascam(&["completions", "bash"])).expect("written");
    let asked = "source \"$0\"; COMP_WORDS=(biascam expl); COMP_CWORD=1; _biascam biascam expl biascam; echo \"${COMPREPLY[*]}\"";
    match Command::new("bash").args(["-c", asked]).arg(&script).output() {
        Ok(output) => assert_eq!(succeeds(&output).trim(), "explain explain-images"),
        Err(error) => eprintln!("no bash, so its completions were not tried: {error}"),
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let page = biascam(&["man"]);
    for part in [".TH biascam 1", "biascam\\-reproduce(1)"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path().join("man/man1");
    let printed = biascam(&["man", "--out", folder.to_str().expect("text")]);
    assert!(printed.trim().ends_with("man/man1/biascam.1"), "{printed}");
    assert!(folder.join("biascam.1").is_file());
    for command in COMMANDS {
        let page = std::fs::read_to_string(folder.join(format!("biascam-{command}.1"))).expect(command);
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
}
