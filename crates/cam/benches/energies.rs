//! The energies of one batch's maps in their regions: from the maps' pixels, and from their cells.

use std::hint::black_box;

use cam::{Method, PostProcessing, Resize};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use metrics::{CellBox, Grid, localisation};

const MAPS: usize = 40;

fn benches(criterion: &mut Criterion) {
    for (side, size) in [(7, 112), (7, 224), (28, 112)] {
        // Signed and smooth-free, as maps of single images are: about half of the cells have no activation.
        let noise =
            |i: usize| ((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f32 / (1 << 23) as f32 - 1.0;
        let raw: Vec<f32> = (0..MAPS * side * side).map(noise).collect();
        let place = CellBox {
            rows: [4, 5],
            columns: [2, 5],
        };
        let region = Grid::new(7, &[place], &[]).expect("a region").region(size);
        let post_processing =
            PostProcessing::new(Method::HiresCam, Resize::HalfPixel, [side, side], size).expect("it fits");
        let mut group = criterion.benchmark_group(format!("energies/{side}_to_{size}/cpu"));
        group.throughput(Throughput::Elements(MAPS as u64));

        let mut map = vec![0.0; size * size];
        group.bench_function("pixels_a40", |bencher| {
            bencher.iter(|| {
                for raw in raw.chunks_exact(side * side) {
                    post_processing.finalise(black_box(raw), &mut map);
                    black_box(localisation(&map, &region).expect("a map"));
                }
            });
        });
        let (inside, whole) = (
            post_processing.footprint(region.mask().iter().copied()),
            post_processing.footprint(vec![true; size * size]),
        );
        let mut cells = vec![0.0; side * side];
        group.bench_function("cells_a40", |bencher| {
            bencher.iter(|| {
                for raw in raw.chunks_exact(side * side) {
                    let active = post_processing.cells(black_box(raw), &mut cells);
                    black_box(inside.localisation(&whole, &cells, &active));
                }
            });
        });
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
