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
    Total mine[1] = {{0.0f}};
    if (channel < channels) {
        for (unsigned pixel = threadIdx.y; pixel < pixels; pixel += ROWS) {
            mine[0].sum += value_of(x[static_cast<size_t>(image) * pixels * channels + at(pixel, channel, channels)]);
        }
    }
    join_rows(mine, COLUMNS);
    if (threadIdx.y == 0 && channel < channels) y[at(image, channel, channels)] = mine[0].sum * (1.0f / static_cast<float>(pixels));
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

// Places of a pack's elements in their windows: row times width plus column.
template <unsigned COUNT>
struct alignas(COUNT) Places {
    unsigned char of[COUNT];
};

// The largest of each window into y, and into `winners` its place, of several equal ones the first in row-major order; either may be null.
template <class Pack>
__device__ inline void max_pool(const typename Pack::Element *x, typename Pack::Element *y, unsigned char *winners, Windows w,
                                unsigned images, unsigned channels, unsigned lanes) {
    constexpr unsigned COUNT = Pack::COUNT;
    unsigned outputs = w.output_height * w.output_width;
    Share share = backward_share<Pack>(images * outputs, lanes);
    if (share.channel >= channels) return;
    for (unsigned row = share.row; row < share.end; row += share.step) {
        unsigned image = row / outputs, oy = row % outputs / w.output_width, ox = row % w.output_width;
        unsigned top = window_start(oy, w), left = window_start(ox, w);
        const typename Pack::Element *source = x + static_cast<size_t>(image) * w.height * w.width * channels;
        float best[COUNT];
        Places<COUNT> places;
        for (unsigned iy = top; iy < window_end(oy, w, w.height); iy++) {
            for (unsigned ix = left; ix < window_end(ox, w, w.width); ix++) {
                bool first = iy == top && ix == left;
                float values[COUNT];
                unpack(load<Pack>(source, at(iy * w.width + ix, share.channel, channels)), values);
                unsigned place = (iy + w.padding - oy * w.stride) * w.kernel + ix + w.padding - ox * w.stride;
                for (unsigned i = 0; i < COUNT; i++) {
                    if (first || values[i] > best[i] || values[i] != values[i]) {
                        best[i] = values[i];
                        places.of[i] = static_cast<unsigned char>(place);
                    }
                }
            }
        }
        size_t index = at(row, share.channel, channels);
        if (y) store<Pack>(y, index, best);
        if (winners) *reinterpret_cast<Places<COUNT> *>(winners + index) = places;
    }
}

// Every pixel collects from the windows that it has won, in their order: no two threads write one element.
template <class Pack>
__device__ inline void max_pool_gradient(const unsigned char *winners, const typename Pack::Element *gradient,
                                         typename Pack::Element *dx, Windows w, unsigned images, unsigned channels, unsigned lanes) {
    constexpr unsigned COUNT = Pack::COUNT;
    unsigned pixels = w.height * w.width;
    Share share = backward_share<Pack>(images * pixels, lanes);
    if (share.channel >= channels) return;
    for (unsigned row = share.row; row < share.end; row += share.step) {
        unsigned image = row / pixels, iy = row % pixels / w.width, ix = row % w.width;
        unsigned reach_y = iy + w.padding, reach_x = ix + w.padding;
        unsigned first_y = reach_y < w.kernel ? 0 : (reach_y - w.kernel) / w.stride + 1;
        unsigned first_x = reach_x < w.kernel ? 0 : (reach_x - w.kernel) / w.stride + 1;
        float sums[COUNT];
        for (unsigned i = 0; i < COUNT; i++) sums[i] = 0.0f;
        for (unsigned oy = first_y; oy < w.output_height && oy * w.stride <= reach_y; oy++) {
            for (unsigned ox = first_x; ox < w.output_width && ox * w.stride <= reach_x; ox++) {
                size_t index = at((image * w.output_height + oy) * w.output_width + ox, share.channel, channels);
                unsigned place = (reach_y - oy * w.stride) * w.kernel + reach_x - ox * w.stride;
                Places<COUNT> places = *reinterpret_cast<const Places<COUNT> *>(winners + index);
                float gradients[COUNT];
                unpack(load<Pack>(gradient, index), gradients);
                for (unsigned i = 0; i < COUNT; i++) {
                    if (places.of[i] == place) sums[i] += gradients[i];
                }
            }
        }
        store<Pack>(dx, at(row, share.channel, channels), sums);
    }
}

#define AVERAGE_POOLING(T, NAME)                                                                                                           \
    extern "C" __global__ void average_pool_##NAME(const T *x, float *y, unsigned pixels, unsigned channels) {                             \
        average_pool(x, y, pixels, channels);                                                                                              \
    }                                                                                                                                      \
    extern "C" __global__ void average_pool_gradient_##NAME(const float *gradient, T *dx, unsigned images, unsigned pixels,                \
                                                            unsigned channels) {                                                           \
        average_pool_gradient(gradient, dx, images, pixels, channels);                                                                     \
    }

AVERAGE_POOLING(float, f32)
AVERAGE_POOLING(Bfloat16, bf16)

#define MAX_POOLING(T, PACK, NAME)                                                                                                         \
    extern "C" __global__ void max_pool_##NAME(const T *x, T *y, unsigned char *winners, unsigned height, unsigned width,                  \
                                               unsigned output_height, unsigned output_width, unsigned kernel, unsigned stride,            \
                                               unsigned padding, unsigned images, unsigned channels, unsigned lanes) {                     \
        max_pool<PACK>(x, y, winners, {height, width, output_height, output_width, kernel, stride, padding}, images, channels, lanes);     \
    }                                                                                                                                      \
    extern "C" __global__ void max_pool_gradient_##NAME(const unsigned char *winners, const T *gradient, T *dx, unsigned height,           \
                                                        unsigned width, unsigned output_height, unsigned output_width, unsigned kernel,    \
                                                        unsigned stride, unsigned padding, unsigned images, unsigned channels,             \
                                                        unsigned lanes) {                                                                  \
        max_pool_gradient<PACK>(winners, gradient, dx, {height, width, output_height, output_width, kernel, stride, padding}, images,      \
                                channels, lanes);                                                                                          \
    }

MAX_POOLING(float, One<float>, f32)
MAX_POOLING(float, Four, f32_wide)
MAX_POOLING(Bfloat16, One<Bfloat16>, bf16)
MAX_POOLING(Bfloat16, Eight, bf16_wide)
