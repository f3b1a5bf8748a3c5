use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::person::Person;
use crate::faces::raster::{Colour, Coverage, Point, Shape, line, mix, shade, smoothstep};

/// Half widths of the head at heights from the crown to the chin, pixels of the face.
const PROFILE: [(f32, f32); 11] = [
    (-69.0, 16.0),
    (-60.0, 30.0),
    (-42.0, 41.0),
    (-20.0, 44.5),
    (0.0, 44.5),
    (15.0, 43.0),
    (32.0, 38.5),
    (47.0, 31.0),
    (59.0, 22.5),
    (67.5, 14.0),
    (72.0, 7.0),
];

/// What decides the head's outline, each -1 to 1.
#[derive(Clone, Copy)]
struct Build {
    male: f32,
    chubby: f32,
    oval: f32,
}

fn outline(person: &Person, build: Build) -> Shape {
    let Build { male, chubby, oval } = build;
    let point = |&(y, base): &(f32, f32)| {
        let jaw = smoothstep(20.0, 48.0, y);
        let cheek = smoothstep(2.0, 40.0, y);
        let chin = smoothstep(50.0, 62.0, y);
        let brow = 1.0 - smoothstep(-60.0, -20.0, y);
        let width = base * (1.0 + person.size)
            + jaw * (2.0 * male - 5.2 * oval)
            + cheek * 9.0 * chubby
            + chin * (1.5 * male - chubby - 0.8 * oval)
            - brow * 3.5 * oval;
        let y = if y > 0.0 { y * (1.0 + 0.055 * oval) } else { y };
        [width.max(0.6 * base), y]
    };
    let right: Vec<Point> = PROFILE.iter().map(point).collect();
    let left = right.iter().rev().map(|p| [-p[0], p[1]]);
    let all: Vec<Point> = right.iter().copied().chain(left).collect();
    Shape::smooth(&all).map(|p| [p[0] + person.turn(p[1]), p[1]])
}

/// The head's outline, crown to chin, hair aside.
pub(in crate::faces) fn head(scene: &Scene) -> Shape {
    outline(
        scene.person,
        Build {
            male: scene.degree(A::Male),
            chubby: scene.degree(A::Chubby),
            oval: scene.degree(A::OvalFace),
        },
    )
}

/// Skin lit from the side the light stands on: a half ellipsoid under a lamp, its shadows warm.
pub(in crate::faces) fn lit(skin: Colour, p: Point, light: f32) -> Colour {
    let (nx, ny) = (p[0] / 49.0, (p[1] - 2.0) / 88.0);
    let nz = (1.0 - nx * nx - ny * ny).max(0.02).sqrt();
    let lambert = (0.42 * light * nx - 0.30 * ny + 0.86 * nz).max(0.0);
    let brightness = 0.66 + 0.46 * lambert;
    let shadow = (1.0 - brightness).max(0.0);
    [
        skin[0] * (brightness + 0.22 * shadow),
        skin[1] * brightness,
        skin[2] * (brightness - 0.08 * shadow),
    ]
}

/// Ears, skull and face, with the marks that age, weight and care leave on the skin. Returns the face's coverage.
pub(in crate::faces) fn draw(scene: &mut Scene) -> Coverage {
    let (person, skin) = (scene.person, scene.skin);
    let shape = head(scene);
    ears(scene);
    let (texture, light, phase) = (scene.texture, person.light, person.phase);
    scene.canvas.paint(&shape, None, |p| {
        let grain = 1.0 + 0.02 * texture.plane(p[0] * 0.35 + phase, p[1] * 0.35);
        (shade(lit(skin, p, light), grain), 1.0)
    });
    let coverage = scene.canvas.coverage(&[&shape]);
    relief(scene, &coverage);
    complexion(scene, &coverage);
    cheekbones(scene, &coverage);
    rosy_cheeks(scene, &coverage);
    age(scene, &coverage);
    weight(scene, &coverage);
    face_sites(scene);
    coverage
}

fn ears(scene: &mut Scene) {
    let skin = scene.skin;
    for side in [-1.0, 1.0] {
        let x = side * 45.5 + scene.person.turn(0.0);
        let ear = Shape::ellipse([x, 3.0], [6.0, 12.5], side * 0.15);
        scene.canvas.fill(&ear, None, shade(skin, 0.86), 1.0);
        let inner = Shape::ellipse([x + side, 3.0], [3.2, 8.0], side * 0.15);
        scene.canvas.fill(&inner, None, shade(skin, 0.66), 0.7);
    }
}

/// The light and shade that every face has.
fn relief(scene: &mut Scene, clip: &Coverage) {
    let dark = shade([scene.skin[0], scene.skin[1] * 0.86, scene.skin[2] * 0.8], 0.55);
    let bright = mix(scene.skin, [1.0, 0.97, 0.92], 0.55);
    let canvas = &mut scene.canvas;
    let clip = Some(clip);
    for side in [-1.0, 1.0] {
        canvas.glow([side * 19.0, -3.0], [16.0, 11.0], 0.0, clip, dark, 0.28);
        canvas.glow([side * 27.0, 19.0], [16.0, 12.0], 0.0, clip, bright, 0.16);
    }
    canvas.glow([0.0, -30.0], [30.0, 20.0], 0.0, clip, bright, 0.22);
    canvas.glow([0.0, 55.0], [16.0, 6.0], 0.0, clip, dark, 0.28);
    canvas.glow([0.0, 64.0], [12.0, 8.0], 0.0, clip, bright, 0.18);
}

/// A clear and glowing or a blotched skin.
fn complexion(scene: &mut Scene, clip: &Coverage) {
    let clip = Some(clip);
    let attractive = scene.degree(A::Attractive);
    let rough = 0.5 - 0.5 * attractive;
    let mark = mix(shade(scene.skin, 0.55), [0.58, 0.16, 0.12], 0.5);
    for &(at, radius) in &scene.person.spots {
        scene
            .canvas
            .glow(at, [radius * 1.9, radius * 1.9], 0.0, clip, mark, 0.95 * rough);
    }
    let glow = mix(scene.skin, [1.0, 0.98, 0.94], 0.75);
    let fair = 0.5 + 0.5 * attractive;
    for centre in [[-26.0, 14.0], [26.0, 14.0], [0.0, -32.0], [0.0, 60.0]] {
        scene.canvas.glow(centre, [15.0, 10.0], 0.0, clip, glow, 0.38 * fair);
    }
}

/// Red rounds on the cheeks.
fn rosy_cheeks(scene: &mut Scene, clip: &Coverage) {
    let rosy = scene.presence(A::RosyCheeks);
    let red = [0.94, 0.20, 0.24];
    for side in [-1.0, 1.0] {
        for radius in [19.0, 13.0] {
            scene.canvas.glow(
                [side * 25.0, 25.0],
                [radius, 0.82 * radius],
                0.0,
                Some(clip),
                red,
                0.72 * rosy,
            );
        }
        let site = Shape::ellipse([side * 25.0, 25.0], [14.0, 11.5], 0.0);
        scene.site(&[A::RosyCheeks], &site);
    }
}

/// A bright ridge over a hollow, or a flat cheek.
fn cheekbones(scene: &mut Scene, clip: &Coverage) {
    let clip = Some(clip);
    let strength = scene.amount(A::HighCheekbones);
    let bright = mix(scene.skin, [1.0, 0.96, 0.88], 0.8);
    let dark = shade([scene.skin[0], scene.skin[1] * 0.8, scene.skin[2] * 0.72], 0.45);
    for side in [-1.0, 1.0] {
        scene.canvas.glow(
            [side * 28.0, 11.0],
            [14.0, 5.5],
            side * -0.45,
            clip,
            bright,
            0.85 * strength,
        );
        scene.canvas.glow(
            [side * 31.0, 24.0],
            [17.0, 6.0],
            side * -0.75,
            clip,
            dark,
            0.85 * strength,
        );
        let site = Shape::ellipse([side * 29.0, 17.0], [15.0, 10.0], side * -0.6);
        scene.site(&[A::HighCheekbones], &site);
    }
}

/// Lines of the forehead, beside the eyes and from nose to mouth.
fn age(scene: &mut Scene, clip: &Coverage) {
    let clip = Some(clip);
    let old = 1.0 - scene.amount(A::Young);
    let crease = shade([scene.skin[0], scene.skin[1] * 0.82, scene.skin[2] * 0.75], 0.42);
    for (y, width) in [(-22.0, 22.0), (-29.0, 25.0), (-36.0, 21.0)] {
        let wrinkle = line(&[
            [-width, y + 1.5],
            [-width * 0.4, y - 1.0],
            [width * 0.4, y - 1.0],
            [width, y + 1.5],
        ]);
        let shape = Shape::band(&wrinkle, |u| 2.3 * (1.0 - (2.0 * u - 1.0).powi(4)) + 0.2);
        scene.canvas.fill(&shape, clip, crease, 0.75 * old);
    }
    for side in [-1.0, 1.0] {
        for (k, rise) in [-5.0, 0.0, 5.0].into_iter().enumerate() {
            let start = [side * 32.0, -1.0 + k as f32 * 2.0];
            let crow = Shape::band(&line(&[start, [side * 40.0, start[1] + rise]]), |_| 1.7);
            scene.canvas.fill(&crow, clip, crease, 0.65 * old);
        }
        let fold = line(&[
            [side * 12.0, 23.0],
            [side * 18.0, 31.0],
            [side * 22.5, 42.0],
            [side * 22.0, 52.0],
        ]);
        let fold = Shape::band(&fold, |u| 3.0 * (1.0 - u) * u * 4.0 + 0.3);
        scene.canvas.fill(&fold, clip, crease, 0.75 * old);
        scene
            .canvas
            .glow([side * 29.0, 50.0], [9.0, 13.0], 0.0, clip, crease, 0.35 * old);
    }
}

/// Full cheeks. Their outline is the head's.
fn weight(scene: &mut Scene, clip: &Coverage) {
    let clip = Some(clip);
    let full = scene.amount(A::Chubby);
    let dark = shade(scene.skin, 0.55);
    let bright = mix(scene.skin, [1.0, 0.95, 0.9], 0.5);
    for side in [-1.0, 1.0] {
        scene
            .canvas
            .glow([side * 28.0, 34.0], [15.0, 17.0], 0.0, clip, bright, 0.45 * full);
        let fold = line(&[[side * 15.0, 52.0], [side * 22.0, 57.0], [side * 31.0, 50.0]]);
        scene.canvas.fill(
            &Shape::band(&fold, |u| 4.0 * u * (1.0 - u) * 3.0),
            clip,
            dark,
            0.55 * full,
        );
    }
}

fn face_sites(scene: &mut Scene) {
    let male = scene.degree(A::Male);
    let build = |chubby, oval| outline(scene.person, Build { male, chubby, oval });
    let (face, full) = (head(scene), build(1.0, scene.degree(A::OvalFace)));
    let below_brow = |shape: &Shape, y: f32| shape.map(|p| [p[0], p[1].max(y)]);
    let skin = below_brow(&face, -50.0);
    scene.site(&[A::PaleSkin, A::Attractive, A::Young, A::Male], &skin);
    // An oval face is in the outline: everything between the roundest and the squarest.
    let chubby = scene.degree(A::Chubby);
    let (oval, square) = (build(chubby, 1.0), build(chubby, -1.0));
    scene.site(&[A::OvalFace], &oval.ring(&square));
    scene.site(&[A::Chubby], &below_brow(&full, 10.0));
}
