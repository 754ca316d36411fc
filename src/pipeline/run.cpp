#include "characterise.hpp"
#include "process.hpp"
#include "run_record.hpp"
#include "stream.hpp"
#include "timeline.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/core/log.hpp>
#include <xsift/core/version.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/journal.hpp>
#include <xsift/pipeline/review.hpp>
#include <xsift/pipeline/run.hpp>
#include <xsift/pipeline/search_costs.hpp>
#include <xsift/pipeline/shard_plan.hpp>
#include <xsift/spectral/absorption.hpp>
#include <xsift/spectral/table_model.hpp>

namespace xsift::pipeline {

namespace {

/// Batches computed at once: the second fills the cores that the first leaves idle at the end of a loop, and
/// uses the processor while the first is on a device.
constexpr int most_lanes = 2;
/// More sources a batch bring nothing.
constexpr std::int64_t max_batch_sources = 512;
/// Predicted seconds of a batch on all threads: a stop on request waits for the batches under way.
/// Predictions are right in proportion; fits have taken up to three times as long.
constexpr double batch_seconds = 2.0;
/// PROVENANCE lists the checksum of every input up to this many; beyond, one checksum over all of them.
constexpr std::size_t max_listed_inputs = 20000;

/// A run of consecutive survey indices.
struct Range {
    std::int64_t first = 0, count = 0;
};

/// Cuts what is left of the survey into batches bounded by memory and by predicted cost.
class BatchPlan {
  public:
    /// @param memory bytes of a batch; @param seconds predicted on one core
    BatchPlan(const io::SurveyReader& survey, const ShardPlan& costs, std::vector<Range> ranges,
              std::int64_t memory, double seconds)
        : survey_(survey), costs_(costs), ranges_(std::move(ranges)), budget_(memory), seconds_(seconds) {
        std::erase_if(ranges_, [](const Range& range) { return range.count == 0; });
        for (const Range& range : ranges_) total_ += range.count;
    }

    std::int64_t total() const { return total_; }
    void skip(std::int64_t sources) {
        while (sources > 0 && !ranges_.empty()) sources -= take(sources).count;
    }
    /// The next batch; count 0 at the end.
    Range next() {
        if (ranges_.empty()) return {};
        std::int64_t count = 0, memory = 0;
        const Range& range = ranges_[at_];
        while (count < std::min(range.count, max_batch_sources)) {
            memory += survey_.memory_bytes(range.first + count);
            if (count > 0 &&
                (memory > budget_ || costs_.seconds(range.first, range.first + count + 1) > seconds_))
                break;
            ++count;
        }
        return take(count);
    }

  private:
    Range take(std::int64_t count) {
        Range& range = ranges_[at_];
        const Range taken{range.first, std::min(count, range.count)};
        range.first += taken.count;
        range.count -= taken.count;
        if (range.count == 0 && ++at_ == ranges_.size()) ranges_.clear();
        return taken;
    }

    const io::SurveyReader& survey_;
    const ShardPlan& costs_;
    std::vector<Range> ranges_;
    std::size_t at_ = 0;
    std::int64_t budget_, total_ = 0;
    double seconds_;
};

/// The survey indices of a run, as consecutive ranges in survey order.
std::vector<Range> ranges_of(const RunOptions& options, const io::SurveyReader& survey,
                             const ShardPlan& plan) {
    if (options.sources.empty()) {
        const auto [first, end] =
            plan.part(plan.shard(options.shard, options.shards), options.part, options.parts);
        return {{first, end - first}};
    }
    if (options.shards != 1 || options.parts != 1)
        throw Error(ErrorKind::usage, "BAD_SETTING", "--sources and --shard exclude each other");
    std::vector<std::int64_t> indices;
    for (const std::string& id : options.sources) {
        indices.push_back(survey.index_of(id));
        if (indices.back() < 0)
            throw Error(ErrorKind::usage, "NO_SUCH_SOURCE",
                        fmt::format("no source '{}' in {}", id, options.survey), "",
                        "`xsift info` lists the survey.");
    }
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    std::vector<Range> ranges;
    for (const std::int64_t index : indices) ranges.push_back({index, 1});
    return ranges;
}

engine::Engines make_engines(const std::string& backend, const ThreadPool& pool, const MeasuredCosts& costs,
                             std::int64_t device_memory) {
    const cuda::DeviceOptions device{device_memory, costs.device.value_or(engine::DeviceCosts{})};
    if (backend == "cpu") return engine::make_cpu_engines(pool, costs.cpu);
    if (backend == "cuda") return cuda::make_engines(device);
    if (backend != "auto")
        throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("--backend {} is unknown", backend), "",
                    "Use auto, cpu or cuda.");
    const cuda::Availability cuda = cuda::availability();
    if (cuda.usable) return cuda::make_engines(device);
    engine::Engines engines = engine::make_cpu_engines(pool, costs.cpu);
    engines.description += fmt::format("; not cuda: {}", cuda.reason);
    return engines;
}

io::CatalogueInfo catalogue_info(const RunOptions& options, io::SurveyReader& survey,
                                 const Characteriser& characteriser, const std::vector<Range>& ranges,
                                 std::int64_t total) {
    io::CatalogueInfo info;
    info.survey_checksum = survey.checksum();
    info.survey_sources = survey.size();
    info.first_source = ranges.front().first;
    info.n_sources = total;
    info.selection = !options.sources.empty();
    info.extra_columns = survey.extra_columns();
    info.configuration = to_toml(options.configuration);
    info.steps = characteriser.steps();
    info.ingest_quarantine = survey.quarantine();

    info.provenance.emplace_back("xsift version", version);
    info.provenance.emplace_back("survey checksum", survey.checksum());
    for (const auto& [key, value] : survey.provenance()) info.provenance.emplace_back(key, value);
    const spectral::Abundance abundance = options.configuration.spectra.abundance;
    info.provenance.emplace_back("table tbabs " + to_string(abundance),
                                 spectral::Absorption::checksum(abundance));
    const spectral::FitOptions& fits = options.configuration.spectra;
    const auto apec = fits.apec ? fits.apec : spectral::embedded_apec();
    info.provenance.emplace_back("table apec", fmt::format("{}; {}", apec->hash, apec->origin));
    for (const auto& [name, table] : fits.tables) info.provenance.emplace_back("table " + name, table->hash);
    for (const auto& [key, value] : characteriser.provenance()) info.provenance.emplace_back(key, value);
    const std::vector<io::InputRecord> inputs = survey.inputs();
    info.provenance.emplace_back("inputs", std::to_string(inputs.size()));
    ContentHash all;
    for (const io::InputRecord& input : inputs) {
        all.update(input.checksum);
        if (inputs.size() <= max_listed_inputs)
            info.provenance.emplace_back("input " + input.file, input.checksum);
    }
    info.provenance.emplace_back("inputs checksum", all.digest());
    return info;
}

/// Refuses to start where a limit of the address space (ulimit -v) leaves no room for the threads' stacks and
/// a small batch: libraries that fail to get a few bytes on a new thread end the process without a word.
void require_address_space(int threads) {
    constexpr std::size_t work = std::size_t{32} << 20, stack = std::size_t{9} << 20;
    const std::size_t needed = work + stack * static_cast<std::size_t>(threads);
    void* const room = mmap(nullptr, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        throw Error(ErrorKind::internal, "OUT_OF_MEMORY", "the run cannot start",
                    fmt::format("{} threads need {} MiB of address space, more than is left of its limit",
                                threads, needed >> 20),
                    "Use fewer --threads, or raise the limit (ulimit -v).");
    munmap(room, needed);
}

std::int64_t peak_memory() {
    struct rusage usage {};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

void count(const SourceResult& result, RunSummary& summary) {
    ++summary.sources;
    summary.candidates += static_cast<std::int64_t>(result.candidates.size());
    summary.fits += static_cast<std::int64_t>(result.fits.size());
    summary.periods += result.best_period >= 0 ? 1 : 0;
    for (const QuarantineRow& row : result.quarantine) ++summary.quarantined[row.code];
}

}  // namespace

RunSummary run(const RunOptions& given, const std::atomic<bool>& stop, const RunProgress& progress) {
    RunOptions options = given;
    read_model_tables(options.configuration.spectra);
    Timeline timeline(!options.trace.empty());
    RunSummary summary;
    io::SurveyReader survey(options.survey);
    const ShardPlan shard_plan(survey, options.configuration);
    const std::vector<Range> ranges = ranges_of(options, survey, shard_plan);
    for (const Range& range : ranges)
        summary.predicted_seconds += shard_plan.seconds(range.first, range.first + range.count);
    constexpr int threads_beside_pool = most_lanes + 2;  // of lanes, reading and writing
    require_address_space((options.threads > 0 ? options.threads : available_threads()) +
                          threads_beside_pool);
    ThreadPool pool(options.threads, &timeline);
    summary.threads = pool.size();
    summary.lanes = std::min(pool.size(), most_lanes);
    BatchPlan plan(survey, shard_plan, ranges, options.batch_memory / batches_in_flight(summary.lanes),
                   batch_seconds * pool.size());
    Characteriser characteriser(options.configuration.character, options.configuration.spectra,
                                survey.extra_columns());
    const io::CatalogueInfo info = catalogue_info(options, survey, characteriser, ranges, plan.total());

    engine::Engines engines =
        make_engines(options.backend, pool,
                     options.search_costs.empty() ? MeasuredCosts{} : read_search_costs(options.search_costs),
                     options.device_memory);
    summary.backend = engines.description;
    log::info("{} sources of {}, backend {}", plan.total(), options.survey, engines.description);

    std::set<std::string> quarantined;
    for (const QuarantineRow& row : info.ingest_quarantine) quarantined.insert(row.source_id);
    BatchProcessor processor(options.configuration, engines, pool, timeline, std::move(quarantined));

    {
        std::vector<Source> sources;
        if (!options.configuration.character.counterparts.empty())
            for (const Range& range : ranges)
                for (Source& source : survey.read_sources(range.first, range.count))
                    sources.push_back(std::move(source));
        const Timeline::Stage matching(timeline, "match");
        characteriser.prepare(sources, pool);
    }

    ContentHash identity;
    identity.update(info.survey_checksum + info.configuration + version);
    for (const auto& [table, checksum] : characteriser.provenance()) identity.update(table + checksum);
    for (const Range& range : ranges) identity.update(fmt::format("{}+{};", range.first, range.count));
    Journal journal(options.output + ".journal", identity.digest(), options.resume);
    summary.resumed = journal.size();
    plan.skip(journal.size());

    std::int64_t done = journal.size();
    if (progress) progress(done, plan.total());
    StreamStages stages;
    stages.read = [&]() -> std::vector<SourceData> {
        const Timeline::Stage reading(timeline, "read");
        const Range range = plan.next();
        return range.count > 0 ? survey.read(range.first, range.count) : std::vector<SourceData>{};
    };
    stages.compute = [&](std::int64_t k, const std::vector<SourceData>& batch) {
        std::vector<SourceResult> results = compute_in_parts(
            batch, [&](std::span<const SourceData> part) { return processor.process(k, part); });
        const Timeline::Stage characterising(timeline, "characterise", k);
        characteriser.apply(results);
        return results;
    };
    stages.write = [&](std::int64_t k, const std::vector<SourceResult>& results) {
        const Timeline::Stage journalling(timeline, "journal", k);
        journal.append(results);
        done += static_cast<std::int64_t>(results.size());
        if (progress) progress(done, plan.total());
    };
    stream_batches(stages, summary.lanes, stop, timeline);

    summary.interrupted = done < plan.total();
    if (!summary.interrupted) {
        const Timeline::Stage writing(timeline, "catalogue");
        std::optional<CatalogueReview> review;  // of whole catalogues only
        if (!info.selection && info.n_sources == info.survey_sources) {
            review.emplace(options.configuration.search);
            do {
                journal.replay([&](const SourceResult& result) { review->look(result); });
            } while (review->again());
        }
        bool counted = false;  // by the first of the passes that writing takes
        const io::ResultReplay replay = [&](const io::ResultVisitor& visitor) {
            const bool first = !std::exchange(counted, true);
            journal.replay([&](SourceResult& result) {
                if (review) review->revise(result);
                if (first) count(result, summary);
                visitor(result);
            });
        };
        for (const QuarantineRow& row : info.ingest_quarantine) ++summary.quarantined[row.code];
        io::write_catalogue(options.output, info, replay, [&] { journal.require_ours(); });
    }
    summary.stages = timeline.stages();
    summary.seconds = timeline.seconds();
    summary.processor_seconds = timeline.processor_seconds();
    summary.peak_memory = peak_memory();
    if (!options.trace.empty()) io::write_text_file(options.trace, timeline.chrome_trace());
    if (!summary.interrupted) {
        io::write_text_file(run_record_path(options.output), run_record(options, summary));
        journal.remove();
    }
    return summary;
}

double RunSummary::waiting() const {
    const auto wait = stages.find("wait");
    return wait == stages.end() || seconds <= 0.0 ? 0.0 : wait->second.wall / (seconds * lanes);
}

}  // namespace xsift::pipeline
