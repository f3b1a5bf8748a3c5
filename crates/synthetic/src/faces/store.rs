use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use dataset::shards::FOLDER;
use dataset::{Attributes, Landmarks, Split};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::attribute::ATTRIBUTES;
use super::config::Config;
use super::form::Layout;
use super::shard_writer::{GROUP, Row, ShardWriter};
use crate::folder::{cannot_write, put};
use crate::{Error, Result};

/// A face, encoded.
pub(super) struct Drawn {
    pub(super) jpeg: Vec<u8>,
    pub(super) masks: Vec<u8>,
    pub(super) labels: [i8; ATTRIBUTES],
    pub(super) landmarks: Landmarks,
}

/// What is said of an image.
pub(super) struct Annotated {
    pub(super) labels: [i8; ATTRIBUTES],
    pub(super) landmarks: Landmarks,
    /// Which face it shows: its person, and that face's split.
    pub(super) face: usize,
}

/// CelebA's file names: six digits, from 1.
pub(super) fn name(index: usize, extension: &str) -> String {
    format!("{:06}.{extension}", index + 1)
}

/// Where the faces of a data set go, in the form of a layout.
pub(super) struct Store {
    config: Config,
    annotations: PathBuf,
    partition: PathBuf,
    images: Images,
    masks: Option<PathBuf>,
}

enum Images {
    Folder(PathBuf),
    Archive(PathBuf, Box<ZipWriter<BufWriter<File>>>),
    Shards(Box<Shards>),
}

/// The shards, and the rows that wait until they fill a row group.
struct Shards {
    writers: [ShardWriter; 3],
    waiting: Vec<(usize, Vec<u8>, [i8; ATTRIBUTES])>,
}

impl Store {
    pub(super) fn new(folder: &Path, config: &Config, layout: Layout) -> Result<Self> {
        let root = folder.to_owned();
        let make = |path: PathBuf| fs::create_dir_all(&path).map_err(cannot_write(&path)).map(|()| path);
        let images = match layout {
            Layout::Nested => Images::Folder(make(root.join("Img").join("img_align_celeba"))?),
            Layout::Flat => Images::Folder(make(root.join("img_align_celeba"))?),
            Layout::Zip => {
                let path = make(root.join("Img"))?.join("img_align_celeba.zip");
                let file = File::create(&path).map_err(cannot_write(&path))?;
                Images::Archive(path, Box::new(ZipWriter::new(BufWriter::new(file))))
            }
            Layout::Parquet => {
                make(root.join(FOLDER))?;
                let rows = |split| (0..config.images).filter(|&index| config.split(index) == split).count();
                let attributes = Attributes::celeba();
                let writer = |split| ShardWriter::new(&root, split, rows(split), attributes.names());
                Images::Shards(Box::new(Shards {
                    writers: Split::ALL.map(writer),
                    waiting: Vec::with_capacity(GROUP),
                }))
            }
        };
        let (annotations, partition) = match layout {
            Layout::Flat => (root.clone(), root.clone()),
            Layout::Parquet => (make(root.join("Anno"))?, root.clone()),
            Layout::Nested | Layout::Zip => (make(root.join("Anno"))?, make(root.join("Eval"))?),
        };
        let masks = match layout {
            Layout::Parquet => None,
            _ => Some(make(root.join("masks"))?),
        };
        Ok(Self {
            config: *config,
            annotations,
            partition,
            images,
            masks,
        })
    }

    /// Stores what may be stored in any order; called from several threads.
    pub(super) fn put_new(&self, index: usize, face: &Drawn) -> Result<()> {
        if let Images::Folder(folder) = &self.images {
            put(&folder.join(name(index, "jpg")), &face.jpeg)?;
        }
        match &self.masks {
            Some(folder) => put(&folder.join(name(index, "png")), &face.masks),
            None => Ok(()),
        }
    }

    /// Stores face `index`, which is face `original` again; called in the order of the faces.
    pub(super) fn put(&mut self, index: usize, original: usize, face: &Drawn) -> Result<()> {
        if let Some(folder) = self.masks.as_ref().filter(|_| original != index) {
            repeat(folder, original, index, "png")?;
        }
        match &mut self.images {
            Images::Folder(_) if original == index => Ok(()),
            Images::Folder(folder) => repeat(folder, original, index, "jpg"),
            Images::Archive(path, writer) => {
                let options = SimpleFileOptions::default().compression_method(CompressionMethod::STORE);
                writer
                    .start_file(format!("img_align_celeba/{}", name(index, "jpg")), options)
                    .map_err(io::Error::from)
                    .and_then(|()| writer.write_all(&face.jpeg))
                    .map_err(cannot_write(path))
            }
            Images::Shards(shards) => {
                shards.waiting.push((index, face.jpeg.clone(), face.labels));
                let next = index + 1;
                let split = self.config.split(index);
                if shards.waiting.len() == GROUP || next == self.config.images || self.config.split(next) != split {
                    shards.write(split)?;
                }
                Ok(())
            }
        }
    }

    /// Stores a further picture of a face, as image `index`; called in the order of the images.
    pub(super) fn put_further(&mut self, index: usize, picture: &Drawn) -> Result<()> {
        self.put_new(index, picture)?;
        self.put(index, index, picture)
    }

    /// Writes the annotations of all images, and ends.
    pub(super) fn finish(self, rows: &[Annotated]) -> Result<()> {
        let landmarks = landmarks(rows);
        put(
            &self.annotations.join("list_landmarks_align_celeba.txt"),
            landmarks.as_bytes(),
        )?;
        match self.images {
            Images::Shards(_) => return Ok(()),
            Images::Folder(_) => {}
            Images::Archive(path, writer) => {
                let finished = writer.finish().map_err(io::Error::from);
                finished
                    .and_then(|mut file| file.flush())
                    .map_err(cannot_write(&path))?;
            }
        }
        let mut labels = format!("{}\n{} \n", rows.len(), Attributes::celeba().names().join(" "));
        let (mut identities, mut splits) = (String::new(), String::new());
        for (index, row) in rows.iter().enumerate() {
            let name = name(index, "jpg");
            // Writing to a string cannot fail.
            let _ = write!(labels, "{name}");
            for label in row.labels {
                let _ = write!(labels, " {label:>2}");
            }
            labels.push('\n');
            // Every procedural face is another person.
            let _ = writeln!(identities, "{name} {}", row.face + 1);
            let _ = writeln!(splits, "{name} {}", self.config.split(row.face).code());
        }
        put(&self.annotations.join("list_attr_celeba.txt"), labels.as_bytes())?;
        put(&self.annotations.join("identity_CelebA.txt"), identities.as_bytes())?;
        put(&self.partition.join("list_eval_partition.txt"), splits.as_bytes())
    }
}

impl Shards {
    fn write(&mut self, split: Split) -> Result<()> {
        let rows: Vec<Row<'_>> = self
            .waiting
            .iter()
            .map(|(index, bytes, labels)| Row {
                bytes,
                name: name(*index, "jpg"),
                identity: *index as i64 + 1,
                labels,
            })
            .collect();
        self.writers[usize::from(split.code())].write(&rows)?;
        self.waiting.clear();
        Ok(())
    }
}

fn landmarks(rows: &[Annotated]) -> String {
    let mut text = format!(
        "{}\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n",
        rows.len()
    );
    for (index, Annotated { landmarks: points, .. }) in rows.iter().enumerate() {
        text.push_str(&name(index, "jpg"));
        for v in [
            points.left_eye,
            points.right_eye,
            points.nose,
            points.left_mouth,
            points.right_mouth,
        ]
        .concat()
        {
            // Writing to a string cannot fail.
            let _ = write!(text, " {:>4}", v.round() as i32);
        }
        text.push('\n');
    }
    text
}

/// A second name for a file, or a copy where that cannot be.
fn repeat(folder: &Path, original: usize, index: usize, extension: &str) -> Result<()> {
    let (from, to) = (
        folder.join(name(original, extension)),
        folder.join(name(index, extension)),
    );
    match fs::hard_link(&from, &to) {
        Ok(()) => Ok(()),
        Err(_) => match fs::copy(&from, &to) {
            Ok(_) => Ok(()),
            Err(source) => Err(Error::Write { path: to, source }),
        },
    }
}
