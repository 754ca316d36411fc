#include <cmath>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <xsift/pipeline/describe_record.hpp>

namespace xsift::pipeline {

namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& record, const char* key) {
    const auto found = record.find(key);
    if (found == record.end()) return "";
    return found->is_string() ? found->get<std::string>() : found->dump();
}

double number(const Json& record, const char* key) {
    const auto found = record.find(key);
    return found != record.end() && found->is_number() ? found->get<double>() : NAN;
}

std::string made_by(const Json& record) {
    return fmt::format("made by xsift {} on {}, {}\n", text(record, "xsift"), text(record, "host"),
                       text(record, "date"));
}

std::string describe_run(const Json& record) {
    std::string out =
        fmt::format("record of the run that wrote {}\n{}", text(record, "catalogue"), made_by(record));
    out += fmt::format("survey {}, shard {}, part {}\n", text(record, "survey"), text(record, "shard"),
                       text(record, "part"));
    out += fmt::format("sources {} (resumed {}), candidates {}, sources with a period {}, fits {}\n",
                       text(record, "sources"), text(record, "resumed"), text(record, "candidates"),
                       text(record, "periods"), text(record, "fits"));
    const Json quarantined = record.value("quarantined", Json::object());
    for (const auto& [code, count] : quarantined.items())
        out += fmt::format("quarantined, {}: {}\n", code, count.dump());
    out += fmt::format("backend {}, peak memory {:.0f} MiB\n", text(record, "backend"),
                       number(record, "peak_memory") / 1048576.0);
    const Json wall = record.value("seconds", Json::object()),
               processor = record.value("processor_seconds", Json::object());
    out += fmt::format("\n{:<14}{:>12}{:>12}\n", "stage", "wall s", "core-s");
    for (const auto& [stage, seconds] : wall.items())
        if (seconds.is_number())
            out += fmt::format("{:<14}{:>12.2f}{:>12.2f}\n", stage, seconds.get<double>(),
                               number(processor, stage.c_str()));
    const double predicted = number(record, "predicted_seconds"), real = number(processor, "total");
    if (predicted > 0.0)
        out += fmt::format("\npredicted {:.3g} core-s, took {:.3g}: {:.2f} times the prediction\n", predicted,
                           real, real / predicted);
    return out;
}

std::string describe_trace(const Json& record) {
    std::map<std::string, int> stages;
    for (const Json& event : record["traceEvents"])
        if (event.is_object() && text(event, "ph") == "X") ++stages[text(event, "name")];
    std::string out = "timeline of a run (Chrome's trace events): open it at https://ui.perfetto.dev\n";
    for (const auto& [stage, count] : stages) out += fmt::format("{:<14}{:>8} stretches\n", stage, count);
    return out;
}

std::string describe_costs(const Json& record) {
    std::string out =
        "costs of searches measured by `xsift bench --calibrate`, for `xsift run --search-costs`\n" +
        made_by(record);
    for (const char* part : {"search_costs", "device_costs"})
        if (record.contains(part) && record[part].is_object())
            for (const auto& [name, cost] : record[part].items())
                out += fmt::format("{} {}\n", name, cost.dump());
    return out;
}

std::string describe_bench(const Json& record) {
    std::string out = "benchmark of `xsift bench`\n" + made_by(record);
    const Json results = record.value("results", Json::array());
    for (const Json& result : results)
        out += fmt::format("{}, {}: {} s\n", text(result, "workload"), text(result, "backend"),
                           text(result, "seconds"));
    if (record.contains("pairs"))
        out += fmt::format("{} sources, {} pairs, {} s\n", text(record, "sources"), text(record, "pairs"),
                           text(record, "seconds"));
    return out;
}

}  // namespace

std::optional<std::string> describe_record(const std::string& path) {
    std::ifstream file(path);
    if ((file >> std::ws).peek() != '{') return std::nullopt;
    const Json record = Json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object()) return std::nullopt;
    if (record.contains("catalogue") && record.contains("shard")) return describe_run(record);
    if (record.contains("traceEvents") && record["traceEvents"].is_array()) return describe_trace(record);
    if (record.contains("search_costs") && record["search_costs"].is_object()) return describe_costs(record);
    if (record.contains("xsift") && (record.contains("ceilings") || record.contains("pairs")))
        return describe_bench(record);
    if (text(record, "format") == "xsift-dossier")
        return fmt::format("dossier of source {}, made by xsift {}\n{}\n", text(record, "id"),
                           text(record, "xsift"), text(record, "verdict"));
    return std::nullopt;
}

}  // namespace xsift::pipeline
