//! How far the division of the work lets it scale: counted, since few machines have that many cores.
//!
//! Each loop says what its tasks cost. A thread takes the next task when it is free, and the loop takes as long as the last thread. That
//! bounds the speed-up from above: memory, caches and the handing over of tasks come on top.
//!
//! `cargo test --release -p kernels scaling -- --nocapture` prints the table of `docs/develop/performance.md`.

use crate::batch_norm::loops;
use crate::convolution::{Filter, FilterGradient, Geometry, forward_costs, input_gradient_costs, packing};
use crate::dims::Dims;
use crate::optimiser::CHUNK;
use crate::parallel::Division;
use crate::pooling::{AveragePool, MaxPool};
use crate::simd::LANES;
use crate::sum::division;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;

/// A network and its batch.
struct Network {
    name: &'static str,
    width: usize,
    bottlenecks: bool,
    images: usize,
    side: usize,
    blocks: [usize; 4],
}

const NETWORKS: [Network; 3] = [
    Network {
        name: "ResNet-18 of width 16, 32 x 112",
        width: 16,
        bottlenecks: false,
        images: 32,
        side: 112,
        blocks: [2, 2, 2, 2],
    },
    Network {
        name: "ResNet-18, 32 x 112",
        width: 64,
        bottlenecks: false,
        images: 32,
        side: 112,
        blocks: [2, 2, 2, 2],
    },
    Network {
        name: "ResNet-50, 8 x 224",
        width: 64,
        bottlenecks: true,
        images: 8,
        side: 224,
        blocks: [3, 4, 6, 3],
    },
];

const THREADS: [usize; 3] = [2, 16, 64];

impl Network {
    /// The inputs of all blocks.
    fn block_inputs(&self) -> impl Iterator<Item = Dims> {
        self.convolutions_and_blocks().1.into_iter()
    }

    /// All convolutions in their order, those of the shortcuts last in their block.
    fn convolutions(&self) -> Vec<Geometry> {
        self.convolutions_and_blocks().0
    }

    fn convolutions_and_blocks(&self) -> (Vec<Geometry>, Vec<Dims>) {
        let mut found: Vec<Geometry> = Vec::new();
        let mut inputs = Vec::new();
        let mut add = |source: Dims, outputs: usize, kernel: usize, stride: usize| {
            let filter = Filter {
                outputs,
                inputs: source.channels,
                height: kernel,
                width: kernel,
            };
            let of = Geometry::new(source, filter, stride, kernel / 2, "test").unwrap();
            found.push(of);
            of.output
        };
        let images = Dims {
            images: self.images,
            height: self.side,
            width: self.side,
            channels: 3,
        };
        let stem = add(images, self.width, 7, 2);
        let mut x = Dims {
            height: stem.height.div_ceil(2),
            width: stem.width.div_ceil(2),
            ..stem
        };
        for (stage, blocks) in self.blocks.into_iter().enumerate() {
            let width = self.width << stage;
            for block in 0..blocks {
                inputs.push(x);
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let y = match self.bottlenecks {
                    true => {
                        let y = add(x, width, 1, 1);
                        let y = add(y, width, 3, stride);
                        add(y, 4 * width, 1, 1)
                    }
                    false => {
                        let y = add(x, width, 3, stride);
                        add(y, width, 3, 1)
                    }
                };
                if y != x {
                    add(x, y.channels, 1, stride);
                }
                x = y;
            }
        }
        (found, inputs)
    }
}

/// When the last thread is done.
fn duration(costs: &[usize], threads: usize) -> usize {
    let mut busy = vec![0; threads];
    for cost in costs {
        *busy.iter_mut().min().unwrap() += cost;
    }
    busy.into_iter().max().unwrap()
}

/// What the tasks of a loop cost on so many threads.
type Costs = Box<dyn Fn(usize) -> Vec<usize>>;

fn costs(division: Division) -> Costs {
    Box::new(move |threads| division.costs(threads))
}

/// Loops of one kind, one after the other.
struct Kind {
    name: &'static str,
    loops: Vec<Costs>,
}

/// How long the loops take together.
fn together(loops: &[Costs], threads: usize) -> usize {
    loops.iter().map(|costs| duration(&costs(threads), threads)).sum()
}

/// The pool of so many threads: some loops ask the pool in which they run.
fn pool(threads: usize) -> &'static ThreadPool {
    static POOLS: LazyLock<[ThreadPool; 4]> =
        LazyLock::new(|| [1, 2, 16, 64].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap()));
    let found = POOLS.iter().find(|pool| pool.current_num_threads() == threads);
    found.expect("one of THREADS, or 1")
}

/// The loops of packing weights for the gradient of the input: for each pair of an image's rows and columns at the distance of a stride.
fn packing_backward(of: &Geometry) -> Vec<Division> {
    let taps = |parity: usize| {
        ((parity + of.padding) % of.stride..of.filter.height)
            .step_by(of.stride)
            .count()
    };
    let pairs = (0..of.stride).flat_map(|y| (0..of.stride).map(move |x| (y, x)));
    let blocks = of.filter.inputs.div_ceil(LANES);
    pairs
        .map(|(y, x)| packing(blocks, of.filter.outputs, taps(y) * taps(x)))
        .collect()
}

/// All loops of a training step but those of the head and of the loss.
fn training_step(network: &Network) -> Vec<Kind> {
    let all = network.convolutions();
    let [stem, behind @ ..] = all.as_slice() else {
        unreachable!("a network has a stem")
    };
    let last = all[all.len() - 1].output;
    let mut kinds = Vec::new();
    let mut add = |name, loops: Vec<Costs>| kinds.push(Kind { name, loops });

    let on = |costs: fn(Geometry) -> Vec<usize>| {
        move |&of: &Geometry| -> Costs { Box::new(move |threads| pool(threads).install(|| costs(of))) }
    };
    add("convolutions", all.iter().map(on(forward_costs)).collect());
    add(
        "gradients of their images",
        behind.iter().map(on(input_gradient_costs)).collect(),
    );
    let filter_gradients = all.iter().map(|of| FilterGradient { of: *of });
    add(
        "gradients of their weights",
        filter_gradients
            .clone()
            .map(|this| Box::new(move |threads| this.costs(threads)) as Costs)
            .collect(),
    );
    let pack = |of: &Geometry| packing(of.filter.outputs.div_ceil(LANES), of.filter.inputs, of.filter.taps());
    let weights = all.iter().map(pack).chain(behind.iter().flat_map(packing_backward));
    add(
        "packing weights, joining their gradients",
        weights
            .chain(filter_gradients.map(|this| this.joining()))
            .map(costs)
            .collect(),
    );
    let norms = all.iter().map(|of| of.output);
    add(
        "batch norm",
        norms
            .clone()
            .flat_map(loops::statistics)
            .chain(norms.flat_map(loops::passes))
            .map(costs)
            .collect(),
    );
    let pool = MaxPool::of(stem.output, 3, 2, 1).unwrap();
    let mut pooling: Vec<Costs> = vec![
        Box::new(move |threads| pool.costs(threads)),
        Box::new(move |threads| pool.gradient_costs(threads)),
    ];
    pooling.extend(AveragePool::loops(last).map(costs));
    add("pooling", pooling);
    // Every block's input has two gradients.
    let sums = network.block_inputs().map(|x| division(x.elements()));
    add("sums of gradients", sums.map(costs).collect());
    let parameters: Vec<usize> = all
        .iter()
        .flat_map(|of| [of.filter.elements(), of.output.channels, of.output.channels])
        .collect();
    let update = move |_| {
        let chunks = |entries: &usize| {
            (0..entries.div_ceil(CHUNK))
                .map(|chunk| CHUNK.min(entries - chunk * CHUNK))
                .collect::<Vec<_>>()
        };
        parameters
            .iter()
            .flat_map(chunks)
            .map(|entries| 8 * entries.div_ceil(LANES))
            .collect()
    };
    add("optimiser", vec![Box::new(update)]);
    kinds
}

#[test]
fn networks_are_counted_whole() {
    let weights = |network: &Network| -> usize { network.convolutions().iter().map(|of| of.filter.elements()).sum() };
    // torchvision's resnet18 and resnet50 without the batch norms and the head.
    assert_eq!(weights(&NETWORKS[1]), 11_166_912);
    assert_eq!(weights(&NETWORKS[2]), 23_454_912);
}

/// Loops with work for all threads. A tenth of the threads' time may go to uneven rounds, an eighth to chunks of the batch of one image
/// more or less, and some to what tasks copy for themselves: 1.3 times the ideal duration at 16 threads. At 64 the outputs of a chunk
/// have few times as many tiles as there are tasks, and an uneven round costs up to a third: 1.5 times.
#[test]
fn no_loop_stops_scaling() {
    /// Vector operations of a thread from which a loop has work for it: some ten microseconds.
    const ENOUGH: usize = 1 << 15;
    for network in &NETWORKS {
        let kinds = training_step(network);
        for Kind { name, loops } in &kinds {
            for (index, costs) in loops.iter().enumerate() {
                let work: usize = costs(1).iter().sum();
                for (threads, bound) in THREADS.into_iter().zip([1.15, 1.3, 1.5]) {
                    let costs = costs(threads);
                    let ratio = (duration(&costs, threads) * threads) as f64 / work as f64;
                    let (network, tasks) = (network.name, costs.len());
                    assert!(
                        work < threads * ENOUGH || ratio <= bound,
                        "{network}: {name}, loop {index}, {threads} threads: {tasks} tasks take {ratio:.2} times the ideal duration"
                    );
                }
            }
        }
        println!(
            "\n| {} | share | {} threads |",
            network.name,
            THREADS.map(|t| t.to_string()).join(" | ")
        );
        println!("|---|---:|{}", "---:|".repeat(THREADS.len()));
        let all: usize = kinds.iter().map(|kind| together(&kind.loops, 1)).sum();
        let row = |name: &str, on: &dyn Fn(usize) -> usize| {
            let one = on(1) as f64;
            let speed_ups = THREADS.map(|threads| format!("{:.1}", one / on(threads) as f64));
            println!(
                "| {name} | {:.1} % | {} |",
                100.0 * one / all as f64,
                speed_ups.join(" | ")
            );
        };
        for Kind { name, loops } in &kinds {
            row(name, &|threads| together(loops, threads));
        }
        row("all", &|threads| {
            kinds.iter().map(|kind| together(&kind.loops, threads)).sum()
        });
    }
}
