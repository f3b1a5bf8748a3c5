//! What is wrong with a table, and where.

use std::fs;

use crate::{ROWS, config, folder, refusal};

#[test]
fn faults_name_the_line() {
    for (table, expected) in [
        (
            "",
            "DIR/labels.csv: an empty file, expected a header and a row for each image",
        ),
        (
            "image,crack,split\n",
            "DIR/labels.csv: a header and no rows, expected a row for each image",
        ),
        (
            "scan,crack,split\na.png,1,train\n",
            "DIR/labels.csv:1: no column `image`, expected one of scan, crack, split",
        ),
        (
            "image,crack\na.png,1\n",
            "DIR/labels.csv:1: no column `split`, expected one of image, crack",
        ),
        (
            "image,crack,split,image\na.png,1,train,b\n",
            "DIR/labels.csv:1: column `image` twice, expected each name once",
        ),
        (
            "image,crack,crack,split\na.png,1,1,train\n",
            "DIR/labels.csv:1: attribute names: crack twice, expected each name once",
        ),
        (
            "image,split\na.png,train\n",
            "DIR/labels.csv:1: attribute names: no name, expected at least one",
        ),
        (
            "image,crack,split\na.png,1\n",
            "DIR/labels.csv:2: 2 cells, expected 3, one for each name of the header",
        ),
        (
            "image,crack,split\na.png,1,train\n../b.png,1,test\n",
            "DIR/labels.csv:3: image name \"../b.png\", expected a path below",
        ),
        (
            "image,crack,split\n/etc/passwd,1,test\n",
            "image passwd not found; looked for DIR/images/passwd,",
        ),
        (
            "image,crack,split\na\\..\\..\\b.jpg,1,test\n",
            "DIR/labels.csv:2: image name \"a\\\\..\\\\..\\\\b.jpg\", expected a path below",
        ),
        (
            "image,crack,split\nsub/b.jpg,1,train\nsub\\b.jpg,1,test\n",
            "DIR/labels.csv: image sub\\b.jpg, whose file is sub/b.jpg, as that of sub/b.jpg, expected a file of its own for each image",
        ),
        (
            "image,crack,split\n,1,test\n",
            "DIR/labels.csv:2: image name \"\", expected a path below",
        ),
        (
            "image,crack,split\na.png,1,train\n\na.png,0,test\n",
            "DIR/labels.csv:4: \"a.png\" again, after line 2, expected each image once",
        ),
        (
            "image,crack,split\na.png,1,hold\n",
            "DIR/labels.csv:2: split \"hold\", expected train, validation or test (or 0, 1, 2)",
        ),
        (
            "image,crack,split\na.png,maybe,train\n",
            "DIR/labels.csv:2: crack is \"maybe\", expected 1, yes or true; 0, -1, no or false",
        ),
        (
            "image,crack,split\na.png,0,train\nc,-1,test\n",
            "DIR/labels.csv:3: crack is -1, after another word for no in line 2",
        ),
        (
            "image,\"has\ncrack\",split\na.png,1,train\n",
            "DIR/labels.csv:1: attribute names: \"has\\ncrack\" in column 1, expected a name in one line",
        ),
    ] {
        let folder = folder(table);
        let message = refusal(&folder, &config(folder.path()));
        assert!(
            message.starts_with(expected),
            "{message:?} should start with {expected:?}"
        );
    }
    let folder = folder(ROWS);
    fs::write(
        folder.path().join("labels.csv"),
        b"image,crack,split\na.png,1,train\n\xff.png,1,test\n",
    )
    .unwrap();
    assert_eq!(
        refusal(&folder, &config(folder.path())),
        "DIR/labels.csv:3: bytes that are no text, expected a text file in UTF-8 (Excel: \"CSV UTF-8\")"
    );
}
