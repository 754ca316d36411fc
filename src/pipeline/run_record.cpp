#include "run_record.hpp"

#include <ctime>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <xsift/core/parallel.hpp>
#include <xsift/core/version.hpp>

namespace xsift::pipeline {

std::string run_record_path(const std::string& catalogue) {
    const std::string stem =
        catalogue.ends_with(".fits") ? catalogue.substr(0, catalogue.size() - 5) : catalogue;
    return stem + ".run.json";
}

std::string run_record(const RunOptions& options, const RunSummary& summary) {
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    char date[32] = {};
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);

    nlohmann::ordered_json record;
    record["xsift"] = version;
    record["date"] = date;
    record["host"] = host;
    record["survey"] = options.survey;
    record["catalogue"] = options.output;
    record["shard"] = {options.shard, options.shards};
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
    record["peak_memory"] = summary.peak_memory;
    return record.dump(2) + "\n";
}

}  // namespace xsift::pipeline
