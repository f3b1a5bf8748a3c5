//! What the parsers say about broken annotation files, and that no bytes make them panic.

use dataset::{parse_identities, parse_labels, parse_landmarks, parse_partition};
use proptest::prelude::*;

/// Each incident: its bytes and the whole message.
macro_rules! incidents {
    ($parse:ident as $file:literal: $($name:ident: $bytes:expr => $message:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let bytes = Vec::<u8>::from($bytes);
                let message = $parse($file, &bytes).expect_err("these bytes break the format").to_string();
                assert_eq!(message, concat!($file, $message));
            }
        )*
    };
}

mod labels {
    use super::*;

    incidents! { parse_labels as "list_attr_celeba.txt":
        an_empty_file: "" =>
            ":1: nothing, expected the number of images alone on the first line, as in the official file";
        a_header_without_the_count: "5_o_Clock_Shadow Bald\n000001.jpg 1 1\n" =>
            ":1: \"5_o_Clock_Shadow Bald\", expected the number of images alone on the first line, as in the official file";
        a_table_of_commas_cut_off: "image_id,5_o_Clock_Shadow\n000001.jpg\n" =>
            ":2: 1 cells, expected 2, one for each name of the header";
        a_negative_count: "-1\na\n" =>
            ":1: \"-1\", expected the number of images alone on the first line, as in the official file";
        a_count_beyond_memory: "18446744073709551615\na\n1.jpg 1\n" =>
            ":1: count 18446744073709551615, expected 1, the number of rows below (is the file complete?)";
        a_count_and_nothing_else: "5\n" =>
            ":2: end of file, expected the names of the attributes";
        an_empty_header: "1\n\n1.jpg 1\n" =>
            ":2: attribute names: no name, expected at least one";
        an_attribute_twice: "1\na b a\n1.jpg 1 1 1\n" =>
            ":2: attribute names: a twice, expected each name once";
        a_value_too_few: "2\na b\n1.jpg 1 1\n2.jpg 1\n" =>
            ":4: 1 values, expected 2, one per attribute of line 2";
        a_value_too_many: "1\na b\n1.jpg 1 1 -1\n" =>
            ":3: 3 values, expected 2, one per attribute of line 2";
        two_words_for_no: "2\na b\n1.jpg 1 -1\n2.jpg 0 1\n" =>
            ":4: 0, after -1 in line 3, expected either -1 or 0 for no in the whole file";
        a_value_with_a_plus: "1\na b\n1.jpg +1 1\n" =>
            ":3: a is \"+1\", expected 1 or -1 (or 1 and 0)";
        a_word_beyond_the_columns: "1\na\n1.jpg 1 yes\n" =>
            ":3: \"yes\" in column 3, expected 1 or -1 (or 1 and 0)";
        a_very_long_value: format!("1\na\n1.jpg {}\n", "9".repeat(1000)) =>
            ":3: a is \"9999999999999999999999999999999999999999\"..., expected 1 or -1 (or 1 and 0)";
        an_image_twice: "3\na\n1.jpg 1\n2.jpg 1\n1.jpg -1\n" =>
            ":5: 1.jpg again, after line 3, expected each image once";
        a_name_that_climbs: "1\na\n../1.jpg 1\n" =>
            ":3: image name \"../1.jpg\", expected a plain file name such as 000001.jpg, without folders";
        an_absolute_name: "1\na\n/etc/passwd 1\n" =>
            ":3: image name \"/etc/passwd\", expected a plain file name such as 000001.jpg, without folders";
        a_windows_path: "1\na\nimg\\1.jpg 1\n" =>
            ":3: image name \"img\\\\1.jpg\", expected a plain file name such as 000001.jpg, without folders";
        fewer_rows_than_counted: "3\na\n1.jpg 1\n2.jpg 1\n" =>
            ":1: count 3, expected 2, the number of rows below (is the file complete?)";
        more_rows_than_counted: "1\na\n1.jpg 1\n2.jpg 1\n" =>
            ":1: count 1, expected 2, the number of rows below (is the file complete?)";
        a_hole: "2\na\n1.jpg 1\n\n2.jpg 1\n" =>
            ":4: a blank line, expected an image name and its values";
        an_image_instead: b"1\na\n\xff\xd8\xff\xe0" =>
            ":3: bytes that are no text, expected a plain text file";
    }
}

mod partition {
    use super::*;

    incidents! { parse_partition as "list_eval_partition.txt":
        a_fourth_split: "1.jpg 0\n2.jpg 3\n" =>
            ":2: split \"3\", expected 0 (train), 1 (validation) or 2 (test)";
        a_name_alone: "1.jpg\n" =>
            ":1: 0 values after the name, expected 1";
        a_third_column: "1.jpg 0 0\n" =>
            ":1: 2 values after the name, expected 1";
        an_image_twice: "1.jpg 0\n1.jpg 0\n" =>
            ":2: 1.jpg again, after line 1, expected each image once";
    }

    #[test]
    fn an_image_without_labels() {
        let rows = parse_partition("list_eval_partition.txt", b"1.jpg 0\n3.jpg 2\n").unwrap();
        assert_eq!(
            rows.ordered_by(&["1.jpg".to_owned()], "list_attr_celeba.txt")
                .unwrap_err()
                .to_string(),
            "list_eval_partition.txt:2: image \"3.jpg\", expected one of the 1 images of list_attr_celeba.txt"
        );
    }

    #[test]
    fn images_without_a_split() {
        let message = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let rows = parse_partition("list_eval_partition.txt", b"1.jpg 0\n").unwrap();
            rows.ordered_by(&names, "list_attr_celeba.txt").unwrap_err().to_string()
        };
        assert_eq!(
            message(&["1.jpg", "2.jpg"]),
            "list_eval_partition.txt: no row for 2.jpg, expected one for each of the 2 images of list_attr_celeba.txt"
        );
        assert_eq!(
            message(&["0.jpg", "1.jpg", "2.jpg"]),
            "list_eval_partition.txt: no row for 0.jpg and 1 more, \
             expected one for each of the 3 images of list_attr_celeba.txt"
        );
    }
}

mod landmarks {
    use super::*;

    const HEADER: &str =
        "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y";

    incidents! { parse_landmarks as "landmarks.txt":
        a_count_alone: "0" =>
            ":2: no column names, expected lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x \
             leftmouth_y rightmouth_x rightmouth_y";
        bounding_boxes_instead: "1\nx_1 y_1 width height\n1.jpg 95 71 226 313\n" =>
            ":2: \"x_1 y_1 width height\", expected lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x \
             leftmouth_y rightmouth_x rightmouth_y";
        nine_numbers: format!("1\n{HEADER}\n1.jpg 1 2 3 4 5 6 7 8 9\n") =>
            ":3: 9 values after the name, expected 10";
        a_word: format!("1\n{HEADER}\n1.jpg 1 2 3 4 x 6 7 8 9 10\n") =>
            ":3: nose_x is \"x\", expected a number of pixels";
        no_number: format!("1\n{HEADER}\n1.jpg 1 2 3 4 5 6 7 8 9 NaN\n") =>
            ":3: rightmouth_y is \"NaN\", expected a number of pixels";
        a_row_missing: format!("2\n{HEADER}\n1.jpg 1 2 3 4 5 6 7 8 9 10\n") =>
            ":1: count 2, expected 1, the number of rows below (is the file complete?)";
    }
}

mod identities {
    use super::*;

    incidents! { parse_identities as "identity_CelebA.txt":
        a_negative_person: "1.jpg -5\n" =>
            ":1: identity \"-5\", expected a whole number from 0";
        two_people: "1.jpg 5 6\n" =>
            ":1: 2 values after the name, expected 1";
    }
}

/// Bytes that look like an annotation file in many places, and arbitrary ones.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("1"),
        Just("-1"),
        Just("0"),
        Just("2"),
        Just("a.jpg"),
        Just("b.jpg"),
        Just("lefteye_x"),
        Just("99999999999999999999"),
        Just("1e39"),
        Just("é"),
        Just("\u{2028}"),
        Just("\n"),
        Just("\r\n"),
        Just("\n\n"),
        Just("\t"),
        Just("\0"),
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..400),
        proptest::collection::vec(word, 0..80).prop_map(|words| words.join(" ").into_bytes()),
    ]
}

proptest! {
    #[test]
    fn labels_never_panic_and_are_consistent(bytes in bytes()) {
        if let Ok(table) = parse_labels("file", &bytes) {
            prop_assert_eq!(table.labels.len(), table.names.len() * table.attributes.len());
            prop_assert!(table.labels.iter().all(|label| label.abs() == 1));
        }
    }

    #[test]
    fn partitions_never_panic(bytes in bytes()) {
        if let Ok(rows) = parse_partition("file", &bytes) {
            let names: Vec<String> = rows.rows().iter().map(|(name, _)| name.clone()).collect();
            prop_assert_eq!(rows.ordered_by(&names, "labels").unwrap().len(), names.len());
        }
    }

    #[test]
    fn landmarks_never_panic(bytes in bytes(), header in any::<bool>()) {
        let mut text = Vec::new();
        if header {
            text.extend_from_slice(b"1\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y ");
            text.extend_from_slice(b"leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n");
        }
        text.extend_from_slice(&bytes);
        if let Ok(rows) = parse_landmarks("file", &text) {
            prop_assert!(rows.rows().iter().all(|(_, face)| face.nose.iter().all(|value| value.is_finite())));
        }
    }

    #[test]
    fn identities_never_panic(bytes in bytes()) {
        if let Ok(rows) = parse_identities("file", &bytes) {
            prop_assert!(rows.rows().iter().all(|(name, _)| !name.contains('/')));
        }
    }
}
