//! What `biascam explain-images` can be told.

use std::path::PathBuf;

use cam::{FameConfig, RiseConfig};
use clap::Args;

/// What is explained, by which network, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Pictures (JPEG, PNG, WebP, GIF or BMP) and folders of pictures, with all folders in them but hidden ones; transparent
    /// parts are white; they are made into squares as the images were that a checkpoint of ours was trained on
    #[arg(
        value_name = "IMAGES",
        required_unless_present = "tensors",
        conflicts_with = "tensors"
    )]
    pub images: Vec<PathBuf>,
    /// Aligned images: safetensors with `images` [N, 3, S, S] float32 in [0, 1]
    #[arg(long, value_name = "FILE.safetensors")]
    pub tensors: Option<PathBuf>,
    /// Five landmarks of each picture, by which it is aligned: CelebA's text format, or CSV lines of a file name and ten numbers
    #[arg(long, value_name = "FILE", conflicts_with = "tensors")]
    pub landmarks: Option<PathBuf>,
    /// A checkpoint: ours, or weights of a ResNet of PyTorch's in safetensors (torchvision's, timm's and transformers' names)
    #[arg(long, value_name = "FILE.safetensors")]
    pub weights: PathBuf,
    /// The network the weights belong to; our own checkpoints say it themselves, and those of the standard networks show it
    #[arg(long, value_name = "NAME")]
    pub architecture: Option<String>,
    /// Channels of the first stage, 64 in the standard networks
    #[arg(long, value_name = "W")]
    pub width: Option<usize>,
    /// How to explain: one method, or several separated by commas; docs/understand/methods.md lists them with what they cost
    #[arg(long, default_value = "hires_cam", value_delimiter = ',')]
    pub method: Vec<String>,
    /// What to explain: predicted (|z|), positive (+z), negative (-z), or label (z times the label, with --labels)
    #[arg(long, default_value = "predicted")]
    pub target: String,
    /// The stage whose activations are mapped, stage1 for the first; the last if not given; full_grad, rise and fame have none
    #[arg(long, value_name = "STAGE")]
    pub layer: Option<String>,
    /// Labels of the pictures in CelebA's text format, for --target label
    #[arg(long, value_name = "FILE", conflicts_with = "tensors")]
    pub labels: Option<PathBuf>,
    /// For centred_cam: the mean features of a data set, as a run writes them to NAME/reference.safetensors
    #[arg(long, value_name = "FILE.safetensors")]
    pub reference: Option<PathBuf>,
    /// For score_cam: how a channel becomes a mask, corner_aligned (its authors') or half_pixel
    #[arg(long, default_value = "corner_aligned")]
    pub upsampling: String,
    /// For rise: masks, and so forward passes, a picture
    #[arg(long, value_name = "N", default_value_t = RiseConfig::default().masks)]
    pub rise_masks: usize,
    /// For fame: steps, each a forward and a backward pass for each picture and attribute
    #[arg(long, value_name = "N", default_value_t = FameConfig::default().steps)]
    pub fame_steps: usize,
    /// How a map is brought to the image's size: half_pixel or cell_centred
    #[arg(long, default_value = "half_pixel")]
    pub resize: String,
    /// Attributes by name or number, separated by commas, or all
    #[arg(long, default_value = "all")]
    pub attributes: String,
    /// Contact sheets: one per image, one per attribute, or none
    #[arg(long, default_value = "image", value_name = "image|attribute|none")]
    pub sheets: String,
    /// Colours of activation: inferno, viridis (both perceptually uniform) or jet
    #[arg(long, default_value = "inferno")]
    pub colour_map: String,
    /// What is done to colours before the network: imagenet (of weights trained with torchvision or timm), none, or three means and
    /// three deviations of red, green and blue in [0, 1]; our own checkpoints say it themselves
    #[arg(long, value_name = "imagenet|none|R,G,B/R,G,B")]
    pub normalisation: Option<String>,
    /// How a picture becomes a square: crop (its middle), pad, stretch, or celeba (as CelebA's are cut, others cropped); our own
    /// checkpoints say it themselves
    #[arg(long, value_name = "crop|pad|stretch|celeba", conflicts_with_all = ["landmarks", "tensors"])]
    pub fit: Option<String>,
    /// Side of the square that pictures are made into; our own checkpoints say it themselves
    #[arg(long, conflicts_with = "tensors")]
    pub size: Option<usize>,
    /// What computes: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// A folder, or, with --tensors, the file to write
    #[arg(long, value_name = "DIR|FILE.safetensors")]
    pub out: PathBuf,
}
