use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for; different purposes draw from unrelated streams.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Order = 1,
    Augmentation = 2,
    Split = 3,
}

/// The generator for one purpose and item of one epoch, the same on every machine and thread.
pub(crate) fn generator(seed: u64, epoch: u64, purpose: Purpose, item: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, epoch, purpose as u64, item]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
