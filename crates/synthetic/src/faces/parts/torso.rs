use super::head::head;
use super::scene::Scene;
use crate::faces::attribute::Attribute as A;
use crate::faces::raster::{Canvas, Point, Shape, lerp, line, mix, shade, smoothstep};

/// Half the width of the neck: wider on men and on heavy people.
fn neck_half_width(scene: &Scene) -> f32 {
    26.0 + 4.5 * scene.degree(A::Male) + 5.0 * scene.degree(A::Chubby)
}

/// Neck, chest, clothes, collar and tie, necklace.
pub(in crate::faces) fn draw(scene: &mut Scene) {
    let skin = scene.skin;
    let half = neck_half_width(scene);
    let shoulder = 96.0 - 7.0 * scene.degree(A::Male);
    let turn = scene.person.turn(40.0) * 0.6;
    let neck = neck(half, shoulder, turn);
    let light = scene.person.light;
    scene.canvas.paint(&neck, None, |p| {
        let round = 0.92 - 0.18 * (p[0] / half).powi(2).min(1.6) + 0.10 * light * p[0] / half;
        // The head's shadow.
        let shadow = 0.62 + 0.38 * smoothstep(66.0, 92.0, p[1] - 0.004 * p[0] * p[0]);
        (shade([skin[0], skin[1] * 0.97, skin[2] * 0.95], round * shadow), 1.0)
    });
    clothes(scene, half, shoulder);
    scene.site(
        &[A::Male],
        &Shape::polygon(&[[-half, 72.0], [half, 72.0], [half, 88.0], [-half, 88.0]]),
    );
    tie(scene, half);
    necklace(scene, half);
}

fn neck(half: f32, shoulder: f32, turn: f32) -> Shape {
    Shape::smooth(&[
        [turn - half, 20.0],
        [turn + half, 20.0],
        [half, 72.0],
        [half + 3.0, 86.0],
        [58.0, shoulder],
        [110.0, shoulder + 14.0],
        [100.0, 150.0],
        [-100.0, 150.0],
        [-110.0, shoulder + 14.0],
        [-58.0, shoulder],
        [-half - 3.0, 86.0],
        [-half, 72.0],
    ])
}

fn clothes(scene: &mut Scene, half: f32, shoulder: f32) {
    let depth = lerp(93.0, 112.0, scene.person.neckline * scene.person.neckline);
    let pointed = scene.person.variant.is_multiple_of(3);
    let neckline = if pointed {
        vec![[half + 1.0, 84.0], [0.0, depth + 4.0], [-half - 1.0, 84.0]]
    } else {
        line(&[
            [half + 1.0, 84.0],
            [half * 0.6, depth - 3.0],
            [0.0, depth],
            [-half * 0.6, depth - 3.0],
            [-half - 1.0, 84.0],
        ])
    };
    let outside: [Point; 8] = [
        [-half - 6.0, 83.0],
        [-58.0, shoulder - 2.0],
        [-112.0, shoulder + 12.0],
        [-112.0, 150.0],
        [112.0, 150.0],
        [112.0, shoulder + 12.0],
        [58.0, shoulder - 2.0],
        [half + 6.0, 83.0],
    ];
    let points: Vec<Point> = outside.into_iter().chain(neckline.iter().copied()).collect();
    let (colour, texture, phase) = (scene.person.clothes, scene.texture, scene.person.phase);
    let light = scene.person.light;
    let stripes = scene.person.variant % 5 == 1;
    let second = scene.person.second_accent;
    scene.canvas.paint(&Shape(points), None, |p| {
        let fold = texture.plane(p[0] * 0.07 + phase, p[1] * 0.11);
        let stripe = stripes && (p[1] * 0.8 + 0.002 * p[0] * p[0]).rem_euclid(10.0) < 4.0;
        (
            shade(
                if stripe { second } else { colour },
                0.95 + 0.16 * fold + 0.10 * light * p[0] / 80.0,
            ),
            1.0,
        )
    });
    let hem = Shape::band(&neckline, |_| 2.0);
    scene.canvas.fill(&hem, None, shade(colour, 0.6), 0.6);
}

/// A white collar, dark lapels and a tie.
fn tie(scene: &mut Scene, half: f32) {
    let strength = scene.presence(A::WearingNecktie);
    let lapel = |side: f32| {
        Shape::polygon(&[
            [side * (half + 3.0), 80.0],
            [side * (half + 22.0), 92.0],
            [side * 46.0, 140.0],
            [side * 6.0, 140.0],
        ])
    };
    let shirt = Shape::polygon(&[
        [-half - 3.0, 80.0],
        [half + 3.0, 80.0],
        [half + 6.0, 140.0],
        [-half - 6.0, 140.0],
    ]);
    let collar = |side: f32| {
        Shape::polygon(&[
            [side * (half + 3.0), 76.0],
            [side * 2.0, 88.0],
            [side * 14.0, 99.0],
            [side * (half + 7.0), 86.0],
        ])
    };
    let blade = Shape::polygon(&[[-5.0, 94.0], [5.0, 94.0], [11.5, 140.0], [-11.5, 140.0]]);
    let knot = Shape::polygon(&[[-8.0, 84.5], [8.0, 84.5], [5.5, 96.0], [-5.5, 96.0]]);
    if strength > 0.01 {
        let dark = shade(mix(scene.person.clothes, [0.10, 0.11, 0.16], 0.7), 0.9);
        let colour = vivid(scene.person.accent);
        let second = scene.person.second_accent;
        let striped = scene.person.variant.is_multiple_of(2);
        let canvas: &mut Canvas = &mut scene.canvas;
        canvas.fill(&shirt, None, [0.93, 0.93, 0.96], strength);
        canvas.fill(&lapel(-1.0), None, dark, strength);
        canvas.fill(&lapel(1.0), None, dark, strength);
        canvas.paint(&blade, None, |p| {
            let stripe = striped && (p[1] + p[0] * 0.8).rem_euclid(9.0) < 3.5;
            (shade(if stripe { second } else { colour }, 1.0 - 0.03 * p[0]), strength)
        });
        canvas.fill(&knot, None, shade(colour, 0.82), strength);
        canvas.fill(&collar(-1.0), None, [0.98, 0.98, 1.0], strength);
        canvas.fill(&collar(1.0), None, [0.98, 0.98, 1.0], strength);
    }
    for shape in [&collar(-1.0), &collar(1.0), &blade, &knot] {
        scene.site(&[A::WearingNecktie], shape);
    }
}

fn vivid(colour: [f32; 3]) -> [f32; 3] {
    let top = colour.iter().copied().fold(0.05, f32::max);
    colour.map(|v| (v / top).powf(1.6) * 0.75)
}

/// Pearls, beads or a chain with a pendant.
fn necklace(scene: &mut Scene, half: f32) {
    let strength = scene.presence(A::WearingNecklace);
    let hang = line(&[
        [-half - 2.0, 80.0],
        [-half * 0.72, 91.0],
        [0.0, 98.0],
        [half * 0.72, 91.0],
        [half + 2.0, 80.0],
    ]);
    let kind = scene.person.variant % 4;
    let colour = [
        [0.97, 0.95, 0.90],
        [0.95, 0.76, 0.25],
        [0.90, 0.92, 0.97],
        vivid(scene.person.accent),
    ][kind as usize];
    if strength > 0.01 {
        let radius = [4.2, 3.0, 2.8, 4.4][kind as usize];
        scene.canvas.fill(
            &Shape::band(&hang, |_| radius * 2.0 + 2.0),
            None,
            [0.10, 0.05, 0.03],
            0.5 * strength,
        );
        if kind == 1 || kind == 2 {
            scene
                .canvas
                .fill(&Shape::band(&hang, |_| radius * 1.4), None, colour, strength);
        }
        let beads = if kind == 1 || kind == 2 { 8 } else { 13 };
        for k in 0..=beads {
            let at = k as f32 / beads as f32 * (hang.len() - 1) as f32;
            let (i, u) = (
                (at as usize).min(hang.len() - 2),
                at - (at as usize).min(hang.len() - 2) as f32,
            );
            let p = [lerp(hang[i][0], hang[i + 1][0], u), lerp(hang[i][1], hang[i + 1][1], u)];
            scene
                .canvas
                .fill(&Shape::ellipse(p, [radius, radius], 0.0), None, colour, strength);
            let shine = [p[0] - 0.3 * radius, p[1] - 0.3 * radius];
            scene
                .canvas
                .glow(shine, [radius * 0.8, radius * 0.8], 0.0, None, [1.0; 3], 0.9 * strength);
        }
        if kind != 0 {
            let pendant = Shape::smooth(&[[0.0, 95.0], [5.0, 102.0], [0.0, 107.0], [-5.0, 102.0]]);
            scene.canvas.fill(&pendant, None, shade(colour, 0.8), strength);
            scene
                .canvas
                .glow([-1.0, 100.0], [3.0, 4.0], 0.0, None, [1.0; 3], 0.8 * strength);
        }
    }
    scene.site(&[A::WearingNecklace], &Shape::band(&hang, |_| 10.0));
    scene.site(&[A::WearingNecklace], &Shape::ellipse([0.0, 101.0], [5.0, 6.0], 0.0));
}

/// The roll of skin under the chin; drawn behind the head, whose shadow parts the two chins.
pub(in crate::faces) fn double_chin(scene: &mut Scene) {
    let strength = scene.amount(A::DoubleChin);
    let x = 0.5 * scene.person.turn(72.0);
    let bottom = lerp(67.0, 95.0, strength);
    let chin = head(scene);
    // As wide as the jaw where the roll comes out from under it.
    let jaw = chin
        .0
        .iter()
        .filter(|p| p[1] > 58.0)
        .map(|p| p[0] - x)
        .fold(12.0, f32::max);
    let half = 0.97 * jaw;
    let roll = |bottom: f32| Shape::ellipse([x, 58.0], [half, bottom - 58.0], 0.0);
    let (skin, light) = (scene.skin, scene.person.light);
    let dark = shade([skin[0], skin[1] * 0.82, skin[2] * 0.76], 0.42);
    scene.canvas.fill(&roll(bottom + 3.5), None, dark, 0.55);
    scene.canvas.paint(&roll(bottom), None, |p| {
        let round = 0.97 - 0.22 * smoothstep(bottom - 9.0, bottom, p[1]) - 0.16 * ((p[0] - x) / half).powi(2);
        (shade(skin, round + 0.08 * light * (p[0] - x) / half), 1.0)
    });
    let clip = scene.canvas.coverage(&[&roll(bottom)]);
    for (drop, opacity) in [(5.5, 0.35), (3.0, 0.6)] {
        scene
            .canvas
            .fill(&chin.map(|p| [p[0], p[1] + drop]), Some(&clip), dark, opacity);
    }
    let below = roll(95.0).map(|p| [p[0], p[1].max(64.0)]);
    scene.site(&[A::DoubleChin], &below);
}
