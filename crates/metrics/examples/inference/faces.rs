//! Simulated measurements on images of people: nothing is true of them but what is put in.

use metrics::People;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal};

/// Who is measured on what.
#[derive(Debug, Clone, Copy)]
pub struct Faces {
    /// Number of people.
    pub people: usize,
    /// Images of each.
    pub images_each: usize,
    /// Number of attributes.
    pub attributes: usize,
    /// Correlation between attributes.
    pub correlation: f64,
    /// Intraclass correlation: between images of one person.
    pub intraclass: f64,
}

impl Faces {
    /// Number of images.
    pub fn images(&self) -> usize {
        self.people * self.images_each
    }

    /// The people, as they are.
    pub fn groups(&self) -> People {
        let names: Vec<String> = (0..self.images())
            .map(|image| (image / self.images_each).to_string())
            .collect();
        People::of(names.iter().map(String::as_str))
    }

    /// A standard normal number for every image and attribute, image by image, with both correlations: the sum of parts that belong to
    /// the person, the image, the person's attribute and the image's.
    pub fn field(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        let (of_person, of_image) = (self.intraclass.sqrt(), (1.0 - self.intraclass).sqrt());
        let (common, own) = (self.correlation.sqrt(), (1.0 - self.correlation).sqrt());
        let mut field = Vec::with_capacity(self.images() * self.attributes);
        for _ in 0..self.people {
            let person = of_person * normal();
            let attributes: Vec<f64> = (0..self.attributes).map(|_| of_person * normal()).collect();
            for _ in 0..self.images_each {
                let image = person + of_image * normal();
                field.extend(
                    attributes
                        .iter()
                        .map(|attribute| common * image + own * (attribute + of_image * normal())),
                );
            }
        }
        field
    }
}

/// The random numbers of one repetition.
pub fn generator(seed: u64, repetition: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(repetition as u64);
    rng
}

/// How values are distributed, made of a standard normal number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// 1 with this probability, else 0.
    Rate(f64),
    /// The square of a uniform number: mean 1/3, deviation 0.30.
    Square,
    /// Its fourth power: mean 0.2, deviation 0.27, skewness 1.4.
    Fourth,
    /// 0 with this probability, else 1 - the cube root of a uniform number (a beta distribution with mean 1/4).
    Zeros(f64),
}

impl Shape {
    /// The value.
    pub fn value(self, normal: f64) -> f64 {
        let uniform = Normal::standard().cdf(normal);
        match self {
            Self::Rate(rate) => f64::from(u8::from(uniform < rate)),
            Self::Square => uniform.powi(2),
            Self::Fourth => uniform.powi(4),
            Self::Zeros(zeros) => 1.0 - (1.0 - ((uniform - zeros) / (1.0 - zeros)).max(0.0)).cbrt(),
        }
    }

    /// Its mean.
    pub fn mean(self) -> f64 {
        match self {
            Self::Rate(rate) => rate,
            Self::Square => 1.0 / 3.0,
            Self::Fourth => 0.2,
            Self::Zeros(zeros) => (1.0 - zeros) / 4.0,
        }
    }
}
