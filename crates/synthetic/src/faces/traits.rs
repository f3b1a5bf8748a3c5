use rand::Rng;
use rand_distr::StandardNormal;

use super::attribute::{ATTRIBUTES, Attribute};

/// How hard people find an attribute to name: the distance between the mean traits of its two classes, in units of the
/// spread within a class. A label disagrees with the sign of its trait with probability Φ(-d/2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difficulty {
    /// There or not there: glasses, a hat. Disagreement .003.
    Evident,
    /// Seldom disputed. Disagreement .012.
    Clear,
    /// A matter of degree. Disagreement .04.
    Graded,
    /// A matter of opinion. Disagreement .10.
    Subjective,
    /// People agree little better than two times in three; disagreement .18.
    Contested,
}

impl Difficulty {
    fn distance(self) -> f32 {
        match self {
            Self::Evident => 5.5,
            Self::Clear => 4.5,
            Self::Graded => 3.5,
            Self::Subjective => 2.6,
            Self::Contested => 1.8,
        }
    }

    /// By judgement of how subjective the attribute is, not of how frequent.
    fn of(attribute: Attribute) -> Self {
        use Attribute as A;
        match attribute {
            A::Bald | A::Eyeglasses | A::Male => Self::Evident,
            A::Bangs
            | A::BlondHair
            | A::Goatee
            | A::GrayHair
            | A::Mustache
            | A::NoBeard
            | A::Sideburns
            | A::WearingHat
            | A::WearingNecktie => Self::Clear,
            A::BlackHair
            | A::Blurry
            | A::Chubby
            | A::DoubleChin
            | A::FiveOClockShadow
            | A::HeavyMakeup
            | A::MouthSlightlyOpen
            | A::PaleSkin
            | A::RecedingHairline
            | A::RosyCheeks
            | A::Smiling
            | A::WearingEarrings
            | A::WearingLipstick => Self::Graded,
            A::ArchedEyebrows
            | A::Attractive
            | A::BagsUnderEyes
            | A::BrownHair
            | A::BushyEyebrows
            | A::HighCheekbones
            | A::NarrowEyes
            | A::StraightHair
            | A::WavyHair
            | A::WearingNecklace
            | A::Young => Self::Subjective,
            A::BigLips | A::BigNose | A::OvalFace | A::PointyNose => Self::Contested,
        }
    }
}

/// The latent trait of each attribute of one face: what is drawn, where the label is only what is said of it.
///
/// t = y d / 2 + N(0, 1) with the label y = ±1: both classes have the same spread about opposite means.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits([f32; ATTRIBUTES]);

impl Traits {
    /// The traits of a face with these labels.
    pub fn sample(labels: &[i8; ATTRIBUTES], rng: &mut impl Rng) -> Self {
        Self(std::array::from_fn(|i| {
            let noise: f32 = rng.sample(StandardNormal);
            f32::from(labels[i]) * Difficulty::of(Attribute::ALL[i]).distance() / 2.0 + noise
        }))
    }

    /// The same face but for one trait. Its classes' means lie at about ±1 to ±3; see [`Traits::mean`].
    #[must_use]
    pub fn with(mut self, attribute: Attribute, value: f32) -> Self {
        self.0[attribute as usize] = value;
        self
    }

    /// The traits of the same face if its label of one attribute were the other one: that trait moves by the distance between its two
    /// classes, and keeps how far it is from its class's mean.
    #[must_use]
    pub fn toggled(self, attribute: Attribute, label: i8) -> Self {
        let value = self.value(attribute) - f32::from(label) * 2.0 * Self::mean(attribute);
        self.with(attribute, value)
    }

    /// The mean trait of the attribute's positive class; that of the negative is its opposite.
    pub fn mean(attribute: Attribute) -> f32 {
        Difficulty::of(attribute).distance() / 2.0
    }

    /// The trait itself.
    pub fn value(&self, attribute: Attribute) -> f32 {
        self.0[attribute as usize]
    }

    /// How strongly a cue that is there or not is drawn, 0 to 1: half at a trait of 0, full from 1.2 on.
    pub(super) fn presence(&self, attribute: Attribute) -> f32 {
        let x = ((self.value(attribute) + 1.2) / 2.4).clamp(0.0, 1.0);
        x * x * (3.0 - 2.0 * x)
    }

    /// How far a cue of shape or degree leans to either side, -1 to 1, saturating slowly.
    pub(super) fn degree(&self, attribute: Attribute) -> f32 {
        (0.8 * self.value(attribute)).tanh()
    }

    /// [`degree`](Self::degree) on the scale 0 to 1.
    pub(super) fn amount(&self, attribute: Attribute) -> f32 {
        0.5 + 0.5 * self.degree(attribute)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The generator must not know which class is rare: the traits of the two classes are mirror images.
    #[test]
    fn both_classes_are_treated_alike() {
        let draw = |label| Traits::sample(&[label; ATTRIBUTES], &mut ChaCha8Rng::seed_from_u64(3)).0;
        let (positive, negative) = (draw(1), draw(-1));
        for attribute in Attribute::ALL {
            let i = attribute as usize;
            let noise = positive[i] - Traits::mean(attribute);
            assert!((negative[i] + Traits::mean(attribute) - noise).abs() < 1e-5);
            let mirrored = Traits(positive.map(|t| -t));
            let traits = Traits(positive);
            assert!((traits.presence(attribute) + mirrored.presence(attribute) - 1.0).abs() < 1e-5);
            assert!((traits.degree(attribute) + mirrored.degree(attribute)).abs() < 1e-5);
        }
    }

    #[test]
    fn noise_has_unit_spread() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let labels = [1; ATTRIBUTES];
        let rows = 4000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..rows {
            let traits = Traits::sample(&labels, &mut rng);
            let noise = f64::from(traits.value(Attribute::Smiling) - Traits::mean(Attribute::Smiling));
            sum += noise;
            squares += noise * noise;
        }
        let n = f64::from(rows);
        // Five standard errors: 1/sqrt(n) of the mean, sqrt(2/n) of the variance.
        assert!((sum / n).abs() < 5.0 / n.sqrt());
        assert!((squares / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
    }
}
