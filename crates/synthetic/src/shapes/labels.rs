use rand::Rng;
use rand_distr::StandardNormal;

/// The attributes, in the order of the table's columns.
pub const ATTRIBUTES: [&str; 5] = [
    "dotted_disc",
    "hollow_square",
    "striped_triangle",
    "open_ring",
    "bent_bar",
];

/// Thresholds of the latent variables behind the labels: 12, 30, 85, 6 and 50 % are positive.
const THRESHOLDS: [f32; 5] = [1.175, 0.524, -1.036, 1.555, 0.0];
/// By which earlier attribute a latent variable is drawn, and how strongly: hollow squares go with dotted discs, open rings
/// with triangles without stripes.
const DRAWN_BY: [Option<(usize, f32)>; 5] = [None, Some((0, 0.5)), None, Some((2, -0.5)), None];
/// Part of the labels of the last attribute that the table does not tell.
const UNKNOWN: f32 = 0.1;
/// Distance of the two classes' mean traits, in deviations: how far labels and pictures agree.
const DISTANCE: f32 = 4.0;

/// The labels of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// As the table tells them: 1, -1, or 0 for an empty cell.
    pub(super) told: [i8; 5],
    /// How strongly each property is drawn, in [0, 1].
    pub(super) strength: [f32; 5],
}

impl Row {
    pub(super) fn sample(random: &mut impl Rng) -> Self {
        let mut latent = [0.0_f32; 5];
        for attribute in 0..5 {
            let own: f32 = random.sample(StandardNormal);
            latent[attribute] = match DRAWN_BY[attribute] {
                Some((by, weight)) => weight * latent[by] + (1.0 - weight * weight).sqrt() * own,
                None => own,
            };
        }
        let labels: [i8; 5] = std::array::from_fn(|i| if latent[i] > THRESHOLDS[i] { 1 } else { -1 });
        let strength = labels.map(|label| {
            let noise: f32 = random.sample(StandardNormal);
            let mean = f32::from(label) * DISTANCE / 2.0;
            1.0 / (1.0 + (-1.5 * (mean + noise)).exp())
        });
        let mut told = labels;
        if random.random::<f32>() < UNKNOWN {
            told[4] = 0;
        }
        Self { told, strength }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn labels_are_imbalanced_correlated_and_partly_unknown() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let rows: Vec<Row> = (0..20_000).map(|_| Row::sample(&mut random)).collect();
        let share =
            |test: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| test(row)).count() as f64 / rows.len() as f64;
        for (attribute, expected) in [0.12, 0.30, 0.85, 0.06, 0.45].into_iter().enumerate() {
            // Four standard errors of a proportion are at most 0.014.
            let found = share(&|row| row.told[attribute] > 0);
            assert!((found - expected).abs() < 0.014, "{attribute}: {found}");
        }
        assert!((share(&|row| row.told[4] == 0) - 0.1).abs() < 0.01);
        let both = share(&|row| row.told[0] > 0 && row.told[1] > 0);
        assert!(both > 1.5 * 0.12 * 0.30, "{both}");
        let both = share(&|row| row.told[2] < 0 && row.told[3] > 0);
        assert!(both > 1.5 * 0.15 * 0.06, "{both}");
        // A person who sees a property as there from half its strength on agrees with 97.7 % of the labels: Phi(d / 2).
        let agree = share(&|row| (row.strength[0] > 0.5) == (row.told[0] > 0));
        assert!((agree - 0.977).abs() < 0.005, "{agree}");
    }
}
