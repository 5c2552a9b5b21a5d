// A `libcuda` whose device is this machine's processor: it takes what NVIDIA's driver takes and runs kernels under the emulator.
//
// It is stricter than a driver where it can be: every call needs the context current on its thread; work of a stream waits until it is
// waited for, so that memory which is changed or freed too early shows; a capture refuses what cannot be captured.
//   EMULATED_KERNELS  libraries of kernels, with a colon between two
//   EMULATED_VERSION  what CUDA it serves, as 12020
//   EMULATED_MEMORY   bytes of the device
//   EMULATED_LOADING, EMULATED_LAUNCHING  codes with which it refuses modules and launches
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, NOT_FOUND = 500,
       LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900 };
typedef std::vector<std::function<int()>> Work;
typedef const char* (*Launch)(void*, const void*, const unsigned*, const unsigned*, size_t, int);
struct Kernel { void* entry; Launch launch; size_t bytes; int shared; };

static int device, stream, capturing;
static thread_local bool current;
static Work waiting, captured;
static std::map<uint64_t, size_t> memory;
static int failed;

static long from_environment(const char* name, long otherwise) {
    const char* text = getenv(name);
    return text ? atol(text) : otherwise;
}

// Performs what waits; what fails shows from then on, as on a device.
static int settle() {
    Work work;
    work.swap(waiting);
    for (auto& step : work)
        if (!failed) failed = step();
    return failed;
}

static int enqueue(std::function<int()> step) {
    if (!current) return INVALID_CONTEXT;
    (capturing ? captured : waiting).push_back(step);
    return failed;
}

#define NEEDS_CONTEXT if (!current) return INVALID_CONTEXT
#define NOT_CAPTURED NEEDS_CONTEXT; if (capturing) return CAPTURE_UNSUPPORTED

extern "C" {
int cuInit(unsigned) { return OK; }
int cuDriverGetVersion(int* version) { return *version = from_environment("EMULATED_VERSION", 12020), OK; }
int cuGetErrorName(int, const char** name) { return *name = "an emulated error", OK; }
int cuGetErrorString(int, const char** text) { return *text = "an emulated error", OK; }
int cuDeviceGetCount(int* count) { return *count = 1, OK; }
int cuDeviceGet(int* to, int ordinal) { return *to = ordinal, ordinal == 0 ? OK : INVALID_DEVICE; }
int cuDeviceGetName(char* name, int length, int) { return snprintf(name, length, "an emulated device"), OK; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
    *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 8 : -1;
    return *value < 0 ? INVALID_VALUE : OK;
}
int cuDevicePrimaryCtxRetain(void** context, int) { return *context = &device, OK; }
int cuDevicePrimaryCtxRelease_v2(int) { return OK; }
int cuCtxSetCurrent(void* context) { return current = context == &device, current ? OK : INVALID_CONTEXT; }

int cuStreamCreate(void** to, unsigned) { NEEDS_CONTEXT; return *to = &stream, OK; }
int cuStreamDestroy_v2(void*) { NEEDS_CONTEXT; return settle(); }
int cuStreamSynchronize(void*) { NOT_CAPTURED; return settle(); }
int cuStreamWaitEvent(void*, void*, unsigned) { NOT_CAPTURED; return OK; }
int cuEventCreate(void** event, unsigned) { NEEDS_CONTEXT; return *event = new size_t(0), OK; }
int cuEventRecord(void*, void*) { NOT_CAPTURED; return OK; }
int cuEventSynchronize(void*) { NOT_CAPTURED; return settle(); }
int cuEventElapsedTime(float* to, void*, void*) { NEEDS_CONTEXT; return *to = 1.0f, settle(); }
int cuEventDestroy_v2(void* event) { NEEDS_CONTEXT; return delete (size_t*)event, OK; }

int cuMemGetInfo_v2(size_t* free, size_t* total) {
    NEEDS_CONTEXT;
    *total = from_environment("EMULATED_MEMORY", 1l << 30), *free = *total;
    for (auto& piece : memory) *free -= piece.second;
    return OK;
}
int cuMemAlloc_v2(uint64_t* to, size_t bytes) {
    NOT_CAPTURED;
    size_t free, total;
    cuMemGetInfo_v2(&free, &total);
    if (bytes > free) return OUT_OF_MEMORY;
    *to = (uint64_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
    memset((void*)*to, 0xff, bytes);
    return memory[*to] = bytes, OK;
}
int cuMemFree_v2(uint64_t at) {
    NEEDS_CONTEXT;
    settle();
    if (!memory.erase(at)) return INVALID_VALUE;
    return free((void*)at), OK;
}
int cuMemHostAlloc(void** to, size_t bytes, unsigned) { NOT_CAPTURED; return *to = malloc(bytes), OK; }
int cuMemFreeHost(void* at) { NEEDS_CONTEXT; return settle(), free(at), OK; }
int cuMemsetD8Async(uint64_t at, unsigned char value, size_t bytes, void*) {
    return enqueue([=] { return memset((void*)at, value, bytes), OK; });
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void*) {
    NOT_CAPTURED;
    return enqueue([=] { return memcpy((void*)to, from, bytes), OK; });
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void*) {
    NOT_CAPTURED;
    return enqueue([=] { return memcpy(to, (void*)from, bytes), OK; });
}

int cuModuleLoadData(void** module, const char* image) {
    NEEDS_CONTEXT;
    const bool is_known = !memcmp(image, "\x7f" "ELF", 4) || strstr(image, ".version");
    return *module = &device, is_known ? from_environment("EMULATED_LOADING", OK) : INVALID_IMAGE;
}
int cuModuleUnload(void*) { NEEDS_CONTEXT; return settle(); }
int cuStreamQuery(void* stream) { return cuStreamSynchronize(stream); }
int cuModuleGetFunction(void** function, void*, const char* name) {
    NEEDS_CONTEXT;
    const std::string paths = getenv("EMULATED_KERNELS") ? getenv("EMULATED_KERNELS") : "";
    for (size_t start = 0; start < paths.size();) {
        const size_t end = paths.find(':', start) == std::string::npos ? paths.size() : paths.find(':', start);
        void* const library = dlopen(paths.substr(start, end - start).c_str(), RTLD_NOW | RTLD_LOCAL);
        void* const entry = library ? dlsym(library, name) : nullptr;
        const std::string size = std::string(name) + "_size";
        if (entry) return *function = new Kernel{entry, (Launch)dlsym(library, "emulator_launch"), *(size_t*)dlsym(library, size.c_str()), 48 << 10}, OK;
        start = end + 1;
    }
    return NOT_FOUND;
}
int cuFuncSetAttribute(void* function, int attribute, int value) {
    NEEDS_CONTEXT;
    if (attribute != 8 || value > 227 << 10) return INVALID_VALUE;
    return ((Kernel*)function)->shared = value, OK;
}
int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned, unsigned, unsigned shared, void*, void** arguments, void**) {
    const Kernel kernel = *(Kernel*)function;
    if (const int code = from_environment("EMULATED_LAUNCHING", OK)) return failed = code;
    if (int(shared) > kernel.shared || !x || !y || !z || y > 65535 || z > 65535 || threads > 1024) return INVALID_VALUE;
    const std::string copy((const char*)arguments[0], kernel.bytes);
    return enqueue([=] {
        const unsigned grid[] = {x, y, z}, block[] = {threads, 1, 1};
        std::vector<uint64_t> aligned((copy.size() + 7) / 8);
        memcpy(aligned.data(), copy.data(), copy.size());
        const char* const error = kernel.launch(kernel.entry, aligned.data(), grid, block, shared, 1);
        return error ? fprintf(stderr, "%s\n", error), LAUNCH_FAILED : OK;
    });
}

int cuStreamBeginCapture_v2(void*, int) { NOT_CAPTURED; return capturing = 1, captured.clear(), OK; }
int cuStreamEndCapture(void*, void** graph) { NEEDS_CONTEXT; return capturing = 0, *graph = new Work(captured), OK; }
int cuGraphInstantiateWithFlags(void** to, void* graph, unsigned long long) { NEEDS_CONTEXT; return *to = new Work(*(Work*)graph), OK; }
int cuGraphDestroy(void* graph) { NEEDS_CONTEXT; return delete (Work*)graph, OK; }
int cuGraphExecDestroy(void* graph) { NEEDS_CONTEXT; return delete (Work*)graph, OK; }
int cuGraphLaunch(void* graph, void*) {
    NOT_CAPTURED;
    const Work& work = *(Work*)graph;
    return waiting.insert(waiting.end(), work.begin(), work.end()), failed;
}
}
