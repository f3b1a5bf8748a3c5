//! What the figures are drawn from. Absent values are `None` and are drawn as absent.

use image::RgbImage;

/// One bar of a bar figure.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bar {
    /// Its height in `[0, 1]`; `None` where there was no sample.
    pub value: Option<f64>,
    /// Confidence interval (low, high), drawn as an error bar.
    pub interval: Option<(f64, f64)>,
    /// The published value, drawn as a marker.
    pub published: Option<f64>,
}

/// The bars of one classifier for one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BarPair {
    /// Upward: the minority class.
    pub minority: Bar,
    /// Downward: the majority class.
    pub majority: Bar,
}

/// The bars of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct BarGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class. Others are marked, since their minority lacks the attribute.
    pub minority_positive: bool,
    /// Whether the attribute has no place of its own in the face.
    pub global: bool,
    /// What a map that knows nothing would reach, drawn as a tick in both directions.
    pub chance: Option<f64>,
    /// One pair per classifier.
    pub bars: Vec<BarPair>,
}

/// A bar figure: attributes along x, in the order given, minority up and majority down.
#[derive(Debug, Clone, PartialEq)]
pub struct BarFigure {
    /// Names of the classifiers, in the order of their bars.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<BarGroup>,
}

/// What of one classifier's scores for one attribute is a bias, in logits of the predicted class. The first three are means over
/// the images predicted as the majority class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BiasBar {
    /// The score, |z|.
    pub score: Option<f64>,
    /// Its constant part.
    pub constant: Option<f64>,
    /// The head's bias.
    pub bias: Option<f64>,
    /// What the region adds to the constant part when the majority class is predicted.
    pub region: Option<f64>,
    /// The same when the minority class is predicted.
    pub region_minority: Option<f64>,
}

/// The bars of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class.
    pub minority_positive: bool,
    /// Whether the attribute has no place of its own in the face.
    pub global: bool,
    /// One entry per classifier.
    pub bars: Vec<BiasBar>,
}

/// How much of the scores is a bias.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasFigure {
    /// Names of the classifiers, in the order of their bars.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<BiasGroup>,
}

/// A region of the face for outlines: `true` inside, row-major `[side, side]` at any resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Cells or pixels along a side.
    pub side: usize,
    /// `side * side` values.
    pub inside: Vec<bool>,
}

/// One panel of the sheet of average maps: the samples that a classifier predicts as one class.
#[derive(Debug, Clone, Default)]
pub struct AveragePanel {
    /// Number of samples.
    pub samples: usize,
    /// Their mean proportional energy.
    pub energy: Option<f64>,
    /// Their average face, square; `None` without samples.
    pub face: Option<RgbImage>,
    /// Their average map, row-major and square, of any side, in `[0, 1]`.
    pub map: Option<Vec<f32>>,
}

/// The panels of one attribute.
#[derive(Debug, Clone)]
pub struct AverageRow {
    /// Name of the attribute.
    pub attribute: String,
    /// Where the attribute is expected.
    pub outline: Option<Outline>,
    /// For each classifier the samples predicted positive and those predicted negative.
    pub panels: Vec<[AveragePanel; 2]>,
}

/// The sheet of average maps.
#[derive(Debug, Clone)]
pub struct AverageCams {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes, in reading order.
    pub rows: Vec<AverageRow>,
}

/// What one classifier says about an attribute of a face.
#[derive(Debug, Clone)]
pub struct ExamplePanel {
    /// The score (logit); at least 0 predicts positive.
    pub score: f32,
    /// The final map, row-major and square, in `[0, 1]`.
    pub map: Vec<f32>,
    /// Its proportional energy.
    pub energy: Option<f64>,
}

/// One face, chosen for an attribute.
#[derive(Debug, Clone)]
pub struct ExampleCell {
    /// How it was chosen: `best`, `worst` or `random`.
    pub chosen: &'static str,
    /// Name of the image.
    pub name: String,
    /// The aligned face, square.
    pub image: RgbImage,
    /// Where the attribute is expected in it.
    pub outline: Option<Outline>,
    /// The label: `1`, `-1`, or `0` if not annotated.
    pub label: i8,
    /// One panel per classifier.
    pub panels: Vec<ExamplePanel>,
}

/// The faces of one attribute.
#[derive(Debug, Clone)]
pub struct ExampleRow {
    /// Name of the attribute.
    pub attribute: String,
    /// The faces; `None` where none fits the description.
    pub cells: Vec<Option<ExampleCell>>,
}

/// Single faces with the maps of some attributes.
#[derive(Debug, Clone)]
pub struct Examples {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes, all with as many faces, chosen in the same order.
    pub rows: Vec<ExampleRow>,
}

/// One picture of a contact sheet.
#[derive(Debug, Clone)]
pub struct SheetCell {
    /// What stands above it.
    pub title: String,
    /// What stands below it.
    pub note: String,
    /// The picture, square, with its map.
    pub picture: RgbImage,
}

/// Many small pictures on one page.
#[derive(Debug, Clone)]
pub struct ContactSheet {
    /// What all pictures are of.
    pub title: String,
    /// How the maps were made.
    pub subtitle: String,
    /// The colours of activation, shown as a bar.
    pub colours: cam::ColourMap,
    /// The pictures, in reading order.
    pub cells: Vec<SheetCell>,
}

/// What the scores of one classifier and attribute lose, in logits, over the images predicted as one class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OcclusionBar {
    /// With the region hidden.
    pub lost: Option<f64>,
    /// Its confidence interval (low, high).
    pub interval: Option<(f64, f64)>,
    /// With an equal area elsewhere hidden.
    pub control: Option<f64>,
}

/// The bars of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct OcclusionGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class.
    pub minority_positive: bool,
    /// Whether the attribute has no place of its own in the face.
    pub global: bool,
    /// One entry per classifier: of the images predicted as the majority, and as the minority.
    pub bars: Vec<[OcclusionBar; 2]>,
}

/// What scores lose with the region hidden.
#[derive(Debug, Clone, PartialEq)]
pub struct OcclusionFigure {
    /// Names of the classifiers, in the order of their bars.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<OcclusionGroup>,
}

/// The state of training after one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EpochPoint {
    /// Epochs completed, from 1.
    pub epoch: f64,
    /// Mean training loss of the epoch.
    pub loss: Option<f64>,
    /// Validation loss.
    pub validation_loss: Option<f64>,
    /// Mean validation error of the minority classes.
    pub minority_error: Option<f64>,
    /// Mean validation error of the majority classes.
    pub majority_error: Option<f64>,
}

/// The training of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingCurve {
    /// Name of the classifier.
    pub classifier: String,
    /// Its epochs, in order.
    pub points: Vec<EpochPoint>,
}

/// One attribute of the energy scatter: for each classifier (majority energy, minority energy), if both were measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    /// Name of the attribute.
    pub attribute: String,
    /// One position per classifier.
    pub energies: Vec<Option<(f64, f64)>>,
}

/// Minority energy against majority energy.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyScatter {
    /// Names of the classifiers; arrows lead from the first to the last.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub points: Vec<ScatterPoint>,
}

/// One quantity of one classifier beside the published numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedPanel {
    /// Name of the classifier.
    pub classifier: String,
    /// `fnr`, `fpr`, `energy_predicted_positive` or `energy_predicted_negative`.
    pub quantity: &'static str,
    /// (ours, published) of each attribute, in `[0, 1]`.
    pub values: Vec<Option<(f64, f64)>>,
    /// Mean of ours less mean of the published.
    pub mean_difference: f64,
    /// Mean absolute difference.
    pub mean_absolute_difference: f64,
    /// Spearman's correlation over attributes.
    pub rank_correlation: Option<f64>,
}

/// A run beside the paper, attribute by attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedFigure {
    /// The attributes, from above to below.
    pub attributes: Vec<String>,
    /// The panels, from left to right.
    pub panels: Vec<PublishedPanel>,
}

/// A rank correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankCorrelation {
    /// Spearman's, in `[-1, 1]`.
    pub value: f64,
    /// Its 95 % confidence interval (low, high).
    pub interval: Option<(f64, f64)>,
}

/// One attribute of the imbalance figure.
#[derive(Debug, Clone, PartialEq)]
pub struct ImbalancePoint {
    /// Name of the attribute.
    pub attribute: String,
    /// Part of the training images that is of the minority class, in `(0, 0.5]`.
    pub minority_share: f64,
    /// Minority error less majority error, one per classifier.
    pub error_gaps: Vec<Option<f64>>,
    /// Minority energy less majority energy, one per classifier.
    pub energy_gaps: Vec<Option<f64>>,
}

/// Gaps between the classes against how rare the minority is.
#[derive(Debug, Clone, PartialEq)]
pub struct Imbalance {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub points: Vec<ImbalancePoint>,
    /// For each classifier the correlation of the gap in error with the imbalance (-1 times the share).
    pub error_correlations: Vec<Option<RankCorrelation>>,
    /// The same of the gap in energy.
    pub energy_correlations: Vec<Option<RankCorrelation>>,
}

/// One step of a calibration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Mean predicted probability of the minority class.
    pub predicted: f64,
    /// How often it is the label.
    pub observed: f64,
    /// Confidence interval of that.
    pub interval: (f64, f64),
    /// Samples.
    pub samples: usize,
}

/// The calibration of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationCurve {
    /// Name of the classifier.
    pub classifier: String,
    /// Its steps that have samples, in order.
    pub bins: Vec<CalibrationBin>,
    /// Mean distance of predicted and observed, weighted by samples.
    pub error: Option<f64>,
}

/// Where the scores of some samples lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The 5th percentile.
    pub low: f64,
    /// First quartile, median, third quartile.
    pub quartiles: [f64; 3],
    /// The 95th percentile.
    pub high: f64,
}

/// The scores of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class.
    pub minority_positive: bool,
    /// For each classifier the samples of the minority and of the majority class; `None` without samples.
    pub spreads: Vec<[Option<Spread>; 2]>,
}

/// Scores of all attributes, counted towards their minority class.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDistributions {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<ScoreGroup>,
}

/// How alike the maps of some scores stay after weights were randomised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SanityPoint {
    /// Mean rank correlation of a map with itself; `None` where no map had one.
    pub similarity: Option<f64>,
    /// Its confidence interval (low, high).
    pub interval: Option<(f64, f64)>,
}

/// One method.
#[derive(Debug, Clone, PartialEq)]
pub struct SanityPanel {
    /// Its name as papers write it.
    pub method: String,
    /// For each classifier one point a depth.
    pub curves: Vec<Vec<SanityPoint>>,
}

/// Maps under randomised weights.
#[derive(Debug, Clone, PartialEq)]
pub struct SanityChecks {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// From the head down: the part of the network from which on weights were randomised.
    pub depths: Vec<String>,
    /// The methods.
    pub panels: Vec<SanityPanel>,
}
