//! Which of several compromises are worth considering.

/// Whether each point, (cost, gain), is on the Pareto front: no other point has at most its cost and at least its gain, and is better
/// in one of the two. Equal points are on it together; a point that is not finite never is.
#[must_use]
pub fn pareto_front(points: &[(f64, f64)]) -> Vec<bool> {
    points
        .iter()
        .map(|&(cost, gain)| {
            let beaten = points
                .iter()
                .any(|&(c, g)| c <= cost && g >= gain && (c < cost || g > gain));
            cost.is_finite() && gain.is_finite() && !beaten
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let points = [
            (0.1, 0.4),
            (0.2, 0.6),
            (0.2, 0.5),
            (0.3, 0.6),
            (0.1, 0.4),
            (f64::NAN, 1.0),
        ];
        assert_eq!(pareto_front(&points), [true, true, false, false, true, false]);
        assert!(pareto_front(&[]).is_empty());
    }
}
