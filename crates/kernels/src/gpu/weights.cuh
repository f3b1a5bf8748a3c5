// Between torchvision's weights [outputs, inputs, taps] in float32 and cuDNN's channels-last ones [outputs, taps, inputs], in the type of
// the images. Rows are outputs and taps.
#pragma once
#include "common.cuh"

__device__ inline size_t torchvision(unsigned row, unsigned input, unsigned inputs, unsigned taps) {
    return (static_cast<size_t>(row / taps) * inputs + input) * taps + row % taps;
}

template <class T>
__device__ inline void pack_weight(const float *weight, T *packed, unsigned rows, unsigned taps, unsigned inputs) {
    unsigned input = channel_of_thread();
    if (input >= inputs) return;
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        store(&packed[at(row, input, inputs)], weight[torchvision(row, input, inputs, taps)]);
    }
}

template <class T>
__device__ inline void unpack_weight(const T *packed, float *weight, unsigned rows, unsigned taps, unsigned inputs) {
    unsigned input = channel_of_thread();
    if (input >= inputs) return;
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        weight[torchvision(row, input, inputs, taps)] = value_of(packed[at(row, input, inputs)]);
    }
}

#define WEIGHTS(T, NAME)                                                                                                                   \
    extern "C" __global__ void pack_weight_##NAME(const float *weight, T *packed, unsigned rows, unsigned taps, unsigned inputs) {         \
        pack_weight(weight, packed, rows, taps, inputs);                                                                                   \
    }                                                                                                                                      \
    extern "C" __global__ void unpack_weight_##NAME(const T *packed, float *weight, unsigned rows, unsigned taps, unsigned inputs) {       \
        unpack_weight(packed, weight, rows, taps, inputs);                                                                                 \
    }

WEIGHTS(float, f32)
WEIGHTS(Bfloat16, bf16)
