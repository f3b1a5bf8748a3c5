use super::attribute::Attribute as A;
use super::canvas::{Colour, Coverage, mix, shade};
use super::head::head;
use super::mouth;
use super::scene::Scene;
use super::shape::{Point, Shape, line, smoothstep};

/// Stubble, beard, sideburns; drawn before the mouth.
pub(super) fn draw_below_mouth(scene: &mut Scene, clip: &Coverage) {
    stubble(scene, clip);
    full_beard(scene, clip);
    sideburns(scene);
}

/// Moustache and goatee; drawn after the mouth.
pub(super) fn draw_over_mouth(scene: &mut Scene) {
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

/// Cheeks, jaw and upper lip between the sideburns, mouth left free.
fn region(scene: &Scene, top: f32) -> Shape {
    let x = |x: f32| x + scene.person.turn(40.0);
    Shape::smooth(&[
        [x(-46.0), top - 6.0],
        [x(-33.0), top + 3.0],
        [x(-22.0), top + 9.0],
        [x(-9.0), 29.5],
        [x(9.0), 29.5],
        [x(22.0), top + 9.0],
        [x(33.0), top + 3.0],
        [x(46.0), top - 6.0],
        [x(44.0), 40.0],
        [x(30.0), 66.0],
        [x(0.0), 82.0],
        [x(-30.0), 66.0],
        [x(-44.0), 40.0],
    ])
}

/// The bluish shade and the dots of hair shaved this morning.
fn stubble(scene: &mut Scene, clip: &Coverage) {
    let strength = scene.presence(A::FiveOClockShadow);
    let shape = region(scene, 16.0);
    if strength > 0.01 {
        let tint = mix(shade(scene.skin, 0.48), [0.20, 0.25, 0.30], 0.5);
        let (texture, phase) = (scene.texture, scene.person.phase);
        scene.canvas.paint(&shape, Some(clip), |p| {
            let dots = smoothstep(-0.1, 0.7, texture.plane(p[0] * 0.95 + phase, p[1] * 0.95));
            let fade = smoothstep(8.0, 26.0, p[1] + 0.05 * p[0].abs());
            (shade(tint, 1.0 - 0.45 * dots), strength * fade * (0.5 + 0.38 * dots))
        });
    }
    scene.site_within(&[A::FiveOClockShadow], &shape, &head(scene));
}

/// A grown beard from ear to ear.
fn full_beard(scene: &mut Scene, clip: &Coverage) {
    let strength = 1.0 - scene.presence(A::NoBeard);
    let shape = region(scene, 12.0);
    if strength > 0.01 {
        let colour = colour(scene);
        let (texture, phase) = (scene.texture, scene.person.phase);
        let turn = scene.person.turn(40.0);
        scene.canvas.paint(&shape, Some(clip), |p| {
            let streak = texture.plane(p[0] * 0.9 + phase, p[1] * 0.4);
            // Thick along jaw and cheeks, thin about mouth and chin, where moustache and goatee may grow.
            let x = (p[0] - turn) / 24.0;
            let bare = 1.0 - smoothstep(0.7, 1.15, x.hypot((p[1] - 47.0) / 21.0));
            (
                shade(colour, 1.0 + 0.35 * streak),
                strength * (0.95 - 0.62 * bare) * (0.93 + 0.07 * streak),
            )
        });
    }
    scene.site_within(&[A::NoBeard], &shape, &head(scene));
}

/// Strips of hair before the ears.
fn sideburns(scene: &mut Scene) {
    let strength = scene.presence(A::Sideburns);
    let colour = colour(scene);
    for side in [-1.0, 1.0] {
        let x = |x: f32, y: f32| [side * x + scene.person.turn(y), y];
        let strip = Shape::smooth(&[
            x(46.0, -16.0),
            x(36.5, -14.0),
            x(35.0, 8.0),
            x(31.0, 27.0),
            x(31.0, 34.0),
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
