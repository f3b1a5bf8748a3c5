use dataset::{AttributeMasks, Landmarks};
use image::RgbImage;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::attribute::{ATTRIBUTES, Attribute as A};
use super::labels::LabelSampler;
use super::nuisance::Nuisance;
use super::parts::{Scene, accessories, beard, eyes, hair, head, mouth, nose, torso};
use super::person::Person;
use super::raster::Coverage;
use super::traits::Traits;

/// Standard deviation of the strongest blur that the attribute Blurry asks for, pixels.
const STRONGEST_BLUR: f32 = 3.6;

/// A procedural face with everything known about it.
#[derive(Clone, Debug)]
pub struct Face {
    /// 178 x 218 pixels, in CelebA's alignment.
    pub image: RgbImage,
    /// CelebA's 40 attributes in official order, 1 or -1.
    pub labels: [i8; ATTRIBUTES],
    /// In the image's pixels.
    pub landmarks: Landmarks,
    /// Where the cue of each attribute is, or would be, on a grid of half the image's resolution.
    pub masks: AttributeMasks,
}

/// What a face is before it is drawn: its labels, its traits, and whatever else makes its picture.
#[derive(Clone, Debug)]
pub struct FacePlan {
    /// CelebA's 40 attributes in official order, 1 or -1.
    pub labels: [i8; ATTRIBUTES],
    /// What is drawn for each attribute.
    pub traits: Traits,
    person: Person,
    nuisance: Nuisance,
}

impl FacePlan {
    /// The plan of the face `index` of the data set with this seed. Every face has random numbers of its own, so that
    /// none depends on how many there are or on the order in which they are made.
    pub fn new(seed: u64, index: u64) -> Self {
        let stream = |part: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(4 * index + part);
            rng
        };
        let labels = LabelSampler::celeba().sample(&mut stream(0));
        Self {
            labels,
            traits: Traits::sample(&labels, &mut stream(1)),
            person: Person::sample(&mut stream(2)),
            nuisance: Nuisance::sample(&mut stream(3)),
        }
    }

    /// The same face with the other class of one attribute, its counterfactual: label and trait are those that it would have then, and all
    /// else, chance included, stays.
    #[must_use]
    pub fn toggled(&self, attribute: A) -> Self {
        let mut other = self.clone();
        let label = &mut other.labels[attribute as usize];
        other.traits = other.traits.toggled(attribute, *label);
        *label = -*label;
        other
    }

    /// The same face in a picture with other noise of the sensor, the `number`-th: nothing that anyone would call another picture.
    #[must_use]
    pub fn with_other_noise(&self, number: u64) -> Self {
        let mut other = self.clone();
        other.nuisance.renew_noise(number);
        other
    }

    /// Draws the face.
    pub fn draw(&self) -> Face {
        let mut scene = Scene::new(&self.person, &self.traits);
        self.nuisance.draw_background(&mut scene.canvas);
        hair::draw_back(&mut scene);
        torso::draw(&mut scene);
        torso::double_chin(&mut scene);
        let face: Coverage = head::draw(&mut scene);
        beard::draw_below_mouth(&mut scene, &face);
        nose::draw(&mut scene, &face);
        eyes::draw(&mut scene, &face);
        mouth::draw(&mut scene, &face);
        beard::draw_over_mouth(&mut scene);
        hair::draw_front(&mut scene, &face);
        beard::sideburns(&mut scene);
        accessories::draw(&mut scene);
        self.nuisance.draw_occlusion(&mut scene.canvas);
        let strength = scene.amount(A::Blurry);
        self.nuisance.finish(&mut scene.canvas, STRONGEST_BLUR * strength);
        let landmarks = landmarks(&scene);
        scene.sites.add_everywhere(A::Blurry);
        let Scene { canvas, sites, .. } = scene;
        Face {
            image: canvas.into_image(),
            labels: self.labels,
            landmarks,
            masks: sites.into_masks(),
        }
    }
}

/// The face `index` of the data set with this seed.
///
/// ```
/// let face = synthetic::faces::render(1, 0);
/// assert_eq!(face.image.dimensions(), (178, 218));
/// assert_eq!(face.image, synthetic::faces::render(1, 0).image);
/// ```
pub fn render(seed: u64, index: u64) -> Face {
    FacePlan::new(seed, index).draw()
}

fn landmarks(scene: &Scene) -> Landmarks {
    let place = |p| scene.person.frame.apply(p);
    let [left_mouth, right_mouth] = mouth::corners(scene);
    Landmarks {
        left_eye: place([-eyes::EYE_X, 0.0]),
        right_eye: place([eyes::EYE_X, 0.0]),
        nose: place(nose::tip(scene)),
        left_mouth: place(left_mouth),
        right_mouth: place(right_mouth),
    }
}

#[cfg(test)]
mod tests {
    use dataset::Attributes;

    use super::*;

    /// The cells (row, column) of each attribute's region in `regions.yaml`, whose few lines need no parser of YAML.
    fn regions(text: &str) -> Vec<(Vec<String>, Vec<[usize; 2]>)> {
        let mut found: Vec<(Vec<String>, Vec<[usize; 2]>)> = Vec::new();
        let mut excluding = false;
        for line in text.lines().map(str::trim) {
            if let Some(names) = line.strip_prefix("attributes: [") {
                let names = names.trim_end_matches(']').split(", ").map(str::to_owned).collect();
                found.push((names, Vec::new()));
                excluding = false;
            } else if line.starts_with("exclude:") {
                excluding = true;
            } else if let Some(numbers) = line.strip_prefix("- {rows: ") {
                let numbers: Vec<usize> = numbers
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|n| n.parse().ok())
                    .collect();
                let cells = &mut found.last_mut().unwrap().1;
                let inside = |&[row, column]: &[usize; 2]| {
                    (numbers[0]..numbers[1]).contains(&row) && (numbers[2]..numbers[3]).contains(&column)
                };
                if excluding {
                    cells.retain(|cell| !inside(cell));
                } else {
                    cells.extend((0..49).map(|k| [k / 7, k % 7]).filter(inside));
                }
            }
        }
        found
    }

    #[test]
    fn cues_lie_in_the_regions_of_the_paper() {
        let Some(path) = testing::shared("paper/regions.yaml") else {
            return;
        };
        let text = std::fs::read_to_string(path).unwrap();
        let faces: Vec<Face> = (0..40).map(|index| render(2, index)).collect();
        let attributes = Attributes::celeba();
        let regions = regions(&text);
        assert_eq!(regions.iter().map(|r| r.0.len()).sum::<usize>(), ATTRIBUTES);
        for (names, cells) in &regions {
            for name in names {
                let attribute = attributes.index(name).unwrap();
                let (mut inside, mut all) = (0, 0);
                for masks in faces.iter().map(|face| &face.masks) {
                    for (x, y) in (0..masks.width()).flat_map(|x| (0..masks.height()).map(move |y| (x, y))) {
                        if masks.contains(attribute, x, y) {
                            // The centre of the masks' pixel in the aligned square of 224 pixels.
                            let (x, y) = (2.0 * x as f32 + 1.0 + 24.0, 2.0 * y as f32 + 1.0 - 10.0);
                            let cell = [(y / 32.0).floor() as usize, (x / 32.0).floor() as usize];
                            all += 1;
                            inside += usize::from(y >= 0.0 && cells.contains(&cell));
                        }
                    }
                }
                let share = inside as f32 / all as f32;
                eprintln!("{name:20} {share:.2} of {}", all / faces.len());
                assert!(share > 0.5, "{share} of the cue of {name} lies in its region");
            }
        }
    }

    #[test]
    fn landmarks_are_where_the_alignment_of_celeba_puts_them() {
        let faces = 400;
        let (mut eyes, mut mouth, mut frontal) = ([0.0; 2], [0.0; 2], 0);
        for index in 0..faces {
            let plan = FacePlan::new(1, index);
            let landmarks = landmarks(&Scene::new(&plan.person, &plan.traits));
            for axis in 0..2 {
                eyes[axis] += landmarks.eye_middle()[axis] / faces as f64;
                mouth[axis] += landmarks.mouth_middle()[axis] / faces as f64;
            }
            frontal += usize::from(dataset::is_frontal(&landmarks, 0.1));
        }
        // CelebA's means over its validation images; a standard error here is 0.04 pixels.
        for (found, official) in [(eyes[0], 88.5), (eyes[1], 111.2), (mouth[1], 152.1)] {
            assert!((found - official).abs() < 0.4, "{found} for {official}");
        }
        // 53 % of CelebA's validation images pass.
        let share = frontal as f64 / faces as f64;
        assert!((0.43..0.63).contains(&share), "{share} pass the frontal filter");
    }

    #[test]
    fn every_attribute_changes_the_picture_where_its_mask_says() {
        for attribute in A::ALL {
            let mut fullest: f64 = 0.0;
            for index in 0..6 {
                let at = |step: f32| {
                    let mut plan = FacePlan::new(4, index);
                    for hidden in [A::Bald, A::Bangs, A::Blurry, A::Eyeglasses, A::WearingHat] {
                        plan.traits = plan.traits.with(hidden, -3.0);
                    }
                    plan.traits = plan.traits.with(attribute, step * Traits::mean(attribute));
                    plan.draw()
                };
                let (without, with) = (at(-1.0), at(1.0));
                let mut inside = (0.0, 0);
                for (x, y, pixel) in with.image.enumerate_pixels() {
                    if with.masks.contains(attribute as usize, x / 2, y / 2) {
                        let other = without.image.get_pixel(x, y);
                        let change: i32 = (0..3).map(|c| (i32::from(pixel[c]) - i32::from(other[c])).abs()).sum();
                        inside = (inside.0 + f64::from(change) / 3.0, inside.1 + 1);
                    }
                }
                fullest = fullest.max(inside.0 / f64::from(inside.1.max(1)));
            }
            eprintln!("{attribute:?} {fullest:.1}");
            // Most of the skin stays as it is when lines appear in it, so a mean over the site is small.
            assert!(
                fullest > 4.0,
                "{attribute:?} changes its site by {fullest} of 255 at most"
            );
        }
    }
}
