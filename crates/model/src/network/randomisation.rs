//! Networks with fresh weights from the head down, for sanity checks of explanations.

use crate::{Architecture, Error, Network, Result};

impl Network {
    /// A copy whose head and stages down to `layer` have fresh weights and statistics: the cascading randomisation of
    /// Adebayo et al. 2018, *Sanity Checks for Saliency Maps*, section 4.1. `layer` is `fc` (the head alone), a stage's name, or
    /// `conv1` (everything). The same seed gives the same weights, whichever the layer.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] for any other name.
    pub fn with_randomised_from(&self, layer: &str, seed: u64) -> Result<Self> {
        let mut order = vec!["conv1".to_owned()];
        order.extend(self.architecture().layers());
        order.push("fc".to_owned());
        let wanted = Architecture::stage_name(layer);
        let Some(first) = order.iter().position(|name| *name == wanted) else {
            return Err(Error::UnknownLayer {
                name: layer.to_owned(),
                known: order,
            });
        };
        let fresh = Self::new(self.architecture(), self.outputs(), seed, self.device())?.named_tensors();
        let mut tensors = self.named_tensors();
        for (name, tensor) in fresh {
            // The stem is `conv1` and `bn1`; everything else is named after its stage.
            let part = name.split('.').next().unwrap_or_default();
            let part = Architecture::stage_name(if part == "bn1" { "conv1" } else { part });
            if order[first..].contains(&part) {
                tensors.insert(name, tensor);
            }
        }
        let network = Self::from_tensors(self.architecture(), self.outputs(), tensors, self.device())?;
        Ok(network.with_normalisation(self.normalisation()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn layers_from_the_head_down_are_fresh() {
        let architecture = Architecture::preset("resnet18").unwrap().with_width(4);
        let network = Network::new(&architecture, 2, 1, &Device::Cpu).unwrap();
        let before = network.named_tensors();
        let changed = |layer: &str| {
            let after = network.with_randomised_from(layer, 9).unwrap().named_tensors();
            let values = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut parts: Vec<String> = after
                .iter()
                .filter(|(name, tensor)| values(tensor) != values(&before[*name]))
                .map(|(name, _)| name.split('.').next().unwrap().to_owned())
                .collect();
            parts.sort();
            parts.dedup();
            parts
        };
        assert_eq!(changed("fc"), ["fc"]);
        assert_eq!(changed("stage3"), ["fc", "layer3", "layer4"]);
        assert_eq!(changed("layer3"), changed("stage3"));
        assert_eq!(
            changed("conv1"),
            ["conv1", "fc", "layer1", "layer2", "layer3", "layer4"]
        );
        let message = network.with_randomised_from("head", 9).unwrap_err().to_string();
        assert!(
            message.contains("conv1, stage1, stage2, stage3, stage4, fc"),
            "{message}"
        );
    }
}
