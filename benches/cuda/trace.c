// Writes down what a GPU does in a program, through CUPTI: for each kernel and copy a line of start and end in nanoseconds, stream,
// registers a thread, grid, and name, with tabs between. The driver loads it where CUDA_INJECTION64_PATH names it; TRACE_OUT is the file.
// `profile.py` reads it.
#include <cupti.h>
#include <stdio.h>
#include <stdlib.h>

#if CUPTI_API_VERSION >= 130000
typedef CUpti_ActivityKernel10 Kernel;
typedef CUpti_ActivityMemcpy6 Copy;
#else
typedef CUpti_ActivityKernel9 Kernel;
typedef CUpti_ActivityMemcpy5 Copy;
#endif

static FILE *out;

static void give_buffer(uint8_t **buffer, size_t *size, size_t *most_records) {
    *size = 8 << 20;
    *buffer = aligned_alloc(8, *size);
    *most_records = 0;
}

static void line(uint64_t start, uint64_t end, unsigned stream, unsigned registers, const char *what, const char *name) {
    fprintf(out, "%llu\t%llu\t%u\t%u\t%s\t%s\n", (unsigned long long)start, (unsigned long long)end, stream, registers, what, name);
}

static void take_buffer(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid) {
    (void)context, (void)stream, (void)size;
    CUpti_Activity *record = NULL;
    char what[64];
    while (cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
        if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
            const Kernel *kernel = (const Kernel *)record;
            snprintf(what, sizeof what, "%dx%dx%d", kernel->gridX, kernel->gridY, kernel->gridZ);
            line(kernel->start, kernel->end, kernel->streamId, kernel->registersPerThread, what, kernel->name);
        } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMCPY) {
            const Copy *copy = (const Copy *)record;
            snprintf(what, sizeof what, "%llu bytes", (unsigned long long)copy->bytes);
            line(copy->start, copy->end, copy->streamId, 0, what, "copy");
        }
    }
    free(buffer);
}

static void finish(void) {
    cuptiActivityFlushAll(1);
    fclose(out);
}

// The driver calls this once, before anything else is done.
int InitializeInjection(void) {
    const char *path = getenv("TRACE_OUT");
    out = path ? fopen(path, "w") : NULL;
    if (!out) {
        fprintf(stderr, "trace: TRACE_OUT names no file that can be written\n");
        return 0;
    }
    cuptiActivityRegisterCallbacks(give_buffer, take_buffer);
    cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    cuptiActivityEnable(CUPTI_ACTIVITY_KIND_MEMCPY);
    atexit(finish);
    return 1;
}
