// Images of a batch from decoded pixels: alignment, mirror, blur and light of `View` in the crate `dataset`.
//
// Threads of a block are 32 neighbouring pixels of 8 rows of the squares; a pixel's three channels are one thread's.
#pragma once
#include "common.cuh"

// As `View` of sampling.rs.
struct View {
    double a, b, tx, ty;
    unsigned long long start;
    unsigned width, height, mirror, first_tap, taps;
    float contrast, brightness;
    unsigned unused;
};

struct Pixel {
    unsigned char channels[4];
};

struct Colour {
    float channels[3];
};

__device__ inline Colour mixed(Colour p, Colour q, float weight) {
    Colour result;
    for (unsigned c = 0; c < 3; c++) result.channels[c] = p.channels[c] + weight * (q.channels[c] - p.channels[c]);
    return result;
}

__device__ inline Colour colour_of(Pixel pixel) {
    Colour result;
    for (unsigned c = 0; c < 3; c++) result.channels[c] = static_cast<float>(pixel.channels[c]);
    return result;
}

__device__ inline void write_lit(float *to, Colour colour, const View &view) {
    for (unsigned c = 0; c < 3; c++) {
        float value = colour.channels[c];
        if (view.contrast != 1.0f || view.brightness != 0.0f) {
            value = fminf(fmaxf((value - 0.5f) * view.contrast + 0.5f + view.brightness, 0.0f), 1.0f);
        }
        to[c] = value;
    }
}

// Where a position lies between two pixels; one that is no number lies in the first, and the last pixel is all of its left neighbour's
// weight to the right.
struct Position {
    unsigned first;
    float weight;
};

__device__ inline Position position(float value, unsigned side) {
    float last = static_cast<float>(side - 1);
    value = fminf(fmaxf(value, 0.0f), last);
    float first = fminf(floorf(value), last - 1.0f);
    return {static_cast<unsigned>(first), value - first};
}

// out [images, size, size, 3], lit where no blur follows.
extern "C" __global__ void sample_views(const View *views, const Pixel *pixels, float *out, unsigned images, unsigned size) {
    unsigned x = channel_of_thread();
    if (x >= size) return;
    for (unsigned row = first_row(); row < images * size; row += row_step()) {
        const View &view = views[row / size];
        // The row's first pixel in double precision and steps in single, as the loader does.
        double start = view.mirror ? size - 0.5 : 0.5, y = row % size + 0.5;
        float direction = view.mirror ? -1.0f : 1.0f, step = static_cast<float>(x);
        float first_x = static_cast<float>(view.a * start - view.b * y + view.tx - 0.5);
        float first_y = static_cast<float>(view.b * start + view.a * y + view.ty - 0.5);
        Position px = position(first_x + step * (direction * static_cast<float>(view.a)), view.width);
        Position py = position(first_y + step * (direction * static_cast<float>(view.b)), view.height);
        const Pixel *top = pixels + view.start + static_cast<size_t>(py.first) * view.width + px.first;
        const Pixel *bottom = top + view.width;
        Colour above = mixed(colour_of(top[0]), colour_of(top[1]), px.weight);
        Colour below = mixed(colour_of(bottom[0]), colour_of(bottom[1]), px.weight);
        Colour colour = mixed(above, below, py.weight);
        for (float &channel : colour.channels) channel *= 1.0f / 255.0f;
        float *to = out + at(row, x, size) * 3;
        if (view.taps == 0) {
            write_lit(to, colour, view);
        } else {
            for (unsigned c = 0; c < 3; c++) to[c] = colour.channels[c];
        }
    }
}

__device__ inline void add(Colour &sum, float weight, const float *from) {
    for (unsigned c = 0; c < 3; c++) sum.channels[c] += weight * from[c];
}

// One direction of the blur at one element of a line of `size`, which are `stride` floats apart.
__device__ inline Colour blurred(const float *line, size_t stride, unsigned index, unsigned size, const float *taps, unsigned count) {
    Colour sum = {{0.0f, 0.0f, 0.0f}};
    add(sum, taps[0], line + index * stride);
    for (unsigned offset = 1; offset < count; offset++) {
        unsigned before = index > offset ? index - offset : 0, after = index + offset;
        add(sum, taps[offset], line + before * stride);
        add(sum, taps[offset], line + (after < size ? after : size - 1) * stride);
    }
    return sum;
}

// Down the columns of the images that are blurred; the others are left out.
extern "C" __global__ void blur_columns(const View *views, const float *taps, const float *from, float *to, unsigned images, unsigned size) {
    unsigned x = channel_of_thread();
    if (x >= size) return;
    for (unsigned row = first_row(); row < images * size; row += row_step()) {
        const View &view = views[row / size];
        if (view.taps == 0) continue;
        const float *column = from + at(row / size * size, x, size) * 3;
        Colour sum = blurred(column, static_cast<size_t>(size) * 3, row % size, size, taps + view.first_tap, view.taps);
        for (unsigned c = 0; c < 3; c++) to[at(row, x, size) * 3 + c] = sum.channels[c];
    }
}

// Along the rows of the same images, and their light.
extern "C" __global__ void blur_rows(const View *views, const float *taps, const float *from, float *to, unsigned images, unsigned size) {
    unsigned x = channel_of_thread();
    if (x >= size) return;
    for (unsigned row = first_row(); row < images * size; row += row_step()) {
        const View &view = views[row / size];
        if (view.taps == 0) continue;
        Colour sum = blurred(from + at(row, 0, size) * 3, 3, x, size, taps + view.first_tap, view.taps);
        write_lit(to + at(row, x, size) * 3, sum, view);
    }
}
