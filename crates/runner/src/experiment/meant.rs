//! Which key of an experiment may be meant by one that there is not.

use super::schema;
use crate::error::Fault;
use crate::yaml::keys_of;

/// The keys that are `asked` or end with it, those of the fewest parts first.
#[must_use]
pub fn keys_like(asked: &str) -> Vec<String> {
    let asked = asked.to_lowercase();
    let end = format!(".{asked}");
    let mut keys = keys_of(&schema());
    keys.retain(|key| !asked.is_empty() && !key.contains("[]") && (*key == asked || key.ends_with(&end)));
    keys.dedup();
    keys.sort_by_key(|key| key.matches('.').count());
    keys
}

/// A fault that names an unknown key, with the keys of that name elsewhere; those beside it are listed in the message already.
pub(super) fn with_meant(mut fault: Fault) -> Fault {
    let Some((key, _)) = fault.message.split_once(": unknown key, ") else {
        return fault;
    };
    let last = key.rsplit('.').next().unwrap_or(key);
    let known = keys_like(last);
    if !known.is_empty() {
        fault.message = format!("{}; did you mean {}?", fault.message, known.join(" or "));
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_their_last_part() {
        assert_eq!(keys_like("epochs"), ["training.epochs"]);
        assert_eq!(keys_like("training.epochs"), ["training.epochs"]);
        assert_eq!(keys_like("seed").first().map(String::as_str), Some("seed"));
        assert!(keys_like("nothing_of_that").is_empty() && keys_like("").is_empty());
    }
}
