use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Coverage, EYES_TO_MOUTH, Point, Shape, lerp, line, mix, shade};

/// Both corners of the mouth, left of the image first; their middle is the alignment's.
pub(in crate::faces) fn corners(scene: &Scene) -> [Point; 2] {
    let smile = scene.degree(A::Smiling);
    let half = 17.0 + 3.2 * smile;
    let rough = 0.5 - 0.5 * scene.degree(A::Attractive);
    let tilt = 2.6 * rough * rough * scene.person.lean;
    let x = 0.12 * scene.person.nose_shift;
    [[x - half, EYES_TO_MOUTH - tilt], [x + half, EYES_TO_MOUTH + tilt]]
}

/// How far the middle of the mouth lies below its corners.
fn sag(smile: f32) -> f32 {
    2.0 + 4.0 * smile
}

/// The lips' edges over the corners: top of the upper lip, edges of the opening, bottom of the lower lip.
struct Lips {
    upper: Shape,
    lower: Shape,
    inside: Shape,
    outer: Shape,
}

fn lips(scene: &Scene, smile: f32, open: f32, big: f32) -> Lips {
    let [left, right] = corners(scene);
    let x = 0.5 * (left[0] + right[0]);
    let y = EYES_TO_MOUTH + sag(smile);
    let thickness = lerp(2.0, 8.0, big);
    let gap = open * (8.5 + smile);
    let half = 0.5 * (right[0] - left[0]);
    let curve = |lift: f32, bow: f32| -> Vec<Point> {
        line(&[
            left,
            [x - 0.45 * half, lerp(y, left[1], 0.28) + lift - bow],
            [x, y + lift],
            [x + 0.45 * half, lerp(y, right[1], 0.28) + lift - bow],
            right,
        ])
    };
    let closed =
        |above: Vec<Point>, below: Vec<Point>| Shape(above.into_iter().chain(below.into_iter().rev()).collect());
    let top = curve(-gap * 0.4 - thickness, 0.12 * thickness);
    let inner_top = curve(-gap * 0.4, 0.0);
    let inner_bottom = curve(gap * 0.6, 0.12 * gap);
    let bottom = curve(gap * 0.6 + thickness * 1.25, 0.28 * thickness);
    Lips {
        upper: closed(top.clone(), inner_top.clone()),
        lower: closed(inner_bottom.clone(), bottom.clone()),
        inside: closed(inner_top, inner_bottom),
        outer: closed(top, bottom),
    }
}

pub(in crate::faces) fn draw(scene: &mut Scene, clip: &Coverage) {
    let smile = scene.degree(A::Smiling);
    let open = scene.presence(A::MouthSlightlyOpen);
    let big = scene.amount(A::BigLips);
    let drawn = lips(scene, smile, open, big);
    let natural = mix(shade(scene.skin, 0.78), [0.66, 0.30, 0.28], 0.42);
    let sticks = [
        [0.80, 0.04, 0.14],
        [0.92, 0.10, 0.42],
        [0.50, 0.02, 0.24],
        [0.90, 0.16, 0.10],
    ];
    let stick = sticks[(scene.person.variant / 5 % 4) as usize];
    let lipstick = scene.presence(A::WearingLipstick);
    let colour = mix(natural, stick, lipstick);
    let [left, right] = corners(scene);
    let middle = 0.5 * (left[0] + right[0]);
    let dark = shade(scene.skin, 0.42);

    if open > 0.02 {
        scene.canvas.fill(&drawn.inside, None, [0.20, 0.05, 0.06], 1.0);
        let inside = scene.canvas.coverage(&[&drawn.inside]);
        let y = EYES_TO_MOUTH + sag(smile) - 0.4 * open * (8.5 + smile);
        let teeth = Shape::ellipse([middle, y], [15.0, 3.4 + 1.6 * smile.max(0.0)], 0.0);
        scene.canvas.fill(&teeth, Some(&inside), [0.96, 0.95, 0.90], 0.95);
        let tongue = Shape::ellipse([middle, y + open * 9.5], [8.0, 3.0], 0.0);
        scene.canvas.fill(&tongue, Some(&inside), [0.72, 0.30, 0.30], 0.8);
    }
    scene.canvas.fill(&drawn.upper, None, shade(colour, 0.86), 1.0);
    scene.canvas.fill(&drawn.lower, None, colour, 1.0);
    let gloss = [
        middle,
        EYES_TO_MOUTH + sag(smile) + 0.6 * open * 8.5 + lerp(1.2, 5.0, big),
    ];
    let lower = scene.canvas.coverage(&[&drawn.lower]);
    let shine = lerp(1.0, 2.4, big);
    scene.canvas.glow(
        gloss,
        [9.0, shine],
        0.0,
        Some(&lower),
        [1.0, 0.93, 0.92],
        0.25 + 0.5 * lipstick,
    );
    // The line between the lips, and the folds and dimples of a smile.
    let y = EYES_TO_MOUTH + sag(smile) - 0.4 * open * (8.5 + smile);
    let between = line(&[left, [middle, y], right]);
    scene.canvas.fill(
        &Shape::band(&between, |u| 1.7 - 1.2 * (2.0 * u - 1.0).abs()),
        None,
        dark,
        0.8 * (1.0 - open),
    );
    let happy = 0.5 + 0.5 * smile;
    for (side, corner) in [(-1.0, left), (1.0, right)] {
        scene
            .canvas
            .glow([corner[0] + side, corner[1]], [4.0, 3.5], 0.0, Some(clip), dark, 0.6);
        let fold = line(&[
            [corner[0] + side * -2.0, corner[1] - 13.0],
            [corner[0] + side * 4.0, corner[1] - 7.0],
            [corner[0] + side * 6.0, corner[1] + 3.0],
        ]);
        scene.canvas.fill(
            &Shape::band(&fold, |u| 2.4 * (1.0 - u) + 0.3),
            Some(clip),
            dark,
            0.5 * happy * happy,
        );
    }
    sites(scene);
}

fn sites(scene: &mut Scene) {
    let smile = scene.degree(A::Smiling);
    let open = scene.presence(A::MouthSlightlyOpen);
    let big = scene.amount(A::BigLips);
    let lipstick = lips(scene, smile, open, big);
    scene.site(&[A::WearingLipstick], &lipstick.upper);
    scene.site(&[A::WearingLipstick], &lipstick.lower);
    let biggest = lips(scene, smile, open, 1.0).outer;
    scene.site(&[A::BigLips], &biggest);
    let opened = lips(scene, smile, 1.0, big).inside;
    scene.site(&[A::MouthSlightlyOpen], &opened);
    for smile in [-1.0, 0.0, 1.0] {
        let mouth = lips(scene, smile, open, big).outer;
        scene.site(&[A::Smiling], &mouth);
    }
}
