//! Centred CAM: HiresCAM of what an image has beyond the mean image.

use super::forward_pass::ForwardPass;
use crate::{Maps, Reference, Result};

/// L = sum_k g_k (A_k - M_k), position by position, with g the score's gradient by A and M the reference's mean features.
///
/// With a linear head the logit is its mean over the reference plus the sum of this map (for +z): what is the same for every
/// image is left out, as integrated gradients leave out the baseline (Sundararajan et al. 2017, completeness).
pub(crate) fn raw(pass: ForwardPass, reference: &Reference) -> Result<Maps> {
    let pass = pass.less(reference)?;
    pass.combine(&pass.gradient()?)
}

#[cfg(test)]
mod tests {
    use crate::methods::closed_form::centred_maps;
    use crate::{Error, Method, Reference, Target, raw_maps};
    use approx::assert_relative_eq;
    use candle_core::{Device, Tensor};
    use model::{Head, Output};

    fn example() -> (Output, Head) {
        let device = &Device::Cpu;
        let features = Tensor::rand(0.0_f32, 1.0, (6, 5, 3, 4), device).unwrap();
        let head = Head {
            weight: Tensor::randn(0.0_f32, 1.0, (2, 5), device).unwrap(),
            bias: Tensor::randn(0.0_f32, 1.0, 2, device).unwrap(),
        };
        let pooled = features.mean((2, 3)).unwrap();
        let logits = pooled.matmul(&head.weight.t().unwrap()).unwrap();
        let logits = logits.broadcast_add(&head.bias).unwrap();
        (Output { features, logits }, head)
    }

    /// Completeness: mean logit + sum of the map = logit, to the rounding of some dozen float32 operations on values near 1.
    #[test]
    fn the_map_is_the_score_s_distance_from_its_mean() {
        let (output, head) = example();
        let mut reference = Reference::new();
        reference.add(&output.features.narrow(0, 0, 2).unwrap()).unwrap();
        reference.add(&output.features.narrow(0, 2, 4).unwrap()).unwrap();
        assert_eq!(reference.count(), 6);
        let maps = centred_maps(Target::Positive, None, &output, &head, &reference).unwrap();
        let logits = output.logits.to_vec2::<f32>().unwrap();
        for attribute in 0..2 {
            let mean = logits.iter().map(|row| row[attribute]).sum::<f32>() / 6.0;
            for (image, row) in logits.iter().enumerate() {
                let sum: f32 = maps.map(image, attribute).iter().sum();
                assert_relative_eq!(mean + sum, row[attribute], epsilon = 1e-5);
            }
        }
    }

    #[test]
    fn the_reference_itself_has_nothing_beyond_its_mean() {
        let (mut output, head) = example();
        output.features = output.features.narrow(0, 0, 1).unwrap();
        output.logits = output.logits.narrow(0, 0, 1).unwrap();
        let mut reference = Reference::new();
        reference.add(&output.features).unwrap();
        let maps = centred_maps(Target::Predicted, None, &output, &head, &reference).unwrap();
        assert!(maps.data.iter().all(|value| *value == 0.0));
    }

    #[test]
    fn a_reference_is_needed_and_must_fit() {
        let (output, head) = example();
        let error = raw_maps(Method::CentredCam, Target::Predicted, &output, &head).unwrap_err();
        assert!(matches!(error, Error::NoReference), "{error}");
        let mut reference = Reference::new();
        reference.add(&output.features.narrow(2, 0, 2).unwrap()).unwrap();
        let error = centred_maps(Target::Predicted, None, &output, &head, &reference).unwrap_err();
        assert!(matches!(error, Error::Shape { what: "reference", .. }), "{error}");
        assert!(reference.add(&output.features).is_err(), "features of another size");
    }
}
