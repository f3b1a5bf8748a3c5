//! The names of all figures: those of their files.

/// The figures of a run, in the order in which a report shows them.
pub const NAMES: [&str; 17] = [
    "decomposition",
    "error_rates",
    "energies",
    "turned_decisions",
    "cross_effects",
    "energy_scatter",
    "imbalance",
    "locality",
    "average_cams",
    "examples",
    "bias_reliance",
    "occlusion",
    "sanity_checks",
    "score_distributions",
    "calibration",
    "published",
    "training_curves",
];

/// The figures of a sweep, which `figures.columns` may name too.
pub const SWEEP_NAMES: [&str; 4] = [
    "sweep",
    "sweep_pareto",
    "sweep_attribute_errors",
    "sweep_attribute_energies",
];
