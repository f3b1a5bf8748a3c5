//! Where attributes are visible, as boxes.

use std::fs;

use dataset::{Fit, Source, TableConfig, TableFolder};
use image::{GrayImage, Luma};
use tempfile::TempDir;

use crate::{ROWS, config, folder, refusal};

/// A table with boxes instead of masks.
fn with_boxes(folder: &TempDir, boxes: &str) -> TableConfig {
    fs::write(folder.path().join("boxes.csv"), boxes).unwrap();
    TableConfig {
        boxes: Some(folder.path().join("boxes.csv")),
        ..config(folder.path())
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    /// Energies are sums over the squares that the masks become: where those are the same, energies are.
    #[test]
    fn a_box_is_the_mask_of_its_pixels(
        boxes in proptest::collection::vec((0_u32..2, 0_u32..40, 0_u32..20, 1_u32..50, 1_u32..30), 1..4),
        resize in proptest::sample::select(vec![Fit::Crop, Fit::Pad, Fit::Stretch]),
        map in proptest::collection::vec(0.0_f64..1.0, 64),
    ) {
        let folder = folder(ROWS);
        let (mut rows, mut masks) = ("image,attribute,x,y,width,height\n".to_owned(), [GrayImage::new(40, 20), GrayImage::new(40, 20)]);
        for &(attribute, x, y, width, height) in &boxes {
            rows += &format!("a.png,{},{x},{y},{width},{height}\n", ["crack", "wet"][attribute as usize]);
            for (column, row) in (x..(x + width).min(40)).flat_map(|x| (y..(y + height).min(20)).map(move |y| (x, y))) {
                masks[attribute as usize].put_pixel(column, row, Luma([255]));
            }
        }
        for (mask, attribute) in masks.iter().zip(["crack", "wet"]) {
            let place = folder.path().join("masks").join(attribute);
            fs::create_dir_all(&place).unwrap();
            mask.save(place.join("a.png")).unwrap();
        }
        let of_masks = TableConfig { resize, masks: Some(folder.path().join("masks")), ..config(folder.path()) };
        let of_boxes = TableConfig { resize, ..with_boxes(&folder, &rows) };
        let energies = [of_masks, of_boxes].map(|config| {
            let table = TableFolder::open(&config).unwrap();
            let transform = table.alignment(0, table.image_size(0).unwrap(), 8).unwrap();
            let masks = table.masks(0).unwrap().unwrap();
            let aligned = dataset::aligned_masks(&masks, table.image_size(0).unwrap(), &transform, 8);
            let inside = |mask: &[bool]| mask.iter().zip(&map).filter(|(inside, _)| **inside).map(|(_, value)| value).sum::<f64>();
            let total: f64 = map.iter().sum();
            aligned.chunks(64).map(|mask| inside(mask) / total).collect::<Vec<_>>()
        });
        proptest::prop_assert_eq!(&energies[0], &energies[1]);
    }
}

#[test]
fn boxes_are_found_and_their_faults_named() {
    let folder = folder(ROWS);
    let head = "image,attribute,x,y,width,height\n";
    // Another spelling, parts of pixels, an image without boxes, and rows of what is not in the table.
    let boxes =
        format!("{head}./A.PNG,crack,1.5,0,2,1\nc,wet,-5,-5,6,6\nother.png,crack,1,2,3,4\na.png,Bald,1,2,3,4\n");
    let table = TableFolder::open(&with_boxes(&folder, &boxes)).unwrap();
    let masks = table.masks(0).unwrap().unwrap();
    assert_eq!(
        (masks.area(0), masks.contains(0, 1, 0), masks.contains(0, 2, 0)),
        (2, true, true)
    );
    assert!(table.masks(1).unwrap().is_none());
    let masks = table.masks(2).unwrap().unwrap();
    assert_eq!((masks.area(1), masks.contains(1, 0, 0)), (1, true));
    assert_eq!(
        table.mask_files(0).last().unwrap().as_deref(),
        Some(folder.path().join("boxes.csv").as_path())
    );
    let notes = table
        .notes()
        .join("\n")
        .replace(&*folder.path().to_string_lossy(), "DIR");
    assert_eq!(
        notes,
        "DIR/boxes.csv: 1 row is of images that the table does not have, such as other.png\nDIR/boxes.csv: 1 row is of attributes that \
         the table does not have, such as Bald\nDIR/boxes.csv: no image whose answer to crack is no has a box, so that those have no \
         energy\nDIR/boxes.csv: no image whose answer to wet is no has a box, so that those have no energy"
    );
    for (row, expected) in [
        (
            "a.png,crack,1,2,0,4",
            "DIR/boxes.csv:2: width is \"0\", expected a number of pixels above 0",
        ),
        (
            "a.png,crack,one,2,3,4",
            "DIR/boxes.csv:2: x is \"one\", expected a number of pixels",
        ),
        (
            "a.png,crack,0.1,0.2,0.5,0.5",
            "DIR/boxes.csv: no number above 1 in any box, as if they were fractions",
        ),
        (
            "x.png,crack,1,2,3,4",
            "DIR/boxes.csv: 1 row is of images that the table does not have, such as x.png, expected boxes of",
        ),
        (
            "",
            "DIR/boxes.csv: no row, expected boxes of its images, such as a.png, and attributes, crack, wet",
        ),
    ] {
        let message = refusal(&folder, &with_boxes(&folder, &format!("{head}{row}\n")));
        assert!(message.starts_with(expected), "{message}");
    }
    let message = refusal(
        &folder,
        &with_boxes(&folder, "image,attribute,xmin,ymin\na.png,crack,1,2\n"),
    );
    assert!(
        message.starts_with(
            "DIR/boxes.csv:1: the columns image, attribute, xmin, ymin, expected image, attribute, x, y, width, height"
        ),
        "{message}"
    );
    // Names that differ in case are one; a slip that leaves an attribute without any box is refused.
    let table = TableFolder::open(&with_boxes(&folder, &format!("{head}a.png,Crack,1,2,3,4\n"))).unwrap();
    assert!(table.masks(0).unwrap().is_some_and(|masks| masks.area(0) == 12));
    assert!(
        table
            .notes()
            .join("\n")
            .contains("boxes of Crack are taken as those of crack")
    );
    // So are headers, Unicode's forms, and names without the folders before them.
    let other = crate::folder("image,r\u{e9}d,split\na.png,1,train\nsub/b.jpg,0,val\nc,1,test\n");
    let boxes = "Image,ATTRIBUTE,X,Y,Width,Height\nb.png,re\u{301}d,1,2,3,4\n";
    let table = TableFolder::open(&with_boxes(&other, boxes)).unwrap();
    assert!(table.masks(1).unwrap().is_some_and(|masks| masks.area(0) == 12));
    let slip = format!("{head}a.png,crack,1,2,3,4\na.png,wett,1,2,3,4\n");
    let message = refusal(&folder, &with_boxes(&folder, &slip));
    assert!(
        message.contains("boxes of `wett`, which the table does not have, and none of `wet`, which it has"),
        "{message}"
    );
    let table = TableFolder::open(&with_boxes(&folder, &format!("{head}a.png,crack,40,2,3,4\n"))).unwrap();
    let message = table.masks(0).unwrap_err().to_string();
    assert!(
        message.ends_with("with no pixel of the image in it, expected one within the image's 40 x 20 pixels"),
        "{message}"
    );
}

/// An energy grows with its region: boxes of two sizes would make one answer look better.
#[test]
fn boxes_of_the_two_answers_are_compared() {
    let folder = folder(ROWS);
    let notes = |rows: &str| {
        let boxes = format!("image,attribute,x,y,width,height\n{rows}");
        let table = TableFolder::open(&with_boxes(&folder, &boxes)).unwrap();
        table.notes().join("\n")
    };
    // The answers for crack are yes, no and no.
    let alike = "a.png,crack,0,0,10,10\nb.jpg,crack,0,0,10,10\nc,crack,0,0,11,10\n";
    assert!(!notes(alike).contains("cover"), "{}", notes(alike));
    assert!(notes(alike).contains("no box of `wet`"), "{}", notes(alike));
    let larger = "a.png,crack,0,0,10,10\nb.jpg,crack,0,0,10,10\nb.jpg,crack,0,10,10,10\nc,crack,0,0,20,10\n";
    assert!(
        notes(larger).contains("boxes of crack cover 100 pixels where the answer is yes and 200 where it is no"),
        "{}",
        notes(larger)
    );
    // The answer for wet is not known of b.jpg: there is a box, and nothing to compare.
    let unknown = "b.jpg,wet,0,0,10,10\n";
    assert!(!notes(unknown).contains("wet"), "{}", notes(unknown));
    // What has no box may have a mask.
    let masks = folder.path().join("masks");
    fs::create_dir_all(masks.join("wet")).unwrap();
    let both = TableConfig {
        masks: Some(masks),
        ..with_boxes(&folder, "image,attribute,x,y,width,height\na.png,crack,0,0,10,10\n")
    };
    let notes = TableFolder::open(&both).unwrap().notes().join("\n");
    assert!(!notes.contains("no energy"), "{notes}");
}

#[test]
fn columns_that_are_there_twice_are_refused() {
    let folder = folder("image,crack,split,split\na.png,1,train,test\n");
    let message = refusal(&folder, &config(folder.path()));
    assert!(message.contains("column `split` twice"), "{message}");
    let folder = crate::folder(ROWS);
    let twice = with_boxes(&folder, "image,attribute,x,x,y,width,height\na.png,crack,0,5,0,10,10\n");
    assert!(refusal(&folder, &twice).contains("the columns image, attribute, x, x, y"));
}
