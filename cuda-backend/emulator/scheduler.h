// The scheduler of the emulated device: blocks one after the other, the threads of a block in turns from barrier to
// barrier. One translation unit includes it, and after it the kernels.
#pragma once
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda.h"

#if defined(__x86_64__) && !defined(CONCORD_UCONTEXT)
__asm__(
    ".text\n"
    ".globl concord_emulated_switch\n"
    ".hidden concord_emulated_switch\n"
    ".type concord_emulated_switch,@function\n"
    "concord_emulated_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n");
#endif

namespace emulated {

thread_local u64 exchanged[1024];
thread_local u32 threads;

namespace {

enum class State : u8 { Ready, AtBlock, AtWarp, Done };

struct Fiber {
    Context context;
    State state;
};

struct SharedArray {
    int place;
    std::vector<u64> words;
};

// A launch in progress; blocks of one launch use the same fibers.
struct Scheduler {
    std::vector<Fiber> fibers;
    std::vector<u32> order;
    std::vector<SharedArray> shared;
    size_t arrays = 0;
    char* stacks = nullptr;
    Context scheduler;
    u32 current = 0;
    u64 random = 0;
    unsigned char poison = 0;
    void (*body)(void*) = nullptr;
    void* arguments = nullptr;
    char message[256] = {0};
    bool failed = false;

    ~Scheduler() {
        if (stacks) munmap(stacks, 1024 * STACK_BYTES);
    }
};

thread_local Scheduler S;

void leave(State state) {
    Fiber& fiber = S.fibers[S.current];
    fiber.state = state;
    change(fiber.context, S.scheduler);
}

void enter() {
    S.body(S.arguments);
    leave(State::Done);
    std::abort();  // a finished fiber is never continued
}

void say(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(S.message, sizeof S.message, format, arguments);
    va_end(arguments);
    S.failed = true;
}

void shuffle() {
    for (u32 i = threads; i > 1; --i) {
        S.random ^= S.random << 13;
        S.random ^= S.random >> 7;
        S.random ^= S.random << 17;
        std::swap(S.order[i - 1], S.order[S.random % i]);
    }
}

// Lets a warp go whose threads all wait for each other; false if they cannot meet.
bool release_warp(u32 first, bool& released) {
    u32 at_warp = 0, elsewhere = 0;
    for (u32 i = first; i < first + 32; ++i) {
        at_warp += S.fibers[i].state == State::AtWarp;
        elsewhere += S.fibers[i].state != State::AtWarp;
    }
    if (at_warp && elsewhere) return false;
    for (u32 i = first; at_warp && i < first + 32; ++i) S.fibers[i].state = State::Ready;
    released |= at_warp > 0;
    return true;
}

// Lets all threads go when they all wait at the barrier; a fault if some cannot come.
bool release_block() {
    u32 waiting = 0, done = 0;
    for (u32 i = 0; i < threads; ++i) {
        waiting += S.fibers[i].state == State::AtBlock;
        done += S.fibers[i].state == State::Done;
    }
    if (!waiting) return done < threads;
    if (waiting < threads) {
        say("barrier divergence: %u of %u threads of block (%u, %u) wait at a barrier, %u have returned", waiting,
            threads, blockIdx.x, blockIdx.y, done);
        return false;
    }
    for (u32 i = 0; i < threads; ++i) S.fibers[i].state = State::Ready;
    return true;
}

// One turn for every thread that can run, then barriers are opened.
bool turn() {
    if (S.random) shuffle();
    for (u32 o = 0; o < threads && !S.failed; ++o) {
        Fiber& fiber = S.fibers[S.order[o]];
        if (fiber.state != State::Ready) continue;
        S.current = S.order[o];
        threadIdx = {S.current, 0, 0};
        change(S.scheduler, fiber.context);
    }
    bool released = false;
    for (u32 warp = 0; warp < threads && !S.failed; warp += 32) {
        if (!release_warp(warp, released)) say("warp divergence: not all threads of warp %u reach a shuffle", warp / 32);
    }
    return !S.failed && (released || release_block());
}

void run_block() {
    S.arrays = 0;
    for (u32 i = 0; i < threads; ++i) {
        prepare(S.fibers[i].context, S.stacks + i * STACK_BYTES, &enter);
        S.fibers[i].state = State::Ready;
        S.order[i] = i;
    }
    while (turn()) {
    }
}

}  // namespace

void wait_for_block() { leave(State::AtBlock); }
void wait_for_warp() { leave(State::AtWarp); }

void fault(const char* format, ...) {
    char what[160];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    say("%s, by thread %u of block (%u, %u)", what, threadIdx.x, blockIdx.x, blockIdx.y);
    leave(State::Done);
    std::abort();
}

void* shared(int place, size_t bytes) {
    for (size_t i = 0; i < S.arrays; ++i) {
        if (S.shared[i].place == place) return S.shared[i].words.data();
    }
    if (S.arrays == S.shared.size()) S.shared.emplace_back();
    SharedArray& array = S.shared[S.arrays++];
    array.place = place;
    array.words.resize((bytes + 7) / 8);
    std::memset(array.words.data(), S.poison, array.words.size() * 8);
    return array.words.data();
}

// An argument as the host passes it: 8 bytes, and for a buffer how long it is.
struct Argument {
    u64 bits;
    u64 bytes;
};

template <class T>
struct Read {
    static T from(const Argument& argument) {
        static_assert(sizeof(T) == 8, "a kernel argument has 8 bytes");
        T value;
        std::memcpy(&value, &argument.bits, sizeof value);
        return value;
    }
};
template <class T>
struct Read<Array<T>> {
    static Array<T> from(const Argument& argument) {
        return Array<T>(reinterpret_cast<void*>(argument.bits), argument.bytes);
    }
};

template <class... A>
struct Bound {
    void (*kernel)(A...);
    std::tuple<A...> arguments;
    static void call(void* bound) {
        Bound& self = *static_cast<Bound*>(bound);
        std::apply(self.kernel, self.arguments);
    }
};

template <class... A, size_t... I>
void all_blocks(void (*kernel)(A...), const Argument* arguments, size_t count, std::index_sequence<I...>) {
    if (count != sizeof...(A)) return say("the kernel takes %zu arguments, got %zu", sizeof...(A), count);
    Bound<A...> bound{kernel, {Read<A>::from(arguments[I])...}};
    S.body = &Bound<A...>::call;
    S.arguments = &bound;
    for (u32 y = 0; y < gridDim.y; ++y) {
        for (u32 x = 0; x < gridDim.x && !S.failed; ++x) {
            blockIdx = {x, y, 0};
            run_block();
        }
    }
}

template <class... A>
void launch(void (*kernel)(A...), const Argument* arguments, size_t count) {
    all_blocks(kernel, arguments, count, std::index_sequence_for<A...>{});
}

bool start(u32 block, u64 seed, unsigned char poison) {
    S.failed = false;
    S.random = seed;
    S.poison = poison;
    threads = block;
    if (block == 0 || block > 1024 || block % 32) {
        say("a block of %u threads, expected a multiple of 32 up to 1024", block);
        return false;
    }
    if (!S.stacks) {
        void* stacks = mmap(nullptr, 1024 * STACK_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stacks == MAP_FAILED) {
            say("no memory for the stacks of 1024 threads");
            return false;
        }
        S.stacks = static_cast<char*>(stacks);
        S.fibers.resize(1024);
        S.order.resize(1024);
    }
    return true;
}

}  // namespace emulated

// Runs all blocks of the kernel that `find` knows by its name. Returns 0, or 1 with the reason in `message`.
namespace emulated {

typedef bool (*Find)(const char* name, const Argument* arguments, size_t count);

inline int run(Find find, const char* name, u32 across, u32 down, u32 block, const Argument* arguments, size_t count,
               u64 seed, unsigned char poison, char* message, size_t capacity) {
    if (start(block, seed, poison)) {
        blockDim = {block, 1, 1};
        gridDim = {across, down, 1};
        if (!find(name, arguments, count)) say("there is no kernel `%s`", name);
    }
    std::snprintf(message, capacity, "%s", S.failed ? S.message : "");
    return S.failed ? 1 : 0;
}

}  // namespace emulated

// Launches `kernel` if it has the name, inside a function of type Find.
#define TRY(kernel)                                          \
    if (!std::strcmp(name, #kernel)) {                       \
        emulated::launch(&kernel, arguments, count);         \
        return true;                                         \
    }
