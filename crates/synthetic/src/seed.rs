use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator for one picture of shapes, the same on every machine and thread.
pub(crate) fn generator(seed: u64, item: u64) -> ChaCha8Rng {
    /// Keeps the stream apart from those that `dataset` draws with the same seed, which have other purposes.
    const PURPOSE: u64 = 4;
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, 0, PURPOSE, item]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
