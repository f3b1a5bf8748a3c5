//! `biascam data fetch`: CelebA and pretrained weights from the Hugging Face hub.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hf_hub::{Repo, RepoType};

use crate::error::{Error, Result};
use crate::hub::{Environment, Hub, HubError, RemoteFile, is_placed, place};
use crate::output::print;
use pipeline::{Interrupt, Progress};
use render::text::counted;

/// What is fetched, and where it goes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to download
    #[arg(value_enum)]
    what: Asset,
    /// The folder to write; by default data/celeba for the data set and data/weights for weights
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What the hub is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Asset {
    /// CelebA's aligned images with identities and attributes as Parquet files, 11.7 GB, which experiments read as they are
    Celeba,
    /// ResNet-50 trained on ImageNet by torchvision, 102 MB
    Resnet50,
    /// ResNet-18 trained on ImageNet by torchvision, 47 MB
    Resnet18,
}

/// The folder of the repository that holds CelebA's shards.
const SHARDS: &str = "img_align+identity+attr/";

impl Asset {
    fn repository(self) -> Repo {
        let (id, kind) = match self {
            Self::Celeba => ("flwrlabs/celeba", RepoType::Dataset),
            Self::Resnet50 => ("timm/resnet50.tv_in1k", RepoType::Model),
            Self::Resnet18 => ("timm/resnet18.tv_in1k", RepoType::Model),
        };
        Repo::new(id.to_owned(), kind)
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Celeba => "data/celeba",
            Self::Resnet50 | Self::Resnet18 => "data/weights",
        }
    }

    /// The name in the folder of a file of the repository, if it is wanted.
    fn destination(self, path: &str) -> Option<String> {
        match self {
            Self::Celeba => (path.starts_with(SHARDS) && path.ends_with(".parquet")).then(|| path.to_owned()),
            Self::Resnet50 => (path == "model.safetensors").then(|| "resnet50.tv_in1k.safetensors".to_owned()),
            Self::Resnet18 => (path == "model.safetensors").then(|| "resnet18.tv_in1k.safetensors".to_owned()),
        }
    }

    fn terms(self) -> &'static str {
        match self {
            Self::Celeba => {
                "Terms: CelebA is for non-commercial research only, may not be redistributed, and belongs to its authors \
                 (mmlab.ie.cuhk.edu.hk/projects/CelebA.html); downloading it, you accept their agreement. It shows real people: \
                 see docs/understand/responsible-use.md."
            }
            Self::Resnet50 | Self::Resnet18 => {
                "Terms: BSD 3-Clause (torchvision's weights as timm publishes them); they were trained on ImageNet, whose images are \
                 for non-commercial research."
            }
        }
    }

    /// How a person gets the same without this command.
    fn by_hand(self, folder: &Path) -> String {
        let folder = folder.display();
        match self {
            Self::Celeba => format!(
                "By hand: with any browser, get the folder img_align+identity+attr (25 files, 11.7 GB) of \
                 huggingface.co/datasets/flwrlabs/celeba into {folder}; or img_align_celeba.zip and the annotation files (1.4 GB), which \
                 also have the landmarks, from mmlab.ie.cuhk.edu.hk/projects/CelebA.html into the same folder"
            ),
            Self::Resnet50 | Self::Resnet18 => format!(
                "By hand: with any browser, get model.safetensors of huggingface.co/{} and save it as {folder}/{}",
                self.repository().url(),
                self.destination("model.safetensors").unwrap_or_default()
            ),
        }
    }
}

/// Downloads, verifies and places everything that is not there yet.
///
/// # Errors
/// [`HubError`] with what to do by hand; [`Interrupted`](pipeline::Interrupted). What has arrived is kept and gone on with.
pub fn run(arguments: &Arguments) -> Result<()> {
    let asset = arguments.what;
    let out = arguments.out.clone().unwrap_or_else(|| asset.folder().into());
    fetch(asset, &out, &Progress::new(), &Interrupt::listen()?).map_err(|error| match error {
        Error::Hub(error) => Error::Request(format!("{}. {}", crate::error::describe(&error), asset.by_hand(&out))),
        other => other,
    })?;
    print(out.display())
}

fn fetch(asset: Asset, out: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<()> {
    let repository = asset.repository();
    let hub = Hub::new(Environment::of_process()?)?;
    let files: Vec<(RemoteFile, PathBuf)> = hub
        .list(&repository, interrupt)?
        .into_iter()
        .filter_map(|file| Some((out.join(asset.destination(&file.path)?), file)))
        .map(|(destination, file)| (file, destination))
        .collect();
    if files.is_empty() {
        let wanted = if asset == Asset::Celeba {
            SHARDS
        } else {
            "model.safetensors"
        };
        return Err(HubError::Absent {
            what: format!("{}/{wanted}", repository.url()),
        }
        .into());
    }
    let total: u64 = files.iter().map(|(file, _)| file.size).sum();
    progress.say(&format!(
        "{}: {}, {}, into {}\n{}",
        repository.url(),
        counted(files.len(), "file"),
        size(total),
        out.display(),
        asset.terms()
    ));
    let mut work = progress.work("fetch", total);
    let mut before = 0;
    for (number, (file, destination)) in files.iter().enumerate() {
        if !is_placed(destination, file) {
            let note = format!("file {} of {}: {}", number + 1, files.len(), file.path);
            let cached = hub.download(&repository, file, interrupt, &mut |bytes| {
                work.at(before + bytes, &note);
            })?;
            place(&cached, destination)?;
        }
        before += file.size;
    }
    work.done(&format!("{}, {}, verified", counted(files.len(), "file"), size(total)));
    Ok(())
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
