// Batch normalisation with all that ResNet does elementwise between two convolutions: y = relu((x - mean) f scale + shift + residual),
// f = 1 / sqrt(variance + epsilon). Statistics, sums and parameters are float32 whatever the elements are.
//
// Where `mean` is null nothing is normalised: y = relu(x scale + shift + residual), batch norm in evaluation. A null `residual` is none.
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
template <class T>
__device__ inline void moments(const T *x, Moments *partial, unsigned rows, unsigned channels) {
    unsigned channel = channel_of_thread();
    Moments mine = {0.0f, 0.0f, 0.0f};
    if (channel < channels && first_row() < rows) {
        // Around the first value, so that a mean far from zero costs no accuracy.
        float origin = value_of(x[at(first_row(), channel, channels)]);
        float count = 0.0f, sum = 0.0f, squares = 0.0f;
#pragma unroll 4
        for (unsigned row = first_row(); row < rows; row += row_step()) {
            float deviation = value_of(x[at(row, channel, channels)]) - origin;
            count += 1.0f;
            sum += deviation;
            squares += deviation * deviation;
        }
        float mean = sum / count;
        mine = {count, origin + mean, squares - sum * mean};
    }
    mine = joined_rows(mine);
    if (threadIdx.y == 0 && channel < channels) partial[at(blockIdx.y, channel, channels)] = mine;
}

// Mean and biased variance of each channel, from those of `chunks` blocks.
extern "C" __global__ void moments_of_chunks(const Moments *partial, unsigned chunks, unsigned channels, float *mean, float *variance) {
    unsigned channel = channel_of_thread();
    Moments mine = {0.0f, 0.0f, 0.0f};
    if (channel < channels) {
        for (unsigned chunk = threadIdx.y; chunk < chunks; chunk += ROWS) mine = joined(mine, partial[at(chunk, channel, channels)]);
    }
    mine = joined_rows(mine);
    if (threadIdx.y == 0 && channel < channels) {
        mean[channel] = mine.mean;
        variance[channel] = mine.squares / mine.count;
    }
}

__device__ inline float factor_of(const float *variance, float epsilon, unsigned channel) {
    return variance ? 1.0f / sqrtf(variance[channel] + epsilon) : 1.0f;
}

template <class T>
__device__ inline void normalise(const T *x, const float *mean, const float *variance, float epsilon, const float *scale, const float *shift,
                                 const T *residual, unsigned relu, T *y, unsigned rows, unsigned channels) {
    unsigned channel = channel_of_thread();
    if (channel >= channels) return;
    float centre = mean ? mean[channel] : 0.0f;
    float slope = scale[channel] * factor_of(variance, epsilon, channel), constant = shift[channel];
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        size_t i = at(row, channel, channels);
        float value = (value_of(x[i]) - centre) * slope + constant;
        if (residual) value += value_of(residual[i]);
        // What is not a number stays none.
        if (relu && value < 0.0f) value = 0.0f;
        store(&y[i], value);
    }
}

// The gradient before the ReLU; a null `result` says that there was none.
template <class T>
__device__ inline float before_relu(const T *result, const T *gradient, size_t i) {
    return result && !(value_of(result[i]) > 0.0f) ? 0.0f : value_of(gradient[i]);
}

// Sums of the gradient before the ReLU, and of its product with the normalised input.
struct Sums {
    float gradient, product;
};

__device__ inline Sums joined(Sums a, Sums b) { return {a.gradient + b.gradient, a.product + b.product}; }

// Sums of each channel in the rows of a block: partial [gridDim.y, channels]. Where `masked` is not null, it becomes the gradient before
// the ReLU, which is the residual's.
template <class T>
__device__ inline void gradient_sums(const T *x, const float *mean, const float *variance, float epsilon, const T *result, const T *gradient,
                                     T *masked, Sums *partial, unsigned rows, unsigned channels) {
    unsigned channel = channel_of_thread();
    Sums mine = {0.0f, 0.0f};
    if (channel < channels) {
        float centre = mean ? mean[channel] : 0.0f;
#pragma unroll 4
        for (unsigned row = first_row(); row < rows; row += row_step()) {
            size_t i = at(row, channel, channels);
            float g = before_relu(result, gradient, i);
            if (masked) store(&masked[i], g);
            mine.gradient += g;
            mine.product += (value_of(x[i]) - centre) * g;
        }
        mine.product *= factor_of(variance, epsilon, channel);
    }
    mine = joined_rows(mine);
    if (threadIdx.y == 0 && channel < channels) partial[at(blockIdx.y, channel, channels)] = mine;
}

// The gradients of scale and shift, and [3, channels] coefficients of the input's: direct, slope and constant.
extern "C" __global__ void sums_of_chunks(const Sums *partial, unsigned chunks, unsigned rows, unsigned channels, const float *variance,
                                          float epsilon, const float *scale, float *of_scale, float *of_shift, float *coefficients) {
    unsigned channel = channel_of_thread();
    Sums mine = {0.0f, 0.0f};
    if (channel < channels) {
        for (unsigned chunk = threadIdx.y; chunk < chunks; chunk += ROWS) mine = joined(mine, partial[at(chunk, channel, channels)]);
    }
    mine = joined_rows(mine);
    if (threadIdx.y == 0 && channel < channels) {
        of_scale[channel] = mine.product;
        of_shift[channel] = mine.gradient;
        float factor = factor_of(variance, epsilon, channel), direct = scale[channel] * factor;
        // Through the batch's own statistics.
        float share = variance ? direct / static_cast<float>(rows) : 0.0f;
        coefficients[channel] = direct;
        coefficients[channels + channel] = -share * factor * mine.product;
        coefficients[2 * channels + channel] = -share * mine.gradient;
    }
}

// dx = direct g + slope (x - mean) + constant, g being the gradient before the ReLU.
template <class T>
__device__ inline void input_gradient(const T *x, const float *mean, const float *coefficients, const T *result, const T *gradient, T *dx,
                                      unsigned rows, unsigned channels) {
    unsigned channel = channel_of_thread();
    if (channel >= channels) return;
    float centre = mean ? mean[channel] : 0.0f;
    float direct = coefficients[channel], slope = coefficients[channels + channel], constant = coefficients[2 * channels + channel];
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        size_t i = at(row, channel, channels);
        float through_batch = (value_of(x[i]) - centre) * slope + constant;
        store(&dx[i], direct * before_relu(result, gradient, i) + through_batch);
    }
}

#define BATCH_NORM(T, NAME)                                                                                                                \
    extern "C" __global__ void moments_##NAME(const T *x, Moments *partial, unsigned rows, unsigned channels) {                            \
        moments(x, partial, rows, channels);                                                                                               \
    }                                                                                                                                      \
    extern "C" __global__ void normalise_##NAME(const T *x, const float *mean, const float *variance, float epsilon, const float *scale,   \
                                                const float *shift, const T *residual, unsigned relu, T *y, unsigned rows,                 \
                                                unsigned channels) {                                                                       \
        normalise(x, mean, variance, epsilon, scale, shift, residual, relu, y, rows, channels);                                            \
    }                                                                                                                                      \
    extern "C" __global__ void gradient_sums_##NAME(const T *x, const float *mean, const float *variance, float epsilon, const T *result,  \
                                                    const T *gradient, T *masked, Sums *partial, unsigned rows, unsigned channels) {       \
        gradient_sums(x, mean, variance, epsilon, result, gradient, masked, partial, rows, channels);                                      \
    }                                                                                                                                      \
    extern "C" __global__ void input_gradient_##NAME(const T *x, const float *mean, const float *coefficients, const T *result,            \
                                                     const T *gradient, T *dx, unsigned rows, unsigned channels) {                         \
        input_gradient(x, mean, coefficients, result, gradient, dx, rows, channels);                                                       \
    }

BATCH_NORM(float, f32)
BATCH_NORM(Bfloat16, bf16)
