use super::eyes::EYE_X;
use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Colour, Point, Shape, line, mix, shade};

/// Earrings, glasses and hat, which lie over everything else.
pub(in crate::faces) fn draw(scene: &mut Scene) {
    earrings(scene);
    glasses(scene);
    hat(scene);
}

/// Drops, hoops or studs below the ears.
fn earrings(scene: &mut Scene) {
    let strength = scene.presence(A::WearingEarrings);
    let kind = scene.person.variant / 2 % 3;
    let metals: [Colour; 4] = [
        [0.96, 0.78, 0.24],
        [0.88, 0.91, 0.96],
        [0.10, 0.62, 0.60],
        [0.85, 0.12, 0.25],
    ];
    let colour = metals[(scene.person.variant / 6 % 4) as usize];
    for side in [-1.0, 1.0] {
        let x = side * 45.5 + scene.person.turn(20.0);
        let lobe = [x, 18.0];
        if strength > 0.01 {
            let canvas = &mut scene.canvas;
            let edge = [0.08, 0.05, 0.04];
            match kind {
                0 => {
                    canvas.fill(
                        &Shape::ellipse([x, 31.0], [5.6, 10.0], 0.0),
                        None,
                        edge,
                        0.55 * strength,
                    );
                    canvas.fill(&Shape::ellipse(lobe, [2.6, 2.6], 0.0), None, colour, strength);
                    canvas.fill(&Shape::ellipse([x, 31.0], [4.6, 9.0], 0.0), None, colour, strength);
                    canvas.glow([x - 1.4, 27.5], [2.6, 4.0], 0.0, None, [1.0; 3], 0.9 * strength);
                }
                1 => {
                    let hoop: Vec<Point> = Shape::ellipse([x, 29.0], [8.0, 11.0], 0.0).0;
                    let closed: Vec<Point> = hoop.iter().copied().chain([hoop[0]]).collect();
                    canvas.fill(&Shape::band(&closed, |_| 4.6), None, edge, 0.55 * strength);
                    canvas.fill(&Shape::band(&closed, |_| 3.0), None, colour, strength);
                }
                _ => {
                    canvas.fill(&Shape::ellipse([x, 21.0], [6.6, 6.6], 0.0), None, edge, 0.55 * strength);
                    canvas.fill(&Shape::ellipse([x, 21.0], [5.6, 5.6], 0.0), None, colour, strength);
                    canvas.glow([x - 1.5, 19.0], [3.2, 3.2], 0.0, None, [1.0; 3], strength);
                }
            }
        }
        let site = match kind {
            0 => Shape::ellipse([x, 29.0], [5.6, 13.0], 0.0),
            1 => Shape::ellipse([x, 29.0], [9.5, 12.5], 0.0),
            _ => Shape::ellipse([x, 21.0], [6.6, 6.6], 0.0),
        };
        scene.site(&[A::WearingEarrings], &site);
    }
}

/// Round or square rims with bridge and temples; one pair in five is of sunglasses.
fn glasses(scene: &mut Scene) {
    let strength = scene.presence(A::Eyeglasses);
    let variant = scene.person.variant;
    let frames: [Colour; 4] = [
        [0.04, 0.04, 0.05],
        [0.24, 0.09, 0.04],
        [0.50, 0.03, 0.08],
        [0.08, 0.10, 0.28],
    ];
    let colour = frames[(variant / 4 % 4) as usize];
    let width = 3.0 + (variant % 3) as f32 * 0.8;
    let square = variant.is_multiple_of(2);
    let yaw = 0.2 * scene.person.nose_shift;
    let rim = |side: f32, grow: f32| {
        let centre = [side * (EYE_X + 0.6) + yaw, 2.0];
        if square {
            let (rx, ry) = (15.0 + grow, 11.0 + grow);
            let corner = |sx: f32, sy: f32| {
                [
                    [centre[0] + sx * rx, centre[1] + sy * ry * 0.7],
                    [centre[0] + sx * rx * 0.75, centre[1] + sy * ry],
                ]
            };
            let [a, b] = corner(1.0, 1.0);
            let [d, c] = corner(-1.0, 1.0);
            let [e, f] = corner(-1.0, -1.0);
            let [h, g] = corner(1.0, -1.0);
            Shape::polygon(&[a, b, c, d, e, f, g, h])
        } else {
            Shape::ellipse(centre, [14.5 + grow, 13.0 + grow], 0.0)
        }
    };
    let arm = |side: f32| {
        let end = [side * 45.0 + scene.person.turn(0.0), -1.0];
        Shape::band(&[[side * (EYE_X + 14.5) + yaw, -2.0], end], |_| width)
    };
    let bridge = line(&[[-5.5 + yaw, -1.0], [yaw, -3.2], [5.5 + yaw, -1.0]]);
    let bridge = Shape::band(&bridge, |_| width);
    let arms = [arm(-1.0), arm(1.0)];
    if strength > 0.01 {
        for side in [-1.0, 1.0] {
            let glass = rim(side, 0.0);
            if variant % 5 == 4 {
                scene.canvas.paint(&glass, None, |p| {
                    (shade([0.10, 0.10, 0.13], 1.0 - 0.03 * (p[1] - 2.0)), 0.93 * strength)
                });
            } else {
                scene.canvas.fill(&glass, None, [0.82, 0.92, 1.0], 0.24 * strength);
            }
            let x = side * EYE_X + yaw;
            let glint = Shape::polygon(&[[x - 8.0, 8.0], [x + 2.0, -7.0], [x + 5.0, -7.0], [x - 5.0, 8.0]]);
            scene.canvas.fill(&glint, None, [1.0; 3], 0.42 * strength);
            let mut ring = glass.0;
            ring.push(ring[0]);
            ring.push(ring[1]);
            scene
                .canvas
                .fill(&Shape::band(&ring, |_| width), None, colour, strength);
        }
        for shape in [&bridge, &arms[0], &arms[1]] {
            scene.canvas.fill(shape, None, colour, strength);
        }
    }
    for shape in [&rim(-1.0, 1.5), &rim(1.0, 1.5), &bridge, &arms[0], &arms[1]] {
        scene.site(&[A::Eyeglasses], shape);
    }
}

/// A cap, a woollen hat or a brimmed hat.
fn hat(scene: &mut Scene) {
    let strength = scene.presence(A::WearingHat);
    let turn = scene.person.turn(-40.0);
    let x = |x: f32| x + turn;
    let kind = scene.person.variant / 7 % 3;
    let low = [-33.0, -30.0, -36.0][kind as usize];
    let crown = Shape::smooth(&[
        [x(-54.0), low],
        [x(-55.0), -58.0],
        [x(-40.0), -86.0],
        [x(0.0), -96.0],
        [x(40.0), -86.0],
        [x(55.0), -58.0],
        [x(54.0), low],
        [x(0.0), low - 4.0],
    ]);
    let brim = match kind {
        0 => Shape::smooth(&[
            [x(-50.0), -36.0],
            [x(0.0), -43.0],
            [x(50.0), -36.0],
            [x(60.0), -24.0],
            [x(30.0), -23.0],
            [x(0.0), -27.0],
            [x(-30.0), -23.0],
            [x(-60.0), -24.0],
        ]),
        1 => Shape::smooth(&[
            [x(-55.0), -46.0],
            [x(0.0), -49.0],
            [x(55.0), -46.0],
            [x(56.0), -29.0],
            [x(0.0), -31.0],
            [x(-56.0), -29.0],
        ]),
        _ => Shape::smooth(&[
            [x(-82.0), -40.0],
            [x(0.0), -47.0],
            [x(82.0), -40.0],
            [x(80.0), -33.0],
            [x(0.0), -30.0],
            [x(-80.0), -33.0],
        ]),
    };
    if strength > 0.01 {
        let colour = scene.person.accent;
        let (texture, light, phase) = (scene.texture, scene.person.light, scene.person.phase);
        let under = brim.map(|p| [p[0], p[1] + 5.0]);
        scene.canvas.fill(&under, None, [0.05, 0.03, 0.03], 0.35 * strength);
        scene.canvas.paint(&crown, None, |p| {
            let u = (p[0] - turn) / 56.0;
            let knit = if kind == 1 {
                0.14 * (p[0] * 1.1).sin()
            } else {
                0.05 * texture.plane(p[0] * 0.3 + phase, p[1] * 0.3)
            };
            (shade(colour, 1.05 - 0.35 * u * u + 0.2 * light * u + knit), strength)
        });
        let second = if kind == 1 {
            mix(colour, [1.0; 3], 0.25)
        } else {
            shade(colour, 0.78)
        };
        scene.canvas.paint(&brim, None, |p| {
            let knit = if kind == 1 { 0.16 * (p[0] * 1.1).sin() } else { 0.0 };
            (shade(second, 1.0 + knit - 0.012 * (p[1] + 36.0)), strength)
        });
        if kind == 2 {
            let band = Shape::smooth(&[
                [x(-55.0), -54.0],
                [x(0.0), -58.0],
                [x(55.0), -54.0],
                [x(54.5), -43.0],
                [x(0.0), -47.0],
                [x(-54.5), -43.0],
            ]);
            scene.canvas.fill(&band, None, scene.person.second_accent, strength);
        }
    }
    scene.site(&[A::WearingHat], &crown);
    scene.site(&[A::WearingHat], &brim);
}
