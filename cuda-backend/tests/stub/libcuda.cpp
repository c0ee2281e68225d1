// A driver and a compiler that are none: the entry points of libcuda and NVRTC that `src/cuda` calls, over host memory, with
// the kernels of the emulated device. It checks handles, counts what is alive, and fails where it is told to.
#include "scheduler.h"

#include <map>
#include <set>
#include <string>

namespace stub {

struct Kernel {
    const char* name;
    bool (*run)(void** parameters);
};

std::map<u64, size_t> memory, pinned;
std::set<u64> streams, events, modules;
u64 next_handle = 1, contexts = 0, leaked = 0;
std::string fails;
int fails_after = 0, fails_with = 0, lost = 0, major = 9, compile_status = 0;
std::string log_text = "broken.cu(1): error", source_name;

int enter(const char* name) {
    if (lost) return lost;
    if (fails != name || fails_after-- > 0) return 0;
    fails.clear();
    if (fails_with >= 700) lost = fails_with;
    return fails_with;
}

size_t alive() { return memory.size() + pinned.size() + streams.size() + events.size() + modules.size() + contexts; }

// Buffers are told by their address, and are as long as their allocation.
template <class... A>
bool call(void (*kernel)(A...), void** parameters) {
    emulated::Argument arguments[sizeof...(A)];
    for (size_t i = 0; i < sizeof...(A); ++i) {
        u64 bits;
        std::memcpy(&bits, parameters[i], sizeof bits);
        const auto found = memory.find(bits);
        arguments[i] = {bits, found == memory.end() ? 0 : found->second};
    }
    emulated::launch(kernel, arguments, sizeof...(A));
    return true;
}

}  // namespace stub

#include "../kernels/permutations.cu"
#include "../kernels/autocorr.cu"
#include "../kernels/cooc.cu"
#include "../kernels/ligrec.cu"

namespace stub {
#define ENTRY(kernel) {#kernel, [](void** parameters) { return call(&kernel, parameters); }},
Kernel kernels[] = {KERNELS(ENTRY)};
void** parameters_now;
Kernel* kernel_now;
bool run_now(const char*, const emulated::Argument*, size_t) { return kernel_now->run(parameters_now); }
void* fresh(size_t bytes) {
    void* start = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    std::memset(start, 0xAA, (bytes + 255) / 256 * 256);
    return start;
}
}  // namespace stub

using namespace stub;
#define API(name, ...) extern "C" int name(__VA_ARGS__)
#define ENTER(name) if (int code = enter(#name)) return code
#define KNOWN(set, handle) if (!set.count((u64)(handle))) return 400

extern "C" void stub_fail(const char* name, int after, int code) { fails = name, fails_after = after, fails_with = code; }
extern "C" void stub_capability(int to) { major = to; }
extern "C" u64 stub_alive() { return alive(); }
extern "C" u64 stub_leaked() { return leaked; }

API(cuInit, u32) { ENTER(cuInit); return 0; }
API(cuDeviceGet, int* device, int) { ENTER(cuDeviceGet); *device = 0; return 0; }
API(cuDeviceGetName, char* name, int length, int) { std::snprintf(name, length, "stub"); return 0; }
API(cuDeviceGetAttribute, int* value, int which, int) { *value = which == 75 ? major : 0; return 0; }
API(cuDriverGetVersion, int* version) { *version = 12040; return 0; }
API(cuGetErrorName, int, const char** name) { *name = "ERROR"; return 0; }
API(cuGetErrorString, int, const char** text) { *text = "error"; return 0; }
API(cuDevicePrimaryCtxRetain, void** context, int) {
    lost = 0;
    ENTER(cuDevicePrimaryCtxRetain);
    contexts += 1;
    *context = &contexts;
    return 0;
}
// The last release takes everything with it; what was forgotten counts as leaked, unless the device was lost.
API(cuDevicePrimaryCtxRelease_v2, int) {
    if (contexts == 0) return 201;
    contexts -= 1;
    if (contexts) return 0;
    if (!lost) leaked += alive();
    for (auto& entry : memory) std::free((void*)entry.first);
    for (auto& entry : pinned) std::free((void*)entry.first);
    memory.clear(), pinned.clear(), streams.clear(), events.clear(), modules.clear();
    lost = 0;
    return 0;
}
API(cuCtxSetCurrent, void* context) { ENTER(cuCtxSetCurrent); return context == &contexts ? 0 : 201; }
API(cuMemGetInfo_v2, size_t* left, size_t* total) { *left = *total = 64 << 20; return 0; }
API(cuMemAlloc_v2, u64* address, size_t bytes) {
    ENTER(cuMemAlloc_v2);
    *address = (u64)fresh(bytes);
    memory[*address] = bytes;
    return 0;
}
API(cuMemFree_v2, u64 address) { ENTER(cuMemFree_v2); KNOWN(memory, address); memory.erase(address); std::free((void*)address); return 0; }
API(cuMemHostAlloc, void** address, size_t bytes, u32) {
    ENTER(cuMemHostAlloc);
    *address = fresh(bytes);
    pinned[(u64)*address] = bytes;
    return 0;
}
API(cuMemFreeHost, void* address) { ENTER(cuMemFreeHost); KNOWN(pinned, address); pinned.erase((u64)address); std::free(address); return 0; }
API(cuMemcpyHtoDAsync_v2, u64 to, const void* from, size_t bytes, void* stream) {
    ENTER(cuMemcpyHtoDAsync_v2);
    KNOWN(streams, stream);
    std::memcpy((void*)to, from, bytes);
    return 0;
}
API(cuMemcpyDtoHAsync_v2, void* to, u64 from, size_t bytes, void* stream) {
    ENTER(cuMemcpyDtoHAsync_v2);
    KNOWN(streams, stream);
    std::memcpy(to, (void*)from, bytes);
    return 0;
}
API(cuMemsetD8Async, u64 to, unsigned char byte, size_t bytes, void* stream) {
    ENTER(cuMemsetD8Async);
    KNOWN(streams, stream);
    std::memset((void*)to, byte, bytes);
    return 0;
}
API(cuStreamCreate, void** stream, u32) { ENTER(cuStreamCreate); *stream = (void*)next_handle; streams.insert(next_handle++); return 0; }
API(cuStreamDestroy_v2, void* stream) { ENTER(cuStreamDestroy_v2); KNOWN(streams, stream); streams.erase((u64)stream); return 0; }
API(cuStreamWaitEvent, void* stream, void* event, u32) { ENTER(cuStreamWaitEvent); KNOWN(streams, stream); KNOWN(events, event); return 0; }
API(cuEventCreate, void** event, u32) { ENTER(cuEventCreate); *event = (void*)next_handle; events.insert(next_handle++); return 0; }
API(cuEventRecord, void* event, void* stream) { ENTER(cuEventRecord); KNOWN(streams, stream); KNOWN(events, event); return 0; }
API(cuEventSynchronize, void* event) { ENTER(cuEventSynchronize); KNOWN(events, event); return 0; }
API(cuEventQuery, void* event) { ENTER(cuEventQuery); KNOWN(events, event); return 0; }
API(cuEventElapsedTime, float* time, void* from, void* to) { KNOWN(events, from); KNOWN(events, to); *time = 0.5f; return 0; }
API(cuEventDestroy_v2, void* event) { ENTER(cuEventDestroy_v2); KNOWN(events, event); events.erase((u64)event); return 0; }
API(cuModuleLoadData, void** module, const void*) { ENTER(cuModuleLoadData); *module = (void*)next_handle; modules.insert(next_handle++); return 0; }
API(cuModuleUnload, void* module) { ENTER(cuModuleUnload); KNOWN(modules, module); modules.erase((u64)module); return 0; }
API(cuModuleGetFunction, void** function, void* module, const char* name) {
    ENTER(cuModuleGetFunction);
    KNOWN(modules, module);
    for (Kernel& kernel : kernels) {
        if (!std::strcmp(kernel.name, name)) *function = &kernel;
    }
    return *function ? 0 : 500;
}
API(cuLaunchKernel, void* function, u32 gx, u32 gy, u32, u32 block, u32, u32, u32, void* stream, void** parameters, void**) {
    ENTER(cuLaunchKernel);
    KNOWN(streams, stream);
    kernel_now = (Kernel*)function;
    parameters_now = parameters;
    char message[256];
    if (emulated::run(&run_now, kernel_now->name, gx, gy, block, nullptr, 0, 0, 0xAA, message, sizeof message)) {
        std::fprintf(stderr, "stub: %s\n", message);
        lost = 719;
    }
    return 0;
}

API(nvrtcVersion, int* major_version, int* minor_version) { *major_version = 12, *minor_version = 4; return 0; }
API(nvrtcCreateProgram, void** program, const char*, const char*, int, const char* const*, const char* const*) { *program = &log_text; return 0; }
API(nvrtcDestroyProgram, void**) { return 0; }
API(nvrtcCompileProgram, void*, int, const char* const*) { return compile_status; }
API(nvrtcGetProgramLogSize, void*, size_t* size) { *size = log_text.size() + 1; return 0; }
API(nvrtcGetProgramLog, void*, char* log) { std::memcpy(log, log_text.c_str(), log_text.size() + 1); return 0; }
API(nvrtcGetCUBINSize, void*, size_t* size) { *size = 4; return 0; }
API(nvrtcGetCUBIN, void*, char* cubin) { std::memcpy(cubin, "stub", 4); return 0; }
API(nvrtcGetPTXSize, void*, size_t* size) { *size = 1; return 0; }
API(nvrtcGetPTX, void*, char* ptx) { *ptx = 0; return 0; }
extern "C" void stub_compiles(int status, const char* log) { compile_status = status, log_text = log; }
