#include "run_record.hpp"

#include "machine_record.hpp"

namespace xsift::pipeline {

std::string run_record_path(const std::string& catalogue) {
    const std::string stem =
        catalogue.ends_with(".fits") ? catalogue.substr(0, catalogue.size() - 5) : catalogue;
    return stem + ".run.json";
}

std::string run_record(const RunOptions& options, const RunSummary& summary) {
    nlohmann::ordered_json record = machine_record();
    record["survey"] = options.survey;
    record["catalogue"] = options.output;
    record["shard"] = {options.shard, options.shards};
    record["part"] = {options.part, options.parts};
    record["backend"] = summary.backend;
    record["threads"] = summary.threads;
    record["lanes"] = summary.lanes;
    record["batch_memory"] = options.batch_memory;
    record["sources"] = summary.sources;
    record["resumed"] = summary.resumed;
    record["candidates"] = summary.candidates;
    record["periods"] = summary.periods;
    record["fits"] = summary.fits;
    record["quarantined"] = summary.quarantined;
    nlohmann::ordered_json seconds, processor_seconds;
    for (const auto& [stage, time] : summary.stages) {
        seconds[stage] = time.wall;
        processor_seconds[stage] = time.processor;
    }
    seconds["total"] = summary.seconds;
    processor_seconds["total"] = summary.processor_seconds;
    record["seconds"] = seconds;
    record["processor_seconds"] = processor_seconds;
    record["core_utilisation"] = summary.utilisation();
    record["waiting"] = summary.waiting();
    record["predicted_seconds"] = summary.predicted_seconds;
    record["peak_memory"] = summary.peak_memory;
    return record.dump(2) + "\n";
}

}  // namespace xsift::pipeline
