//! What is said of a command line that does not parse: which command, option or key may have been meant.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::experiment::keys_like;

/// Names that are at least so alike (1: equal) are taken for a slip.
const ALIKE: f64 = 0.7;

/// The error with a tip of ours in place of its own; `arguments` are the program's, without its name.
#[must_use]
pub fn with_tip(mut error: Error, program: &Command, arguments: &[String]) -> Error {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let asked = text(ContextKind::InvalidSubcommand);
            let names = commands_of(program, arguments)
                .get_subcommands()
                .flat_map(Command::get_name_and_visible_aliases)
                .collect::<Vec<_>>();
            nearest(&asked, &names).map(|name| format!("did you mean `{name}`?"))
        }
        ErrorKind::UnknownArgument => {
            let asked = text(ContextKind::InvalidArg);
            if !asked.starts_with("--") {
                return error;
            }
            // "To pass it as a value, use `--`" is never what a person wants here.
            error.remove(ContextKind::Suggested);
            tip_of_option(&asked, commands_of(program, arguments), arguments)
        }
        _ => None,
    };
    if let Some(tip) = tip {
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}

/// The command that the arguments lead to.
fn commands_of<'a>(program: &'a Command, arguments: &[String]) -> &'a Command {
    let mut command = program;
    for argument in arguments {
        match command.find_subcommand(argument) {
            Some(inner) => command = inner,
            None => break,
        }
    }
    command
}

fn tip_of_option(asked: &str, command: &Command, arguments: &[String]) -> Option<String> {
    let name = asked.trim_start_matches('-');
    let options: Vec<&str> = command.get_arguments().filter_map(|option| option.get_long()).collect();
    let near = nearest(name, &options).map(|option| format!("did you mean `--{option}`?"));
    if !options.contains(&"set") {
        return near;
    }
    let keys = keys_like(&name.replace('-', "_"));
    let (Some(first), others) = (keys.first(), keys.get(1..).unwrap_or_default()) else {
        let keys = "keys of the experiment are changed with `--set`, e.g. `--set training.epochs=3`; `biascam schema --format markdown` lists them";
        return Some(near.unwrap_or_else(|| keys.to_owned()));
    };
    let others = match others {
        [] => String::new(),
        some => format!("; there is also {}", some.join(", ")),
    };
    Some(format!(
        "keys of the experiment are changed with `--set`: `--set {first}={}`{others}",
        value_of(asked, arguments).unwrap_or("VALUE")
    ))
}

/// The value that an option was given, after `=` or as the next argument.
fn value_of<'a>(option: &str, arguments: &'a [String]) -> Option<&'a str> {
    let place = arguments.iter().position(|one| one.split('=').next() == Some(option))?;
    match arguments.get(place)?.split_once('=') {
        Some((_, value)) => Some(value),
        None => arguments.get(place + 1).map(String::as_str),
    }
    .filter(|value| !value.is_empty() && !value.starts_with("--"))
}

/// The name that is most like the one asked for, if any is.
fn nearest<'a>(asked: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(name, asked);
    // A letter of a short word is a large part of it.
    let letters = |name: &str| strsim::damerau_levenshtein(name, asked);
    let near = names
        .iter()
        .filter(|name| likeness(name) >= ALIKE || (asked.len() > 1 && letters(name) == 1));
    near.copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_either_form() {
        let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(value_of("--epochs", &line("run x.yaml --epochs 3")), Some("3"));
        assert_eq!(value_of("--epochs", &line("run x.yaml --epochs=4")), Some("4"));
        assert_eq!(value_of("--epochs", &line("run --epochs --fresh")), None);
    }

    #[test]
    fn the_nearest_name_is_meant() {
        assert_eq!(nearest("rn", &["reproduce", "run", "train"]), Some("run"));
        assert_eq!(nearest("tarin", &["run", "train"]), Some("train"));
        assert_eq!(nearest("nothing", &["run", "train"]), None);
    }
}
