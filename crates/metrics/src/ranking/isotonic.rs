//! The best increasing map from scores to probabilities.

/// An increasing map of scores to probabilities, fitted to samples in the order of their scores.
///
/// Of all such maps it has the least squared error at the scores that it was fitted to (isotonic regression by pooling adjacent
/// violators: Ayer et al. 1955; for classifiers Zadrozny and Elkan 2002). Between them it is a straight line, and outside it stays as
/// it is at the ends, as scikit-learn's `IsotonicRegression(out_of_bounds="clip")` has it.
#[derive(Debug)]
pub(super) struct Isotonic {
    /// From low to high scores, and to higher probabilities.
    blocks: Vec<Block>,
}

/// Scores that share a probability.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: f32,
    last: f32,
    positive: f64,
    weight: f64,
    /// `positive / weight`.
    probability: f64,
}

impl Block {
    fn of(score: f32, positive: bool, weight: f64) -> Self {
        Self {
            first: score,
            last: score,
            positive: if positive { weight } else { 0.0 },
            weight,
            probability: if positive { 1.0 } else { 0.0 },
        }
    }

    fn join(&mut self, above: &Self) {
        self.last = above.last;
        self.positive += above.positive;
        self.weight += above.weight;
        self.probability = self.positive / self.weight;
    }
}

impl Isotonic {
    /// Fits (score, whether positive, weight) in increasing order of scores. Equal scores get one probability; what has no weight is
    /// not there. `None` unless both classes have weight: one class makes no map.
    pub fn fit(samples: impl ExactSizeIterator<Item = (f32, bool, f64)>) -> Option<Self> {
        let (mut positives, mut negatives) = (0.0, 0.0);
        // In a resample a third of the images have no weight, and nothing foretells which. What has none is written too, without a branch, and the
        // next one over it.
        let mut present = vec![Block::of(0.0, false, 0.0); samples.len()];
        let mut count = 0;
        for (score, positive, weight) in samples {
            let sample = Block::of(score, positive, weight);
            positives += sample.positive;
            negatives += weight - sample.positive;
            present[count] = sample;
            count += usize::from(weight > 0.0);
        }
        if !(positives > 0.0 && negatives > 0.0 && (positives + negatives).is_finite()) {
            return None;
        }
        let mut blocks: Vec<Block> = Vec::new();
        for tied in present[..count].chunk_by(|below, above| below.first == above.first) {
            let mut block = tied[0];
            tied[1..].iter().for_each(|other| block.join(other));
            pool(&mut blocks, block);
        }
        Some(Self { blocks })
    }

    /// A reader of the map.
    pub fn reader(&self) -> Reader<'_> {
        Reader { blocks: &self.blocks }
    }
}

/// Adds scores above all others, and joins what would decrease.
fn pool(blocks: &mut Vec<Block>, mut block: Block) {
    while let Some(below) = blocks.pop_if(|below| below.probability >= block.probability) {
        let above = std::mem::replace(&mut block, below);
        block.join(&above);
    }
    blocks.push(block);
}

/// Reads an [`Isotonic`] map from low to high scores, in one pass over it.
pub(super) struct Reader<'a> {
    /// From the one on that the last score came from.
    blocks: &'a [Block],
}

impl Reader<'_> {
    /// The probability of a score that is not below the one before, in [0, 1].
    pub fn probability(&mut self, score: f32) -> f64 {
        while let [block, next, ..] = self.blocks {
            if score <= block.last {
                return block.probability;
            }
            if score < next.first {
                let [low, high] = [block, next].map(|block| block.probability);
                return low + (high - low) * way(block.last, next.first, score);
            }
            self.blocks = &self.blocks[1..];
        }
        // A fitted map has a block.
        self.blocks.first().map_or(f64::NAN, |block| block.probability)
    }
}

/// Which part of the way from one score to a higher one another has come, in [0, 1]; of endless ways, as the limit is.
fn way(from: f32, to: f32, at: f32) -> f64 {
    match (from.is_finite(), to.is_finite()) {
        (true, true) => (f64::from(at) - f64::from(from)) / (f64::from(to) - f64::from(from)),
        (true, false) => 0.0,
        (false, true) => 1.0,
        (false, false) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fit(samples: &[(f32, bool)]) -> Option<Isotonic> {
        Isotonic::fit(samples.iter().map(|&(score, positive)| (score, positive, 1.0)))
    }

    #[test]
    fn by_hand() {
        // 0 | 1 0 | 1: the middle two share 1/2, and so does the tie below the last.
        let map = fit(&[(0.0, false), (1.0, true), (2.0, false), (3.0, true)]).unwrap();
        let mut reader = map.reader();
        let scores = [-9.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.25, 3.0, 9.0];
        let found = scores.map(|score| reader.probability(score));
        assert_eq!(found, [0.0, 0.0, 0.25, 0.5, 0.5, 0.5, 0.625, 1.0, 1.0]);
    }

    #[test]
    fn one_class_makes_no_map() {
        assert!(fit(&[]).is_none());
        assert!(fit(&[(0.0, true), (1.0, true)]).is_none());
        assert!(Isotonic::fit([(0.0, true, 1.0), (1.0, false, 0.0)].into_iter()).is_none());
    }

    #[test]
    fn endless_scores_have_probabilities() {
        let [low, high] = [f32::NEG_INFINITY, f32::INFINITY];
        let map = fit(&[(low, false), (0.0, false), (0.0, true), (high, true)]).unwrap();
        let mut reader = map.reader();
        let found = [low, -1.0, 0.0, 1.0, high].map(|score| reader.probability(score));
        assert_eq!(found, [0.0, 0.5, 0.5, 0.5, 1.0]);
        let map = fit(&[(low, false), (high, true)]).unwrap();
        assert_eq!(map.reader().probability(3.0), 0.5);
    }

    proptest! {
        /// The minimax formula says what pooling must find (Barlow et al. 1972): at each place the largest, over starts, of the
        /// smallest mean, over ends.
        #[test]
        fn it_is_the_largest_of_the_smallest_means(positives in prop::collection::vec((any::<bool>(), 1_u8..4), 2..12)) {
            let samples = || positives.iter().enumerate().map(|(at, &(positive, weight))| (at as f32, positive, f64::from(weight)));
            let Some(map) = Isotonic::fit(samples()) else { return Ok(()) };
            let mean = |from: usize, to: usize| {
                let part = &positives[from..=to];
                let weight = |only: bool| part.iter().filter(|one| one.0 || !only).map(|one| f64::from(one.1)).sum::<f64>();
                weight(true) / weight(false)
            };
            let mut reader = map.reader();
            for at in 0..positives.len() {
                let smallest = |from| (at..positives.len()).map(|to| mean(from, to)).fold(f64::INFINITY, f64::min);
                let expected = (0..=at).map(smallest).fold(0.0, f64::max);
                let found = reader.probability(at as f32);
                prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }
}
