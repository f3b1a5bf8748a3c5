/* What Winograd's products, F(2 x 2, 3 x 3), would gain in one layer: a sketch for docs/develop/performance.md, no part of the program.
 *
 *     for layer in "28 64 56" "14 128 56" "7 256 512" "4 512 128"; do set -- $layer
 *         gcc -O3 -march=native -DSIDE=$1 -DCHANNELS=$2 -DBLOCK=$3 one_layer.c -o one_layer && taskset -c 0 ./one_layer
 *     done
 *     RAYON_NUM_THREADS=1 taskset -c 0 cargo bench --locked -p kernels --bench kernels -- conv2d/b32    # our layers on the same core
 *
 * One core with AVX-512 takes 32 images of SIDE x SIDE x CHANNELS, channels last, through a 3 x 3 convolution to as many channels, with
 * images that are padded already and weights that are packed already: both would cost a real layer more. Prints the best pass of 30,
 * and the mean times of its three parts and of the weights' transform. Lavin and Gray, Fast Algorithms for Convolutional Neural
 * Networks, 2015, section 4.1. */

#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    IMAGES = 32,
    /* Tiles of 2 x 2 pixels in a row of an image, and the side of a padded image of whole tiles. */
    ROW = (SIDE + 1) / 2,
    PADDED = 2 * ROW + 2,
    TILES = IMAGES * ROW * ROW,
    /* Tiles that are multiplied at a time. */
    TOGETHER = 14,
    SPARE = BLOCK + TOGETHER,
};

typedef __m512 vector;

static float *images, *sums, *transformed, *products, *weights, *packed;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

/* B' d B of a tile of 4 x 4 pixels, each of its 16 numbers to a plane of its own. */
static void transform_input(const float *pixels, float *planes) {
    for (int c = 0; c < CHANNELS; c += 16) {
        vector d[4][4];
        for (int i = 0; i < 4; i++) {
            vector p[4];
            for (int j = 0; j < 4; j++) p[j] = _mm512_loadu_ps(pixels + (i * PADDED + j) * CHANNELS + c);
            d[i][0] = p[0] - p[2], d[i][1] = p[1] + p[2], d[i][2] = p[2] - p[1], d[i][3] = p[1] - p[3];
        }
        for (int j = 0; j < 4; j++) {
            vector v[4] = {d[0][j] - d[2][j], d[1][j] + d[2][j], d[2][j] - d[1][j], d[1][j] - d[3][j]};
            for (int i = 0; i < 4; i++) _mm512_storeu_ps(planes + (long)(4 * i + j) * SPARE * CHANNELS + c, v[i]);
        }
    }
}

/* A' m A of a tile's 16 products: 2 x 2 pixels. */
static void transform_output(const float *planes, float *pixels) {
    for (int c = 0; c < CHANNELS; c += 16) {
        vector s[2][4];
        for (int j = 0; j < 4; j++) {
            vector m[4];
            for (int i = 0; i < 4; i++) m[i] = _mm512_loadu_ps(planes + (long)(4 * i + j) * SPARE * CHANNELS + c);
            s[0][j] = m[0] + m[1] + m[2], s[1][j] = m[1] - m[2] - m[3];
        }
        for (int i = 0; i < 2; i++) {
            _mm512_storeu_ps(pixels + (2 * ROW * i) * CHANNELS + c, s[i][0] + s[i][1] + s[i][2]);
            _mm512_storeu_ps(pixels + (2 * ROW * i + 1) * CHANNELS + c, s[i][1] - s[i][2] - s[i][3]);
        }
    }
}

/* G g G' of all weights [3, 3, in, out], packed as [16, out / 32, in, 32]. */
static void transform_weights(void) {
    const vector half = _mm512_set1_ps(0.5f);
    for (int k = 0; k < CHANNELS; k++)
        for (int o = 0; o < CHANNELS; o += 16) {
            vector g[3][3], t[4][3];
            for (int i = 0; i < 9; i++) g[i / 3][i % 3] = _mm512_loadu_ps(weights + ((long)i * CHANNELS + k) * CHANNELS + o);
            for (int j = 0; j < 3; j++) {
                t[0][j] = g[0][j], t[3][j] = g[2][j];
                t[1][j] = half * (g[0][j] + g[1][j] + g[2][j]), t[2][j] = half * (g[0][j] - g[1][j] + g[2][j]);
            }
            for (int i = 0; i < 4; i++) {
                vector u[4] = {t[i][0], half * (t[i][0] + t[i][1] + t[i][2]), half * (t[i][0] - t[i][1] + t[i][2]), t[i][2]};
                for (int j = 0; j < 4; j++)
                    _mm512_storeu_ps(
                        packed + (((long)(4 * i + j) * (CHANNELS / 32) + o / 32) * CHANNELS + k) * 32 + o % 32, u[j]);
            }
        }
}

/* [14, in] times [in, 32]. */
static void multiply(const float *a, const float *b, float *out) {
    vector s[TOGETHER][2];
#pragma GCC unroll 14
    for (int i = 0; i < TOGETHER; i++) s[i][0] = s[i][1] = _mm512_setzero_ps();
    for (int k = 0; k < CHANNELS; k++) {
        vector left = _mm512_loadu_ps(b + k * 32), right = _mm512_loadu_ps(b + k * 32 + 16);
#pragma GCC unroll 14
        for (int i = 0; i < TOGETHER; i++) {
            vector x = _mm512_set1_ps(a[i * CHANNELS + k]);
            s[i][0] = _mm512_fmadd_ps(x, left, s[i][0]), s[i][1] = _mm512_fmadd_ps(x, right, s[i][1]);
        }
    }
#pragma GCC unroll 14
    for (int i = 0; i < TOGETHER; i++)
        _mm512_storeu_ps(out + i * CHANNELS, s[i][0]), _mm512_storeu_ps(out + i * CHANNELS + 16, s[i][1]);
}

static float *pixel_of(float *of, int side, int tile) {
    int image = tile / (ROW * ROW), row = tile / ROW % ROW, column = tile % ROW;
    return of + (((long)image * side + 2 * row) * side + 2 * column) * CHANNELS;
}

/* A pass; adds what its parts take to `parts`. */
static void forward(double parts[3]) {
    for (int first = 0; first < TILES; first += BLOCK) {
        int tiles = TILES - first < BLOCK ? TILES - first : BLOCK;
        double begun = now();
        for (int t = 0; t < tiles; t++)
            transform_input(pixel_of(images, PADDED, first + t), transformed + (long)t * CHANNELS);
        double multiplying = now();
        for (int f = 0; f < 16; f++)
            for (int o = 0; o < CHANNELS / 32; o++)
                for (int t = 0; t < tiles; t += TOGETHER)
                    multiply(
                        transformed + ((long)f * SPARE + t) * CHANNELS,
                        packed + ((long)f * (CHANNELS / 32) + o) * CHANNELS * 32,
                        products + ((long)f * SPARE + t) * CHANNELS + o * 32);
        double adding = now();
        for (int t = 0; t < tiles; t++)
            transform_output(products + (long)t * CHANNELS, pixel_of(sums, 2 * ROW, first + t));
        parts[0] += multiplying - begun, parts[1] += adding - multiplying, parts[2] += now() - adding;
    }
}

/* The largest difference to the definition of a convolution, in the first image. */
static float error(void) {
    float worst = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int o = 0; o < CHANNELS; o += 7) {
                double sum = 0;
                for (int i = 0; i < 9; i++)
                    for (int k = 0; k < CHANNELS; k++)
                        sum += (double)images[((y + i / 3) * PADDED + x + i % 3) * CHANNELS + k]
                            * weights[((long)i * CHANNELS + k) * CHANNELS + o];
                worst = fmaxf(worst, fabs(sum - sums[((long)y * 2 * ROW + x) * CHANNELS + o]));
            }
    return worst;
}

static float *numbers(long count, int drawn) {
    float *made = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!made) exit(1);
    for (long i = 0; i < count; i++) made[i] = drawn ? rand() / (float)RAND_MAX - 0.5f : 0;
    return made;
}

int main(void) {
    images = numbers((long)IMAGES * PADDED * PADDED * CHANNELS, 1);
    weights = numbers(9L * CHANNELS * CHANNELS, 1);
    sums = numbers((long)IMAGES * 4 * ROW * ROW * CHANNELS, 0);
    packed = numbers(16L * CHANNELS * CHANNELS, 0);
    transformed = numbers(16L * SPARE * CHANNELS, 0);
    products = numbers(16L * SPARE * CHANNELS, 0);
    enum { PASSES = 30 };
    double transforming = now();
    for (int i = 0; i < PASSES; i++) transform_weights();
    transforming = (now() - transforming) / PASSES;
    double best = 1e9, parts[3] = {0};
    for (int i = 0; i < PASSES; i++) {
        double begun = now();
        forward(parts);
        double took = now() - begun;
        best = took < best ? took : best;
    }
    double operations = 2.0 * IMAGES * SIDE * SIDE * 9 * CHANNELS * CHANNELS;
    printf("%d x %d x %d: best pass %.2f ms (%.0f GFLOP/s of the definition), in the mean input %.2f, products %.2f, output %.2f ms; "
           "weights %.2f ms; largest error %.1e\n",
        SIDE, SIDE, CHANNELS, best * 1e3, operations / best * 1e-9, parts[0] / PASSES * 1e3, parts[1] / PASSES * 1e3,
        parts[2] / PASSES * 1e3, transforming * 1e3, error());
}
