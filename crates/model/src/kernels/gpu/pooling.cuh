// Global average and maximum pooling of [images, height, width, channels].
#pragma once
#include "common.cuh"

struct Total {
    float sum;
};

__device__ inline Total joined(Total a, Total b) { return {a.sum + b.sum}; }

// y [images, channels] float32; gridDim.y is the number of images.
template <class T>
__device__ inline void average_pool(const T *x, float *y, unsigned pixels, unsigned channels) {
    unsigned channel = channel_of_thread(), image = blockIdx.y;
    Total mine = {0.0f};
    if (channel < channels) {
        for (unsigned pixel = threadIdx.y; pixel < pixels; pixel += ROWS) {
            mine.sum += value_of(x[static_cast<size_t>(image) * pixels * channels + at(pixel, channel, channels)]);
        }
    }
    mine = joined_rows(mine);
    if (threadIdx.y == 0 && channel < channels) y[at(image, channel, channels)] = mine.sum * (1.0f / static_cast<float>(pixels));
}

// dx [images, pixels, channels] of the gradient [images, channels] float32.
template <class T>
__device__ inline void average_pool_gradient(const float *gradient, T *dx, unsigned images, unsigned pixels, unsigned channels) {
    unsigned channel = channel_of_thread();
    if (channel >= channels) return;
    float share = 1.0f / static_cast<float>(pixels);
    for (unsigned row = first_row(); row < images * pixels; row += row_step()) {
        store(&dx[at(row, channel, channels)], gradient[at(row / pixels, channel, channels)] * share);
    }
}

// Sides of input and output, of square windows, and the zeros on each side, which never win.
struct Windows {
    unsigned height, width, output_height, output_width, kernel, stride, padding;
};

// First and last (excluded) input row or column of a window.
__device__ inline unsigned window_start(unsigned index, Windows w) {
    unsigned start = index * w.stride;
    return start > w.padding ? start - w.padding : 0;
}
__device__ inline unsigned window_end(unsigned index, Windows w, unsigned size) {
    unsigned end = index * w.stride + w.kernel - w.padding;
    return end < size ? end : size;
}

template <class T>
__device__ inline void max_pool(const T *x, T *y, Windows w, unsigned images, unsigned channels) {
    unsigned channel = channel_of_thread();
    if (channel >= channels) return;
    unsigned outputs = w.output_height * w.output_width;
    for (unsigned row = first_row(); row < images * outputs; row += row_step()) {
        unsigned image = row / outputs, oy = row % outputs / w.output_width, ox = row % w.output_width;
        unsigned top = window_start(oy, w), left = window_start(ox, w);
        const T *source = x + static_cast<size_t>(image) * w.height * w.width * channels;
        float best = value_of(source[at(top * w.width + left, channel, channels)]);
        for (unsigned iy = top; iy < window_end(oy, w, w.height); iy++) {
            for (unsigned ix = left; ix < window_end(ox, w, w.width); ix++) {
                float value = value_of(source[at(iy * w.width + ix, channel, channels)]);
                if (value > best || value != value) best = value;
            }
        }
        store(&y[at(row, channel, channels)], best);
    }
}

// Whether the first maximum of a window, in row-major order, is the pixel (y, x).
template <class T>
__device__ inline bool is_first_maximum(const T *source, float maximum, unsigned oy, unsigned ox, unsigned y, unsigned x, Windows w,
                                        unsigned channel, unsigned channels) {
    for (unsigned iy = window_start(oy, w); iy <= y; iy++) {
        for (unsigned ix = window_start(ox, w); ix < window_end(ox, w, w.width); ix++) {
            if (value_of(source[at(iy * w.width + ix, channel, channels)]) == maximum) return iy == y && ix == x;
        }
    }
    return false;
}

// Every pixel collects from the windows that it is in, in their order: no two threads write one element.
template <class T>
__device__ inline void max_pool_gradient(const T *x, const T *y, const T *gradient, T *dx, Windows w, unsigned images, unsigned channels) {
    unsigned channel = channel_of_thread();
    if (channel >= channels) return;
    unsigned pixels = w.height * w.width;
    for (unsigned row = first_row(); row < images * pixels; row += row_step()) {
        unsigned image = row / pixels, iy = row % pixels / w.width, ix = row % w.width;
        const T *source = x + static_cast<size_t>(image) * pixels * channels;
        unsigned reach_y = iy + w.padding, reach_x = ix + w.padding;
        unsigned first_y = reach_y < w.kernel ? 0 : (reach_y - w.kernel) / w.stride + 1;
        unsigned first_x = reach_x < w.kernel ? 0 : (reach_x - w.kernel) / w.stride + 1;
        float sum = 0.0f;
        for (unsigned oy = first_y; oy < w.output_height && oy * w.stride <= reach_y; oy++) {
            for (unsigned ox = first_x; ox < w.output_width && ox * w.stride <= reach_x; ox++) {
                size_t o = at((image * w.output_height + oy) * w.output_width + ox, channel, channels);
                if (is_first_maximum(source, value_of(y[o]), oy, ox, iy, ix, w, channel, channels)) sum += value_of(gradient[o]);
            }
        }
        store(&dx[at(row, channel, channels)], sum);
    }
}

#define POOLING(T, NAME)                                                                                                                   \
    extern "C" __global__ void average_pool_##NAME(const T *x, float *y, unsigned pixels, unsigned channels) {                             \
        average_pool(x, y, pixels, channels);                                                                                              \
    }                                                                                                                                      \
    extern "C" __global__ void average_pool_gradient_##NAME(const float *gradient, T *dx, unsigned images, unsigned pixels,                \
                                                            unsigned channels) {                                                           \
        average_pool_gradient(gradient, dx, images, pixels, channels);                                                                     \
    }                                                                                                                                      \
    extern "C" __global__ void max_pool_##NAME(const T *x, T *y, unsigned height, unsigned width, unsigned output_height,                  \
                                               unsigned output_width, unsigned kernel, unsigned stride, unsigned padding,                  \
                                               unsigned images, unsigned channels) {                                                       \
        max_pool(x, y, {height, width, output_height, output_width, kernel, stride, padding}, images, channels);                           \
    }                                                                                                                                      \
    extern "C" __global__ void max_pool_gradient_##NAME(const T *x, const T *y, const T *gradient, T *dx, unsigned height, unsigned width, \
                                                        unsigned output_height, unsigned output_width, unsigned kernel, unsigned stride,   \
                                                        unsigned padding, unsigned images, unsigned channels) {                            \
        max_pool_gradient(x, y, gradient, dx, {height, width, output_height, output_width, kernel, stride, padding}, images, channels);    \
    }

POOLING(float, f32)
POOLING(Bfloat16, bf16)
