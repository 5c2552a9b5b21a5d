// A `libcublasLt` on the memory of the emulated `libcuda` beside it: its work waits in the same stream, and is recorded with it.
//
// It takes what NVIDIA's takes of what we call, in the binary form of versions 11 to 13, and is stricter: a description that is not
// known, a wish that is missing, an address that is not aligned, an answer that was given for another product is refused.
//   EMULATED_CUBLASLT  what goes wrong, with a comma between two:
//     create, heuristic, multiply   the call refuses
//     depth=200, later=200          products of that depth are refused when they start, or from the second of a description on
//     wrong, nan                    one value is off, or no number
//   EMULATED_CUBLASLT_VERSION  as 120205
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <string>
#include <vector>

enum { OK = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16F = 2, R_16BF = 14 };
struct Operation { int compute, scale, turned[2]; uint32_t epilogue; const void* bias; int runs; };
struct Layout { int type; uint64_t rows, columns; int64_t pitch; };
struct Preference { uint64_t workspace; uint32_t reductions, alignments[4]; };
struct Algorithm { uint64_t magic, operation, product[3], workspace, alignment, bias; };
struct Heuristic { Algorithm algorithm; size_t workspace; int state; float waves; int reserved[4]; };
static_assert(sizeof(Heuristic) == 96, "as in the header");

extern "C" { int emulated_products, emulated_questions; }

static bool told(const std::string& what) {
    const char* text = getenv("EMULATED_CUBLASLT");
    return text && ("," + std::string(text) + ",").find("," + what + ",") != std::string::npos;
}

static int enqueue(void* stream, const std::function<int()>& step) {
    void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    auto enqueue = driver ? (int (*)(void*, const std::function<int()>*))dlsym(driver, "emulated_enqueue") : nullptr;
    return enqueue && enqueue(stream, &step) == 0 ? OK : EXECUTION_FAILED;
}

static size_t size_of(int type) { return type == R_32F ? 4 : 2; }

static float read(const void* from, int type, size_t at) {
    if (type == R_32F) return ((const float*)from)[at];
    const uint16_t bits = ((const uint16_t*)from)[at];
    float value;
    if (type == R_16BF) {
        const uint32_t wide = uint32_t(bits) << 16;
        return memcpy(&value, &wide, 4), value;
    }
    const int exponent = bits >> 10 & 31, digits = bits & 1023;
    value = exponent == 31 ? (digits ? NAN : INFINITY) : exponent ? ldexpf(1024 + digits, exponent - 25) : ldexpf(digits, -24);
    return bits >> 15 ? -value : value;
}

static void write(void* to, int type, size_t at, float value) {
    if (type == R_32F) return void(((float*)to)[at] = value);
    uint16_t& out = ((uint16_t*)to)[at];
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if (value != value) return void(out = 0x7fff);
    if (type == R_16BF) return void(out = uint16_t((uint64_t(bits) + 0x7fff + (bits >> 16 & 1)) >> 16));
    const float size = fabsf(value);
    int exponent;
    frexpf(size, &exponent);
    // Units of the last of eleven digits, of ten below the normal numbers; nearbyint rounds ties to even.
    const int unit = (exponent < -13 ? -13 : exponent) - 11;
    const long digits = lrint(ldexp(size, -unit));
    const uint16_t sign = bits >> 16 & 0x8000;
    out = sign | (size >= 65520.0f ? 0x7c00 : uint16_t((unit + 24 << 10) + digits));
}

// The library's `D = A·B + beta·C`, column after column.
static void multiply(const Operation& o, const Layout* l, const void* a, const void* b, float beta, const void* c, void* d) {
    const uint64_t depth = o.turned[0] ? l[0].rows : l[0].columns;
    for (uint64_t column = 0; column < l[2].columns; column++)
        for (uint64_t row = 0; row < l[2].rows; row++) {
            float sum = 0;
            for (uint64_t k = 0; k < depth; k++)
                sum += read(a, l[0].type, o.turned[0] ? row * l[0].pitch + k : k * l[0].pitch + row) *
                       read(b, l[1].type, o.turned[1] ? k * l[1].pitch + column : column * l[1].pitch + k);
            const size_t at = column * l[2].pitch + row;
            if (beta) sum += beta * read(c, l[2].type, at);
            if (o.epilogue == 4) sum += read(o.bias, l[2].type, row);
            if (at == 5 && told("wrong")) sum += 4.0f;
            if (at == 5 && told("nan")) sum = NAN;
            write(d, l[2].type, at, sum);
        }
}

extern "C" {
size_t cublasLtGetVersion() {
    const char* text = getenv("EMULATED_CUBLASLT_VERSION");
    return text ? atol(text) : 120205;
}
int cublasLtCreate(void** to) { return told("create") ? NOT_INITIALIZED : (*to = malloc(1), OK); }
int cublasLtDestroy(void* handle) { return free(handle), OK; }

int cublasLtMatmulDescCreate(void** to, int compute, int scale) { return *to = new Operation{compute, scale, {0, 0}, 1, nullptr, 0}, OK; }
int cublasLtMatmulDescDestroy(void* operation) { return delete (Operation*)operation, OK; }
int cublasLtMatmulDescSetAttribute(void* operation, int attribute, const void* value, size_t bytes) {
    Operation& o = *(Operation*)operation;
    if (bytes != (attribute == 8 ? 8 : 4)) return INVALID_VALUE;
    if (attribute == 3 || attribute == 4) return memcpy(&o.turned[attribute - 3], value, 4), OK;
    if (attribute == 7) return memcpy(&o.epilogue, value, 4), OK;
    return attribute == 8 ? (memcpy(&o.bias, value, 8), OK) : INVALID_VALUE;
}
int cublasLtMatrixLayoutCreate(void** to, int type, uint64_t rows, uint64_t columns, int64_t pitch) {
    return *to = new Layout{type, rows, columns, pitch}, uint64_t(pitch) < rows ? INVALID_VALUE : OK;
}
int cublasLtMatrixLayoutDestroy(void* layout) { return delete (Layout*)layout, OK; }
int cublasLtMatmulPreferenceCreate(void** to) { return *to = new Preference{0, 7, {256, 256, 256, 256}}, OK; }
int cublasLtMatmulPreferenceDestroy(void* preference) { return delete (Preference*)preference, OK; }
int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t bytes) {
    Preference& p = *(Preference*)preference;
    if (bytes != (attribute == 1 ? 8 : 4)) return INVALID_VALUE;
    if (attribute == 1) return memcpy(&p.workspace, value, 8), OK;
    if (attribute == 3) return memcpy(&p.reductions, value, 4), OK;
    if (attribute == 11) return cublasLtGetVersion() / 10000 == 11 ? OK : INVALID_VALUE;
    return attribute >= 5 && attribute <= 8 ? (memcpy(&p.alignments[attribute - 5], value, 4), OK) : INVALID_VALUE;
}

int cublasLtMatmulAlgoGetHeuristic(void*, void* operation, void* a, void* b, void* c, void* d, void* preference, int asked, Heuristic* to, int* count) {
    const Operation& o = *(Operation*)operation;
    const Layout &first = *(Layout*)a, &second = *(Layout*)b, &added = *(Layout*)c, &result = *(Layout*)d;
    const Preference& p = *(Preference*)preference;
    emulated_questions++;
    if (told("heuristic")) return *count = 0, NOT_SUPPORTED;
    const uint64_t rows = o.turned[0] ? first.columns : first.rows, depth = o.turned[0] ? first.rows : first.columns;
    const uint64_t columns = o.turned[1] ? second.rows : second.columns, same = o.turned[1] ? second.columns : second.rows;
    const bool fits = rows == result.rows && columns == result.columns && depth == same && !memcmp(&added, &result, sizeof(Layout));
    const bool is_kind = o.compute == 68 && o.scale == R_32F && (o.epilogue == 1 || (o.epilogue == 4 && o.bias));
    const bool is_typed = first.type == second.type && (result.type == R_32F || result.type == first.type);
    // Sums in one order: no scheme at all, or one in the type of the sums.
    if (asked < 1 || !fits || !is_kind || !is_typed || p.reductions & ~2u) return *count = 0, NOT_SUPPORTED;
    const uint64_t alignment = p.alignments[0] | p.alignments[1] | p.alignments[2] | p.alignments[3];
    *to = Heuristic{{0xa190, (uint64_t)operation, {rows, columns, depth}, p.workspace, alignment, o.epilogue}, p.workspace, OK, 1.0f, {}};
    return *count = 1, OK;
}

int cublasLtMatmul(void*, void* operation, const float* alpha, const void* a, void* first, const void* b, void* second, const float* beta,
                   const void* c, void* added, void* d, void* result, const Algorithm* algorithm, void* workspace, size_t bytes, void* stream) {
    Operation& o = *(Operation*)operation;
    const std::vector<Layout> layouts = {*(Layout*)first, *(Layout*)second, *(Layout*)result};
    const uint64_t depth = o.turned[0] ? layouts[0].rows : layouts[0].columns;
    const bool is_answer = algorithm->magic == 0xa190 && algorithm->operation == (uint64_t)operation && algorithm->product[0] == layouts[2].rows &&
                           algorithm->product[1] == layouts[2].columns && algorithm->product[2] == depth && algorithm->bias == o.epilogue;
    const uint64_t addresses = (uint64_t)a | (uint64_t)b | (uint64_t)c | (uint64_t)d | (o.epilogue == 4 ? (uint64_t)o.bias : 0);
    if (!is_answer || *alpha != 1 || added != result || addresses % algorithm->alignment || !workspace || bytes < algorithm->workspace) return INVALID_VALUE;
    if (told("multiply") || told("depth=" + std::to_string(depth))) return EXECUTION_FAILED;
    if (o.runs++ && told("later=" + std::to_string(depth))) return EXECUTION_FAILED;
    emulated_products++;
    const size_t used = algorithm->workspace;
    return enqueue(stream, [=, o = o, share = *beta] {
        // A product that is split writes its workspace: whoever else keeps something there loses it.
        memset(workspace, 0xff, 4096), memset((char*)workspace + used - 4096, 0xff, 4096);
        return multiply(o, layouts.data(), a, b, share, c, d), OK;
    });
}
}
