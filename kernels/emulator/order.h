// The order of an emulated driver's work: steps of streams, what each of them follows, and events that put streams in order.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include <functional>
#include <memory>
#include <set>
#include <vector>

typedef std::vector<size_t> Steps;  // by their numbers
// What it follows, of work that waits and of what is captured.
struct Stream { bool captured; Steps after[2]; };
struct Event { bool captured; Steps after; std::shared_ptr<double> at = std::make_shared<double>(); };
struct Step { std::function<int()> run; Steps after; const Stream* stream; bool done; };
typedef std::vector<Step> Work;

static Work waiting, captured;
static size_t forgotten;  // steps that ran and are no longer in `waiting`, where numbers go on
static int failed;

static long from_environment(const char* name, long otherwise) {
    const char* text = getenv(name);
    return text ? atol(text) : otherwise;
}

static bool is_done(size_t number) { return number < forgotten || waiting[number - forgotten].done; }

static bool is_ready(const Step& step) {
    for (size_t before : step.after)
        if (!is_done(before)) return false;
    return !step.done;
}

// All that the steps follow, with themselves.
static std::set<size_t> with_all_before(const Steps& steps, const Work& work, size_t first) {
    std::set<size_t> found;
    for (Steps left = steps; !left.empty();) {
        const size_t number = left.back();
        left.pop_back();
        if (number < first || !found.insert(number).second) continue;
        left.insert(left.end(), work[number - first].after.begin(), work[number - first].after.end());
    }
    return found;
}

// Performs what is waited for, and of the rest nothing or all that may run; what fails shows from then on, as on a device.
static int settle(const Steps& steps, const Stream* stream) {
    const bool early = from_environment("EMULATED_EARLY", 0);
    const std::set<size_t> needed = with_all_before(steps, waiting, forgotten);
    auto next = [&]() -> Step* {
        for (Step& step : waiting)
            if (early && step.stream != stream && is_ready(step)) return &step;
        Step* other = nullptr;
        for (size_t number : needed) {
            Step& step = waiting[number - forgotten];
            if (!is_ready(step)) continue;
            if (step.stream == stream) return &step;
            if (!other) other = &step;
        }
        return other;
    };
    while (Step* step = next()) {
        step->done = true;
        if (!failed) failed = step->run();
    }
    for (const Step& step : waiting)
        if (!step.done) return failed;
    forgotten += waiting.size();
    return waiting.clear(), failed;
}

static int settle() {
    Steps all;
    for (size_t i = 0; i < waiting.size(); i++) all.push_back(forgotten + i);
    return settle(all, nullptr);
}
