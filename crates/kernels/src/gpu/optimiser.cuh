// One step of an optimiser for all parameters in one launch; the formulas are those of rule.rs.
#pragma once
#include "common.cuh"

// Elements that a block changes.
constexpr unsigned CHUNK = 4096;

// A parameter with its gradient and what the rule remembers of it; `second` may be null. Its blocks are those from `first_chunk` on.
struct Parameter {
    float *values;
    const float *gradient;
    float *first;
    float *second;
    unsigned elements;
    unsigned first_chunk;
    // Added to the gradient per unit of the parameter; what remains of the parameter before the update.
    float coupled_decay;
    float kept;
};

// The last parameter whose first chunk is not behind this block.
__device__ inline Parameter parameter_of_block(const Parameter *parameters, unsigned count) {
    unsigned low = 0, high = count;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (parameters[middle].first_chunk <= blockIdx.x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return parameters[low];
}

template <class Rule>
__device__ inline void step(const Parameter *parameters, unsigned count, Rule rule) {
    Parameter p = parameter_of_block(parameters, count);
    unsigned start = (blockIdx.x - p.first_chunk) * CHUNK;
    unsigned end = p.elements - start < CHUNK ? p.elements : start + CHUNK;
    for (unsigned i = start + threadIdx.y * COLUMNS + threadIdx.x; i < end; i += ROWS * COLUMNS) {
        float gradient = p.gradient[i] + p.coupled_decay * p.values[i];
        rule(p, i, gradient);
    }
}

struct Sgd {
    float rate, momentum;
    __device__ inline void operator()(Parameter p, unsigned i, float gradient) const {
        float velocity = momentum * p.first[i] + gradient;
        p.first[i] = velocity;
        p.values[i] -= rate * velocity;
    }
};

struct RmsProp {
    float rate, alpha, rest, momentum, epsilon;
    __device__ inline void operator()(Parameter p, unsigned i, float gradient) const {
        float square = alpha * p.first[i] + rest * gradient * gradient;
        float velocity = momentum * p.second[i] + gradient / (sqrtf(square) + epsilon);
        p.first[i] = square;
        p.second[i] = velocity;
        p.values[i] -= rate * velocity;
    }
};

struct Adam {
    float rate, first_rest, second_beta, second_rest, root, epsilon;
    __device__ inline void operator()(Parameter p, unsigned i, float gradient) const {
        float mean = p.first[i] + first_rest * (gradient - p.first[i]);
        float square = second_beta * p.second[i] + second_rest * gradient * gradient;
        p.first[i] = mean;
        p.second[i] = square;
        p.values[i] = p.kept * p.values[i] - rate * mean / (sqrtf(square) / root + epsilon);
    }
};

extern "C" __global__ void sgd_step(const Parameter *parameters, unsigned count, float rate, float momentum) {
    step(parameters, count, Sgd{rate, momentum});
}

extern "C" __global__ void rms_prop_step(const Parameter *parameters, unsigned count, float rate, float alpha, float rest, float momentum,
                                         float epsilon) {
    step(parameters, count, RmsProp{rate, alpha, rest, momentum, epsilon});
}

extern "C" __global__ void adam_step(const Parameter *parameters, unsigned count, float rate, float first_rest, float second_beta,
                                     float second_rest, float root, float epsilon) {
    step(parameters, count, Adam{rate, first_rest, second_beta, second_rest, root, epsilon});
}
