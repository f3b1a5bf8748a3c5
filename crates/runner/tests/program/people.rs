//! Who is in CelebA's images, as far as the file of identities says it: from there to what is measured.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::{ReadTable, RowKeys};

use crate::place::{Place, succeeds};

/// The folder of the faces below a folder of data sets.
fn faces(data: &Path) -> PathBuf {
    let mut entries = fs::read_dir(data).expect("a folder").flatten();
    let folder = entries.find(|entry| entry.path().is_dir());
    folder.expect("faces").path()
}

/// The most people of whom a claim is judged.
fn judged(place: &Place) -> i64 {
    let claims = ReadTable::csv(&place.results("tables/claims.csv")).expect("a table");
    let people = claims.integers("people").expect("numbers");
    people.into_iter().max().expect("claims")
}

#[test]
fn identities_are_the_units_of_what_is_measured() {
    let place = Place::new();
    let data = place.folder.path().join("data");
    let folder = faces(&data);
    let folder_setting = format!("data.folder={}", folder.file_name().expect("a name").to_string_lossy());
    let settings = ["data.source=celeba", &folder_setting];
    let file = folder.join("Anno/identity_CelebA.txt");
    let measured = || {
        let output = place.run("measure", &settings);
        succeeds(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };

    // As drawn every face is another person: nothing to tell.
    let said = measured();
    assert!(said.contains("test images (frontal), 40 attributes"), "{said}");
    let predictions = place.results("balanced/predictions.parquet");
    let alone = ReadTable::parquet(&predictions).expect("a table");
    assert!(!alone.columns().contains(&RowKeys::PERSON), "{:?}", alone.columns());
    let images = RowKeys::of(&alone).expect("regular").images;
    assert_eq!(judged(&place), images.len() as i64);

    // Seven images of each, and the first training image of someone who is tested.
    let text = fs::read_to_string(&file).expect("text");
    let count = text.lines().count();
    let number = |row: usize| if row == 0 { (count - 1) / 7 } else { row / 7 };
    let grouped = text.lines().enumerate();
    let grouped = grouped.map(|(row, line)| format!("{} {}\n", line.split(' ').next().expect("a name"), number(row)));
    fs::write(&file, grouped.collect::<String>()).expect("written");
    let person = |image: &str| {
        let row: usize = image.trim_end_matches(".jpg").parse().expect("a number");
        number(row - 1).to_string()
    };
    let said = measured();
    assert!(said.contains("train/balanced           unchanged"), "{said}");
    assert!(
        said.contains("predict/balanced         people in test images new"),
        "{said}"
    );
    assert!(said.contains("explain/balanced         unchanged"), "{said}");
    let expected: Vec<String> = images.iter().map(|image| person(image)).collect();
    let people: BTreeSet<&String> = expected.iter().collect();
    let tested = people.len();
    assert!(
        said.contains(&format!("test images (frontal) of {tested} people")),
        "{said}"
    );
    let torn = format!(
        "people: 1 of the {tested} in test images are in training images too, such as {}",
        number(0)
    );
    assert!(said.contains(&torn), "{said}");
    let named = ReadTable::parquet(&predictions)
        .expect("a table")
        .texts(RowKeys::PERSON)
        .expect("names");
    let by_image: Vec<String> = named.into_iter().step_by(40).collect();
    assert_eq!(by_image, expected);
    assert_eq!(judged(&place), tested as i64);
}
