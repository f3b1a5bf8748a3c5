//! What to explain, and how.

use crate::methods::fame::FameConfig;
use crate::methods::rise::RiseConfig;
use crate::{Error, Method, Reference, Resize, Result, Target, Upsampling};

/// What to explain, and how.
#[derive(Debug, Clone, Default)]
pub struct ExplainerConfig {
    /// The method.
    pub method: Method,
    /// The score.
    pub target: Target,
    /// The stage whose activations are mapped, such as `stage3` (torchvision's `layer3`); `None`: the last. RefineCAM takes all stages up to
    /// it; FullGrad, RISE and FAME do not look at it.
    pub layer: Option<String>,
    /// Where a map's cells lie in the image.
    pub resize: Resize,
    /// How Score-CAM enlarges a channel to a mask.
    pub upsampling: Upsampling,
    /// RISE's masks.
    pub rise: RiseConfig,
    /// FAME's steps.
    pub fame: FameConfig,
    /// What the centred map is centred on; the other methods do not look at it.
    pub reference: Option<Reference>,
}

impl ExplainerConfig {
    /// The target layer in a network of these layers, the last one last, if it exists, the method is defined there, and the method's
    /// settings are in their range.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] names the layers that exist; [`Error::LastStageOnly`] for CAM and centred CAM at an inner layer;
    /// [`Error::Setting`].
    pub fn layer_of(&self, known: &[String]) -> Result<String> {
        let last = known.last().cloned().unwrap_or_default();
        let name = self.layer.clone().unwrap_or_else(|| last.clone());
        // torchvision's word for the paper's.
        let layer = match name.strip_prefix("layer") {
            Some(number) if !known.contains(&name) => format!("stage{number}"),
            _ => name.clone(),
        };
        if !known.contains(&layer) {
            return Err(Error::UnknownLayer {
                name,
                known: known.to_vec(),
            });
        }
        let method = self.method;
        if matches!(method, Method::Cam | Method::CentredCam) && layer != last {
            let method = method.name();
            return Err(Error::LastStageOnly { method, layer, last });
        }
        self.rise.check()?;
        self.fame.check()?;
        Ok(layer)
    }
}
