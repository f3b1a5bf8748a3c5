//! Learning rates over a training.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the learning rate goes over a training of known length, as a factor of its peak.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always 1.
    Constant,
    /// `decay`^k in the k-th of `parts` equal parts of the training, k from 0.
    Step {
        /// Factor from one part to the next, > 0.
        decay: f64,
        /// Number of parts, at least 1.
        parts: u32,
    },
    /// Half a cosine from 1 to 0: (1 + cos(pi t)) / 2 at the part t of the training (Loshchilov & Hutter 2017, equation 5).
    Cosine,
    /// PyTorch's `OneCycleLR` with `anneal_strategy="cos"`: half a cosine up from 1/`start`, then half a cosine down to
    /// 1/(`start` `end`), which the last step has. The optimiser's momentum is not cycled (`cycle_momentum=False`).
    OneCycle {
        /// Part of the training that goes up: PyTorch's `pct_start`, 0.3.
        rise: f64,
        /// Peak over first learning rate: PyTorch's `div_factor`, 25.
        start: f64,
        /// First over last learning rate: PyTorch's `final_div_factor`, 1e4.
        end: f64,
    },
}

impl Schedule {
    /// A tenth after each third of the training.
    pub const STEP: Self = Self::Step { decay: 0.1, parts: 3 };
    /// One cycle with PyTorch's defaults.
    pub const ONE_CYCLE: Self = Self::OneCycle {
        rise: 0.3,
        start: 25.0,
        end: 1e4,
    };

    /// Factor of the peak learning rate for step `step` (from 0) of `total`; from `total` on, the last step's.
    pub fn factor(self, step: u64, total: u64) -> f64 {
        let last = total.saturating_sub(1);
        let step = step.min(last);
        let part = step as f64 / total.max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Step { decay, parts } => decay.powi((part * f64::from(parts)).floor() as i32),
            Self::Cosine => 0.5 * (1.0 + (PI * part).cos()),
            Self::OneCycle { rise, start, end } => {
                let (first, last_factor) = (1.0 / start, 1.0 / (start * end));
                let top = rise * total as f64 - 1.0;
                let step = step as f64;
                if step <= top {
                    half_cosine(first, 1.0, if top > 0.0 { step / top } else { 1.0 })
                } else {
                    half_cosine(1.0, last_factor, (step - top) / (last as f64 - top))
                }
            }
        }
    }

    fn validate(self) -> Result<()> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "more than 0"))
            }
        };
        match self {
            Self::Constant | Self::Cosine => Ok(()),
            Self::Step { parts: 0, .. } => Err(Error::setting("parts", 0, "at least 1")),
            Self::Step { decay, .. } => positive("decay", decay),
            Self::OneCycle { rise, start, end } => {
                if !(0.0..=1.0).contains(&rise) {
                    return Err(Error::setting("rise", rise, "0 to 1"));
                }
                positive("start", start)?;
                positive("end", end)
            }
        }
    }
}

/// From `from` at t = 0 to `to` at t = 1 along half a cosine.
fn half_cosine(from: f64, to: f64, t: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * t).cos())
}

/// The learning rate of every step of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    /// The largest learning rate, > 0.
    pub peak: f64,
    /// How it goes over the training.
    pub schedule: Schedule,
}

impl LearningRate {
    /// A schedule below a peak.
    ///
    /// # Errors
    /// [`Error::Setting`] when the peak or a setting of the schedule is out of range.
    pub fn new(peak: f64, schedule: Schedule) -> Result<Self> {
        if !peak.is_finite() || peak <= 0.0 {
            return Err(Error::setting("learning_rate", peak, "more than 0"));
        }
        schedule.validate()?;
        Ok(Self { peak, schedule })
    }

    /// Learning rate of step `step` (from 0) of `total`.
    pub fn at(&self, step: u64, total: u64) -> f64 {
        self.peak * self.schedule.factor(step, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn factors(schedule: Schedule, total: u64) -> Vec<f64> {
        (0..total).map(|step| schedule.factor(step, total)).collect()
    }

    #[test]
    fn constant_step_and_cosine_by_hand() {
        assert_eq!(factors(Schedule::Constant, 3), [1.0, 1.0, 1.0]);
        let step = Schedule::Step { decay: 0.5, parts: 3 };
        assert_eq!(factors(step, 6), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
        let cosine = factors(Schedule::Cosine, 4);
        for (found, expected) in cosine.iter().zip([1.0, 0.853_553_390_593, 0.5, 0.146_446_609_407]) {
            assert_relative_eq!(*found, expected, epsilon = 1e-11);
        }
    }

    /// Expected values: `torch.optim.lr_scheduler.OneCycleLR(SGD, max_lr=1, total_steps=10)`'s formula, evaluated by hand:
    /// up over steps 0..2, down over steps 2..9.
    #[test]
    fn one_cycle_is_pytorchs() {
        let found = factors(Schedule::ONE_CYCLE, 10);
        assert_relative_eq!(found[0], 0.04, epsilon = 1e-12);
        assert_relative_eq!(found[1], 0.52, epsilon = 1e-12);
        assert_relative_eq!(found[2], 1.0, epsilon = 1e-12);
        assert_relative_eq!(found[5], 0.611_262_24, epsilon = 1e-6);
        assert_relative_eq!(found[9], 4e-6, epsilon = 1e-12);
    }

    #[test]
    fn degenerate_lengths_are_finite() {
        for schedule in [
            Schedule::Constant,
            Schedule::STEP,
            Schedule::Cosine,
            Schedule::ONE_CYCLE,
        ] {
            for total in 0..5 {
                for step in 0..7 {
                    let factor = schedule.factor(step, total);
                    assert!((0.0..=1.0).contains(&factor), "{schedule:?} {step}/{total}: {factor}");
                }
            }
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        assert!(LearningRate::new(0.0, Schedule::Constant).is_err());
        assert!(LearningRate::new(f64::NAN, Schedule::Constant).is_err());
        assert!(LearningRate::new(1.0, Schedule::Step { decay: 0.1, parts: 0 }).is_err());
        assert!(
            LearningRate::new(
                1.0,
                Schedule::OneCycle {
                    rise: 2.0,
                    start: 25.0,
                    end: 1e4
                }
            )
            .is_err()
        );
    }
}
