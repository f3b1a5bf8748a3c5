//! FullGrad.

use model::Decomposition;

use crate::scale::scale;
use crate::{Result, Upsampling};

/// L = sum_c norm(|x_c dt/dx_c|) + sum over batch norms and channels of norm(|b_k dt/dy_k|): Srinivas & Fleuret 2019, *Full-Gradient
/// Representation*, with norm the scaling to [0, 1] and the resize to the image, channel by channel as in pytorch-grad-cam.
/// The size does not depend on the direction of the score, so all targets have the same map.
///
/// Maps `[N, K, S, S]`.
pub(crate) fn maps(parts: &Decomposition) -> Result<Vec<f32>> {
    let (images, attributes, _, height, width) = parts.input_gradient.dims5()?;
    let size = [height, width];
    let pixels = height * width;
    let mut maps = vec![0.0; images * attributes * pixels];
    let input = parts.input.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
    let gradient = parts.input_gradient.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
    for (row, map) in maps.chunks_exact_mut(pixels).enumerate() {
        for channel in 0..3 {
            let x = &input[(row / attributes * 3 + channel) * pixels..][..pixels];
            let g = &gradient[(row * 3 + channel) * pixels..][..pixels];
            let part = x.iter().zip(g).map(|(x, g)| (x * g).abs()).collect();
            add_normalised(map, part, size, size);
        }
    }
    for one in &parts.biases {
        let (_, _, height, width, channels) = one.gradient.dims5()?;
        let cells = height * width;
        let bias = one.bias.to_vec1::<f32>()?;
        let gradient = one.gradient.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
        for (map, gradient) in maps
            .chunks_exact_mut(pixels)
            .zip(gradient.chunks_exact(cells * channels))
        {
            for (channel, bias) in bias.iter().enumerate() {
                let values = gradient.iter().skip(channel).step_by(channels);
                let part = values.map(|g| (bias * g).abs()).collect();
                add_normalised(map, part, [height, width], size);
            }
        }
    }
    Ok(maps)
}

fn add_normalised(map: &mut [f32], mut part: Vec<f32>, cells: [usize; 2], size: [usize; 2]) {
    scale(&mut part);
    if cells != size {
        part = Upsampling::HalfPixel.enlarge(&part, cells, size);
    }
    map.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
}
