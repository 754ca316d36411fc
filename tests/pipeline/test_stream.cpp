// Batches on their way: order, overlap, bounds, stops, failures; batches that exhaust memory; the timeline.

#include "process.hpp"
#include "serialise.hpp"
#include "stream.hpp"
#include "test_files.hpp"
#include "timeline.hpp"

#include <condition_variable>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/simulate.hpp>

namespace {

using namespace xsift;
using namespace xsift::pipeline;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

SourceResult result_of(const SourceData& data) {
    SourceResult result;
    result.source.id = data.source.id;
    return result;
}

/// A stream over numbered sources, `size` a batch; keeps what is written.
struct Numbers {
    explicit Numbers(int batches, int size = 2) {
        stages.read = [this, batches, size] {
            std::vector<SourceData> batch;
            if (read++ < batches) batch.resize(static_cast<std::size_t>(size));
            for (SourceData& data : batch) data.source.id = std::to_string(next++);
            return batch;
        };
        stages.compute = [](std::int64_t, const std::vector<SourceData>& batch) {
            std::vector<SourceResult> results;
            for (const SourceData& data : batch) results.push_back(result_of(data));
            return results;
        };
        stages.write = [this](std::int64_t, const std::vector<SourceResult>& results) {
            for (const SourceResult& result : results) written.push_back(result.source.id);
        };
    }
    std::vector<std::string> expected(int sources) const {
        std::vector<std::string> ids;
        for (int i = 0; i < sources; ++i) ids.push_back(std::to_string(i));
        return ids;
    }

    std::atomic<int> read{0};
    int next = 0;
    std::vector<std::string> written;
    StreamStages stages;
    std::atomic<bool> stop{false};
    Timeline timeline{false};
};

TEST(Stream, WritesInOrderWhateverFinishesFirst) {
    for (const int lanes : {1, 2, 4}) {
        Numbers numbers(60);
        const auto compute = numbers.stages.compute;
        numbers.stages.compute = [&](std::int64_t k, const std::vector<SourceData>& batch) {
            if (k % 3 == 0)
                for (int i = 0; i < 50; ++i) std::this_thread::yield();
            return compute(k, batch);
        };
        stream_batches(numbers.stages, lanes, numbers.stop, numbers.timeline);
        EXPECT_THAT(numbers.written, ElementsAreArray(numbers.expected(120))) << lanes;
        EXPECT_EQ(numbers.timeline.stages().count("wait"), 1U);
    }
}

TEST(Stream, TwoBatchesAreComputedAtOnceAndNoneRunsFarAhead) {
    Numbers numbers(20);
    std::mutex mutex;
    std::condition_variable met;
    std::int64_t begun = 0, furthest = 0;
    const auto compute = numbers.stages.compute;
    numbers.stages.compute = [&](std::int64_t k, const std::vector<SourceData>& batch) {
        std::unique_lock lock(mutex);
        ++begun;
        furthest = std::max(furthest, k);
        met.notify_all();
        // Batch 0 ends after the other lane has come to a stand: three batches at most are taken and not
        // written.
        if (k == 0) met.wait(lock, [&] { return begun == 3; });
        EXPECT_LE(k, static_cast<std::int64_t>(numbers.written.size()) / 2 + 3);
        return compute(k, batch);
    };
    const auto write = numbers.stages.write;
    numbers.stages.write = [&](std::int64_t k, const std::vector<SourceResult>& results) {
        const std::lock_guard lock(mutex);
        write(k, results);
    };
    stream_batches(numbers.stages, 2, numbers.stop, numbers.timeline);
    EXPECT_EQ(furthest, 19);
    EXPECT_THAT(numbers.written, ElementsAreArray(numbers.expected(40)));
}

TEST(Stream, AStopFinishesWhatIsUnderWay) {
    for (const int lanes : {1, 3}) {
        Numbers numbers(1000);
        const auto compute = numbers.stages.compute;
        numbers.stages.compute = [&](std::int64_t k, const std::vector<SourceData>& batch) {
            if (k == 5) numbers.stop = true;
            return compute(k, batch);
        };
        stream_batches(numbers.stages, lanes, numbers.stop, numbers.timeline);
        EXPECT_GE(numbers.written.size(), 12U);  // batch 5 as well
        EXPECT_LE(numbers.written.size(), 2U * static_cast<std::size_t>(6 + lanes));
        EXPECT_THAT(numbers.written,
                    ElementsAreArray(numbers.expected(static_cast<int>(numbers.written.size()))));
    }
}

/// A stream of `lanes` lanes whose 7th call of a stage fails. What the caller is told, whichever lane meets
/// it.
void expect_failure_of(const std::string& stage, int lanes) {
    SCOPED_TRACE(stage + ", lanes: " + std::to_string(lanes));
    Numbers numbers(1000);
    const StreamStages sound = numbers.stages;
    std::atomic<int> count{0};
    const auto fail_at = [&](const char* name) {
        if (stage == name && ++count == 7) throw std::runtime_error(name);
    };
    numbers.stages.read = [&] { return fail_at("read"), sound.read(); };
    numbers.stages.compute = [&](std::int64_t k, const std::vector<SourceData>& batch) {
        return fail_at("compute"), sound.compute(k, batch);
    };
    numbers.stages.write = [&](std::int64_t k, const std::vector<SourceResult>& results) {
        fail_at("write"), sound.write(k, results);
    };
    std::string told = "nothing";
    try {
        stream_batches(numbers.stages, lanes, numbers.stop, numbers.timeline);
    } catch (const std::exception& error) {
        told = error.what();
    }
    EXPECT_EQ(told, stage);
    EXPECT_LE(numbers.written.size(), 2U * static_cast<std::size_t>(6 + lanes));
    EXPECT_THAT(numbers.written,
                ElementsAreArray(numbers.expected(static_cast<int>(numbers.written.size()))));
}

TEST(Stream, AFailureOfAnyStageEndsIt) {
    for (const std::string stage : {"read", "compute", "write"})
        for (const int lanes : {1, 2, 4}) expect_failure_of(stage, lanes);
}

// A lane that waits for its turn must not take what another found broken: the cause would be lost.
TEST(Stream, TheCauseOfAFailureIsToldHoweverLanesMeetIt) {
    for (int i = 0; i < 200 && !HasFailure(); ++i)
        for (const std::string stage : {"read", "compute", "write"}) expect_failure_of(stage, 8);
}

/// A search engine with room for a few tasks only.
class SmallSearch final : public engine::PeriodSearch {
  public:
    SmallSearch(engine::PeriodSearch& inner, std::size_t most, bool device)
        : inner_(inner), most_(most), device_(device) {}
    std::string name() const override { return inner_.name(); }
    std::vector<engine::SearchOutcome> search(std::span<const engine::EventTask> tasks) override {
        largest_ = std::max(largest_, tasks.size());
        if (tasks.size() <= most_) return inner_.search(tasks);
        if (device_) throw Error(ErrorKind::internal, "DEVICE_OUT_OF_MEMORY", "cudaMalloc failed");
        throw std::bad_alloc();
    }
    std::vector<engine::SearchOutcome> search(std::span<const engine::LightCurveTask> tasks) override {
        return inner_.search(tasks);
    }
    std::vector<engine::CompositeOutcome> search(std::span<const engine::CompositeTask> tasks) override {
        return inner_.search(tasks);
    }
    std::vector<std::vector<engine::DrawOutcome>> search(std::span<const engine::DrawTask> tasks) override {
        return inner_.search(tasks);
    }
    std::vector<std::vector<timing::Complex>> sums(std::span<const engine::SumTask> tasks) override {
        return inner_.sums(tasks);
    }

  private:
    engine::PeriodSearch& inner_;
    std::size_t most_, largest_ = 0;
    bool device_;
};

struct ExhaustedMemory : testing::Test {
    ExhaustedMemory() {
        SimulateOptions simulated;
        simulated.output = folder / "s.h5";
        simulated.sources = 11;
        simulate(simulated);
        configuration.search.fmax = 0.01;
        batch = io::SurveyReader(simulated.output).read(0, 11);
    }
    /// The results as the journal would have them.
    std::string results(std::size_t most, bool device) {
        engine::Engines engines = engine::make_cpu_engines(pool);
        const auto inner = std::move(engines.search);
        engines.search = std::make_unique<SmallSearch>(*inner, most, device);
        BatchProcessor processor(configuration, engines, pool, timeline, {});
        const auto computed = compute_in_parts(
            batch, [&](std::span<const SourceData> part) { return processor.process(0, part); });
        Encoder encoder;
        for (const SourceResult& result : computed) encoder(result);
        return encoder.bytes;
    }

    test::TemporaryFolder folder;
    RunConfiguration configuration;
    Timeline timeline{true};
    ThreadPool pool{2, &timeline};
    std::vector<SourceData> batch;
};

TEST_F(ExhaustedMemory, BatchesShrinkAndTheResultsAreTheSame) {
    const std::string whole = results(11, true);
    EXPECT_GT(whole.size(), 1000U);
    for (const bool device : {false, true})
        for (const std::size_t most : {1U, 2U, 5U}) EXPECT_EQ(results(most, device), whole) << most;
}

TEST_F(ExhaustedMemory, WhatOneSourceExhaustsIsAnError) {
    EXPECT_THROW(results(0, false), std::bad_alloc);
    try {
        results(0, true);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "DEVICE_OUT_OF_MEMORY");
    }
}

TEST_F(ExhaustedMemory, OtherErrorsAreNotRepeated) {
    int calls = 0;
    EXPECT_THROW(compute_in_parts(batch,
                                  [&](std::span<const SourceData>) -> std::vector<SourceResult> {
                                      ++calls;
                                      throw Error(ErrorKind::internal, "CUDA_ERROR", "a kernel failed");
                                  }),
                 Error);
    EXPECT_EQ(calls, 1);
}

TEST(Timeline, BooksThePoolsWorkOnTheStageThatAskedForIt) {
    Timeline timeline(true);
    const ThreadPool pool(3, &timeline);
    const auto work = [](std::size_t) {
        volatile double sum = 0.0;
        for (int i = 0; i < 300000; ++i) sum = sum + 1.0 / (i + 1);
    };
    {
        const Timeline::Stage outer(timeline, "outer", 4);
        pool.for_each(6, [&](std::size_t) { pool.for_each(4, work); });
    }
    const double both = timeline.stages().at("outer").processor;
    EXPECT_GT(both, 0.0);
    EXPECT_LE(both, timeline.processor_seconds() + 1e-3);
    { const Timeline::Stage idle(timeline, "idle"); }
    EXPECT_LT(timeline.stages().at("idle").processor, both);
    const std::string trace = timeline.chrome_trace();
    EXPECT_THAT(trace, HasSubstr(R"("name":"outer","cat":"stage","ph":"X")"));
    EXPECT_THAT(trace, HasSubstr(R"("name":"outer","cat":"work","ph":"X")"));
    EXPECT_THAT(trace, HasSubstr(R"("args":{"batch":4})"));
    EXPECT_THAT(trace, HasSubstr(R"("dropped":0)"));
}

TEST(Timeline, AFailingBodyLeavesTheThreadAsItWas) {
    Timeline timeline(false);
    const ThreadPool pool(1, &timeline);
    const Timeline::Stage stage(timeline, "stage");
    int bodies = 0;
    EXPECT_THROW(pool.for_each(3, [&](std::size_t) { throw std::runtime_error("body"); }),
                 std::runtime_error);
    pool.for_each(3, [&](std::size_t) { ++bodies; });
    EXPECT_EQ(bodies, 3);
}

}  // namespace
