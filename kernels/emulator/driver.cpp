// A `libcuda` whose device is this machine's processor: it takes what NVIDIA's driver takes and runs kernels under the emulator.
//
// It is stricter than a driver where it can be: every call needs the context current on its thread; work of a stream waits until it is
// waited for, so that memory which is changed or freed too early shows; a capture refuses what cannot be captured. Work of two streams
// that no event puts in order runs in the worse one: what nobody waits for stays undone, or goes before all else.
//   EMULATED_KERNELS  libraries of kernels, with a colon between two
//   EMULATED_VERSION  what CUDA it serves, as 12020
//   EMULATED_MEMORY   bytes of the device
//   EMULATED_EARLY    whether other streams' work goes before all else
//   EMULATED_LOADING, EMULATED_LAUNCHING  codes with which it refuses modules and launches
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <string>

#include "order.h"

enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, NOT_FOUND = 500,
       LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900, CAPTURE_UNJOINED = 904, CAPTURE_ISOLATION = 905 };
typedef const char* (*Launch)(void*, const void*, const unsigned*, const unsigned*, size_t, int);
struct Kernel { void* entry; Launch launch; size_t bytes; int shared; };

static int device, capturing;
static thread_local bool current;
static std::set<Stream*> streams;
static std::map<uint64_t, size_t> memory;
static double milliseconds;  // one thousandth for a launch and for each of its blocks: a clock that tells no time
static int enqueue(void* to, std::function<int()> step) {
    if (!current) return INVALID_CONTEXT;
    Stream& stream = *(Stream*)to;
    Work& work = stream.captured ? captured : waiting;
    work.push_back({step, stream.after[stream.captured], &stream, false});
    stream.after[stream.captured] = {work.size() - 1 + (stream.captured ? 0 : forgotten)};
    return failed;
}

// For libraries that stand beside the driver: their work waits in its streams.
extern "C" int emulated_enqueue(void* stream, const std::function<int()>* step) { return enqueue(stream, *step); }

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

int cuStreamCreate(void** to, unsigned) { NEEDS_CONTEXT; return streams.insert((Stream*)(*to = new Stream())), OK; }
int cuStreamDestroy_v2(void* stream) { NEEDS_CONTEXT; settle(); return streams.erase((Stream*)stream), delete (Stream*)stream, failed; }
int cuStreamSynchronize(void* stream) { NOT_CAPTURED; return settle(((Stream*)stream)->after[0], (Stream*)stream); }
int cuStreamWaitEvent(void* to, void* of, unsigned) {
    NEEDS_CONTEXT;
    Stream& stream = *(Stream*)to;
    const Event& event = *(Event*)of;
    if (stream.captured && !event.captured) return CAPTURE_ISOLATION;
    if (event.captured && !capturing) return INVALID_VALUE;
    if (event.captured && !stream.captured) stream.captured = true, stream.after[1].clear();
    Steps& after = stream.after[stream.captured];
    return after.insert(after.end(), event.after.begin(), event.after.end()), OK;
}
int cuEventCreate(void** event, unsigned) { NEEDS_CONTEXT; return *event = new Event(), OK; }
int cuEventRecord(void* event, void* of) {
    NEEDS_CONTEXT;
    const Stream& stream = *(Stream*)of;
    const auto at = ((Event*)event)->at;
    if (!stream.captured) enqueue(of, [=] { return *at = milliseconds, OK; });
    return *(Event*)event = {stream.captured, stream.after[stream.captured], at}, OK;
}
int cuEventSynchronize(void* event) { NOT_CAPTURED; return ((Event*)event)->captured ? INVALID_VALUE : settle(((Event*)event)->after, nullptr); }
int cuEventElapsedTime(float* to, void* from, void* until) { NEEDS_CONTEXT; return *to = *((Event*)until)->at - *((Event*)from)->at, failed; }
int cuEventDestroy_v2(void* event) { NEEDS_CONTEXT; return delete (Event*)event, OK; }

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
int cuMemsetD8Async(uint64_t at, unsigned char value, size_t bytes, void* stream) {
    return enqueue(stream, [=] { return memset((void*)at, value, bytes), OK; });
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    NOT_CAPTURED;
    return enqueue(stream, [=] { return memcpy((void*)to, from, bytes), OK; });
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    NOT_CAPTURED;
    return enqueue(stream, [=] { return memcpy(to, (void*)from, bytes), OK; });
}

int cuModuleLoadData(void** module, const char* image) {
    NEEDS_CONTEXT;
    const bool is_known = !memcmp(image, "\x7f" "ELF", 4) || strstr(image, ".version");
    return *module = &device, is_known ? from_environment("EMULATED_LOADING", OK) : INVALID_IMAGE;
}
int cuModuleUnload(void*) { NEEDS_CONTEXT; return settle(); }
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
int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned, unsigned, unsigned shared, void* stream, void** arguments, void**) {
    const Kernel kernel = *(Kernel*)function;
    if (const int code = from_environment("EMULATED_LAUNCHING", OK)) return failed = code;
    if (int(shared) > kernel.shared || !x || !y || !z || y > 65535 || z > 65535 || threads > 1024) return INVALID_VALUE;
    const std::string copy((const char*)arguments[0], kernel.bytes);
    return enqueue(stream, [=] {
        const unsigned grid[] = {x, y, z}, block[] = {threads, 1, 1};
        std::vector<uint64_t> aligned((copy.size() + 7) / 8);
        memcpy(aligned.data(), copy.data(), copy.size());
        milliseconds += 1e-3 * (1 + double(x) * y * z);
        const char* const error = kernel.launch(kernel.entry, aligned.data(), grid, block, shared, 1);
        return error ? fprintf(stderr, "%s\n", error), LAUNCH_FAILED : OK;
    });
}

int cuStreamBeginCapture_v2(void* of, int) {
    NOT_CAPTURED;
    Stream& stream = *(Stream*)of;
    return capturing = 1, captured.clear(), stream.captured = true, stream.after[1].clear(), OK;
}
int cuStreamEndCapture(void* of, void** graph) {
    NEEDS_CONTEXT;
    const std::set<size_t> joined = with_all_before(((Stream*)of)->after[1], captured, 0);
    bool all = true;
    for (Stream* stream : streams) {
        for (size_t last : stream->captured ? stream->after[1] : Steps()) all = all && joined.count(last);
        stream->captured = false;
    }
    capturing = 0;
    return *graph = all ? new Work(captured) : nullptr, all ? OK : CAPTURE_UNJOINED;
}
int cuGraphInstantiateWithFlags(void** to, void* graph, unsigned long long) { NEEDS_CONTEXT; return *to = new Work(*(Work*)graph), OK; }
int cuGraphDestroy(void* graph) { NEEDS_CONTEXT; return delete (Work*)graph, OK; }
int cuGraphExecDestroy(void* graph) { NEEDS_CONTEXT; return delete (Work*)graph, OK; }
int cuGraphLaunch(void* graph, void* of) {
    NOT_CAPTURED;
    Stream& stream = *(Stream*)of;
    const size_t first = forgotten + waiting.size();
    for (const Step& step : *(Work*)graph) {
        Steps after = step.after.empty() ? stream.after[0] : step.after;
        for (size_t i = 0; i < step.after.size(); i++) after[i] += first;
        waiting.push_back({step.run, after, step.stream, false});
    }
    for (size_t number = first; number < forgotten + waiting.size(); number++) stream.after[0].push_back(number);
    return failed;
}
}
