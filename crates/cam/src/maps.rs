//! Raw maps of a batch.

use rayon::prelude::*;

use crate::{Error, Result};

/// Maps as a method makes them: signed, at the resolution of the features.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    /// `[images, attributes, height, width]`, row-major.
    pub data: Vec<f32>,
    /// Number of images.
    pub images: usize,
    /// Number of attributes.
    pub attributes: usize,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
}

impl Maps {
    /// Maps `[images, attributes, height, width]` whose values are all finite.
    pub(crate) fn new(data: Vec<f32>, [images, attributes, height, width]: [usize; 4]) -> Result<Self> {
        debug_assert_eq!(data.len(), images * attributes * height * width);
        let length = (height * width).max(1);
        if let Some(at) = data.par_iter().position_first(|value| !value.is_finite()) {
            return Err(Error::NotFinite {
                image: at / length / attributes,
                attribute: at / length % attributes,
            });
        }
        Ok(Self {
            data,
            images,
            attributes,
            height,
            width,
        })
    }

    /// The map of an image and an attribute, `[height, width]`.
    ///
    /// # Panics
    /// When there is no such image or attribute.
    pub fn map(&self, image: usize, attribute: usize) -> &[f32] {
        assert!(
            image < self.images && attribute < self.attributes,
            "no map of image {image}, attribute {attribute}"
        );
        let length = self.height * self.width;
        let start = (image * self.attributes + attribute) * length;
        &self.data[start..start + length]
    }

    /// The maps of one image of the batch.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn only(&self, image: usize) -> Self {
        assert!(image < self.images, "no image {image}");
        let length = self.attributes * self.height * self.width;
        let data = self.data[image * length..(image + 1) * length].to_vec();
        Self {
            data,
            images: 1,
            ..*self
        }
    }
}
