// As much of CUDA as the kernels need, on a CPU: included before their sources.
#pragma once
#include <cstddef>
#include <cstring>
#include <math.h>

#define __global__
#define __device__
// Blocks run one after the other, so the threads of a block share what all share.
#define __shared__ static

struct Index {
    unsigned x, y;
};

extern Index threadIdx, blockIdx, gridDim;
void __syncthreads();

inline float rsqrtf(float value) { return 1.0f / sqrtf(value); }

inline float __uint_as_float(unsigned bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline unsigned __float_as_uint(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
