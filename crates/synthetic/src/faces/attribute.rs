/// CelebA's attributes in official order, so that `attribute as usize` is the label's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "CelebA's own names")]
pub enum Attribute {
    FiveOClockShadow,
    ArchedEyebrows,
    Attractive,
    BagsUnderEyes,
    Bald,
    Bangs,
    BigLips,
    BigNose,
    BlackHair,
    BlondHair,
    Blurry,
    BrownHair,
    BushyEyebrows,
    Chubby,
    DoubleChin,
    Eyeglasses,
    Goatee,
    GrayHair,
    HeavyMakeup,
    HighCheekbones,
    Male,
    MouthSlightlyOpen,
    Mustache,
    NarrowEyes,
    NoBeard,
    OvalFace,
    PaleSkin,
    PointyNose,
    RecedingHairline,
    RosyCheeks,
    Sideburns,
    Smiling,
    StraightHair,
    WavyHair,
    WearingEarrings,
    WearingHat,
    WearingLipstick,
    WearingNecklace,
    WearingNecktie,
    Young,
}

/// Number of attributes.
pub(crate) const ATTRIBUTES: usize = 40;

impl Attribute {
    /// The attribute of a column, counted from 0.
    pub fn at(column: usize) -> Option<Self> {
        Self::ALL.get(column).copied()
    }

    /// All attributes, in column order.
    pub const ALL: [Self; ATTRIBUTES] = [
        Self::FiveOClockShadow,
        Self::ArchedEyebrows,
        Self::Attractive,
        Self::BagsUnderEyes,
        Self::Bald,
        Self::Bangs,
        Self::BigLips,
        Self::BigNose,
        Self::BlackHair,
        Self::BlondHair,
        Self::Blurry,
        Self::BrownHair,
        Self::BushyEyebrows,
        Self::Chubby,
        Self::DoubleChin,
        Self::Eyeglasses,
        Self::Goatee,
        Self::GrayHair,
        Self::HeavyMakeup,
        Self::HighCheekbones,
        Self::Male,
        Self::MouthSlightlyOpen,
        Self::Mustache,
        Self::NarrowEyes,
        Self::NoBeard,
        Self::OvalFace,
        Self::PaleSkin,
        Self::PointyNose,
        Self::RecedingHairline,
        Self::RosyCheeks,
        Self::Sideburns,
        Self::Smiling,
        Self::StraightHair,
        Self::WavyHair,
        Self::WearingEarrings,
        Self::WearingHat,
        Self::WearingLipstick,
        Self::WearingNecklace,
        Self::WearingNecktie,
        Self::Young,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::Attributes;

    #[test]
    fn columns_are_celebas() {
        let celeba = Attributes::celeba();
        assert_eq!(celeba.len(), ATTRIBUTES);
        for (column, attribute) in Attribute::ALL.into_iter().enumerate() {
            assert_eq!(attribute as usize, column);
            let name: String = celeba.name(column).split('_').map(capitalised).collect();
            assert_eq!(name.replace('5', "Five"), format!("{attribute:?}"));
        }
    }

    fn capitalised(word: &str) -> String {
        let mut letters = word.chars();
        letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect()
    }
}
