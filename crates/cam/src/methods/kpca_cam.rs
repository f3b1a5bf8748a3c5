//! KPCA-CAM.

use super::eigen_cam::{first_eigenvector, oriented, without_means};
use super::point::Point;

/// Kernel values are within ±1: an eigenvalue below this is their rounding.
const ROUNDING: f64 = 1e-12;

/// The first component of the activations by kernel principal component analysis with the sigmoid kernel tanh(x y / C + 1) of positions
/// x and y, channel means removed: Karmani et al. 2024, *KPCA-CAM*, with pytorch-grad-cam's kernel and constants, which
/// are scikit-learn's. The sign is that of the target's evidence, as in Eigen-CAM; the rest does not depend on target and attribute.
///
/// It takes an eigenvector of a matrix of P x P, once an image: at an inner stage with many positions that is what costs time.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let projection = point.once(|| first_component(point.features, point.channels));
    oriented(projection, point)
}

/// Projection of features `[P, C]` on the first kernel principal component; of either sign.
fn first_component(features: &[f32], channels: usize) -> Vec<f64> {
    let rows = without_means(features.iter().map(|a| f64::from(*a)).collect(), channels);
    let (vector, value) = largest_eigenvector(centred_kernel(&rows, channels), rows.len() / channels);
    // A NaN comes out.
    let scale = if value < ROUNDING { 0.0 } else { value.sqrt() };
    vector.into_iter().map(|one| one * scale).collect()
}

/// The eigenvector of the largest eigenvalue, and that. The kernel has negative ones too, and power iteration finds that of the largest
/// size: where it is negative, all are moved up by it.
fn largest_eigenvector(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, f64) {
    let (vector, value) = first_eigenvector(&matrix, size);
    let product = |row: &[f64]| row.iter().zip(&vector).map(|(a, b)| a * b).sum::<f64>();
    let quotient: f64 = matrix
        .chunks_exact(size)
        .zip(&vector)
        .map(|(row, one)| one * product(row))
        .sum();
    if quotient >= 0.0 || quotient.is_nan() {
        return (vector, value);
    }
    (0..size).for_each(|i| matrix[i * size + i] += value);
    let (vector, moved) = first_eigenvector(&matrix, size);
    (vector, moved - value)
}

/// tanh(x y / C + 1) of all pairs of rows, `[P, P]`, the means of rows and columns removed.
fn centred_kernel(rows: &[f64], channels: usize) -> Vec<f64> {
    let size = rows.len() / channels;
    let row = |i: usize| &rows[i * channels..][..channels];
    let mut kernel = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let product: f64 = row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
            let value = (product / channels as f64 + 1.0).tanh();
            kernel[i * size + j] = value;
            kernel[j * size + i] = value;
        }
    }
    let means: Vec<f64> = kernel
        .chunks_exact(size)
        .map(|row| row.iter().sum::<f64>() / size as f64)
        .collect();
    let mean = means.iter().sum::<f64>() / size as f64;
    for (row, own) in kernel.chunks_exact_mut(size).zip(&means) {
        row.iter_mut()
            .zip(&means)
            .for_each(|(value, other)| *value += mean - own - other);
    }
    kernel
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9: `KernelPCA(1, kernel="sigmoid").fit_transform(x - x.mean(0))`.
    #[test]
    fn the_component_is_scikit_learns() {
        let features = [0.0, 1.0, 2.0, 0.5, 0.25, 0.25, 3.0, 0.0, 1.0, 2.0];
        let found = first_component(&features, 2);
        let expected = [-0.6691668, 0.39831859, -0.30951551, 0.85541336, -0.27504964];
        let sign = (found[0] * expected[0]).signum();
        for (found, expected) in found.iter().zip(expected) {
            assert!((sign * found - expected).abs() < 1e-8, "{found} {expected}");
        }
    }

    #[test]
    fn the_largest_eigenvalue_is_meant_not_the_largest_size() {
        // Eigenvalues 1 of (1, 1) and -3 of (1, -1).
        let (vector, value) = largest_eigenvector(vec![-1.0, 2.0, 2.0, -1.0], 2);
        assert!((value - 1.0).abs() < 1e-9, "{value}");
        assert!((vector[0] - vector[1]).abs() < 1e-9 && (vector[0].abs() - 0.5_f64.sqrt()).abs() < 1e-9);
        let (vector, value) = largest_eigenvector(vec![1.0, 2.0, 2.0, 1.0], 2);
        assert!((value - 3.0).abs() < 1e-9 && (vector[0] - vector[1]).abs() < 1e-9);
    }

    #[test]
    fn constant_activations_have_no_component() {
        assert_eq!(first_component(&[0.1; 12], 3), [0.0; 4]);
        assert!(first_component(&[f32::NAN; 4], 2).iter().any(|value| value.is_nan()));
    }
}
