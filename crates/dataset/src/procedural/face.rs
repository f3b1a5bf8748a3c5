use image::RgbImage;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::attribute::{ATTRIBUTES, Attribute as A};
use super::canvas::Coverage;
use super::labels::LabelSampler;
use super::nuisance::Nuisance;
use super::person::Person;
use super::scene::Scene;
use super::traits::Traits;
use super::{accessories, beard, eyes, hair, head, mouth, nose, torso};
use crate::{AttributeMasks, Landmarks};

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
pub struct Plan {
    /// CelebA's 40 attributes in official order, 1 or -1.
    pub labels: [i8; ATTRIBUTES],
    /// What is drawn for each attribute.
    pub traits: Traits,
    person: Person,
    nuisance: Nuisance,
}

impl Plan {
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

    /// Draws the face.
    pub fn draw(&self) -> Face {
        let mut scene = Scene::new(&self.person, &self.traits);
        self.nuisance.draw_background(&mut scene.canvas);
        hair::draw_back(&mut scene);
        torso::draw(&mut scene);
        let face: Coverage = head::draw(&mut scene);
        beard::draw_below_mouth(&mut scene, &face);
        torso::double_chin(&mut scene);
        nose::draw(&mut scene, &face);
        eyes::draw(&mut scene, &face);
        mouth::draw(&mut scene, &face);
        beard::draw_over_mouth(&mut scene);
        hair::draw_front(&mut scene, &face);
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
/// let face = dataset::procedural::render(1, 0);
/// assert_eq!(face.image.dimensions(), (178, 218));
/// assert_eq!(face.image, dataset::procedural::render(1, 0).image);
/// ```
pub fn render(seed: u64, index: u64) -> Face {
    Plan::new(seed, index).draw()
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
