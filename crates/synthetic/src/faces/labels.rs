use std::sync::LazyLock;

use rand::Rng;
use rand_distr::StandardNormal;

use super::attribute::ATTRIBUTES;

/// Positive rates and latent correlations of CelebA's labels; `celeba_statistics.py` says where they come from.
const STATISTICS: &str = include_str!("celeba_statistics.csv");

static CELEBA: LazyLock<LabelSampler> = LazyLock::new(|| LabelSampler::parse(STATISTICS));

/// Draws rows of labels with CelebA's marginals and pairwise dependence.
///
/// A Gaussian copula: a vector of correlated standard normals, each cut at the threshold that gives its attribute's
/// positive rate. The correlations are tetrachoric, so that the cut pairs have CelebA's co-occurrences.
#[derive(Debug)]
pub struct LabelSampler {
    thresholds: [f64; ATTRIBUTES],
    /// Lower triangle L of the Cholesky factorisation R = L Lᵀ of the correlations.
    factor: Vec<[f64; ATTRIBUTES]>,
}

impl LabelSampler {
    /// The sampler of CelebA's labels.
    pub fn celeba() -> &'static Self {
        &CELEBA
    }

    /// One row of labels, 1 or -1.
    pub fn sample(&self, rng: &mut impl Rng) -> [i8; ATTRIBUTES] {
        let independent: [f64; ATTRIBUTES] = std::array::from_fn(|_| rng.sample(StandardNormal));
        std::array::from_fn(|i| {
            let latent: f64 = self.factor[i][..=i].iter().zip(&independent).map(|(l, z)| l * z).sum();
            if latent > self.thresholds[i] { 1 } else { -1 }
        })
    }

    /// Reads the embedded table, whose soundness the tests establish.
    fn parse(text: &str) -> Self {
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(1)
            .map(|line| {
                line.split(',')
                    .skip(1)
                    .map(|v| v.parse().expect("a number in the embedded table"))
                    .collect()
            })
            .collect();
        let thresholds = std::array::from_fn(|i| -quantile(rows[i][0]));
        let mut factor = vec![[0.0; ATTRIBUTES]; ATTRIBUTES];
        for i in 0..ATTRIBUTES {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                let rest = rows[i][1 + j] - dot;
                factor[i][j] = if i == j {
                    rest.max(0.0).sqrt()
                } else {
                    rest / factor[j][j]
                };
            }
        }
        Self { thresholds, factor }
    }
}

/// The standard normal's quantile function, by bisection of its distribution function; 0 < p < 1.
fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if distribution(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// P(Z <= x) of a standard normal, by Simpson's rule over the density from 0 to x; error below 1e-9 for |x| <= 8.
fn distribution(x: f64) -> f64 {
    const STEPS: u32 = 400;
    let width = x / f64::from(STEPS);
    let density = |k: u32| (-0.5 * (f64::from(k) * width).powi(2)).exp();
    let weighted = |k: u32| {
        density(k)
            * if k == 0 || k == STEPS {
                1.0
            } else {
                f64::from(2 + 2 * (k % 2))
            }
    };
    let sum: f64 = (0..=STEPS).map(weighted).sum();
    0.5 + sum * width / 3.0 / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use dataset::Attributes;

    const ROWS: usize = 100_000;

    fn sampled() -> Vec<[i8; ATTRIBUTES]> {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        (0..ROWS).map(|_| LabelSampler::celeba().sample(&mut rng)).collect()
    }

    fn rates(rows: &[[i8; ATTRIBUTES]]) -> Vec<f64> {
        let positives = |i: usize| rows.iter().filter(|row| row[i] > 0).count();
        (0..ATTRIBUTES)
            .map(|i| positives(i) as f64 / rows.len() as f64)
            .collect()
    }

    /// The phi correlation of two binary variables from the probabilities of each and of both.
    fn phi(a: f64, b: f64, both: f64) -> f64 {
        (both - a * b) / (a * (1.0 - a) * b * (1.0 - b)).sqrt()
    }

    fn shared(file: &str) -> Option<Vec<Vec<f64>>> {
        let path = format!("{}/../../../shared/celeba/{file}", env!("CARGO_MANIFEST_DIR"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {path} is absent");
            return None;
        };
        Some(
            text.lines()
                .skip(1)
                .map(|l| l.split(',').skip(1).map(|v| v.parse().unwrap()).collect())
                .collect(),
        )
    }

    #[test]
    fn the_table_is_that_of_the_catalogue_and_factors_exactly() {
        let names: Vec<&str> = STATISTICS.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
        assert_eq!(names, Attributes::celeba().names());
        let sampler = LabelSampler::celeba();
        let row = |line: &str| {
            line.split(',')
                .skip(2)
                .map(|v| v.parse().unwrap())
                .collect::<Vec<f64>>()
        };
        for (i, line) in STATISTICS.lines().skip(1).enumerate() {
            for (j, correlation) in row(line).into_iter().enumerate() {
                let product: f64 = (0..ATTRIBUTES)
                    .map(|k| sampler.factor[i][k] * sampler.factor[j][k])
                    .sum();
                // Nothing was cut off on the way: the table is positive definite at its five digits.
                assert!(
                    (product - correlation).abs() < 1e-9,
                    "{i} {j}: {product} for {correlation}"
                );
            }
        }
    }

    #[test]
    fn quantiles_are_the_tabulated_ones() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.0224, -2.006_4), (0.834_9, 0.973_7)] {
            assert!((quantile(p) - z).abs() < 2e-3, "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn marginals_are_celebas() {
        let Some(counts) = shared("label_counts.csv") else {
            return;
        };
        for (i, rate) in rates(&sampled()).into_iter().enumerate() {
            let official = counts[i][0] / (counts[i][0] + counts[i][1]);
            // Four standard errors of a binomial proportion; one attribute in 16,000 would exceed them by chance.
            let tolerance = 4.0 * (official * (1.0 - official) / ROWS as f64).sqrt();
            assert!(
                (rate - official).abs() < tolerance,
                "attribute {i}: {rate} for {official}, tolerance {tolerance}"
            );
        }
    }

    #[test]
    fn pairwise_dependence_is_celebas() {
        let Some(pairs) = shared("label_cooccurrence_first20000.csv") else {
            return;
        };
        let images = 20_000.0;
        let rows = sampled();
        let rates = rates(&rows);
        let (mut squares, mut worst, mut count) = (0.0, (0.0, 0, 0), 0);
        for i in 0..ATTRIBUTES {
            for j in 0..i {
                let both = rows.iter().filter(|row| row[i] > 0 && row[j] > 0).count() as f64 / ROWS as f64;
                let official = phi(pairs[i][i] / images, pairs[j][j] / images, pairs[i][j] / images);
                let deviation = phi(rates[i], rates[j], both) - official;
                squares += deviation * deviation;
                count += 1;
                if deviation.abs() > f64::abs(worst.0) {
                    worst = (deviation, i, j);
                }
            }
        }
        let rms = f64::sqrt(squares / f64::from(count));
        let names = Attributes::celeba();
        eprintln!(
            "phi: rms {rms:.4}, worst {:+.3} at {} and {}",
            worst.0,
            names.name(worst.1),
            names.name(worst.2)
        );
        // The projection onto correlation matrices leaves .016 (and .10 at worst); sampling adds 1/sqrt(ROWS) = .003, the
        // difference between the whole set's marginals and the first 20,000 images' the rest.
        assert!(rms < 0.02 && worst.0.abs() < 0.13, "rms {rms}, worst {worst:?}");
    }

    /// Pairs that hardly ever or almost always occur together. A Gaussian copula has no exact zeros, and the projection
    /// onto correlation matrices softens them; what remains is stated here as a share of all images.
    #[test]
    fn exclusions_and_implications_nearly_hold() {
        let Some(pairs) = shared("label_cooccurrence_first20000.csv") else {
            return;
        };
        let rows = sampled();
        let names = Attributes::celeba();
        for (a, b) in [
            ("Male", "Wearing_Lipstick"),
            ("Male", "Heavy_Makeup"),
            ("Bald", "Bangs"),
            ("Goatee", "No_Beard"),
            ("Mustache", "No_Beard"),
            ("Black_Hair", "Blond_Hair"),
            ("Black_Hair", "Brown_Hair"),
            ("Blond_Hair", "Brown_Hair"),
            ("Black_Hair", "Gray_Hair"),
            ("Straight_Hair", "Wavy_Hair"),
        ] {
            let (i, j) = (names.index(a).unwrap(), names.index(b).unwrap());
            let sampled = rows.iter().filter(|row| row[i] > 0 && row[j] > 0).count() as f64 / ROWS as f64;
            let official = pairs[i][j] / 20_000.0;
            let independent = pairs[i][i] * pairs[j][j] / 20_000.0 / 20_000.0;
            eprintln!("{a} and {b}: {sampled:.4}, official {official:.4}, were they independent {independent:.4}");
            assert!(
                (sampled - official).abs() < 0.025 && sampled < 0.6 * independent,
                "{a} and {b}"
            );
        }
    }
}
