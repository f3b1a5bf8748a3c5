//! `biascam data counts` on CelebA's own labels, beside counts that someone else made of them.

use std::process::Command;

use crate::place::succeeds;

#[test]
fn counts_and_weights_of_real_labels_are_those_of_an_independent_count() {
    let Some(folder) = testing::shared("celeba") else {
        return;
    };
    let pairs = std::fs::read_to_string(folder.join("label_cooccurrence_first20000.csv")).expect("counts");
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command
        .args(["data", "counts", "--labels"])
        .arg(folder.join("list_attr_celeba_first20000.txt"));
    let printed = succeeds(&command.output().expect("the program starts"));
    let mut compared = 0;
    for (index, row) in pairs.lines().skip(1).enumerate() {
        // The diagonal: images in which the attribute is positive.
        let cells: Vec<&str> = row.split(',').collect();
        let (name, positives): (&str, u32) = (cells[0], cells[index + 1].parse().expect("a count"));
        let negatives = 20_000 - positives;
        let line = printed
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name))
            .unwrap_or_else(|| panic!("{name} in {printed}"));
        let found: Vec<&str> = line.split_whitespace().skip(1).collect();
        // The paper's weights: 1 for the minority class, minority / majority for the other.
        let share = f64::from(positives.min(negatives)) / f64::from(positives.max(negatives));
        let minority = positives <= negatives;
        let weight = |is_minority: bool| format!("{:.4}", if is_minority { 1.0 } else { share });
        assert_eq!(found[0], positives.to_string(), "{line}");
        assert_eq!(found[1], negatives.to_string(), "{line}");
        assert_eq!(found[3], if minority { "+" } else { "-" }, "{line}");
        assert_eq!(
            (found[4], found[5]),
            (&*weight(minority), &*weight(!minority)),
            "{line}"
        );
        compared += 1;
    }
    assert_eq!(compared, 40);
}
