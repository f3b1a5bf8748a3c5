//! Eigen-CAM.

use super::hires_cam;
use super::point::Point;

/// The activations, pixels x channels, channel means removed, projected on their first right singular vector: Muhammad &
/// Yeasin 2020, *Eigen-CAM*; the means are removed as in pytorch-grad-cam.
///
/// A singular vector has no sign, and a later ReLU makes the map depend on it. Ours is that of the target's evidence: the map
/// has a product >= 0 with the HiResCAM of the same score. The rest of the map does not depend on target and attribute.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let activations = || point.features.iter().map(|a| f64::from(*a)).collect();
    oriented(point.once(|| first_component(activations(), point.channels)), point)
}

/// Turns a projection to the side of the evidence; without evidence the entry of the largest size is positive.
pub(crate) fn oriented(projection: &[f64], point: &Point<'_>) -> Vec<f32> {
    let evidence = hires_cam::formula(point);
    let product: f64 = projection.iter().zip(&evidence).map(|(p, e)| p * f64::from(*e)).sum();
    let largest = projection
        .iter()
        .fold(0.0_f64, |most, p| if p.abs() > most.abs() { *p } else { most });
    let side = if product == 0.0 { largest } else { product };
    let sign = if side < 0.0 { -1.0 } else { 1.0 };
    projection.iter().map(|p| (sign * p) as f32).collect()
}

/// Projection of a matrix `[P, C]`, its column means removed, on its first right singular vector; of either sign.
pub(crate) fn first_component(matrix: Vec<f64>, channels: usize) -> Vec<f64> {
    let matrix = without_means(matrix, channels);
    let positions = matrix.len() / channels;
    // M v = s u for singular vectors u and v: of the two Gram matrices the smaller one is decomposed.
    if positions <= channels {
        let (u, value) = first_eigenvector(&gram(&matrix, positions, channels), positions);
        u.into_iter().map(|one| one * value.max(0.0).sqrt()).collect()
    } else {
        let mut transposed = vec![0.0; matrix.len()];
        for (p, row) in matrix.chunks_exact(channels).enumerate() {
            row.iter()
                .enumerate()
                .for_each(|(c, value)| transposed[c * positions + p] = *value);
        }
        let (v, _) = first_eigenvector(&gram(&transposed, channels, positions), channels);
        let project = |row: &[f64]| row.iter().zip(&v).map(|(a, b)| a * b).sum();
        matrix.chunks_exact(channels).map(project).collect()
    }
}

/// A matrix `[P, C]` without its column means.
pub(crate) fn without_means(mut matrix: Vec<f64>, channels: usize) -> Vec<f64> {
    let positions = matrix.len() / channels;
    for channel in 0..channels {
        let column = || (0..positions).map(|p| p * channels + channel);
        let mean = column().map(|at| matrix[at]).sum::<f64>() / positions as f64;
        column().for_each(|at| matrix[at] -= mean);
    }
    matrix
}

/// M M^T of a matrix of rows.
fn gram(matrix: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let row = |i: usize| &matrix[i * columns..][..columns];
    let mut products = vec![0.0; rows * rows];
    for i in 0..rows {
        for j in 0..=i {
            let product: f64 = row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
            products[i * rows + j] = product;
            products[j * rows + i] = product;
        }
    }
    products
}

/// The eigenvector of a symmetric matrix's eigenvalue of the largest size, and that size, by power iteration from the row with the
/// largest diagonal, which is not orthogonal to it in all but made-up cases.
pub(crate) fn first_eigenvector(matrix: &[f64], size: usize) -> (Vec<f64>, f64) {
    // Singular values 2 % apart, closer than any of the reference's, take some 700 steps.
    const STEPS: usize = 10_000;
    const CHANGE: f64 = 1e-12;
    let diagonal = |i: &usize| matrix[i * size + i];
    let start = (0..size)
        .max_by(|a, b| diagonal(a).total_cmp(&diagonal(b)))
        .unwrap_or(0);
    let mut vector = matrix[start * size..][..size].to_vec();
    let mut value = length(&vector);
    if value == 0.0 {
        return (vector, 0.0);
    }
    vector.iter_mut().for_each(|one| *one /= value);
    for _ in 0..STEPS {
        let product = |row: &[f64]| row.iter().zip(&vector).map(|(a, b)| a * b).sum();
        let mut next: Vec<f64> = matrix.chunks_exact(size).map(product).collect();
        value = length(&next);
        next.iter_mut().for_each(|one| *one /= value);
        let change = next.iter().zip(&vector).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        vector = next;
        // A NaN ends it too, and comes out.
        if change < CHANGE || change.is_nan() {
            break;
        }
    }
    (vector, value)
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|one| one * one).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_by_hand_from_either_gram_matrix() {
        // Rank one: (-1, 0, 1) times (3, 4), so the projection is (-5, 0, 5) on three rows of two columns.
        let rank_one = vec![1.0, 1.0, 4.0, 5.0, 7.0, 9.0];
        let found = first_component(rank_one, 2);
        let sign = found[2].signum();
        for (found, expected) in found.iter().zip([-5.0, 0.0, 5.0]) {
            assert!((sign * found - expected).abs() < 1e-9, "{found}");
        }
        // Two rows of three columns: (1, -1)/2 times (2, 0, 0).
        let found = first_component(vec![3.0, 1.0, 1.0, 1.0, 1.0, 1.0], 3);
        assert!(
            (found[0].abs() - 1.0).abs() < 1e-9 && (found[0] + found[1]).abs() < 1e-9,
            "{found:?}"
        );
    }

    #[test]
    fn constant_activations_have_no_component() {
        assert_eq!(first_component(vec![2.0; 12], 3), [0.0; 4]);
        assert_eq!(first_component(vec![2.0; 12], 6), [0.0; 2]);
        assert!(first_component(vec![f64::NAN; 4], 2).iter().any(|value| value.is_nan()));
    }
}
