//! Changing settings, figures and names without losing what is there.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::place::succeeds;

/// The smallest run that there is: 24 pictures of 16 x 16 pixels with one attribute.
struct Small {
    folder: tempfile::TempDir,
}

const SMALL: &str = "seed: 1
data:
  source: table
  table: {file: labels.csv, images: images, split_column: split}
  image_size: 16
model:
  architecture: {block: basic, stem: {kernel: 3, stride: 2, max_pool: false}, stages: [{width: 4, blocks: 1, stride: 1, kernel: 3}]}
training: {epochs: 1, batch_size: 4, at_once: 1, augmentation: {scale: 0, rotation: 0, shift: 0, blur: 0, mirror: 0}}
measure: {resamples: 100, occlusion: {images: 0}, decomposed_images: 0, faithfulness: {images: 0}}
";

impl Small {
    fn new(attribute: &str) -> Self {
        let small = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let images = small.path("data/images");
        fs::create_dir_all(&images).expect("made");
        let mut table = format!("image,{attribute},split\n");
        for index in 0..24_u8 {
            let picture = image::RgbImage::from_fn(20, 20, |x, y| {
                let bright = if index % 2 == 0 { 200 } else { 40 };
                image::Rgb([bright, (x * 12) as u8, (y * 12) as u8])
            });
            picture.save(images.join(format!("{index}.png"))).expect("written");
            let split = ["train", "train", "validation", "test"][usize::from(index / 2 % 4)];
            table += &format!("{index}.png,{},{split}\n", 1 - index % 2);
        }
        fs::write(small.path("data/labels.csv"), table).expect("written");
        fs::write(small.path("small.yaml"), SMALL).expect("written");
        small
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(arguments).current_dir(self.folder.path());
        command.output().expect("the program starts")
    }

    fn reproduce(&self, arguments: &[&str]) -> Output {
        self.run(&[&["reproduce", "small.yaml", "--device", "cpu"], arguments].concat())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn letters_that_the_font_lacks_are_named_once() {
    let small = Small::new("微笑");
    let output = small.reproduce(&[]);
    succeeds(&output);
    let said = said(&output);
    assert_eq!(
        said.matches("has no picture of 微 笑: PDF and PNG show a box").count(),
        1,
        "{said}"
    );
    let plain = Small::new("Lächeln");
    let output = plain.reproduce(&[]);
    succeeds(&output);
    assert!(!self::said(&output).contains("no picture of"), "{}", self::said(&output));
}
