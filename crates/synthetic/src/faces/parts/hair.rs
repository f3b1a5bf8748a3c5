use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Colour, Coverage, Point, Shape, angle, bell, lerp, line, shade, sine, smoothstep};
use crate::texture::Texture;

const COLOURS_AND_TEXTURES: [A; 6] = [
    A::BlackHair,
    A::BlondHair,
    A::BrownHair,
    A::GrayHair,
    A::StraightHair,
    A::WavyHair,
];

/// Height at which the round of the skull ends and the sides begin.
const SIDES_FROM: f32 = -14.0;

/// How one head of hair falls, and how it catches the light.
#[derive(Clone, Copy)]
pub(in crate::faces) struct Hair {
    texture: &'static Texture,
    colour: Colour,
    light: f32,
    parting: f32,
    phase: f32,
    /// Sideways shift of the turned skull.
    shift: f32,
    /// Height above the skull, pixels.
    volume: f32,
    /// 0 cropped to 1 beyond the shoulders.
    length: f32,
    wavy: f32,
    straight: f32,
    bald: f32,
}

impl Hair {
    pub fn of(scene: &Scene) -> Self {
        let (person, wavy) = (scene.person, scene.amount(A::WavyHair));
        Self {
            texture: scene.texture,
            colour: scene.hair,
            light: person.light,
            parting: person.parting,
            phase: person.phase,
            shift: person.turn(0.0),
            volume: 7.0 + 4.5 * wavy + 30.0 * person.size,
            length: person.length(scene.traits),
            wavy,
            straight: scene.amount(A::StraightHair),
            bald: scene.presence(A::Bald),
        }
    }

    fn long(&self) -> bool {
        self.length > 0.12
    }

    /// Where the hair ends.
    fn hem(&self) -> f32 {
        if self.long() {
            lerp(8.0, 122.0, self.length)
        } else {
            1.0
        }
    }

    /// How far a wavy outline swings out at the height y.
    fn swing(&self, y: f32, side: f32) -> f32 {
        let (slow, fast) = (0.33 * y + self.phase + side, 0.71 * y + self.phase * 1.7);
        self.wavy * smoothstep(-30.0, 10.0, y) * (4.6 * sine(slow) + 1.2 * sine(fast))
    }

    /// The outer edge of the hair at ear level and below.
    fn outer(&self, side: f32, y: f32) -> Point {
        let fall =
            8.0 * self.length * smoothstep(SIDES_FROM, 60.0, y) - 4.0 * self.straight * smoothstep(30.0, 90.0, y);
        let width = 46.0 + 0.7 * self.volume + fall;
        [
            self.shift + side * (width + if self.long() { self.swing(y, side) } else { 0.0 }),
            y,
        ]
    }

    /// The outer edge over the skull, from the right ear to the left one.
    fn crown(&self) -> impl DoubleEndedIterator<Item = Point> {
        let this = *self;
        (0..=40).map(move |k| {
            let angle = std::f32::consts::PI * k as f32 / 40.0;
            let ripple = this.wavy * 2.0 * (9.0 * angle + this.phase).sin();
            let (rx, ry) = (
                46.0 + 0.7 * this.volume + ripple * angle.sin(),
                59.0 + this.volume + ripple,
            );
            [this.shift + rx * angle.cos(), SIDES_FROM - ry * angle.sin()]
        })
    }

    fn side(&self, side: f32, hem: f32) -> impl DoubleEndedIterator<Item = Point> {
        let this = *self;
        let steps = ((hem - SIDES_FROM) / 2.5).ceil().max(1.0) as u32;
        (1..=steps).map(move |k| this.outer(side, lerp(SIDES_FROM, hem, k as f32 / steps as f32)))
    }

    /// All of it, over skull and down both sides to the hem.
    fn mass(&self) -> Shape {
        let (left, right) = (self.side(-1.0, self.hem()), self.side(1.0, self.hem()));
        Shape(self.crown().chain(left).chain(right.rev()).collect())
    }

    /// Edge of the hair on the forehead, left temple to right temple; `receded` from 0 to 1.
    fn hairline(&self, receded: f32) -> Vec<Point> {
        let x = |x: f32| x + self.shift;
        let deep = |y: f32, to: f32| lerp(y, to, receded);
        line(&[
            [x(-41.0), 2.0],
            [x(-40.0), SIDES_FROM],
            [x(-35.0), deep(-30.0, -44.0)],
            [x(-22.0), deep(-40.0, -64.0)],
            [x(0.3 * self.parting), deep(-43.0, -55.0)],
            [x(22.0), deep(-40.0, -64.0)],
            [x(35.0), deep(-30.0, -44.0)],
            [x(40.0), SIDES_FROM],
            [x(41.0), 2.0],
        ])
    }

    /// From the outer edge to the hairline.
    fn cap(&self, receded: f32) -> Shape {
        let sides = [self.outer(-1.0, 1.0)].into_iter();
        let points = self
            .crown()
            .chain(sides)
            .chain(self.hairline(receded))
            .chain([self.outer(1.0, 1.0)]);
        Shape(points.collect())
    }

    /// Hair that hangs before the ear.
    fn lock(&self, side: f32) -> Shape {
        let x = |x: f32, y: f32| [self.shift + side * x, y];
        let hem = self.hem();
        let inner = [
            x(30.0, -38.0),
            x(37.5, -26.0),
            x(39.5, SIDES_FROM),
            x(41.0, 0.2 * hem),
            x(40.5, 0.45 * hem),
            x(lerp(41.0, 33.0, self.length), 0.75 * hem),
            x(lerp(42.0, 27.0, self.length), hem - 2.0),
            x(lerp(44.0, 34.0, self.length), hem + 3.0 * self.wavy + 2.0),
        ];
        let wavy = line(&inner)
            .into_iter()
            .map(|p| [p[0] - 0.5 * side * self.swing(p[1], side).abs(), p[1]]);
        let outer = self.side(side, hem).rev();
        let top = [x(44.0, SIDES_FROM - 20.0)].into_iter();
        Shape(wavy.chain(outer).chain(top).collect())
    }

    /// Hair combed over the forehead down to the height `edge`.
    fn bangs(&self, edge: f32) -> Shape {
        let x = |x: f32| x + self.shift;
        let mut points = vec![
            [x(38.0), -24.0],
            [x(30.0), -48.0],
            [x(0.0), -58.0],
            [x(-30.0), -48.0],
            [x(-38.0), -24.0],
        ];
        // The tips: short and regular when straight, uneven when not.
        points.extend((0..=14).map(|k| {
            let at = lerp(-37.0, 37.0, k as f32 / 14.0);
            let tip = if k % 2 == 0 { -3.2 } else { 0.0 };
            let uneven = 3.0 * self.wavy * self.texture.line(0.9 * k as f32 + self.phase);
            [x(at), edge + tip + uneven - 0.004 * at * at]
        }));
        Shape(points)
    }

    /// Light and shade of combed or curled strands: a factor on the hair's colour.
    #[inline(always)]
    fn strands(&self, p: Point) -> f32 {
        let texture = self.texture;
        let (x, y) = (p[0] - self.shift - 0.4 * self.parting, p[1] + 10.0);
        let distance = (x * x + y * y).sqrt();
        let below = smoothstep(-18.0, 14.0, y);
        let across = lerp(angle(x, -y) * 34.0, 1.6 * x, below);
        let along = lerp(distance, y + 30.0, below);
        let wave = 3.4 * self.wavy * sine(0.30 * along + 0.05 * x + self.phase);
        let combed = texture.line((across + wave) * 0.55 + self.phase * 7.0);
        let fine = texture.line((across + wave) * 1.7 + 31.0);
        let curls = sine(0.36 * along + 2.4 * texture.line(across * 0.11 + self.phase) + self.phase);
        let centre = lerp(58.0, 50.0, below) + 2.0 * texture.line(across * 0.2);
        let frizz = texture.plane(p[0] * 0.7 + 11.0, p[1] * 0.7);
        let lamp = 1.0 + 0.16 * self.light * x / 50.0 - 0.10 * below * smoothstep(20.0, 90.0, y);
        lamp * (0.94
            + (0.06 + 0.26 * self.straight) * combed
            + (0.04 + 0.06 * self.straight) * fine
            + 0.36 * self.wavy * curls
            + 0.95 * self.straight * bell((along - centre) / 6.5)
            + 0.20 * (1.0 - self.straight) * frizz)
    }

    /// The colour at a point. Bright strands lose some of it, so that black hair shines too.
    #[inline(always)]
    fn ink(&self, p: Point) -> Colour {
        let brightness = self.strands(p);
        let shine = (brightness - 1.0).max(0.0) * 0.28;
        self.colour.map(|v| (v * brightness + shine).clamp(0.0, 1.0))
    }
}

/// The hair behind neck and shoulders.
pub(in crate::faces) fn draw_back(scene: &mut Scene) {
    let hair = Hair::of(scene);
    if hair.long() {
        scene
            .canvas
            .paint(&hair.mass(), None, |p| (shade(hair.ink(p), 0.72), 1.0 - hair.bald));
    }
}

/// The hair on skull and forehead and before the ears, with its shadow on the face.
pub(in crate::faces) fn draw_front(scene: &mut Scene, face: &Coverage) {
    let hair = Hair::of(scene);
    let receded = scene.presence(A::RecedingHairline);
    let bangs = scene.presence(A::Bangs);
    scalp(scene, face, hair.bald.max(0.7 * receded));

    let shadow = shade(scene.skin, 0.5);
    let cap = hair.cap(receded);
    let below = cap.map(|p| [p[0] * 0.97, p[1] + 3.5]);
    scene.canvas.fill(&below, Some(face), shadow, 0.35 * (1.0 - hair.bald));
    // A bald head keeps a fringe around the ears.
    let kept = |p: Point| lerp(1.0, 0.8 * smoothstep(-32.0, -16.0, p[1]), hair.bald);
    scene.canvas.paint(&cap, None, |p| (hair.ink(p), kept(p)));
    if hair.long() {
        for side in [-1.0, 1.0] {
            let lock = hair.lock(side);
            let shifted = lock.map(|p| [p[0] - side * 3.0, p[1] + 1.0]);
            scene
                .canvas
                .fill(&shifted, Some(face), shadow, 0.35 * (1.0 - hair.bald));
            scene.canvas.paint(&lock, None, |p| (hair.ink(p), 1.0 - hair.bald));
        }
    }
    if bangs > 0.02 {
        let edge = lerp(-40.0, -13.0, bangs);
        let shape = hair.bangs(edge);
        let below = shape.map(|p| [p[0], p[1] + 3.0]);
        let opacity = smoothstep(0.0, 0.35, bangs);
        scene.canvas.fill(&below, Some(face), shadow, 0.4 * opacity);
        scene
            .canvas
            .paint(&shape, None, |p| (hair.ink([p[0], p[1] - 6.0]), opacity));
    }
    sites(scene, &hair);
}

/// The shine of a skull without hair: a wide light with a bright spot in it.
fn scalp(scene: &mut Scene, face: &Coverage, bare: f32) {
    let x = scene.person.turn(-50.0) + 8.0 * scene.person.light;
    let light = [1.0, 0.98, 0.95];
    scene
        .canvas
        .glow([x, -50.0], [32.0, 19.0], 0.0, Some(face), light, 0.5 * bare);
    scene
        .canvas
        .glow([x - 6.0, -55.0], [14.0, 8.0], -0.3, Some(face), light, 0.9 * bare);
}

fn sites(scene: &mut Scene, hair: &Hair) {
    let cap = hair.cap(0.0);
    scene.site(&COLOURS_AND_TEXTURES, &cap);
    scene.site(&[A::Male], &cap);
    let top = Shape(hair.crown().map(|p| [p[0], p[1].min(-30.0)]).collect());
    scene.site(&[A::Bald], &top);
    let (low, high) = (hair.hairline(0.0), hair.hairline(1.0));
    scene.site(
        &[A::RecedingHairline],
        &Shape(low.into_iter().chain(high.into_iter().rev()).collect()),
    );
    scene.site(&[A::Bangs], &hair.bangs(-13.0));
    if hair.long() {
        for side in [-1.0, 1.0] {
            let lock = hair.lock(side);
            scene.site(&COLOURS_AND_TEXTURES, &lock);
            scene.site(&[A::Male], &lock);
        }
    }
}
