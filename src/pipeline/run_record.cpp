#include "run_record.hpp"

#include "machine_record.hpp"

#include <xsift/core/parallel.hpp>

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
    record["threads"] = options.threads > 0 ? options.threads : available_threads();
    record["batch_memory"] = options.batch_memory;
    record["sources"] = summary.sources;
    record["resumed"] = summary.resumed;
    record["candidates"] = summary.candidates;
    record["periods"] = summary.periods;
    record["fits"] = summary.fits;
    record["quarantined"] = summary.quarantined;
    record["seconds"] = summary.seconds;
    record["predicted_seconds"] = summary.predicted_seconds;
    record["peak_memory"] = summary.peak_memory;
    return record.dump(2) + "\n";
}

}  // namespace xsift::pipeline
