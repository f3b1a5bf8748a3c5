use image::{GrayImage, Luma, RgbImage};

/// A picture drawn again with one attribute toggled, all else the same: chance, and whatever else was drawn.
#[derive(Clone, Debug)]
pub struct Counterfactual {
    /// The file's bytes, encoded as the data set's own picture is.
    pub bytes: Vec<u8>,
    /// The class that the attribute has in the data set's own picture, 1 or -1; in this one it has the other.
    pub label: i8,
}

/// Where two pictures of one size differ, in any channel and however little: 255 there, 0 elsewhere. Of a picture and its counterfactual
/// that is the place of all evidence on the toggled attribute.
pub(crate) fn difference(one: &RgbImage, other: &RgbImage) -> GrayImage {
    GrayImage::from_fn(one.width(), one.height(), |x, y| {
        let differs = one.get_pixel(x, y) != other.get_pixel(x, y);
        Luma([if differs { 255 } else { 0 }])
    })
}
