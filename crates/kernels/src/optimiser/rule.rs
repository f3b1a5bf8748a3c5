//! Update rules with PyTorch's definitions.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The rule of an update: parameter p, gradient g, learning rate r.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// `torch.optim.SGD` without dampening: v = momentum v + g, p -= r v.
    Sgd {
        /// 0 <= momentum < 1.
        momentum: f64,
    },
    /// `torch.optim.RMSprop`: s = alpha s + (1 - alpha) g^2, v = momentum v + g / (sqrt(s) + epsilon), p -= r v.
    RmsProp {
        /// 0 <= alpha < 1; PyTorch's default is 0.99.
        alpha: f64,
        /// > 0; PyTorch's default is 1e-8.
        epsilon: f64,
        /// 0 <= momentum < 1; PyTorch's default is 0.
        momentum: f64,
    },
    /// `torch.optim.Adam` or `AdamW` (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2):
    /// m = b1 m + (1 - b1) g, s = b2 s + (1 - b2) g^2, p -= r m' / (sqrt(s') + epsilon), where m' = m / (1 - b1^t) and
    /// s' = s / (1 - b2^t) at step t from 1.
    Adam {
        /// b1 and b2, both in [0, 1); PyTorch's defaults are 0.9 and 0.999.
        betas: [f64; 2],
        /// > 0; PyTorch's default is 1e-8.
        epsilon: f64,
        /// Whether weight decay acts on the parameter (AdamW) or is added to the gradient (Adam).
        decoupled: bool,
    },
}

impl Rule {
    /// Names of the values that the rule remembers of each parameter's entry.
    pub fn memory(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["momentum"],
            Self::RmsProp { .. } => &["square", "momentum"],
            Self::Adam { .. } => &["mean", "square"],
        }
    }
}

/// Entries that are updated together.
pub(crate) const CHUNK: usize = 1 << 14;

/// A rule with all numbers of one step worked out.
#[derive(Debug, Clone, Copy)]
pub struct Update {
    pub(crate) rule: Rule,
    pub(crate) learning_rate: f32,
    /// Added to the gradient per unit of the parameter.
    pub(crate) coupled_decay: f32,
    /// What remains of the parameter before the update.
    pub(crate) kept: f32,
    /// Adam: r / (1 - b1^t) and sqrt(1 - b2^t).
    pub(crate) corrections: [f32; 2],
}

impl Update {
    /// Of step `step`, from 1, with weight decay `decay` for the parameter.
    pub fn new(rule: Rule, learning_rate: f64, decay: f64, step: u64) -> Self {
        let decoupled = matches!(rule, Rule::Adam { decoupled: true, .. });
        let (coupled_decay, kept) = if decoupled {
            (0.0, 1.0 - learning_rate * decay)
        } else {
            (decay, 1.0)
        };
        let corrections = match rule {
            Rule::Adam {
                betas: [first, second], ..
            } => {
                let t = step as f64;
                [learning_rate / (1.0 - first.powf(t)), (1.0 - second.powf(t)).sqrt()]
            }
            _ => [1.0, 1.0],
        };
        Self {
            rule,
            learning_rate: learning_rate as f32,
            coupled_decay: coupled_decay as f32,
            kept: kept as f32,
            corrections: corrections.map(|value| value as f32),
        }
    }

    /// Applies the rule entry by entry. The entries are independent, so the number of threads does not matter.
    pub(crate) fn apply(self, values: &mut [f32], gradient: &[f32], [first, second]: &mut [Vec<f32>; 2]) {
        let rate = self.learning_rate;
        let pairs = values
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(first.par_chunks_mut(CHUNK));
        match self.rule {
            Rule::Sgd { momentum } => {
                let momentum = momentum as f32;
                pairs.for_each(|((values, gradient), velocity)| {
                    for ((p, &g), v) in values.iter_mut().zip(gradient).zip(velocity) {
                        *v = momentum * *v + (g + self.coupled_decay * *p);
                        *p -= rate * *v;
                    }
                });
            }
            Rule::RmsProp {
                alpha,
                epsilon,
                momentum,
            } => {
                let (alpha, rest) = (alpha as f32, (1.0 - alpha) as f32);
                let (epsilon, momentum) = (epsilon as f32, momentum as f32);
                pairs
                    .zip(second.par_chunks_mut(CHUNK))
                    .for_each(|(((values, gradient), square), velocity)| {
                        for (((p, &g), s), v) in values.iter_mut().zip(gradient).zip(square).zip(velocity) {
                            let g = g + self.coupled_decay * *p;
                            *s = alpha * *s + rest * g * g;
                            *v = momentum * *v + g / (s.sqrt() + epsilon);
                            *p -= rate * *v;
                        }
                    });
            }
            Rule::Adam { betas, epsilon, .. } => {
                let rest = betas.map(|beta| (1.0 - beta) as f32);
                let (second_beta, epsilon) = (betas[1] as f32, epsilon as f32);
                let [rate, root] = self.corrections;
                pairs
                    .zip(second.par_chunks_mut(CHUNK))
                    .for_each(|(((values, gradient), mean), square)| {
                        for (((p, &g), m), s) in values.iter_mut().zip(gradient).zip(mean).zip(square) {
                            let g = g + self.coupled_decay * *p;
                            *m += rest[0] * (g - *m);
                            *s = second_beta * *s + rest[1] * g * g;
                            *p = self.kept * *p - rate * *m / (s.sqrt() / root + epsilon);
                        }
                    });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Values of p after each of three steps of learning rate 0.1 from p = 1 with gradient p. In PyTorch, for SGD:
    ///
    /// ```python
    /// p = torch.nn.Parameter(torch.ones(1)); o = torch.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.5)
    /// for _ in range(3): p.grad = p.detach().clone(); o.step(); print(p.item())
    /// ```
    fn run(rule: Rule, decay: f64) -> Vec<f32> {
        let (mut p, mut memory) = ([1.0_f32], [vec![0.0], vec![0.0]]);
        (1..=3)
            .map(|step| {
                let gradient = p;
                Update::new(rule, 0.1, decay, step).apply(&mut p, &gradient, &mut memory);
                p[0]
            })
            .collect()
    }

    fn assert_close(found: &[f32], expected: [f64; 3]) {
        for (found, expected) in found.iter().zip(expected) {
            assert_relative_eq!(f64::from(*found), expected, epsilon = 1e-6);
        }
    }

    #[test]
    fn sgd_by_hand() {
        // v: 1.5, 0.9 * 1.5 + 1.5 * 0.85 = 2.625, ...
        let found = run(Rule::Sgd { momentum: 0.9 }, 0.5);
        assert_close(&found, [0.85, 0.5875, 0.263_125]);
    }

    #[test]
    fn rms_prop_by_hand() {
        // The first step is r g / sqrt(0.01 g^2) = 10 r whatever the gradient.
        let rms_prop = |alpha, epsilon, momentum| {
            let rule = Rule::RmsProp {
                alpha,
                epsilon,
                momentum,
            };
            run(rule, 0.0)
        };
        let found = rms_prop(0.99, 1e-8, 0.0);
        assert_close(&found[..1], [1e-8, 0.0, 0.0]);
        let found = rms_prop(0.75, 1.0, 0.5);
        // s = 0.25, v = 1 / 1.5, p = 1 - 0.0666667; then s = 0.75 * 0.25 + 0.25 * p^2, ...
        let (mut p, mut s, mut v) = (1.0_f64, 0.0_f64, 0.0_f64);
        let expected = [(); 3].map(|()| {
            s = 0.75 * s + 0.25 * p * p;
            v = 0.5 * v + p / (s.sqrt() + 1.0);
            p -= 0.1 * v;
            p
        });
        assert_close(&found, expected);
    }

    #[test]
    fn adam_by_hand() {
        // The first step of Adam is r, whatever the gradient; decoupled decay takes r d p on top.
        let adam = |decoupled| {
            let rule = Rule::Adam {
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                decoupled,
            };
            run(rule, 0.5)
        };
        let coupled = adam(false);
        assert_relative_eq!(coupled[0], 0.9, epsilon = 1e-6);
        let decoupled = adam(true);
        assert_relative_eq!(decoupled[0], 0.85, epsilon = 1e-6);
        let (mut p, mut m, mut s) = (1.0_f64, 0.0_f64, 0.0_f64);
        let mut expected = [0.0; 3];
        for (t, expected) in (1..).zip(&mut expected) {
            m = 0.9 * m + 0.1 * p;
            s = 0.999 * s + 0.001 * p * p;
            p *= 1.0 - 0.1 * 0.5;
            p -= 0.1 * (m / (1.0 - 0.9_f64.powi(t))) / ((s / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
            *expected = p;
        }
        assert_close(&decoupled, expected);
    }
}
