use super::attribute::Attribute as A;
use super::canvas::{Coverage, mix, shade};
use super::scene::Scene;
use super::shape::{Point, Shape, lerp, line};

/// Height of the tip of the nose, as the mean of CelebA's landmarks.
const TIP_Y: f32 = 24.0;

/// The tip of the nose, in the face's coordinates.
pub(super) fn tip(scene: &Scene) -> Point {
    [scene.person.nose_shift, TIP_Y]
}

pub(super) fn draw(scene: &mut Scene, clip: &Coverage) {
    let clip = Some(clip);
    let (big, pointy) = (scene.amount(A::BigNose), scene.amount(A::PointyNose));
    let [x, y] = tip(scene);
    let dark = shade([scene.skin[0], scene.skin[1] * 0.82, scene.skin[2] * 0.75], 0.5);
    let bright = mix(scene.skin, [1.0, 0.97, 0.92], 0.7);
    let width = lerp(6.5, 16.5, big);
    let ball = lerp(3.8, 8.5, big) * lerp(1.25, 0.55, pointy);
    // The shaded flank is on the side away from the light, or away from the viewer when the head is turned.
    let flank = if scene.person.light + 0.1 * x > 0.0 { -1.0 } else { 1.0 };
    let bridge = [
        [0.15 * x + flank * 3.5, -12.0],
        [0.35 * x + flank * 4.0, 2.0],
        [0.8 * x + flank * (ball + 1.0), y - 5.0],
        [x + flank * width * 0.9, y + 3.0],
        [x, y + 1.0],
        [0.3 * x, -2.0],
    ];
    scene.canvas.fill(&Shape::smooth(&bridge), clip, dark, 0.38);
    scene
        .canvas
        .glow([x, y + 5.0], [width * 1.25, 6.5], 0.0, clip, dark, 0.75);
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
    // Ridge and tip: a wide, round light on a blunt nose, a thin one over a sharp wedge on a pointed one.
    let ridge = line(&[[0.1 * x, -8.0], [0.4 * x, 4.0], [0.85 * x, y - 6.0], [x, y]]);
    let ridge_width = lerp(5.5, 2.2, pointy);
    scene.canvas.fill(
        &Shape::band(&ridge, |u| ridge_width * (0.6 + 0.4 * u)),
        clip,
        bright,
        0.4,
    );
    scene
        .canvas
        .glow([x, y - 1.0], [ball * 1.4, ball], 0.0, clip, bright, 0.75);
    let wedge_tip = y + lerp(4.0, 10.5, pointy);
    let wedge = Shape::polygon(&[
        [x - 7.0, y - 1.0],
        [x, wedge_tip - 7.0],
        [x + 7.0, y - 1.0],
        [x, wedge_tip],
    ]);
    scene.canvas.fill(&wedge, clip, dark, 0.9 * pointy);
    let point = Shape::polygon(&[[x - 3.4, y - 9.0], [x + 3.4, y - 9.0], [x, wedge_tip - 3.0]]);
    scene.canvas.fill(&point, clip, bright, 0.95 * pointy);
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
