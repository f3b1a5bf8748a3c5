// All kernels as one module.
#include "batch_norm.cuh"
#include "optimiser.cuh"
#include "pooling.cuh"
#include "sampling.cuh"
#include "weights.cuh"
