use super::head::head;
use super::mouth;
use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Colour, Coverage, Point, Shape, line, mix, shade, smoothstep};

/// Stubble and beard; drawn before the mouth.
pub(in crate::faces) fn draw_below_mouth(scene: &mut Scene, clip: &Coverage) {
    stubble(scene, clip);
    full_beard(scene, clip);
}

/// Moustache and goatee; drawn after the mouth.
pub(in crate::faces) fn draw_over_mouth(scene: &mut Scene) {
    let colour = colour(scene);
    let shape = mustache(scene);
    paint_hairs(scene, &shape, None, colour, scene.presence(A::Mustache));
    scene.site(&[A::Mustache], &shape);
    let shape = goatee(scene);
    paint_hairs(scene, &shape, None, colour, scene.presence(A::Goatee));
    scene.site(&[A::Goatee], &shape);
}

fn colour(scene: &Scene) -> Colour {
    mix(shade(scene.hair, 0.72), [0.12, 0.07, 0.05], 0.25)
}

/// Short hairs: streaks that run down and outwards.
fn paint_hairs(scene: &mut Scene, shape: &Shape, clip: Option<&Coverage>, colour: Colour, opacity: f32) {
    if opacity < 0.01 {
        return;
    }
    let (texture, phase) = (scene.texture, scene.person.phase);
    scene.canvas.paint(shape, clip, |p| {
        let streak = texture.plane(p[0] * 1.1 + phase, p[1] * 0.35 - 0.012 * p[0] * p[0]);
        (shade(colour, 1.0 + 0.35 * streak), opacity * (0.92 + 0.08 * streak))
    });
}

/// Upper edge of a beard at a distance from the middle line: over the lip, rising across the cheeks to the ears.
fn beard_top(distance: f32) -> f32 {
    let cheek = ((distance - 9.0) / 35.0).max(0.0);
    28.5 - 29.0 * cheek * cheek.sqrt()
}

/// Upper lip, cheeks, jaw and chin.
fn region(scene: &Scene) -> Shape {
    let turn = scene.person.turn(40.0);
    let top = (-12..=12).map(|k| [turn + 4.0 * k as f32, beard_top(4.0 * (k as f32).abs())]);
    Shape(top.chain([[turn + 48.0, 84.0], [turn - 48.0, 84.0]]).collect())
}

/// The bluish shade and the dots of hair shaved this morning.
fn stubble(scene: &mut Scene, clip: &Coverage) {
    let strength = scene.presence(A::FiveOClockShadow);
    let shape = region(scene);
    if strength > 0.01 {
        let tint = mix(shade(scene.skin, 0.50), [0.20, 0.26, 0.32], 0.5);
        let (texture, phase, turn) = (scene.texture, scene.person.phase, scene.person.turn(40.0));
        scene.canvas.paint(&shape, Some(clip), |p| {
            let dots = smoothstep(-0.1, 0.7, texture.plane(p[0] * 0.95 + phase, p[1] * 0.95));
            let fade = smoothstep(0.0, 10.0, p[1] - beard_top((p[0] - turn).abs()));
            // Strongest on lip and cheeks; goatees and double chins have the chin.
            let fade = fade * (1.0 - 0.6 * smoothstep(52.0, 64.0, p[1]));
            (shade(tint, 1.0 - 0.55 * dots), strength * fade * (0.56 + 0.4 * dots))
        });
    }
    scene.site_within(&[A::FiveOClockShadow], &shape, &head(scene));
}

/// A grown beard from ear to ear.
fn full_beard(scene: &mut Scene, clip: &Coverage) {
    let strength = 1.0 - scene.presence(A::NoBeard);
    let shape = region(scene);
    if strength > 0.01 {
        let colour = colour(scene);
        let (texture, phase, turn) = (scene.texture, scene.person.phase, scene.person.turn(40.0));
        scene.canvas.paint(&shape, Some(clip), |p| {
            let streak = texture.plane(p[0] * 0.9 + phase, p[1] * 0.4);
            let ragged = texture.line(p[0] * 0.8 + phase);
            // Thin about the mouth, where moustache and goatee may grow.
            let x = (p[0] - turn) / 21.0;
            let around = x.hypot((p[1] - 45.0) / 17.0);
            let thin = (1.0 - smoothstep(0.65, 1.2, around)).max(smoothstep(56.0, 68.0, p[1]));
            let fade = smoothstep(-1.0, 9.0, p[1] - beard_top((p[0] - turn).abs()) + 2.0 * ragged);
            (
                shade(colour, 1.0 + 0.35 * streak),
                strength * fade * (0.96 - 0.5 * thin) * (0.92 + 0.08 * streak),
            )
        });
    }
    scene.site_within(&[A::NoBeard], &shape, &head(scene));
}

/// Strips of hair before the ears; drawn over the hair.
pub(in crate::faces) fn sideburns(scene: &mut Scene) {
    let strength = scene.presence(A::Sideburns);
    let colour = colour(scene);
    for side in [-1.0, 1.0] {
        let x = |x: f32, y: f32| [side * x + scene.person.turn(y), y];
        let strip = Shape::smooth(&[
            x(46.0, -16.0),
            x(37.0, -14.0),
            x(34.0, 8.0),
            x(29.0, 27.0),
            x(29.0, 35.0),
            x(40.0, 33.0),
            x(46.0, 14.0),
        ]);
        paint_hairs(scene, &strip, None, colour, strength);
        scene.site(&[A::Sideburns], &strip);
    }
}

fn mustache(scene: &Scene) -> Shape {
    let [left, right] = mouth::corners(scene);
    let (x, y) = (0.5 * (left[0] + right[0]), 0.5 * (left[1] + right[1]));
    let half = 19.5;
    let wing = |side: f32| {
        line(&[
            [x, y - 12.0],
            [x + side * 0.45 * half, y - 11.0],
            [x + side * 0.9 * half, y - 4.5],
            [x + side * 1.02 * half, y + 1.5],
            [x + side * 0.75 * half, y - 1.8],
            [x + side * 0.35 * half, y - 4.0],
            [x, y - 4.4],
        ])
    };
    let right: Vec<Point> = wing(1.0);
    let left = wing(-1.0).into_iter().rev();
    Shape(right.into_iter().chain(left).collect())
}

fn goatee(scene: &Scene) -> Shape {
    let x = |x: f32| x + scene.person.turn(66.0);
    Shape::smooth(&[
        [x(-5.0), 53.5],
        [x(5.0), 53.5],
        [x(13.0), 57.5],
        [x(15.0), 66.0],
        [x(9.0), 77.0],
        [x(0.0), 82.0],
        [x(-9.0), 77.0],
        [x(-15.0), 66.0],
        [x(-13.0), 57.5],
    ])
}
