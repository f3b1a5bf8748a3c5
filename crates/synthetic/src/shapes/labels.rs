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
    /// What they are, told or not: 1 or -1.
    pub(super) labels: [i8; 5],
    /// As the table tells them: 1, -1, or 0 for an empty cell.
    pub(super) told: [i8; 5],
    /// How strongly each property is drawn, in [0, 1].
    pub(super) strength: [f32; 5],
}

/// How strongly a property is drawn of which the trait is so large.
fn strength(of: f32) -> f32 {
    1.0 / (1.0 + (-1.5 * of).exp())
}

/// The trait of a property that is drawn so strongly.
fn trait_of(strength: f32) -> f32 {
    (strength / (1.0 - strength)).ln() / 1.5
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
            strength(mean + noise)
        });
        let mut told = labels;
        if random.random::<f32>() < UNKNOWN {
            told[4] = 0;
        }
        Self { labels, told, strength }
    }

    /// The same with the other class of one attribute, and the same chance: its trait moves by the distance of the classes.
    pub(super) fn toggled(mut self, attribute: usize) -> Self {
        let label = f32::from(self.labels[attribute]);
        self.strength[attribute] = strength(trait_of(self.strength[attribute]) - label * DISTANCE);
        self.labels[attribute] = -self.labels[attribute];
        self.told[attribute] = -self.told[attribute];
        self
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_toggled_attribute_is_drawn_as_the_other_class_and_comes_back() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        for _ in 0..200 {
            let row = Row::sample(&mut random);
            for attribute in 0..5 {
                let toggled = row.toggled(attribute);
                let changed: Vec<usize> = (0..5).filter(|&i| row.strength[i] != toggled.strength[i]).collect();
                assert_eq!(changed, [attribute]);
                let towards = f32::from(toggled.labels[attribute]);
                assert!(towards * (toggled.strength[attribute] - row.strength[attribute]) > 0.0);
                assert_eq!(toggled.labels[attribute], -row.labels[attribute]);
                let back = toggled.toggled(attribute);
                // A strength near 1 keeps few digits of its distance from 1.
                assert!((back.strength[attribute] - row.strength[attribute]).abs() < 1e-2);
            }
        }
    }

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
