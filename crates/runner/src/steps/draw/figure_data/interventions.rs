//! What figures show of toggled attributes.

use render::figures::{Bar, BarFigure, CrossEffect, CrossEffectFigure, CrossEffectPanel};

use super::group;
use crate::measured::{CrossEffects, Measured, of_class};

/// Decisions that turn, of each trained classifier, and of the unbalanced one with its threshold moved to where it is compared with the balanced
/// one. `None` where nothing was toggled.
pub fn turned_decisions(measured: &Measured) -> Option<BarFigure> {
    let moved = measured.unbalanced_moved.as_ref();
    let shown: Vec<usize> = (0..measured.classifiers.len())
        .filter(|&place| measured.cross_effects.get(place).is_some_and(Option::is_some))
        .filter(|&place| !measured.derived[place] || Some(&measured.classifiers[place]) == moved)
        .collect();
    if shown.is_empty() {
        return None;
    }
    let groups = measured.attributes.iter().map(|attribute| {
        let mut all = group(attribute, None, |index, class| {
            let turned = of_class(&attribute.classifiers[index].estimates.turned, class);
            Bar {
                value: turned.map(|estimate| estimate.value),
                interval: turned.and_then(|estimate| estimate.interval),
                published: None,
            }
        });
        all.bars = shown.iter().map(|&place| all.bars[place]).collect();
        all
    });
    Some(BarFigure {
        classifiers: shown.iter().map(|&place| measured.classifiers[place].clone()).collect(),
        groups: groups.collect(),
    })
}

/// A matrix for each trained classifier; `None` where nothing was toggled.
pub fn cross_effects(measured: &Measured) -> Option<CrossEffectFigure> {
    let entry = |found: &CrossEffects, toggled: usize, score: usize| {
        if found.hidden[toggled][score] {
            return CrossEffect::Hidden;
        }
        found
            .relative(toggled, score)
            .map_or(CrossEffect::Absent, CrossEffect::Share)
    };
    let count = measured.attributes.len();
    let panels: Vec<CrossEffectPanel> = measured
        .classifiers
        .iter()
        .zip(&measured.cross_effects)
        .filter_map(|(classifier, found)| {
            let found = found.as_ref()?;
            let row = |toggled| (0..count).map(|score| entry(found, toggled, score)).collect();
            Some(CrossEffectPanel {
                classifier: classifier.clone(),
                effects: (0..count).map(row).collect(),
            })
        })
        .collect();
    (!panels.is_empty()).then(|| CrossEffectFigure {
        attributes: measured
            .attributes
            .iter()
            .map(|attribute| attribute.name.clone())
            .collect(),
        panels,
    })
}
