use super::sites::Sites;
use crate::faces::attribute::Attribute;
use crate::faces::person::Person;
use crate::faces::raster::{Canvas, Colour, Shape};
use crate::faces::traits::Traits;
use crate::texture::Texture;

/// A face being drawn: what it is (person, traits) and what has been drawn of it (canvas, sites).
pub(in crate::faces) struct Scene<'a> {
    pub person: &'a Person,
    pub traits: &'a Traits,
    pub canvas: Canvas,
    pub sites: Sites,
    pub texture: &'static Texture,
    pub skin: Colour,
    pub hair: Colour,
}

impl<'a> Scene<'a> {
    pub fn new(person: &'a Person, traits: &'a Traits) -> Self {
        Self {
            person,
            traits,
            canvas: Canvas::new(person.frame),
            sites: Sites::new(person.frame),
            texture: Texture::get(),
            skin: person.skin(traits),
            hair: person.hair(traits),
        }
    }

    /// See [`Traits::presence`].
    pub fn presence(&self, attribute: Attribute) -> f32 {
        self.traits.presence(attribute)
    }

    /// See [`Traits::amount`].
    pub fn amount(&self, attribute: Attribute) -> f32 {
        self.traits.amount(attribute)
    }

    /// See [`Traits::degree`].
    pub fn degree(&self, attribute: Attribute) -> f32 {
        self.traits.degree(attribute)
    }

    /// Adds the shape to the sites of these attributes.
    pub fn site(&mut self, attributes: &[Attribute], shape: &Shape) {
        self.sites.add(attributes, shape);
    }

    /// Adds what of the shape is inside `limit` to the sites of these attributes.
    pub fn site_within(&mut self, attributes: &[Attribute], shape: &Shape, limit: &Shape) {
        self.sites.add_within(attributes, shape, limit);
    }
}
