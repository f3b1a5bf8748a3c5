//! Where everything stands in the results folder of a run.

/// The experiment, with every default written out.
pub const EXPERIMENT: &str = "experiment.yaml";
/// The folder of what the run used and that is small enough to be kept: its regions file.
pub const INPUTS: &str = "inputs";
/// What tables and figures need to know of the data set.
pub const FACTS: &str = "data.json";
/// What a run prints of its results.
pub const SUMMARY: &str = "tables/summary.txt";
/// The images that cannot be used.
pub const BAD_IMAGES: &str = "bad_images.csv";
/// The images of the figure of examples: how each was chosen, and its numbers.
pub const CHOSEN: &str = "chosen.parquet";
/// The same images, and their maps.
pub const CHOSEN_TENSORS: &str = "chosen.safetensors";
/// The examples that the report shows.
pub const EXAMPLES: &str = "examples.json";
/// The report.
pub const REPORT: &str = "report.html";

/// A classifier's trained network.
pub fn checkpoint(classifier: &str) -> String {
    format!("{classifier}/checkpoint.safetensors")
}

/// Its pooled features of the images of a split, to which heads are fitted.
pub fn features(classifier: &str, split: &str) -> String {
    format!("{classifier}/{split}_features.safetensors")
}

/// The state of its training, until that is finished.
pub fn unfinished(classifier: &str) -> String {
    format!("{classifier}/unfinished.safetensors")
}

/// How its training went, epoch by epoch.
pub fn history(classifier: &str) -> String {
    format!("{classifier}/training.parquet")
}

/// Its scores.
pub fn predictions(classifier: &str) -> String {
    format!("{classifier}/predictions.parquet")
}

/// The mean of its features over the scored images.
pub fn reference(classifier: &str) -> String {
    format!("{classifier}/reference.safetensors")
}

/// The energies of its maps, and its scores taken apart.
pub fn energy(classifier: &str) -> String {
    format!("{classifier}/energy.parquet")
}

/// Its average maps.
pub fn maps(classifier: &str) -> String {
    format!("{classifier}/maps.safetensors")
}

/// The maps of an explanation that costs passes of its own, until that is finished.
pub fn unfinished_maps(classifier: &str) -> String {
    format!("{classifier}/unfinished.maps")
}

/// All of its maps as the method made them, where they are kept.
pub fn raw_maps(classifier: &str) -> String {
    format!("{classifier}/raw_maps.safetensors")
}

/// What its decisions lose where something is hidden.
pub fn occlusion(classifier: &str) -> String {
    format!("{classifier}/occlusion.parquet")
}

/// Its scores of images in which an attribute is toggled.
pub fn interventions(classifier: &str) -> String {
    format!("{classifier}/interventions.parquet")
}

/// How local the cells of its layers are: numbers, and maps for a figure.
pub fn locality(classifier: &str) -> [String; 2] {
    ["parquet", "safetensors"].map(|ending| format!("{classifier}/locality.{ending}"))
}

/// Whether maps tell what it uses: the scores of the methods, and how alike their maps stay to those of randomised networks.
pub fn faithfulness(classifier: &str) -> [String; 2] {
    ["faithfulness", "sanity"].map(|file| format!("{classifier}/{file}.parquet"))
}
