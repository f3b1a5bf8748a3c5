//! The equations of noisy linear imputation: every missing pixel is the weighted mean of its neighbours.

/// Neighbours as (rows, columns) and their weights: 1/6 along rows and columns, 1/12 along diagonals.
const NEIGHBOURS: [(isize, isize, f64); 8] = [
    (-1, -1, 1.0 / 12.0),
    (-1, 0, 1.0 / 6.0),
    (-1, 1, 1.0 / 12.0),
    (0, -1, 1.0 / 6.0),
    (0, 1, 1.0 / 6.0),
    (1, -1, 1.0 / 12.0),
    (1, 0, 1.0 / 6.0),
    (1, 1, 1.0 / 12.0),
];

/// s_i x_i - sum over missing neighbours j of w_ij x_j = sum over known neighbours of w_ij y_j, where s_i is the weight of the
/// neighbours that exist: symmetric, and positive definite as long as one pixel is known.
pub(super) struct System {
    /// Positions of the unknowns in the image.
    pub(super) pixels: Vec<usize>,
    /// Sum of the weights of each unknown's neighbours.
    pub(super) sums: Vec<f64>,
    /// Each unknown's neighbours: position in the image and, where that is unknown too, among the unknowns.
    pub(super) neighbours: Vec<Vec<(usize, Option<usize>, f64)>>,
}

impl System {
    pub(super) fn new(missing: &[bool], height: usize, width: usize) -> Self {
        let pixels: Vec<usize> = (0..missing.len()).filter(|&pixel| missing[pixel]).collect();
        let mut unknown_at = vec![None; missing.len()];
        for (unknown, &pixel) in pixels.iter().enumerate() {
            unknown_at[pixel] = Some(unknown);
        }
        let neighbours: Vec<Vec<_>> = pixels
            .iter()
            .map(|pixel| {
                let (row, column) = (pixel / width, pixel % width);
                let inside = NEIGHBOURS.iter().filter_map(|&(down, right, weight)| {
                    let row = row.checked_add_signed(down).filter(|&row| row < height)?;
                    let column = column.checked_add_signed(right).filter(|&column| column < width)?;
                    let at = row * width + column;
                    Some((at, unknown_at[at], weight))
                });
                inside.collect()
            })
            .collect();
        let sum = |all: &Vec<(usize, Option<usize>, f64)>| all.iter().map(|(_, _, weight)| weight).sum();
        Self {
            sums: neighbours.iter().map(sum).collect(),
            pixels,
            neighbours,
        }
    }
}
