//! Weights that other programs or earlier runs left: found, read, and named in every message about them.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use disk::hash_of;
use hf_hub::Cache;
use model::{Architecture, Checkpoint, Foreign, Guess, InputNormalisation, Network};

use crate::error::{Error, Result};
use crate::experiment::{IMAGENET_DEVIATION, IMAGENET_MEAN, repository_of};
use crate::hub::Environment;

/// A file of weights in memory.
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Where `model.pretrained` is: the file of that name, or the hub's repository of that name as `biascam data fetch`
/// placed it below `data_root`, or as any tool left it in the hub's cache.
///
/// # Errors
/// When it is nowhere; the message says how to get it.
pub fn find_pretrained(choice: &str, data_root: &Path) -> Result<PathBuf> {
    let file = Path::new(choice);
    if file.is_file() {
        return Ok(file.to_owned());
    }
    let Some(repository) = repository_of(choice) else {
        return Err(Error::Request(format!(
            "model.pretrained: {choice} is neither a file nor a repository of the hub such as timm/resnet50.tv_in1k"
        )));
    };
    let placed = data_root.join("weights").join(format!("{repository}.safetensors"));
    if placed.is_file() {
        return Ok(placed);
    }
    let cached = Environment::of_process().ok().and_then(|environment| {
        Cache::new(environment.cache)
            .model(choice.to_owned())
            .get("model.safetensors")
    });
    cached.ok_or_else(|| {
        let fetch = match repository {
            "resnet50.tv_in1k" => "`biascam data fetch resnet50` downloads it (102 MB)".to_owned(),
            "resnet18.tv_in1k" => "`biascam data fetch resnet18` downloads it (47 MB)".to_owned(),
            _ => format!("get model.safetensors of huggingface.co/{choice} and save it there"),
        };
        Error::Request(format!(
            "model.pretrained: {choice} is not in {} nor in the hub's cache; {fetch}, `--set model.pretrained=null` starts from \
             random weights",
            placed.display()
        ))
    })
}

/// A network from a file.
#[derive(Debug)]
pub struct FromFile {
    /// The network.
    pub network: Network,
    /// What is to be said of how it was read, a line each.
    pub said: Vec<String>,
}

impl WeightsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is of a format that this program does not read; the message says how to convert it.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading the weights"))?;
        if let Some(what) = other_format(&bytes, path) {
            return Err(Error::Request(format!("{}: {what}", path.display())));
        }
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// SHA-256 of its contents.
    pub fn hash(&self) -> String {
        hash_of(&self.bytes)
    }

    /// An error of this file.
    pub fn fault(&self, error: impl std::fmt::Display) -> Error {
        Error::Request(format!("{}: {error}", self.path.display()))
    }

    /// The checkpoint of this program in the file; `None` where it says that it is none.
    ///
    /// # Errors
    /// When it is damaged, or of another version.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        if !Checkpoint::is_in(&self.bytes) {
            return Ok(None);
        }
        let checkpoint = Checkpoint::from_bytes(&self.bytes).map_err(|error| self.fault(error))?;
        self.all_finite(checkpoint.tensors.iter())?;
        Ok(Some(checkpoint))
    }

    /// The weights of another program in the file.
    ///
    /// # Errors
    /// When the file is not safetensors, has no residual network of known names, or holds a number that is not finite.
    pub fn foreign(&self) -> Result<Foreign> {
        let foreign = Foreign::from_bytes(&self.bytes).map_err(|error| {
            self.fault(format_args!(
                "{error}; expected safetensors with a ResNet under torchvision's names (`conv1.weight`, `layer1.0.conv1.weight`, ..., \
                 `fc.weight`), all of them behind one prefix if need be, or under those of the library transformers: rename the tensors \
                 in Python and save them with `safetensors.torch.save_file`"
            ))
        })?;
        self.all_finite(foreign.tensors.iter())?;
        Ok(foreign)
    }

    /// Refuses numbers of which nothing can come, with the tensor that holds one.
    fn all_finite<'a>(&self, tensors: impl Iterator<Item = (&'a String, &'a Tensor)>) -> Result<()> {
        let is_finite = |tensor: &Tensor| {
            let values = tensor.flatten_all().and_then(|all| all.to_vec1::<f32>());
            values.map_or(true, |values| values.iter().all(|value| value.is_finite()))
        };
        let first = tensors
            .filter(|(_, tensor)| !is_finite(tensor))
            .map(|(name, _)| name)
            .min();
        match first {
            None => Ok(()),
            Some(name) => Err(self.fault(format_args!(
                "`{name}` holds a number that is not finite (NaN or infinity): has the training diverged?"
            ))),
        }
    }

    /// A network with these weights and a fresh head for `outputs` attributes.
    ///
    /// # Errors
    /// When the file is not safetensors, or lacks or has other tensors than the architecture's; the message lists them.
    pub fn backbone(
        &self,
        architecture: &Architecture,
        outputs: usize,
        seed: u64,
        device: &Device,
    ) -> Result<FromFile> {
        // A checkpoint of ours has torchvision's names, and more than a network's tensors if it is unfinished.
        let mut foreign = match self.checkpoint()? {
            Some(checkpoint) => Foreign {
                tensors: checkpoint.tensors.into_iter().collect(),
                said: Vec::new(),
            },
            None => self.foreign()?,
        };
        foreign.without_others();
        let guess = model::architecture_of(&foreign.tensors);
        let network = Network::from_backbone(architecture, outputs, foreign.tensors, seed, device);
        Ok(FromFile {
            network: network.map_err(|error| self.does_not_fit(&error, guess))?,
            said: foreign.said,
        })
    }

    /// The trained classifier in the file: a checkpoint of this program, which says its normalisation itself, or plain
    /// weights.
    ///
    /// # Errors
    /// As [`backbone`](Self::backbone); also when a checkpoint is of another architecture or of other attributes.
    pub fn classifier(
        &self,
        architecture: &Architecture,
        attributes: &[String],
        normalisation: Option<InputNormalisation>,
        device: &Device,
    ) -> Result<FromFile> {
        if let Some(checkpoint) = self.checkpoint()? {
            let network = checkpoint
                .require(architecture, attributes)
                .and_then(|()| checkpoint.network(device))
                .map_err(|error| self.fault(error))?;
            let mut said = Vec::new();
            if normalisation.is_some() && network.normalisation() != normalisation {
                said.push(format!(
                    "a checkpoint of biascam keeps its own normalisation ({}), whatever model.mean and model.deviation say",
                    normalisation_in_words(network.normalisation())
                ));
            }
            return Ok(FromFile { network, said });
        }
        let foreign = self.foreign()?;
        let mut said = foreign.said.clone();
        said.push(format!(
            "{}; model.mean and model.deviation say otherwise",
            normalisation_in_words(normalisation)
        ));
        let network = self.network(foreign, architecture, attributes.len(), device)?;
        Ok(FromFile {
            network: network.with_normalisation(normalisation),
            said,
        })
    }

    /// The network of another program's weights.
    ///
    /// # Errors
    /// When they are of another architecture, or of another number of outputs; the message says what they look like.
    pub fn network(
        &self,
        foreign: Foreign,
        architecture: &Architecture,
        outputs: usize,
        device: &Device,
    ) -> Result<Network> {
        let guess = model::architecture_of(&foreign.tensors);
        Network::from_tensors(architecture, outputs, foreign.tensors, device)
            .map_err(|error| self.does_not_fit(&error, guess))
    }

    fn does_not_fit(&self, error: &model::Error, guess: std::result::Result<Guess, String>) -> Error {
        let looks = match guess {
            Ok(guess) => format!("they look like those of a {guess}"),
            Err(why) => format!("no standard ResNet has them, as {why}"),
        };
        self.fault(format_args!("{error}; {looks}"))
    }
}

/// What happens to images before the network, in words.
pub fn normalisation_in_words(normalisation: Option<InputNormalisation>) -> String {
    match normalisation {
        None => "images go in as they are, in [0, 1]".to_owned(),
        Some(InputNormalisation { mean, deviation }) if mean == IMAGENET_MEAN && deviation == IMAGENET_DEVIATION => {
            "images are normalised as ImageNet's are".to_owned()
        }
        Some(InputNormalisation { mean, deviation }) => {
            let [mean, deviation] = [mean, deviation].map(|all| all.map(|one| one.to_string()).join(", "));
            format!("images are normalised with the mean {mean} and the deviation {deviation}")
        }
    }
}

/// What a file is whose format is none that weights are read from, and what to do about it.
fn other_format(bytes: &[u8], path: &Path) -> Option<String> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let is = |endings: &[&str]| endings.contains(&ending.as_str());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let target = Path::new(name.as_ref()).with_extension("safetensors");
    let save = format!(
        "safetensors.torch.save_file({{k: v.contiguous() for k, v in w.items() if hasattr(v, 'contiguous')}}, '{}')",
        target.display()
    );
    // A safetensors file begins with the length of its header, and the header with a brace.
    if bytes.get(8) == Some(&b'{') {
        return None;
    }
    let is_zip = bytes.starts_with(b"PK\x03\x04");
    let is_pickle = bytes.len() > 1 && bytes[0] == 0x80 && (2..=5).contains(&bytes[1]);
    if is(&["npz", "npy"]) || bytes.starts_with(b"\x93NUMPY") {
        return Some(
            "these are NumPy's arrays, and weights are read from safetensors: `safetensors.numpy.save_file(dict(numpy.load(FILE)), \
             'weights.safetensors')` in Python converts them"
                .to_owned(),
        );
    }
    if is(&["h5", "hdf5", "keras"]) || bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Some(
            "this is a file of Keras (HDF5), and weights are read from safetensors with torchvision's names: Keras's ResNets are built \
             otherwise, so take PyTorch's weights of the network, or train it with `biascam reproduce`"
                .to_owned(),
        );
    }
    if is(&["onnx"]) {
        return Some(format!(
            "this is an ONNX file, and weights are read from safetensors: take the PyTorch file that it was exported from, or convert it \
             in Python (names then have to be torchvision's):\n    import onnx, onnx.numpy_helper, torch, safetensors.torch\n    w = \
             {{t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in onnx.load('{name}').graph.initializer}}\n    {save}"
        ));
    }
    if is_zip || is_pickle || is(&["pth", "pt", "ckpt", "pkl", "bin", "tar"]) {
        return Some(format!(
            "this is PyTorch's own format (a pickle, as torch.save writes it), which can hold programs and is not read; convert it to \
             safetensors once, in Python:\n    import torch, safetensors.torch\n    w = torch.load('{name}', map_location='cpu', \
             weights_only=True); w = w.get('state_dict', w)\n    {save}"
        ));
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return Some(
            "this is a pointer of Git LFS, not the weights that it stands for: `git lfs pull` in its repository brings them"
                .to_owned(),
        );
    }
    let start = String::from_utf8_lossy(bytes.get(..64).unwrap_or(bytes))
        .trim_start()
        .to_lowercase();
    if start.starts_with("<!doctype") || start.starts_with("<html") {
        return Some("this is a web page, not weights: the download brought the page about the file".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretrained_weights_are_found_by_path_and_by_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let message = |choice: &str| find_pretrained(choice, folder.path()).expect_err(choice).to_string();
        for part in ["data fetch resnet50", "102 MB", "model.pretrained"] {
            assert!(message("timm/resnet50.tv_in1k").contains(part));
        }
        assert!(message("owner/other").contains("huggingface.co/owner/other"));
        for neither in ["here.safetensors", "folder/here.safetensors", "resnet50"] {
            assert!(
                message(neither).contains("neither a file nor a repository"),
                "{neither}"
            );
        }
        let placed = folder.path().join("weights").join("resnet50.tv_in1k.safetensors");
        std::fs::create_dir(folder.path().join("weights")).expect("made");
        std::fs::write(&placed, b"weights").expect("written");
        assert_eq!(
            find_pretrained("timm/resnet50.tv_in1k", folder.path()).expect("there"),
            placed
        );
        let by_path = placed.to_str().expect("a readable path");
        assert_eq!(find_pretrained(by_path, Path::new("elsewhere")).expect("there"), placed);
    }

    #[test]
    fn files_of_other_formats_are_named_with_a_way_to_convert_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes, expected) in [
            ("w.pth", &b"PK\x03\x04 and so on"[..], "torch.load('w.pth'"),
            ("old.pt", b"\x80\x02\x8a\x0al\xfc\x9c", "save_file"),
            ("named.safetensors", b"PK\x03\x04 and so on", "PyTorch's own format"),
            ("w.onnx", b"\x08\x07\x12\x07pytorch", "an ONNX file"),
            ("w.h5", b"\x89HDF\r\n\x1a\n", "Keras"),
            ("w.npz", b"PK\x03\x04", "NumPy"),
            (
                "pointer.safetensors",
                b"version https://git-lfs.github.com/spec/v1\n",
                "git lfs pull",
            ),
            ("page.safetensors", b"<!DOCTYPE html><html>", "a web page"),
            ("empty.pth", b"", "PyTorch's own format"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            let message = WeightsFile::read(&path).expect_err(name).to_string();
            assert!(message.contains(expected) && message.contains(name), "{message}");
        }
        // Whatever a safetensors file is called, it is one.
        let path = folder.path().join("w.bin");
        std::fs::write(&path, b"\x10\0\0\0\0\0\0\0{              }").expect("written");
        assert!(WeightsFile::read(&path).is_ok());
    }
}
