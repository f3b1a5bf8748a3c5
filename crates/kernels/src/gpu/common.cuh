// What all kernels share: element types, and how threads are laid out.
//
// Arrays are [rows, channels], channels last. Every block has COLUMNS x ROWS threads: x chooses the channel, so that neighbours read
// neighbours, and y the first row, from which a thread goes on in steps of all the grid's rows. Kernels that memory bounds have other
// shares of rows and channels (`Share`). Sums are made in an order that depends on the shape alone, without atomic additions: the same
// input gives the same bits.
#pragma once

constexpr unsigned COLUMNS = 32;
constexpr unsigned ROWS = 8;
constexpr unsigned THREADS = COLUMNS * ROWS;

// The upper half of a float32.
struct Bfloat16 {
    unsigned short bits;
};

__device__ inline float value_of(float x) { return x; }
__device__ inline float value_of(Bfloat16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

// Rounds to nearest, ties to even; what is not a number stays none.
__device__ inline unsigned rounded_bits(float x) {
    unsigned bits = __float_as_uint(x);
    return x == x ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16 : 0x7fc0u;
}

// Two neighbours, rounded.
__device__ inline unsigned rounded_pair(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return rounded_bits(low) | rounded_bits(high) << 16;
#endif
}

__device__ inline void store(float *to, float x) { *to = x; }
__device__ inline void store(Bfloat16 *to, float x) { to->bits = static_cast<unsigned short>(rounded_bits(x)); }

// What a thread loads and stores at once: one element, or 16 bytes of neighbouring channels, which takes a quarter of the instructions
// and brings the memory to its full speed. An array of the latter begins at a multiple of 16 bytes, and so does each of its rows.
template <class T>
struct One {
    using Element = T;
    static constexpr unsigned COUNT = 1;
    T element;
};

struct alignas(16) Four {
    using Element = float;
    static constexpr unsigned COUNT = 4;
    float elements[4];
};

struct alignas(16) Eight {
    using Element = Bfloat16;
    static constexpr unsigned COUNT = 8;
    unsigned pairs[4];
};

template <class T>
__device__ inline void unpack(const One<T> &pack, float *values) {
    values[0] = value_of(pack.element);
}
__device__ inline void unpack(const Four &pack, float *values) {
    for (unsigned i = 0; i < 4; i++) values[i] = pack.elements[i];
}
__device__ inline void unpack(const Eight &pack, float *values) {
    for (unsigned i = 0; i < 4; i++) {
        values[2 * i] = __uint_as_float(pack.pairs[i] << 16);
        values[2 * i + 1] = __uint_as_float(pack.pairs[i] & 0xffff0000u);
    }
}

template <class T>
__device__ inline void pack(One<T> *to, const float *values) {
    store(&to->element, values[0]);
}
__device__ inline void pack(Four *to, const float *values) {
    Four result;
    for (unsigned i = 0; i < 4; i++) result.elements[i] = values[i];
    *to = result;
}
__device__ inline void pack(Eight *to, const float *values) {
    Eight result;
    for (unsigned i = 0; i < 4; i++) result.pairs[i] = rounded_pair(values[2 * i], values[2 * i + 1]);
    *to = result;
}

__device__ inline unsigned channel_of_thread() { return blockIdx.x * COLUMNS + threadIdx.x; }
__device__ inline unsigned first_row() { return blockIdx.y * ROWS + threadIdx.y; }
__device__ inline unsigned row_step() { return gridDim.y * ROWS; }

__device__ inline size_t at(unsigned row, unsigned channel, unsigned channels) {
    return static_cast<size_t>(row) * channels + channel;
}

template <class Pack>
__device__ inline Pack load(const typename Pack::Element *array, size_t index) {
    return *reinterpret_cast<const Pack *>(array + index);
}

template <class Pack>
__device__ inline void store(typename Pack::Element *array, size_t index, const float *values) {
    pack(reinterpret_cast<Pack *>(array + index), values);
}

// A thread's number in its block, and in what part of an array it works: channels from `channel` on, and every `step`th row from `row`
// to before `end`. Of neighbouring threads `lanes`, a power of two, share a row.
struct Share {
    unsigned channel, row, end, step;
};

__device__ inline unsigned thread_of_block() { return threadIdx.y * COLUMNS + threadIdx.x; }

// All blocks go through the array together, from its beginning to its end.
template <class Pack>
__device__ inline Share interleaved_share(unsigned rows, unsigned lanes) {
    unsigned thread = thread_of_block(), height = THREADS / lanes;
    return {(blockIdx.x * lanes + thread % lanes) * Pack::COUNT, blockIdx.y * height + thread / lanes, rows, gridDim.y * height};
}

// Each block has neighbouring rows, the first block the last ones: what a kernel before has read last is in the cache yet.
template <class Pack>
__device__ inline Share backward_share(unsigned rows, unsigned lanes) {
    unsigned thread = thread_of_block(), height = THREADS / lanes;
    unsigned stretch = (rows + gridDim.y * height - 1) / (gridDim.y * height) * height;
    unsigned start = (gridDim.y - 1 - blockIdx.y) * stretch, end = start + stretch;
    return {(blockIdx.x * lanes + thread % lanes) * Pack::COUNT, start + thread / lanes, end < rows ? end : rows, height};
}

// Calls `use` with what `load` gives for each row of a share, in order. Some rows are loaded before the first is used, so that the memory
// has more to do at a time.
template <unsigned AHEAD, class Load, class Use>
__device__ inline void for_rows(Share share, Load load, Use use) {
    unsigned row = share.row;
    for (; row + (AHEAD - 1) * share.step < share.end; row += AHEAD * share.step) {
        decltype(load(row)) loaded[AHEAD];
#pragma unroll
        for (unsigned i = 0; i < AHEAD; i++) loaded[i] = load(row + i * share.step);
#pragma unroll
        for (unsigned i = 0; i < AHEAD; i++) use(row + i * share.step, loaded[i]);
    }
    for (; row < share.end; row += share.step) use(row, load(row));
}

// Joins what the threads of a lane have, as a tree; whole in the block's first `lanes` threads. Every thread of the block must call it, and
// a kernel once for a type.
template <class Part, unsigned COUNT>
__device__ inline void join_rows(Part (&mine)[COUNT], unsigned lanes) {
    __shared__ Part parts[COUNT][THREADS];
    unsigned thread = thread_of_block();
    for (unsigned i = 0; i < COUNT; i++) parts[i][thread] = mine[i];
    for (unsigned half = THREADS / 2; half >= lanes; half /= 2) {
        __syncthreads();
        if (thread < half) {
            for (unsigned i = 0; i < COUNT; i++) parts[i][thread] = joined(parts[i][thread], parts[i][thread + half]);
        }
    }
    for (unsigned i = 0; i < COUNT; i++) mine[i] = parts[i][thread];
}
