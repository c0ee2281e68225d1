// The emulated device: every kernel, and the one entry point that Rust calls.
#include "scheduler.h"

#include "../kernels/permutations.cu"
#include "../kernels/autocorr.cu"
#include "../kernels/cooc.cu"
#include "../kernels/ligrec.cu"

static bool find(const char* name, const emulated::Argument* arguments, size_t count) {
    KERNELS(TRY)
    return false;
}

extern "C" int concord_emulated_launch(const char* name, u32 across, u32 down, u32 block,
                                       const emulated::Argument* arguments, size_t count, u64 seed,
                                       unsigned char poison, char* message, size_t capacity) {
    return emulated::run(&find, name, across, down, block, arguments, count, seed, poison, message, capacity);
}
