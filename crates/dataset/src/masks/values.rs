//! Which values of a grey picture, or of an alpha channel, are inside.

use std::fmt;

/// The highest value of a picture whose values are numbers of labels; a picture with so little light shows nothing.
const HIGHEST_LABEL: u32 = 63;
/// Values of a picture of labels at most; a lossy format makes more of two.
const FEW: usize = 32;
/// Colours or values that a message lists at most.
const SHOWN: usize = 6;

/// Why a picture is no mask of two kinds of pixels.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) String);

impl Ambiguous {
    /// Several labels, by what they look like.
    pub(super) fn labels(labels: &[impl fmt::Display]) -> Self {
        let mut shown: Vec<String> = labels.iter().take(SHOWN).map(ToString::to_string).collect();
        if labels.len() > SHOWN {
            shown.push("...".to_owned());
        }
        Self(format!("a picture with several labels ({})", shown.join(", ")))
    }

    /// Nothing that is clearly outside.
    pub(super) fn no_background(lower: &impl fmt::Display, higher: &impl fmt::Display) -> Self {
        Self(format!(
            "a picture of {lower} and {higher}, without black or 0 for what is outside"
        ))
    }
}

/// The areas of a picture that have one value: a label has areas, what lies along a soft edge or comes of a lossy format has none.
pub(super) struct Areas {
    width: u32,
    height: u32,
    reach: u32,
    /// Pixels that an area needs to count.
    pub(super) least: u64,
}

impl Areas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            reach: (width.min(height) / 256).max(1),
            least: (u64::from(width) * u64::from(height) / 10_000).max(1),
        }
    }

    /// Whether a pixel has the value of its neighbours on all four sides; beyond the border lies what lies on it.
    pub(super) fn is_within<T: PartialEq>(&self, x: u32, y: u32, value: impl Fn(u32, u32) -> T) -> bool {
        let here = value(x, y);
        let left = value(x.saturating_sub(self.reach), y);
        let right = value((x + self.reach).min(self.width - 1), y);
        let above = value(x, y.saturating_sub(self.reach));
        let below = value(x, (y + self.reach).min(self.height - 1));
        [left, right, above, below].iter().all(|other| *other == here)
    }
}

/// The least value that is inside a picture of `width` x `height` values up to 65,535; more than all where nothing is.
///
/// # Errors
/// When the values are those of several labels, or none is clearly outside.
pub(super) fn threshold(width: u32, height: u32, value: impl Fn(u32, u32) -> u32) -> Result<u32, Ambiguous> {
    let every = || (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)));
    let mut counts = vec![0_u64; 1 << 16];
    for (x, y) in every() {
        counts[value(x, y) as usize] += 1;
    }
    let values: Vec<u32> = (0..)
        .zip(&counts)
        .filter(|(_, count)| **count > 0)
        .map(|(value, _)| value)
        .collect();
    let (Some(&lowest), Some(&highest)) = (values.first(), values.last()) else {
        return Ok(1);
    };
    let half = highest.div_ceil(2).max(1);
    if lowest == highest {
        return Ok(half);
    }
    if highest <= HIGHEST_LABEL && (values.len() > 2 || lowest > 0) {
        return Err(match values.as_slice() {
            [one, other] => Ambiguous::no_background(one, other),
            _ => Ambiguous::labels(&values),
        });
    }
    if lowest >= half {
        // All white, but for what a lossy format makes of it.
        return if (highest - lowest) * 16 <= highest {
            Ok(lowest)
        } else {
            Err(Ambiguous::no_background(&lowest, &highest))
        };
    }
    if values.len() == 2 {
        return Ok(half);
    }
    let area: u64 = counts.iter().skip(half as usize).sum();
    let areas = Areas::new(width, height);
    counts.fill(0);
    for (x, y) in every() {
        if areas.is_within(x, y, &value) {
            counts[value(x, y) as usize] += 1;
        }
    }
    let flat: Vec<u32> = values
        .iter()
        .copied()
        .filter(|&value| counts[value as usize] >= areas.least)
        .collect();
    // A number of a label beside 0, where 255 is what nobody knows.
    let dark = flat.iter().filter(|&&value| value <= highest / 8).count();
    if dark > 1 && values.len() <= FEW {
        return Err(Ambiguous::labels(&values));
    }
    // Values that differ by little are one label.
    let mut labels: Vec<u32> = Vec::new();
    let mut last = None;
    for here in flat.into_iter().filter(|&value| value > highest / 8) {
        if last.is_none_or(|last| here - last > highest / 16) {
            labels.push(here);
        }
        last = Some(here);
    }
    if labels.len() == 1 && last < Some(half) {
        // It has areas, and what is brighter has not.
        labels.push(highest);
    }
    // Between black and white a little may be of any grey: people who disagreed, a network that was not sure.
    let between: u64 = counts
        .iter()
        .take((highest - highest / 8) as usize)
        .skip((highest / 8) as usize + 1)
        .sum();
    let is_soft = [255, 255 << 8, 65_535].contains(&highest) && 4 * between <= area;
    if labels.len() > 1 && !is_soft {
        // What is outside is one of the values that a reader sees in the file.
        if lowest <= highest / 8 {
            labels.insert(0, lowest);
        }
        return Err(Ambiguous::labels(&labels));
    }
    Ok(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of values, each `side` wide and high.
    fn of(values: &[u32], side: u32) -> Result<u32, Ambiguous> {
        threshold(values.len() as u32 * side, side, |x, _| values[(x / side) as usize])
    }

    #[test]
    fn two_values_are_outside_and_inside_whatever_their_scale() {
        for (values, expected) in [
            (&[0, 1][..], 1),
            (&[0, 2], 1),
            (&[0, 255], 128),
            (&[0, 65_535], 32_768),
            (&[0, 300], 150),
            (&[40, 200], 100),
            (&[0], 1),
            (&[1], 1),
            (&[255], 128),
            (&[251, 255, 253], 251),
        ] {
            assert_eq!(of(values, 9), Ok(expected), "{values:?}");
        }
    }

    #[test]
    fn labels_and_a_missing_background_are_refused() {
        for values in [
            &[0, 1, 2][..],
            &[1, 2],
            &[1, 3],
            &[0, 128, 255],
            &[0, 100, 200, 300],
            &[0, 1, 2, 255, 127],
            &[128, 255],
        ] {
            assert!(of(values, 9).is_err(), "{values:?}");
        }
        let message = of(&[0, 1, 2, 3, 4, 5, 6, 7], 4).unwrap_err().0;
        assert_eq!(message, "a picture with several labels (0, 1, 2, 3, 4, 5, ...)");
    }

    #[test]
    fn votes_are_cut_at_half_and_what_nobody_knows_is_not_inside() {
        // Five people's votes, as CUB-200 has them: most agree.
        let votes = |x: u32, _| [0, 51, 204, 255, 255, 255, 255, 255, 255, 255, 255, 255][(x / 5) as usize];
        assert_eq!(threshold(60, 20, votes), Ok(128));
        // Labels 0 and 7 with a border of 255 between them, thinner than an area.
        let unknown = |x: u32, _| match x {
            0..30 => 0,
            30 => 255,
            _ => 7,
        };
        assert!(threshold(60, 20, unknown).is_err());
    }

    #[test]
    fn soft_edges_and_noise_are_cut_at_half() {
        // A disc whose edge is 12 pixels wide, and noise of a lossy format in its areas.
        let soft = |x: u32, y: u32| {
            let distance = (f64::from(x) - 60.0).hypot(f64::from(y) - 60.0);
            let noise = (x * 7 + y * 13) % 5;
            let inside = ((40.0 - distance) / 12.0 + 0.5).clamp(0.0, 1.0);
            ((inside * 245.0) as u32 + noise).min(255)
        };
        let threshold = threshold(120, 120, soft).unwrap();
        assert!((120..=128).contains(&threshold), "{threshold}");
        // Two areas of which the darker is small.
        let labels = |x: u32, y: u32| if x > 100 && y > 100 { 90 } else { soft(x, y) };
        assert!(super::threshold(120, 120, labels).is_err());
    }
}
