use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Coverage, Point, Shape, lerp, line, mix, shade};

/// Height of the tip of the nose, as the mean of CelebA's landmarks.
const TIP_Y: f32 = 24.0;

/// The tip of the nose, in the face's coordinates.
pub(in crate::faces) fn tip(scene: &Scene) -> Point {
    [scene.person.nose_shift, TIP_Y]
}

pub(in crate::faces) fn draw(scene: &mut Scene, clip: &Coverage) {
    let clip = Some(clip);
    let (big, pointy) = (scene.amount(A::BigNose), scene.amount(A::PointyNose));
    let [x, y] = tip(scene);
    let dark = shade([scene.skin[0], scene.skin[1] * 0.82, scene.skin[2] * 0.75], 0.5);
    let bright = mix(scene.skin, [1.0, 0.97, 0.92], 0.7);
    let width = lerp(6.5, 16.5, big);
    let ball = lerp(4.0, 8.5, big) * lerp(1.25, 0.6, pointy);
    // The shaded flank is on the side away from the light, or away from the viewer when the head is turned.
    let flank = if scene.person.light + 0.1 * x > 0.0 { -1.0 } else { 1.0 };
    let lean = -0.6 * x / y;
    scene
        .canvas
        .glow([0.4 * x + flank * 6.0, 6.0], [5.5, 24.0], lean, clip, dark, 0.55);
    scene
        .canvas
        .glow([0.4 * x - flank * 6.5, 4.0], [4.5, 20.0], lean, clip, dark, 0.25);
    scene
        .canvas
        .glow([x, y + 5.0], [width * 1.25, 6.5], 0.0, clip, dark, 0.75);
    let ridge = lerp(5.0, 3.0, pointy);
    scene
        .canvas
        .glow([0.45 * x, 5.0], [ridge, 24.0], lean, clip, bright, 0.55);
    for side in [-1.0, 1.0] {
        let wing = [x + side * width * 0.72, y + 1.5];
        scene.canvas.glow(wing, [width * 0.48, 5.5], 0.0, clip, bright, 0.35);
        let edge = line(&[
            [wing[0] + side * width * 0.12, wing[1] - 5.5],
            [wing[0] + side * width * 0.36, wing[1]],
            [wing[0] + side * width * 0.12, wing[1] + 4.0],
        ]);
        scene.canvas.fill(&Shape::band(&edge, |_| 1.8), clip, dark, 0.85);
        let nostril = Shape::ellipse([x + side * width * 0.42, y + 4.3], [width * 0.25, 1.7], side * -0.25);
        scene.canvas.fill(&nostril, clip, shade(scene.skin, 0.22), 0.9);
    }
    scene.canvas.glow(
        [x, y - 1.0],
        [ball * 1.5, ball * lerp(1.0, 1.5, pointy)],
        0.0,
        clip,
        bright,
        0.8,
    );
    // The tip's lower edge: a flat round on a blunt nose, a sharp wedge that reaches down on a pointed one.
    let drop = y + lerp(3.5, 11.5, pointy);
    let wedge = Shape::polygon(&[[x - 6.0, y - 2.0], [x + 6.0, y - 2.0], [x, drop]]);
    scene.canvas.fill(&wedge, clip, mix(scene.skin, bright, 0.35), pointy);
    for side in [-1.0, 1.0] {
        let edge = [
            [x + side * 6.5, y - 3.0],
            [x + side * lerp(4.5, 3.2, pointy), lerp(y + 2.0, drop - 6.0, pointy)],
            [x, drop],
        ];
        let edge = if pointy > 0.5 { edge.to_vec() } else { line(&edge) };
        scene.canvas.fill(
            &Shape::band(&edge, |_| lerp(1.2, 2.0, pointy)),
            clip,
            dark,
            lerp(0.3, 0.75, pointy),
        );
    }
    sites(scene);
}

fn sites(scene: &mut Scene) {
    let [x, y] = tip(scene);
    let big = Shape::smooth(&[
        [0.4 * x, 2.0],
        [x + 9.0, y - 8.0],
        [x + 19.0, y + 2.0],
        [x + 11.0, y + 9.0],
        [x - 11.0, y + 9.0],
        [x - 19.0, y + 2.0],
        [x - 9.0, y - 8.0],
    ]);
    scene.site(&[A::BigNose], &big);
    let pointed = [[x - 8.0, y - 2.0], [0.4 * x, 0.0], [x + 8.0, y - 2.0], [x, y + 11.0]];
    scene.site(&[A::PointyNose], &Shape::polygon(&pointed));
}
