// What all kernels share: element types, and how threads are laid out.
//
// Arrays are [rows, channels], channels last. Every block has COLUMNS x ROWS threads: x chooses the channel, so that neighbours read
// neighbours, and y the first row, from which a thread goes on in steps of all the grid's rows. Sums are made in an order that depends on
// the shape alone, without atomic additions: the same input gives the same bits.
#pragma once

constexpr unsigned COLUMNS = 32;
constexpr unsigned ROWS = 8;

// The upper half of a float32.
struct Bfloat16 {
    unsigned short bits;
};

__device__ inline float value_of(float x) { return x; }
__device__ inline float value_of(Bfloat16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

__device__ inline void store(float *to, float x) { *to = x; }

// Rounds to nearest, ties to even; what is not a number stays none.
__device__ inline void store(Bfloat16 *to, float x) {
    unsigned bits = __float_as_uint(x);
    unsigned rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    to->bits = static_cast<unsigned short>(x == x ? rounded : 0x7fc0u);
}

__device__ inline unsigned channel_of_thread() { return blockIdx.x * COLUMNS + threadIdx.x; }
__device__ inline unsigned first_row() { return blockIdx.y * ROWS + threadIdx.y; }
__device__ inline unsigned row_step() { return gridDim.y * ROWS; }

__device__ inline size_t at(unsigned row, unsigned channel, unsigned channels) {
    return static_cast<size_t>(row) * channels + channel;
}

// Joins what the threads of a column have, as a tree; whole in the threads of row 0. Every thread of the block must call it, and a
// kernel once for a type.
template <class Part>
__device__ inline Part joined_rows(Part mine) {
    __shared__ Part parts[ROWS][COLUMNS];
    parts[threadIdx.y][threadIdx.x] = mine;
    for (unsigned half = ROWS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half) {
            Part below = parts[threadIdx.y][threadIdx.x];
            parts[threadIdx.y][threadIdx.x] = joined(below, parts[threadIdx.y + half][threadIdx.x]);
        }
    }
    return parts[threadIdx.y][threadIdx.x];
}
