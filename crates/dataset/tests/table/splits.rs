//! Splits that are made, and groups of images.

use std::fs;

use dataset::{Shares, Source, Split, TableConfig, TableFolder, TableSplit};

use crate::{ROWS, config, folder, refusal};

#[test]
fn without_a_split_column_the_split_is_stratified() {
    let mut rows = "image,crack\n".to_owned();
    let folder = folder(ROWS);
    for index in 0..100 {
        rows += &format!("{index}.png,{}\n", u8::from(index % 10 == 0));
    }
    fs::write(folder.path().join("labels.csv"), rows).unwrap();
    fs::write(folder.path().join("images/0.png"), "").unwrap();
    let table = TableFolder::open(&TableConfig {
        split: TableSplit::Stratified(Shares {
            validation: 0.2,
            test: 0.3,
            seed: 7,
        }),
        ..config(folder.path())
    })
    .unwrap();
    let annotations = table.annotations();
    for (split, positives, negatives) in [(Split::Train, 5, 45), (Split::Validation, 2, 18), (Split::Test, 3, 27)] {
        let counts = annotations.class_counts(&annotations.indices(split))[0];
        assert_eq!((counts.positives, counts.negatives), (positives, negatives), "{split}");
    }
}

/// A table of 90 images of 30 plants, in the order of their numbers; `plant` names one.
fn of_plants(plant: impl Fn(usize) -> String) -> String {
    let row = |index: usize| {
        format!(
            "{index}.png,{},{}\n",
            u8::from(index.is_multiple_of(9)),
            plant(index / 3)
        )
    };
    "image,crack,plant\n".to_owned() + &(0..90).map(row).collect::<String>()
}

#[test]
fn images_of_a_group_stay_together_and_know_its_name() {
    let folder = folder(&of_plants(|plant| format!("fern {plant}")));
    fs::write(folder.path().join("images/0.png"), "").unwrap();
    let of = |seed, group_column: Option<&str>| TableConfig {
        group_column: group_column.map(str::to_owned),
        split: TableSplit::Stratified(Shares {
            validation: 0.2,
            test: 0.3,
            seed,
        }),
        ..config(folder.path())
    };
    for seed in 1..6 {
        let table = TableFolder::open(&of(seed, Some("plant"))).unwrap();
        let annotations = table.annotations();
        assert_eq!(
            annotations.attributes.names(),
            ["crack"],
            "the groups' column is no attribute"
        );
        for plant in annotations.splits.chunks(3) {
            assert!(plant.iter().all(|split| *split == plant[0]));
        }
        for (split, positives, negatives) in [(Split::Train, 5, 40), (Split::Validation, 2, 16), (Split::Test, 3, 24)] {
            let counts = annotations.class_counts(&annotations.indices(split))[0];
            assert_eq!((counts.positives, counts.negatives), (positives, negatives), "{split}");
        }
        let people = annotations.people().unwrap();
        assert_eq!((people[0], people[2], people[3], people[89]), (0, 0, 1, 29));
        assert_eq!(table.person(5).unwrap(), "fern 1");
        assert_eq!(table.person(90), None);
    }
    // Without the column, and with a column that groups nothing, it is the split of single images.
    let ungrouped = of_plants(|_| String::new());
    fs::write(
        folder.path().join("labels.csv"),
        ungrouped.replace(",plant\n", "\n").replace(",\n", "\n"),
    )
    .unwrap();
    let alone = TableFolder::open(&of(1, None)).unwrap();
    assert!(alone.annotations().people().is_none() && alone.person(0).is_none());
    let named = TableFolder::open(&of(1, Some("image"))).unwrap();
    assert_eq!(named.annotations().splits, alone.annotations().splits);
    assert!(
        named.annotations().people().is_none(),
        "every image shows another plant"
    );
}

#[test]
fn groups_are_told_by_what_cells_say_whatever_their_type() {
    let people = |cells: [&str; 4]| {
        let row = |(index, cell): (usize, &str)| format!("{index}.png,{},{cell},test\n", index % 2);
        let rows: String = cells.into_iter().enumerate().map(row).collect();
        let folder = folder(&format!("image,crack,who,split\n{rows}"));
        fs::write(folder.path().join("images/0.png"), "").unwrap();
        let table = TableFolder::open(&TableConfig {
            group_column: Some("who".to_owned()),
            ..config(folder.path())
        });
        table.unwrap().annotations().identities.clone().unwrap()
    };
    assert_eq!(people(["7", "8", "7", " 8"]), [0, 1, 0, 1]);
    assert_eq!(people(["7", "07", "7.0", "07"]), [0, 1, 2, 1]);
    assert_eq!(people(["true", "false", "Ann", "ann"]), [0, 1, 2, 3]);

    // As pandas writes them: whole numbers, words, truths.
    let folder = folder(ROWS);
    let path = folder.path().join("labels.parquet");
    fs::write(&path, include_bytes!("../data/table/labels.parquet")).unwrap();
    let of = |column: &str| TableConfig {
        file: path.clone(),
        attributes: Some(vec!["crack".to_owned()]),
        group_column: Some(column.to_owned()),
        split: TableSplit::Stratified(Shares::default()),
        ..config(folder.path())
    };
    for (column, names, people) in [
        ("age", ["30", "31", "32"], [0, 1, 2]),
        ("kind", ["false", "true", "true"], [0, 1, 1]),
        ("crack", ["true", "false", "false"], [0, 1, 1]),
    ] {
        let attributes = Some(vec!["tiny".to_owned()]);
        let table = TableFolder::open(&TableConfig {
            attributes,
            ..of(column)
        })
        .unwrap();
        assert_eq!([0, 1, 2].map(|index| table.person(index).unwrap().into_owned()), names);
        assert_eq!(table.annotations().identities.as_deref(), Some(people.as_slice()));
    }
    let message = refusal(&folder, &of("nullable"));
    assert!(
        message.starts_with("DIR/labels.parquet:2: nullable is \"\", expected a name in every row"),
        "{message}"
    );
}

#[test]
fn faults_of_groups_name_line_and_setting() {
    let refused = |table: &str, group_column: &str, attributes: Option<&[&str]>| {
        let folder = folder(table);
        let config = TableConfig {
            group_column: Some(group_column.to_owned()),
            attributes: attributes.map(|all| all.iter().map(|&name| name.to_owned()).collect()),
            ..config(folder.path())
        };
        refusal(&folder, &config)
    };
    assert_eq!(
        refused(ROWS, "patient", None),
        "DIR/labels.csv:1: no column `patient`, expected one of image, crack, wet, split as group_column"
    );
    for cell in ["", " ", "NA", "nan", "None"] {
        let table = format!("image,crack,who,split\na.png,1,ann,train\nc,0,{cell},test\n");
        let message = refused(&table, "who", None);
        let expected = format!(
            "DIR/labels.csv:3: who is {:?}, expected a name in every row of the group_column",
            cell.trim()
        );
        assert!(message.starts_with(&expected), "{message}");
    }
    assert_eq!(
        refused(ROWS, "split", None),
        "group_column: split, expected another column than that of the splits"
    );
    assert_eq!(
        refused(ROWS, "wet", Some(&["crack", "wet"])),
        "group_column: wet, expected another column than that of an attribute"
    );
}
