//! What a procedural face costs. `cargo bench -p synthetic`.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use synthetic::faces::{Config, FacePlan, write};

const FACES: usize = 64;

fn faces(c: &mut Criterion) {
    let mut group = c.benchmark_group("faces");
    group.throughput(Throughput::Elements(FACES as u64)).sample_size(10);
    let plans: Vec<FacePlan> = (0..FACES as u64).map(|index| FacePlan::new(1, index)).collect();
    group.bench_function("draw", |b| {
        b.iter(|| {
            for plan in &plans {
                black_box(plan.draw());
            }
        });
    });
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads start");
        group.bench_function(format!("write/{threads}_threads"), |b| {
            b.iter_batched(
                || tempfile::tempdir().expect("a temporary folder can be made"),
                |folder| {
                    let out = folder.path().join("faces");
                    pool.install(|| write(&out, &Config::new(FACES, 1), &|_| ControlFlow::Continue(())))
                        .expect("the folder is writable");
                    folder
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = faces
}
criterion_main!(benches);
