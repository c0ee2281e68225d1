// One CUDA thread is one fiber: a stack of its own and a switch that saves what the ABI asks to keep.
#pragma once
#include <cstddef>
#include <cstdint>

namespace emulated {

constexpr size_t STACK_BYTES = 32 << 10;

#if defined(__x86_64__) && !defined(CONCORD_UCONTEXT)

struct Context {
    void* stack_pointer = nullptr;
};

// Pushes the callee-saved registers, stores the stack pointer in *save and continues at load.
extern "C" void concord_emulated_switch(void** save, void* load);

inline void change(Context& from, Context& to) {
    concord_emulated_switch(&from.stack_pointer, to.stack_pointer);
}

inline void prepare(Context& fiber, char* stack, void (*entry)()) {
    // Entered by `ret`, a function expects the stack pointer 8 below a multiple of 16.
    uint64_t* top = reinterpret_cast<uint64_t*>(stack + STACK_BYTES);
    *--top = 0;
    *--top = reinterpret_cast<uint64_t>(entry);
    for (int callee_saved = 0; callee_saved < 6; ++callee_saved) *--top = 0;
    fiber.stack_pointer = top;
}

#else

}  // namespace emulated
#include <ucontext.h>
namespace emulated {

// Portable and slow: every switch asks the system for the signal mask.
struct Context {
    ucontext_t state;
};

inline void change(Context& from, Context& to) { swapcontext(&from.state, &to.state); }

inline void prepare(Context& fiber, char* stack, void (*entry)()) {
    getcontext(&fiber.state);
    fiber.state.uc_stack.ss_sp = stack;
    fiber.state.uc_stack.ss_size = STACK_BYTES;
    fiber.state.uc_link = nullptr;
    makecontext(&fiber.state, entry, 0);
}

#endif

}  // namespace emulated
