//! Maps of so few cells that hardly any region can be told apart in them.

use super::Experiment;
use cam::Method;

/// A map whose side has fewer cells than this is coarse.
const FEW: usize = 4;

impl Experiment {
    /// What is said of maps with fewer than 4 x 4 cells, and what gives finer ones; `None` where maps are finer, or of the image's size.
    #[must_use]
    pub fn coarse_maps(&self) -> Option<String> {
        let explain = &self.explain;
        if explain.method.is_whole() {
            return None;
        }
        let architecture = self.model.architecture().ok()?;
        let layers = architecture.layers();
        let layer = explain.config().layer_of(&layers).ok()?;
        let size = self.data.image_size;
        let all: Vec<(&String, usize)> = layers.iter().zip(architecture.cells(size)).collect();
        let cells = all.iter().find(|(name, _)| **name == layer)?.1;
        if cells >= FEW {
            return None;
        }
        let which = if layers.last() == Some(&layer) {
            "the last stage".to_owned()
        } else {
            layer
        };
        let inner = all.iter().rev().find(|(_, cells)| *cells >= FEW);
        let finer = match inner {
            Some((name, cells)) if !matches!(explain.method, Method::Cam | Method::CentredCam) => {
                format!("explain.layer={name} gives {cells} x {cells}, a larger data.image_size more")
            }
            _ => "a larger data.image_size gives more".to_owned(),
        };
        Some(format!(
            "maps have {cells} x {cells} cells ({which} at image_size {size}), and a region smaller than a cell cannot be told apart; {finer}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_maps_are_told_with_what_is_finer() {
        let mut experiment =
            serde_json::from_str::<Experiment>(r#"{"data": {"source": "procedural"}}"#).expect("an experiment");
        experiment.model.architecture = serde_json::from_str("\"resnet18\"").unwrap();
        experiment.data.image_size = 64;
        let said = experiment.coarse_maps().unwrap();
        assert!(
            said.starts_with("maps have 2 x 2 cells (the last stage at image_size 64)"),
            "{said}"
        );
        assert!(
            said.ends_with("explain.layer=stage3 gives 4 x 4, a larger data.image_size more"),
            "{said}"
        );
        experiment.explain.method = Method::Cam;
        assert!(!experiment.coarse_maps().unwrap().contains("explain.layer"));
        experiment.explain.method = Method::HiresCam;
        experiment.explain.layer = Some("stage3".to_owned());
        assert_eq!(experiment.coarse_maps(), None);
        experiment.explain.layer = None;
        experiment.data.image_size = 112;
        assert_eq!(experiment.coarse_maps(), None);
    }
}
