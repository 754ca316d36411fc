#include "timeline.hpp"

#include <chrono>
#include <ctime>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace xsift::pipeline {

namespace {

/// Stretches of one stage with less between them are drawn as one, ns.
constexpr std::int64_t joined_gap = 200'000;
/// A trace is for runs of minutes; what comes after this many spans is counted only.
constexpr std::size_t most_spans = 1'000'000;

std::int64_t steady_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::int64_t thread_processor_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{1'000'000'000} * time.tv_sec + time.tv_nsec;
}

double process_processor_seconds() {
    struct rusage usage {};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A small number for this thread, in the order in which threads first ask.
int thread_number() {
    static std::atomic<int> next{1};
    thread_local const int number = next++;
    return number;
}

/// The innermost stage that is open on this thread.
thread_local Timeline::Stage* own_stage = nullptr;

}  // namespace

Timeline::Timeline(bool keep_spans)
    : keep_spans_(keep_spans), start_(steady_ns()), processor_start_(process_processor_seconds()) {}

std::int64_t Timeline::now() const {
    return steady_ns() - start_;
}
double Timeline::seconds() const {
    return 1e-9 * static_cast<double>(now());
}
double Timeline::processor_seconds() const {
    return process_processor_seconds() - processor_start_;
}

void Timeline::around(void* work, const std::function<void()>& body) {
    Stage* const stage = static_cast<Stage*>(work);
    if (stage == nullptr) return body();
    const std::int64_t begun = keep_spans_ ? now() : 0, processor = thread_processor_ns();
    body();
    // The stage's own thread is measured from the stage's begin to its end. A thread that waits in a stage
    // may be lent to another one, which then has the time instead.
    if (thread_number() != stage->thread_) {
        const std::int64_t spent = thread_processor_ns() - processor;
        stage->elsewhere_ += spent;
        if (own_stage != nullptr) own_stage->elsewhere_ -= spent;
    }
    if (keep_spans_) keep({stage->name_, stage->batch_, thread_number(), begun, now(), true});
}

void Timeline::keep(const Span& span) {
    const std::lock_guard lock(mutex_);
    if (span.of_pool) {
        const auto last = last_of_thread_.find(span.thread);
        if (last != last_of_thread_.end()) {
            Span& before = spans_[last->second];
            if (before.stage == span.stage && before.batch == span.batch &&
                span.start - before.end < joined_gap) {
                before.end = span.end;
                return;
            }
        }
    }
    if (spans_.size() == most_spans) {
        ++dropped_;
        return;
    }
    if (span.of_pool) last_of_thread_[span.thread] = spans_.size();
    spans_.push_back(span);
}

std::map<std::string, StageTime> Timeline::stages() const {
    const std::lock_guard lock(mutex_);
    return stages_;
}

std::string Timeline::chrome_trace() const {
    const std::lock_guard lock(mutex_);
    nlohmann::ordered_json events = nlohmann::ordered_json::array();
    std::map<int, bool> threads;  // number, whether it carries stages
    for (const Span& span : spans_) {
        threads[span.thread] |= !span.of_pool;
        nlohmann::ordered_json& event = events.emplace_back();
        event["name"] = span.stage;
        event["cat"] = span.of_pool ? "work" : "stage";
        event["ph"] = "X";
        event["ts"] = 1e-3 * static_cast<double>(span.start);
        event["dur"] = 1e-3 * static_cast<double>(span.end - span.start);
        event["pid"] = 1;
        event["tid"] = span.thread;
        if (span.batch >= 0) event["args"]["batch"] = span.batch;
    }
    for (const auto& [thread, stages] : threads)
        events.push_back({{"name", "thread_name"},
                          {"ph", "M"},
                          {"pid", 1},
                          {"tid", thread},
                          {"args", {{"name", (stages ? "stages " : "pool ") + std::to_string(thread)}}}});
    nlohmann::ordered_json trace;
    trace["displayTimeUnit"] = "ms";
    trace["otherData"]["dropped"] = dropped_;
    trace["traceEvents"] = std::move(events);
    return trace.dump() + "\n";
}

Timeline::Stage::Stage(Timeline& timeline, const char* name, std::int64_t batch)
    : timeline_(timeline),
      name_(name),
      batch_(batch),
      start_(timeline.now()),
      processor_start_(thread_processor_ns()),
      thread_(thread_number()),
      outer_(own_stage),
      scope_(this) {
    own_stage = this;
}

Timeline::Stage::~Stage() {
    own_stage = outer_;
    const std::int64_t end = timeline_.now(), own = thread_processor_ns() - processor_start_;
    {
        const std::lock_guard lock(timeline_.mutex_);
        StageTime& sum = timeline_.stages_[name_];
        sum.wall += 1e-9 * static_cast<double>(end - start_);
        sum.processor += 1e-9 * static_cast<double>(own + elsewhere_);
    }
    if (timeline_.keep_spans_) timeline_.keep({name_, batch_, thread_, start_, end, false});
}

}  // namespace xsift::pipeline
