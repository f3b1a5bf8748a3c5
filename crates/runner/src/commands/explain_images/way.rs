//! How maps are made and shown, and one batch's maps.

use cam::{Cost, Explainer, Maps, Method, PostProcessing, Resize, Target};
use candle_core::{Device, Tensor};
use model::{Mode, Network, Output};
use render::ColourMap;

use crate::error::{Error, Result};
use pipeline::Progress;

/// Images of one forward pass.
pub const BATCH: usize = 32;
/// Names that a message lists at most.
pub const SHOWN: usize = 8;

/// How maps are made and shown.
pub struct Way<'a> {
    /// Each once.
    pub methods: Vec<Method>,
    /// One a method.
    pub explainers: Vec<Explainer<'a>>,
    /// What is explained.
    pub target: Target,
    /// How a map is brought to the image's size.
    pub resize: Resize,
    /// Of overlays.
    pub colours: ColourMap,
    /// Positions of the attributes among the network's outputs, and their names.
    pub chosen: Vec<(usize, String)>,
    /// What the files of each of these attributes are called.
    pub files: Vec<String>,
}

impl Way<'_> {
    /// The post-processing of a method's maps.
    pub fn post_processing(&self, method: Method, maps: &Maps, size: usize) -> Result<PostProcessing> {
        Ok(PostProcessing::new(
            method,
            self.resize,
            [maps.height, maps.width],
            size,
        )?)
    }

    /// The target layer.
    pub fn layer_name(&self) -> &str {
        self.explainers.first().map_or("", Explainer::layer)
    }

    /// The target layer, for methods that look at it.
    pub fn layer(&self, method: Method) -> Option<&str> {
        method.has_layer().then(|| self.layer_name())
    }

    /// Whether one forward pass is enough for all methods.
    pub fn is_free(&self) -> bool {
        let mut costs = self.explainers.iter().map(|one| one.cost(self.chosen.len()));
        costs.all(|cost| cost == Cost::Free)
    }

    /// Says what methods of many passes will cost.
    pub fn announce(&self, progress: &Progress, images: usize) {
        for (method, explainer) in self.methods.iter().zip(&self.explainers) {
            let cost = explainer.cost(self.chosen.len());
            if cost != Cost::Free {
                progress.say(&format!(
                    "{method} needs {cost} for each image, {} in all",
                    cost.passes() * images
                ));
            }
        }
    }
}

/// One forward pass, and the maps of every method and chosen attribute. `labels` [N, chosen], or empty; `name` is what a message calls
/// an image of the batch.
///
/// # Errors
/// Those of the network and of the methods.
pub fn maps_of(
    network: &Network,
    images: &Tensor,
    labels: &[i8],
    way: &Way<'_>,
    device: &Device,
    name: impl Fn(usize) -> String,
) -> Result<(Output, Vec<Maps>)> {
    let images = images.to_device(device)?;
    let output = network.forward(&images, Mode::Eval)?;
    let seen = cam::Output::from(&output);
    let attributes: Vec<usize> = way.chosen.iter().map(|(attribute, _)| *attribute).collect();
    let labels = (!labels.is_empty()).then_some(labels);
    let maps = way.explainers.iter().map(|explainer| {
        let maps = explainer.maps(&images, &seen, &attributes, labels);
        maps.map_err(|error| match error {
            cam::Error::NotFinite { image, .. } => Error::Request(format!(
                "{}: {error}; the weights, or the image, hold numbers that are not finite",
                name(image)
            )),
            other => other.into(),
        })
    });
    let maps = maps.collect::<Result<_>>()?;
    Ok((output, maps))
}
