// Runs the kernels on a CPU: every thread of a block is a context of its own, and a block goes from barrier to barrier.
#include "shim.h"

#include "kernels.cu"

#include <functional>
#include <map>
#include <setjmp.h>
#include <string>
#include <ucontext.h>
#include <utility>

Index threadIdx, blockIdx, gridDim;

namespace {

constexpr unsigned THREADS = COLUMNS * ROWS;
constexpr size_t STACK = 64 << 10;

using Work = std::function<void()>;

// A kernel that takes its arguments as the driver does: pointers to each.
struct Kernel {
    size_t arguments;
    std::function<Work(void **)> bind;
};

template <class... A, size_t... I>
Kernel kernel(void (*function)(A...), std::index_sequence<I...>) {
    return {sizeof...(A), [function](void **arguments) -> Work {
                return [function, arguments] { function(*static_cast<A *>(arguments[I])...); };
            }};
}

template <class... A>
Kernel kernel(void (*function)(A...)) {
    return kernel(function, std::index_sequence_for<A...>{});
}

#define ONE(NAME) {#NAME, kernel(NAME)}
#define BOTH(NAME) ONE(NAME##_f32), ONE(NAME##_bf16)
#define WIDE(NAME) BOTH(NAME), ONE(NAME##_f32_wide), ONE(NAME##_bf16_wide)

const std::map<std::string, Kernel> kernels = {
    WIDE(moments),      ONE(moments_of_chunks),      WIDE(normalise), WIDE(gradient_sums),     ONE(sums_of_chunks), WIDE(input_gradient),
    BOTH(average_pool), BOTH(average_pool_gradient), WIDE(max_pool),  WIDE(max_pool_gradient), BOTH(pack_weight),   BOTH(unpack_weight),
    ONE(sgd_step),      ONE(rms_prop_step),          ONE(adam_step),   ONE(sample_views),       ONE(blur_columns),   ONE(blur_rows),
};

jmp_buf scheduler, threads[THREADS];
char stacks[THREADS][STACK];
bool started[THREADS], done[THREADS];
unsigned current;
Work work;

// Back to the scheduler. A thread is left and entered by _longjmp: swapcontext asks the system for the signal mask each time, which took
// most of the tests' time.
__attribute__((noinline)) void leave() {
    if (_setjmp(threads[current]) == 0) _longjmp(scheduler, 1);
}

// One block's work after another.
void run_thread() {
    for (;;) {
        work();
        done[current] = true;
        leave();
    }
}

// Runs a thread of the block to its next barrier or its end.
__attribute__((noinline)) void enter(unsigned thread) {
    current = thread;
    threadIdx = {thread % COLUMNS, thread / COLUMNS};
    if (_setjmp(scheduler) != 0) return;
    if (started[thread]) _longjmp(threads[thread], 1);
    started[thread] = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = stacks[thread];
    context.uc_stack.ss_size = STACK;
    context.uc_link = nullptr;
    makecontext(&context, run_thread, 0);
    setcontext(&context);
}

// From barrier to barrier, the threads in ascending or descending order. False where some threads of a block end while others wait.
bool run_block(bool descending) {
    for (bool &ended : done) ended = false;
    for (unsigned finished = 0; finished == 0;) {
        for (unsigned step = 0; step < THREADS; step++) {
            unsigned thread = descending ? THREADS - 1 - step : step;
            enter(thread);
            finished += done[thread];
        }
        if (finished != 0 && finished != THREADS) {
            // Those that wait are given up in the middle of their work.
            for (bool &begun : started) begun = false;
            return false;
        }
    }
    return true;
}

}  // namespace

void __syncthreads() { leave(); }

// 0, or 1 for an unknown kernel, 2 for a wrong number of arguments, 3 for a barrier that not all threads of a block reach.
extern "C" int run_kernel(const char *name, unsigned columns, unsigned rows, void **arguments, size_t count, bool descending) {
    auto found = kernels.find(name);
    if (found == kernels.end()) return 1;
    if (found->second.arguments != count) return 2;
    work = found->second.bind(arguments);
    gridDim = {columns, rows};
    for (unsigned y = 0; y < rows; y++) {
        for (unsigned x = 0; x < columns; x++) {
            blockIdx = {x, y};
            if (!run_block(descending)) return 3;
        }
    }
    return 0;
}
