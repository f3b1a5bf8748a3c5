use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Coverage, Point, Shape, lerp, line, mix, shade};

/// Distance of an eye from the middle line, as the mean of CelebA's landmarks.
pub(in crate::faces) const EYE_X: f32 = 19.2;

/// Bags, make-up, eyes and brows.
pub(in crate::faces) fn draw(scene: &mut Scene, clip: &Coverage) {
    for side in [-1.0, 1.0] {
        bag(scene, side, clip);
        makeup(scene, side, clip);
        eye(scene, side);
        brow(scene, side);
    }
}

fn unevenness(scene: &Scene, side: f32) -> f32 {
    let rough = 0.5 - 0.5 * scene.degree(A::Attractive);
    if side == scene.person.lean {
        3.0 * rough * rough
    } else {
        0.0
    }
}

/// The opening between the lids: half its height in the middle, pixels.
fn opening(scene: &Scene) -> f32 {
    lerp(7.2, 0.9, scene.amount(A::NarrowEyes)) + 0.5 * scene.degree(A::Attractive)
}

fn almond(side: f32, half_height: f32) -> Shape {
    let x = |u: f32| side * (EYE_X + u);
    Shape::smooth(&[
        [x(-10.5), 1.2],
        [x(-5.0), -half_height * 0.8],
        [x(1.0), -half_height],
        [x(7.0), -half_height * 0.65],
        [x(11.0), -0.8],
        [x(6.0), half_height * 0.75],
        [x(0.0), half_height * 0.9],
        [x(-6.0), half_height * 0.6],
    ])
}

fn eye(scene: &mut Scene, side: f32) {
    let half = opening(scene);
    let shape = almond(side, half);
    // The lids: of narrow eyes, wide bands of shaded skin.
    let lid = shade([scene.skin[0], scene.skin[1] * 0.92, scene.skin[2] * 0.9], 0.68);
    scene.canvas.fill(&almond(side, (half + 2.2).max(7.6)), None, lid, 0.85);
    scene.canvas.fill(&shape, None, [0.95, 0.94, 0.93], 1.0);
    let clip = scene.canvas.coverage(&[&shape]);
    let x = side * EYE_X + 0.15 * scene.person.nose_shift;
    let iris = scene.person.iris;
    scene
        .canvas
        .paint(&Shape::ellipse([x, -0.3], [5.7, 5.7], 0.0), Some(&clip), |p| {
            let r = (p[0] - x).hypot(p[1] + 0.3) / 5.7;
            (shade(iris, if r > 0.82 { 0.5 } else { 0.8 + 0.5 * r }), 1.0)
        });
    scene.canvas.fill(
        &Shape::ellipse([x, -0.3], [2.4, 2.4], 0.0),
        Some(&clip),
        [0.03, 0.03, 0.04],
        1.0,
    );
    scene.canvas.fill(
        &Shape::ellipse([x - 1.6, -2.0], [1.3, 1.3], 0.0),
        Some(&clip),
        [1.0, 1.0, 1.0],
        0.95,
    );
    // The upper lid's edge; lashes make it longer and darker on women and with make-up.
    let lashes = (0.5 - 0.5 * scene.degree(A::Male)).max(scene.presence(A::HeavyMakeup));
    let at = |u: f32| side * (EYE_X + u);
    let edge = line(&[
        [at(-10.5), 1.0],
        [at(-5.0), -half * 0.85],
        [at(1.0), -half - 0.3],
        [at(7.0), -half * 0.7],
        [at(11.5 + 3.5 * lashes), -1.5 - 2.5 * lashes],
    ]);
    let thickness = 1.5 + 1.6 * lashes;
    let dark = mix(shade(scene.skin, 0.3), [0.04, 0.03, 0.04], 0.5 + 0.5 * lashes);
    scene.canvas.fill(
        &Shape::band(&edge, |u| thickness * (0.5 + u).min(1.0)),
        None,
        dark,
        0.95,
    );
    let below = line(&[[at(-8.0), half * 0.5], [at(0.0), half * 0.95], [at(8.5), half * 0.55]]);
    scene
        .canvas
        .fill(&Shape::band(&below, |_| 1.0), None, shade(scene.skin, 0.5), 0.6);
    let crease = line(&[[at(-9.0), -half - 1.5], [at(1.0), -half - 3.8], [at(11.0), -half - 0.5]]);
    scene
        .canvas
        .fill(&Shape::band(&crease, |_| 1.1), None, shade(scene.skin, 0.55), 0.7);
    scene.site(&[A::NarrowEyes], &almond(side, 8.0));
}

/// A swollen, bluish crescent under the eye, with its lower edge.
fn bag(scene: &mut Scene, side: f32, clip: &Coverage) {
    let strength = scene.amount(A::BagsUnderEyes);
    let centre = [side * (EYE_X + 0.5), 10.5];
    let blue = mix(shade(scene.skin, 0.45), [0.28, 0.16, 0.30], 0.5);
    scene
        .canvas
        .glow(centre, [15.0, 7.0], side * 0.1, Some(clip), blue, 0.85 * strength);
    let bright = mix(scene.skin, [1.0, 0.95, 0.92], 0.4);
    scene.canvas.glow(
        [centre[0], 9.0],
        [11.0, 3.5],
        side * 0.1,
        Some(clip),
        bright,
        0.5 * strength,
    );
    let at = |u: f32| side * (EYE_X + u);
    let edge = line(&[[at(-10.0), 8.5], [at(-2.0), 14.0], [at(5.0), 14.0], [at(12.0), 8.5]]);
    scene.canvas.fill(
        &Shape::band(&edge, |u| 2.6 * (1.0 - (2.0 * u - 1.0).powi(2)) + 0.2),
        Some(clip),
        blue,
        strength,
    );
    scene.site(&[A::BagsUnderEyes], &Shape::ellipse(centre, [13.0, 6.0], side * 0.1));
}

/// Eye shadow, and a sweep of bronze and magenta from cheek to temple.
fn makeup(scene: &mut Scene, side: f32, clip: &Coverage) {
    let strength = scene.presence(A::HeavyMakeup);
    let shadows = [
        [0.45, 0.15, 0.55],
        [0.10, 0.35, 0.60],
        [0.15, 0.42, 0.40],
        [0.50, 0.12, 0.30],
    ];
    let colour = shadows[(scene.person.variant / 3 % 4) as usize];
    let clip = Some(clip);
    scene.canvas.glow(
        [side * (EYE_X + 2.0), -4.0],
        [18.0, 12.0],
        side * -0.2,
        clip,
        colour,
        0.95 * strength,
    );
    scene.canvas.glow(
        [side * (EYE_X + 3.0), 6.0],
        [13.0, 5.0],
        side * -0.2,
        clip,
        colour,
        0.8 * strength,
    );
    let blush = mix([0.80, 0.26, 0.45], scene.skin, 0.3);
    scene.canvas.glow(
        [side * 31.0, 16.0],
        [21.0, 8.0],
        side * -0.75,
        clip,
        blush,
        0.95 * strength,
    );
    let site = Shape::ellipse([side * 31.0, 16.0], [16.0, 6.5], side * -0.75);
    scene.site(&[A::HeavyMakeup], &site);
    scene.site(
        &[A::HeavyMakeup],
        &Shape::ellipse([side * (EYE_X + 2.0), -1.0], [15.0, 11.0], 0.0),
    );
}

fn brow(scene: &mut Scene, side: f32) {
    let (arch, bushy) = (scene.amount(A::ArchedEyebrows), scene.amount(A::BushyEyebrows));
    let lift = unevenness(scene, side);
    let spine = |arch: f32| -> Vec<Point> {
        let at = |u: f32, y: f32| [side * (EYE_X + u), y - 13.0 + lift];
        let rise = lerp(-0.5, 9.5, arch);
        line(&[
            at(-13.0, 1.0),
            at(-4.0, -0.6 * rise),
            at(4.0, -rise),
            at(14.5, lerp(-0.5, 2.5, arch)),
        ])
    };
    let thickness = |bushy: f32| lerp(1.6, 8.5, bushy);
    let taper = |u: f32| (1.0 - 0.55 * u) * (4.0 + 10.0 * u).min(6.0) / 6.0 + 0.1;
    let colour = mix(shade(scene.hair, 0.55), [0.10, 0.06, 0.04], 0.45);
    let full = thickness(bushy);
    let (texture, phase) = (scene.texture, scene.person.phase);
    scene
        .canvas
        .paint(&Shape::band(&spine(arch), |u| full * taper(u)), None, |p| {
            let hairs = texture.line((p[0] + p[1] * side * 0.8) * 0.9 + phase);
            (colour, (0.86 + 0.14 * hairs).min(1.0))
        });
    scene.site(
        &[A::BushyEyebrows],
        &Shape::band(&spine(arch), |u| thickness(1.0) * taper(u)),
    );
    for degree in [0.0, 0.5, 1.0] {
        scene.site(
            &[A::ArchedEyebrows],
            &Shape::band(&spine(degree), |u| thickness(0.5) * taper(u)),
        );
    }
}
