//! Averages of maps and images that pass by.

/// A running mean of vectors of one length: final maps, or images.
///
/// Sums are float64. The result depends on the order of additions only in the last bits of a float64; for the same bytes
/// on any number of threads, add in a fixed order.
///
/// ```
/// let mut average = cam::MapAverage::new(2);
/// assert_eq!(average.mean(), None);
/// average.add(&[0.0, 1.0]);
/// average.add(&[1.0, 1.0]);
/// assert_eq!(average.mean(), Some(vec![0.5, 1.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MapAverage {
    sum: Vec<f64>,
    count: usize,
}

impl MapAverage {
    /// An average of vectors of this length, of which none has come yet.
    pub fn new(length: usize) -> Self {
        Self {
            sum: vec![0.0; length],
            count: 0,
        }
    }

    /// Takes one in.
    ///
    /// # Panics
    /// When it has another length.
    pub fn add(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.sum.len(), "length of an averaged map");
        self.sum
            .iter_mut()
            .zip(values)
            .for_each(|(sum, value)| *sum += f64::from(*value));
        self.count += 1;
    }

    /// How many have come.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Their mean; `None` when none has come.
    pub fn mean(&self) -> Option<Vec<f32>> {
        let scale = 1.0 / self.count as f64;
        (self.count > 0).then(|| self.sum.iter().map(|sum| (sum * scale) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_values_do_not_drown() {
        let mut average = MapAverage::new(1);
        average.add(&[1.0]);
        (0..1_000_000).for_each(|_| average.add(&[1e-8]));
        let expected = (1.0 + 1e-2) / 1_000_001.0;
        assert!((f64::from(average.mean().unwrap()[0]) - expected).abs() < 1e-12);
    }
}
