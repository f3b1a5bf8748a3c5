// Batch normalisation with all that ResNet does elementwise between two convolutions: y = relu((x - mean) f scale + shift + residual),
// f = 1 / sqrt(variance + epsilon). Statistics, sums and parameters are float32 whatever the elements are.
//
// Where `mean` is null nothing is normalised: y = relu(x scale + shift + residual), batch norm in evaluation. A null `residual` is none.
// Memory bounds all of it, so the backward pass computes again what is before the ReLU instead of reading the result.
#pragma once
#include "common.cuh"

// Number, mean and sum of squared deviations of some values.
struct Moments {
    float count, mean, squares;
};

// Chan, Golub and LeVeque 1979.
__device__ inline Moments joined(Moments a, Moments b) {
    float count = a.count + b.count;
    if (b.count == 0.0f) return a;
    float difference = b.mean - a.mean, share = b.count / count;
    return {count, a.mean + difference * share, a.squares + b.squares + difference * difference * a.count * share};
}

// Moments of each channel in the rows of a block: partial [gridDim.y, channels].
template <class Pack>
__device__ inline void moments(const typename Pack::Element *x, Moments *partial, unsigned rows, unsigned channels, unsigned lanes) {
    constexpr unsigned COUNT = Pack::COUNT;
    Share share = interleaved_share<Pack>(rows, lanes);
    Moments mine[COUNT];
    for (unsigned i = 0; i < COUNT; i++) mine[i] = {0.0f, 0.0f, 0.0f};
    if (share.channel < channels && share.row < rows) {
        // Around the first value, so that a mean far from zero costs no accuracy.
        float origin[COUNT], sum[COUNT], squares[COUNT], count = 0.0f;
        unpack(load<Pack>(x, at(share.row, share.channel, channels)), origin);
        for (unsigned i = 0; i < COUNT; i++) sum[i] = squares[i] = 0.0f;
        for_rows<4>(
            share, [&](unsigned row) { return load<Pack>(x, at(row, share.channel, channels)); },
            [&](unsigned, const Pack &pack) {
                float values[COUNT];
                unpack(pack, values);
                for (unsigned i = 0; i < COUNT; i++) {
                    float deviation = values[i] - origin[i];
                    sum[i] += deviation;
                    squares[i] += deviation * deviation;
                }
                count += 1.0f;
            });
        for (unsigned i = 0; i < COUNT; i++) {
            float mean = sum[i] / count;
            mine[i] = {count, origin[i] + mean, squares[i] - sum[i] * mean};
        }
    }
    join_rows(mine, lanes);
    if (thread_of_block() < lanes && share.channel < channels) {
        for (unsigned i = 0; i < COUNT; i++) partial[at(blockIdx.y, share.channel + i, channels)] = mine[i];
    }
}

// What the threads of a lane make of the parts that `chunks` blocks have left of a channel.
template <class Part>
__device__ inline Part joined_chunks(const Part *partial, Part nothing, unsigned chunks, unsigned channels, unsigned lanes, Share share) {
    Part mine[1] = {nothing};
    if (share.channel < channels) {
        for_rows<4>(
            share, [&](unsigned chunk) { return partial[at(chunk, share.channel, channels)]; },
            [&](unsigned, const Part &part) { mine[0] = joined(mine[0], part); });
    }
    join_rows(mine, lanes);
    return mine[0];
}

// Mean and biased variance of each channel, from those of `chunks` blocks. Running ones, where not null, move towards them by
// `momentum`, the variance towards the unbiased one, which is `unbiased` times the other.
extern "C" __global__ void moments_of_chunks(const Moments *partial, unsigned chunks, unsigned channels, unsigned lanes, float *mean,
                                             float *variance, float *running_mean, float *running_variance, float momentum,
                                             float unbiased) {
    Share share = interleaved_share<One<float>>(chunks, lanes);
    Moments all = joined_chunks(partial, {0.0f, 0.0f, 0.0f}, chunks, channels, lanes, share);
    if (thread_of_block() < lanes && share.channel < channels) {
        float biased = all.squares / all.count;
        mean[share.channel] = all.mean;
        variance[share.channel] = biased;
        if (running_mean) {
            float kept = 1.0f - momentum;
            running_mean[share.channel] = running_mean[share.channel] * kept + all.mean * momentum;
            running_variance[share.channel] = running_variance[share.channel] * kept + biased * unbiased * momentum;
        }
    }
}

__device__ inline float factor_of(const float *variance, float epsilon, unsigned channel) {
    return variance ? rsqrtf(variance[channel] + epsilon) : 1.0f;
}

// A layer's channels of a thread.
template <unsigned COUNT>
struct Channels {
    float centre[COUNT], slope[COUNT], constant[COUNT];

    __device__ inline Channels(const float *mean, const float *variance, float epsilon, const float *scale, const float *shift,
                               unsigned channel) {
        for (unsigned i = 0; i < COUNT; i++) {
            centre[i] = mean ? mean[channel + i] : 0.0f;
            slope[i] = scale[channel + i] * factor_of(variance, epsilon, channel + i);
            constant[i] = shift[channel + i];
        }
    }

    // Before the residual and the ReLU, rounded in one way wherever it is computed.
    __device__ inline float normalised(float x, unsigned i) const { return fmaf(x - centre[i], slope[i], constant[i]); }
};

// Elements of two arrays at one place; the second array may be none.
template <class Pack>
struct Pair {
    Pack first, second;
};

template <class Pack>
__device__ inline Pair<Pack> load_pair(const typename Pack::Element *first, const typename Pack::Element *second, size_t index) {
    Pair<Pack> pair;
    pair.first = load<Pack>(first, index);
    if (second) pair.second = load<Pack>(second, index);
    return pair;
}

template <class Pack>
__device__ inline void normalise(const typename Pack::Element *x, const float *mean, const float *variance, float epsilon,
                                 const float *scale, const float *shift, const typename Pack::Element *residual, unsigned relu,
                                 typename Pack::Element *y, unsigned rows, unsigned channels, unsigned lanes) {
    constexpr unsigned COUNT = Pack::COUNT;
    Share share = backward_share<Pack>(rows, lanes);
    if (share.channel >= channels) return;
    Channels<COUNT> layer(mean, variance, epsilon, scale, shift, share.channel);
    for_rows<4>(
        share, [&](unsigned row) { return load_pair<Pack>(x, residual, at(row, share.channel, channels)); },
        [&](unsigned row, const Pair<Pack> &pair) {
            float values[COUNT], others[COUNT];
            unpack(pair.first, values);
            if (residual) unpack(pair.second, others);
            for (unsigned i = 0; i < COUNT; i++) {
                float value = layer.normalised(values[i], i);
                if (residual) value += others[i];
                // What is not a number stays none.
                values[i] = relu && value < 0.0f ? 0.0f : value;
            }
            store<Pack>(y, at(row, share.channel, channels), values);
        });
}

// Sums of the gradient before the ReLU, and of its product with the normalised input.
struct Sums {
    float gradient, product;
};

__device__ inline Sums joined(Sums a, Sums b) { return {a.gradient + b.gradient, a.product + b.product}; }

// Elements of all that the sums are made of.
template <class Pack>
struct Sources {
    Pair<Pack> layer, gradients;
};

// Sums of each channel in the rows of a block: partial [gridDim.y, channels]. The result's gradient is `gradient`, or the sum of both where
// `other` is not null. Where `masked` is not null, it becomes the gradient before the ReLU, which is the residual's.
template <class Pack>
__device__ inline void gradient_sums(const typename Pack::Element *x, const float *mean, const float *variance, float epsilon,
                                     const float *scale, const float *shift, const typename Pack::Element *residual, unsigned relu,
                                     const typename Pack::Element *gradient, const typename Pack::Element *other,
                                     typename Pack::Element *masked, Sums *partial, unsigned rows, unsigned channels, unsigned lanes) {
    constexpr unsigned COUNT = Pack::COUNT;
    Share share = interleaved_share<Pack>(rows, lanes);
    Sums mine[COUNT];
    for (unsigned i = 0; i < COUNT; i++) mine[i] = {0.0f, 0.0f};
    if (share.channel < channels) {
        Channels<COUNT> layer(mean, variance, epsilon, scale, shift, share.channel);
        for_rows<2>(
            share,
            [&](unsigned row) {
                size_t index = at(row, share.channel, channels);
                return Sources<Pack>{load_pair<Pack>(x, relu ? residual : nullptr, index), load_pair<Pack>(gradient, other, index)};
            },
            [&](unsigned row, const Sources<Pack> &sources) {
                float values[COUNT], residuals[COUNT], gradients[COUNT], others[COUNT];
                unpack(sources.layer.first, values);
                if (relu && residual) unpack(sources.layer.second, residuals);
                unpack(sources.gradients.first, gradients);
                if (other) unpack(sources.gradients.second, others);
                for (unsigned i = 0; i < COUNT; i++) {
                    float before = layer.normalised(values[i], i);
                    if (relu && residual) before += residuals[i];
                    float g = gradients[i];
                    if (other) g += others[i];
                    if (relu && !(before > 0.0f)) g = 0.0f;
                    mine[i].gradient += g;
                    mine[i].product += (values[i] - layer.centre[i]) * g;
                    gradients[i] = g;
                }
                if (masked) store<Pack>(masked, at(row, share.channel, channels), gradients);
            });
        for (unsigned i = 0; i < COUNT; i++) mine[i].product *= factor_of(variance, epsilon, share.channel + i);
    }
    join_rows(mine, lanes);
    if (thread_of_block() < lanes && share.channel < channels) {
        for (unsigned i = 0; i < COUNT; i++) partial[at(blockIdx.y, share.channel + i, channels)] = mine[i];
    }
}

// The gradients of scale and shift, and [3, channels] coefficients of the input's, as the CPU's (batch_norm/cpu.rs):
// direct: scale factor;
// slope: through the batch's variance, -direct / pixels * factor * sum(g (x - mean) factor); 0 where the statistics are not the batch's;
// constant: through the batch's mean, -direct / pixels * sum(g); 0 as above.
extern "C" __global__ void sums_of_chunks(const Sums *partial, unsigned chunks, unsigned rows, unsigned channels, unsigned lanes,
                                          const float *variance, float epsilon, const float *scale, float *of_scale, float *of_shift,
                                          float *coefficients) {
    Share share = interleaved_share<One<float>>(chunks, lanes);
    Sums all = joined_chunks(partial, {0.0f, 0.0f}, chunks, channels, lanes, share);
    unsigned channel = share.channel;
    if (thread_of_block() < lanes && channel < channels) {
        of_scale[channel] = all.product;
        of_shift[channel] = all.gradient;
        float factor = factor_of(variance, epsilon, channel), direct = scale[channel] * factor;
        float part = variance ? direct / static_cast<float>(rows) : 0.0f;
        coefficients[channel] = direct;
        coefficients[channels + channel] = -part * factor * all.product;
        coefficients[2 * channels + channel] = -part * all.gradient;
    }
}

// dx = direct g + slope (x - mean) + constant, g being the gradient before the ReLU: `gradient` itself, or, with `relu`, what the ReLU lets
// through of it.
template <class Pack>
__device__ inline void input_gradient(const typename Pack::Element *x, const float *mean, const float *variance, float epsilon,
                                      const float *scale, const float *shift, const float *coefficients,
                                      const typename Pack::Element *residual, unsigned relu, const typename Pack::Element *gradient,
                                      typename Pack::Element *dx, unsigned rows, unsigned channels, unsigned lanes) {
    constexpr unsigned COUNT = Pack::COUNT;
    Share share = backward_share<Pack>(rows, lanes);
    if (share.channel >= channels) return;
    Channels<COUNT> layer(mean, variance, epsilon, scale, shift, share.channel);
    float direct[COUNT], slope[COUNT], constant[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        direct[i] = coefficients[share.channel + i];
        slope[i] = coefficients[channels + share.channel + i];
        constant[i] = coefficients[2 * channels + share.channel + i];
    }
    for_rows<2>(
        share,
        [&](unsigned row) {
            size_t index = at(row, share.channel, channels);
            return Sources<Pack>{load_pair<Pack>(x, relu ? residual : nullptr, index), load_pair<Pack>(gradient, nullptr, index)};
        },
        [&](unsigned row, const Sources<Pack> &sources) {
            float values[COUNT], residuals[COUNT], gradients[COUNT];
            unpack(sources.layer.first, values);
            if (relu && residual) unpack(sources.layer.second, residuals);
            unpack(sources.gradients.first, gradients);
            for (unsigned i = 0; i < COUNT; i++) {
                float before = layer.normalised(values[i], i);
                if (relu && residual) before += residuals[i];
                float g = relu && !(before > 0.0f) ? 0.0f : gradients[i];
                values[i] = direct[i] * g + ((values[i] - layer.centre[i]) * slope[i] + constant[i]);
            }
            store<Pack>(dx, at(row, share.channel, channels), values);
        });
}

#define BATCH_NORM(T, PACK, NAME)                                                                                                          \
    extern "C" __global__ void moments_##NAME(const T *x, Moments *partial, unsigned rows, unsigned channels, unsigned lanes) {            \
        moments<PACK>(x, partial, rows, channels, lanes);                                                                                  \
    }                                                                                                                                      \
    extern "C" __global__ void normalise_##NAME(const T *x, const float *mean, const float *variance, float epsilon, const float *scale,   \
                                                const float *shift, const T *residual, unsigned relu, T *y, unsigned rows,                 \
                                                unsigned channels, unsigned lanes) {                                                       \
        normalise<PACK>(x, mean, variance, epsilon, scale, shift, residual, relu, y, rows, channels, lanes);                               \
    }                                                                                                                                      \
    extern "C" __global__ void gradient_sums_##NAME(const T *x, const float *mean, const float *variance, float epsilon,                   \
                                                    const float *scale, const float *shift, const T *residual, unsigned relu,              \
                                                    const T *gradient, const T *other, T *masked, Sums *partial, unsigned rows,            \
                                                    unsigned channels, unsigned lanes) {                                                   \
        gradient_sums<PACK>(x, mean, variance, epsilon, scale, shift, residual, relu, gradient, other, masked, partial, rows, channels,    \
                            lanes);                                                                                                        \
    }                                                                                                                                      \
    extern "C" __global__ void input_gradient_##NAME(const T *x, const float *mean, const float *variance, float epsilon,                  \
                                                     const float *scale, const float *shift, const float *coefficients,                    \
                                                     const T *residual, unsigned relu, const T *gradient, T *dx, unsigned rows,            \
                                                     unsigned channels, unsigned lanes) {                                                  \
        input_gradient<PACK>(x, mean, variance, epsilon, scale, shift, coefficients, residual, relu, gradient, dx, rows, channels, lanes); \
    }

BATCH_NORM(float, One<float>, f32)
BATCH_NORM(float, Four, f32_wide)
BATCH_NORM(Bfloat16, One<Bfloat16>, bf16)
BATCH_NORM(Bfloat16, Eight, bf16_wide)
