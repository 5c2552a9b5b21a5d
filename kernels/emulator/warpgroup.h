// Products of warpgroups (wgmma) for the emulator, as the PTX ISA has them, with a warp as the unit that goes through them.
//
// A product is asynchronous: between its issue and its wait it reads shared memory at a time that nobody may rely on. Forward reads at
// the issue, Backward when it is waited for, Shuffled at either: what is not there yet shows in the one, what is overwritten too early in
// the other. It sees shared memory through the asynchronous proxy: copies, once the thread that made them has fenced, and poison where
// anything else was stored since.
// Until a product is waited for its sums are poison, and it is an error to touch them or registers that it reads, to begin without a
// fence of registers that others used, to end a thread before the product, or to differ from the other warps of the warpgroup.
#pragma once

#include <list>

namespace emulator {

// A matrix in shared memory: rows of the left factor or columns of the right one, 16 values deep.
struct Matrix {
    unsigned start, leading, stride;  // bytes
    unsigned packs;                   // of 16 bytes, in a row of the pattern that repeats
    bool turned;                      // the depth goes from row to row of memory

    Matrix(uint64_t descriptor, bool turned) : turned(turned) {
        const unsigned modes[] = {1, 8, 4, 2};
        start = (descriptor & 0x3fff) << 4, leading = (descriptor >> 16 & 0x3fff) << 4, stride = (descriptor >> 32 & 0x3fff) << 4;
        packs = modes[descriptor >> 62];
        if (descriptor >> 49 & 7) fail("a descriptor has a base offset");
        if (packs > 1 && (start >> 7 & (packs - 1))) fail("a pattern of %u bytes does not begin at a whole number of them", 128 * packs);
    }

    // Where the value of a line (row or column) at depth k is.
    unsigned at(unsigned line, unsigned k) const {
        unsigned to = start;
        if (turned && packs == 1) to += line % 8 * 2 + line / 8 * stride + k % 8 * 16 + k / 8 * leading;
        else if (turned)
            to += line % 8 * 2 + line / 8 % packs * 16 + line / (8 * packs) * leading + k % 8 * packs * 16 + k / 8 * stride;
        else if (packs == 1) to += line % 8 * 16 + line / 8 * stride + k % 8 * 2 + k / 8 * leading;
        else to += line % 8 * packs * 16 + line / 8 * stride + k * 2;
        return to ^ (to >> 7 & (packs - 1)) << 4;
    }

    unsigned short value(unsigned line, unsigned k) const {
        const unsigned place = at(line, k);
        unsigned short bits = 0;
        if (place + 2 > SHARED) fail("a product reads byte %u of shared memory", place);
        else memcpy(&bits, proxy_memory + place, 2);
        const bool stored_since = !error[0] && memcmp(&bits, shared_memory + place, 2);
        return stored_since ? 0xffff : bits;
    }
};

// Sums of a warp's 16 rows while products are under way.
struct Sums {
    float* registers[LANES];
    std::vector<float> values[LANES];
    int waiting = 0;  // products
};

struct Product {
    uint64_t left, right;
    bool from_registers, turned, more, done;
    int columns, group;
    float (*widen)(unsigned short);
    const unsigned* registers[LANES];
    unsigned held[LANES][4];
    Sums* sums;

    void left_rows(float (*rows)[16], int warp) const {
        const Matrix matrix(from_registers ? 0 : left, false);
        for (int row = 0; row < 16; row++)
            for (int k = 0; k < 16; k++) {
                const unsigned word = held[row % 8 * 4 + k / 2 % 4][row / 8 + k / 8 * 2];
                rows[row][k] = widen(from_registers ? word >> k % 2 * 16 & 0xffff : matrix.value(16 * warp + row, k));
            }
    }

    void perform(int warp) {
        float rows[16][16], column[16];
        left_rows(rows, warp);
        const Matrix matrix(right, turned);
        for (int j = 0; j < columns; j++) {
            for (int k = 0; k < 16; k++) column[k] = widen(matrix.value(j, k));
            for (int row = 0; row < 16; row++) {
                float& sum = sums->values[row % 8 * 4 + j / 2 % 4][j / 8 * 4 + row / 8 * 2 + j % 2];
                float next = more ? sum : 0.0f;
                for (int k = 0; k < 16; k++) next += rows[row][k] * column[k];
                sum = next;
            }
        }
        done = true;
    }
};

// A warp's products that are under way.
struct Flight {
    std::list<Product> products;
    std::list<Sums> sums;
    int group = 0;
    bool fenced = false;
    uint64_t asked = 14695981039346656037u;  // what of, hashed: the same in all warps of a warpgroup

    // What is asked for, up to `last`, is performed in its order.
    void perform_to(const Product* last, int warp) {
        for (Product& product : products) {
            if (!product.done) product.perform(warp);
            if (&product == last) return;
        }
    }

    void land(Product& product) {
        for (int lane = 0; product.from_registers && lane < LANES; lane++)
            if (memcmp(product.held[lane], product.registers[lane], 16)) fail("a left factor changes while a product reads it");
        if (--product.sums->waiting) return;
        for (int lane = 0; lane < LANES; lane++) {
            const std::vector<float>& values = product.sums->values[lane];
            const unsigned char* touched = (const unsigned char*)product.sums->registers[lane];
            for (size_t i = 0; i < 4 * values.size(); i++)
                if (touched[i] != POISON) return fail("sums are touched while a product is under way");
            memcpy(product.sums->registers[lane], values.data(), 4 * values.size());
        }
        sums.remove_if([&](const Sums& some) { return &some == product.sums; });
    }
};

inline Flight& flight() {
    if (!current->warp->flight) {
        current->warp->flight = std::make_shared<Flight>();
        if (threads.size() % 128) fail("a block has to be made of whole warpgroups");
    }
    return *current->warp->flight;
}

inline int warp_in_group() { return current->index.x / LANES % 4; }

struct Asked { float* sums; const unsigned* registers; uint64_t left, right; };

// The sums of these registers: those that are under way, or what the registers hold.
inline Sums* sums_of(Flight& flight, const Asked* asked, int count) {
    for (Sums& sums : flight.sums)
        if (sums.registers[0] == asked[0].sums) return &sums;
    if (!flight.fenced) fail("a product begins with sums that no fence has ordered");
    flight.sums.emplace_back();
    for (int lane = 0; lane < LANES; lane++) {
        flight.sums.back().registers[lane] = asked[lane].sums;
        flight.sums.back().values[lane].assign(asked[lane].sums, asked[lane].sums + count);
        memset(asked[lane].sums, POISON, 4 * count);
    }
    return &flight.sums.back();
}

inline void ask(const Asked& mine, Product product, int line) {
    meet(mine, line, [&](const Asked* asked, Asked*) {
        Flight& flight = emulator::flight();
        if (product.from_registers && !flight.fenced) fail("a product reads registers that no fence has ordered");
        product.sums = sums_of(flight, asked, product.columns / 2);
        product.sums->waiting++;
        for (int lane = 0; lane < LANES; lane++) {
            if (asked[lane].left != mine.left || asked[lane].right != mine.right) fail("lanes of a warp ask for different products");
            if (!product.from_registers) continue;
            product.registers[lane] = asked[lane].registers;
            memcpy(product.held[lane], asked[lane].registers, 16);
        }
        for (uint64_t word : {product.left, product.right, uint64_t(product.columns)})
            flight.asked = (flight.asked ^ word) * 1099511628211u;
        flight.products.push_back(product);
        const bool now = schedule_of_block == Schedule::Forward || (schedule_of_block == Schedule::Shuffled && random_order() % 2);
        if (now) flight.perform_to(&flight.products.back(), warp_in_group());
    });
}

inline void fence_registers() {
    meet(0, __LINE__, [](const int*, int*) { flight().fenced = true; });
}

inline void commit_products() {
    meet(0, __LINE__, [](const int*, int*) { flight().group++; });
}

inline void wait_for_products(int but_the_last) {
    meet(0, __LINE__, [=](const int*, int*) {
        Flight& flight = emulator::flight();
        flight.fenced = false;
        while (!flight.products.empty() && flight.products.front().group < flight.group - but_the_last) {
            flight.perform_to(&flight.products.front(), warp_in_group());
            flight.land(flight.products.front());
            flight.products.pop_front();
        }
    });
}

inline void check_flights() {
    for (size_t i = 0; i < warps.size(); i++) {
        const std::shared_ptr<Flight>&mine = warps[i].flight, &first = warps[i / 4 * 4].flight;
        if (!mine != !first || (mine && mine->asked != first->asked)) return fail("warps of a warpgroup ask for different products");
        if (mine && !mine->products.empty()) return fail("a block ends before its products do");
    }
}

static const bool watched = (at_end_of_block = check_flights, true);

}  // namespace emulator

inline unsigned shared_address(const void* at) { return (const unsigned char*)at - emulator::shared_memory; }
inline void fence_copies() { emulator::fence_proxy(); }
inline void fence_registers() { emulator::fence_registers(); }
inline void commit_products() { emulator::commit_products(); }
template <int BUT_THE_LAST> void wait_for_products() { emulator::wait_for_products(BUT_THE_LAST); }
template <int COUNT> void settle(float*) {}
template <int COUNT> void settle(unsigned*) {}

inline float widened(unsigned short bits, bf16) { return bf16_to_float(bits); }
inline float widened(unsigned short bits, f16) { return f16_to_float(bits); }

template <int COLUMNS, class Kind, bool TURNED>
struct Instruction {
    static float widen(unsigned short bits) { return widened(bits, Kind()); }
    static emulator::Product product(uint64_t left, uint64_t right, bool from_registers, bool more) {
        emulator::Product product = {};
        product.left = left, product.right = right, product.columns = COLUMNS, product.widen = widen, product.turned = TURNED;
        product.from_registers = from_registers, product.more = more, product.group = emulator::flight().group;
        return product;
    }
    static void of_shared(float* sums, uint64_t left, uint64_t right, bool more) {
        emulator::ask({sums, nullptr, left, right}, product(left, right, false, more), __LINE__);
    }
    static void of_registers(float* sums, const unsigned* left, uint64_t right, bool more) {
        emulator::ask({sums, left, 0, right}, product(0, right, true, more), __LINE__);
    }
};
