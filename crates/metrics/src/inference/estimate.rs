//! A number and how sure it is.

use std::fmt;

use crate::statistics::Interval;

/// A number measured on a sample of people, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its interval at [`CONFIDENCE`](crate::CONFIDENCE). `None` where the people say nothing about it: none was resampled, there are fewer
    /// than two, or they do not differ at all in what is measured.
    pub interval: Option<Interval>,
    /// Its standard error, in units of the value; `None` where there is no interval, and where no spread was seen.
    pub standard_error: Option<f64>,
    /// The two-sided p value of the hypothesis that the number is 0: the largest level at which the interval, made for it, would have 0
    /// at an end. `None` without an interval, and where 0 is the least or the largest that the number can be, so that it is no
    /// hypothesis.
    pub p_value: Option<f64>,
    /// People behind it: those with an image in one of its groups.
    pub people: usize,
    /// How the interval was made.
    pub method: IntervalMethod,
}

impl Estimate {
    /// The same of a number that cannot leave a range, and so its interval neither: a correlation, an area under a curve.
    #[must_use]
    pub fn within(self, least: f64, most: f64) -> Self {
        let within = |ends: Interval| Interval {
            low: ends.low.max(least),
            high: ends.high.min(most),
        };
        Self {
            interval: self.interval.map(within),
            ..self
        }
    }
}

/// How an interval was made. Which number has which follows from what it is: one group's rate or mean share has Wilson's, whatever is
/// made of several groups, or of values that have no bounds, has BCa's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalMethod {
    /// Wilson's score interval with the effective number of images, see [`rate_interval`](crate::rate_interval).
    Wilson,
    /// The bias-corrected and accelerated bootstrap over people, with Student's quantiles, see [`Resampled`](crate::Resampled).
    Bca,
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wilson => "Wilson, effective number",
            Self::Bca => "BCa bootstrap over people",
        })
    }
}
