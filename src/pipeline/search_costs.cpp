#include "machine_record.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <utility>
#include <vector>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/pipeline/search_costs.hpp>

namespace xsift::pipeline {
namespace {

using engine::SearchCosts;

constexpr double never = 1e12;  ///< ns: keeps an evaluator from being chosen
constexpr double span = 30000.0;

/// The costs by the names they have in the file.
const std::vector<std::pair<const char*, double SearchCosts::*>> names{
    {"direct_pair_ns", &SearchCosts::direct_pair},
    {"matrix_trial_ns", &SearchCosts::matrix_trial},
    {"matrix_pair_ns", &SearchCosts::matrix_pair},
    {"nufft_trial_ns", &SearchCosts::nufft_trial},
    {"nufft_photon_ns", &SearchCosts::nufft_photon}};

/// Nanoseconds of processor time of one search of Z2_1, the fastest of several.
double nanoseconds(std::size_t photons, std::int64_t trials, const SearchCosts& only, int repeats) {
    const ThreadPool pool(1);
    const engine::Engines engines = engine::make_cpu_engines(pool, only);
    RandomStream random(3, photons);
    std::vector<double> time(photons);
    for (double& t : time) t = span * (random.uniform() - 0.5);
    engine::EventTask task;
    task.time = time;
    task.grid = {1.0 / (4.0 * span), 1, trials};
    task.statistics = {{timing::Statistic::Kind::z2, 1}};
    task.min_separation = 1.0 / span;
    double best = INFINITY;
    for (int i = 0; i <= repeats; ++i) {
        std::timespec from{}, to{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        engines.search->search(std::span<const engine::EventTask>(&task, 1));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        best = std::min(best, 1e9 * static_cast<double>(to.tv_sec - from.tv_sec) +
                                  static_cast<double>(to.tv_nsec - from.tv_nsec));
    }
    return best;
}

/// Intercept and slope of the straight line through points of which each counts by its relative error.
std::pair<double, double> line(const std::vector<std::pair<double, double>>& points) {
    double w = 0.0, wx = 0.0, wy = 0.0, wxx = 0.0, wxy = 0.0;
    for (const auto& [x, y] : points) {
        const double weight = 1.0 / (y * y);
        w += weight;
        wx += weight * x;
        wy += weight * y;
        wxx += weight * x * x;
        wxy += weight * x * y;
    }
    const double slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    return {(wy - slope * wx) / w, slope};
}

Error unusable(const std::string& path, const std::string& why) {
    return {ErrorKind::usage, "BAD_SETTING", path + " holds no costs of searches", why,
            "Make it by `xsift bench --calibrate FILE`."};
}

}  // namespace

SearchCosts measure_search_costs(int repeats, double scale) {
    // Whole groups of the transform's blocks: its padding is then none.
    constexpr std::int64_t group = 8 * 2048;
    const std::int64_t trials = group * std::max<std::int64_t>(1, std::llround(32 * scale));
    SearchCosts matrix, nufft, direct, costs;
    matrix.direct_pair = matrix.nufft_trial = nufft.direct_pair = nufft.matrix_trial = never;
    direct.matrix_trial = direct.nufft_trial = never;
    const auto per_trial = [&](const std::vector<std::size_t>& photons, const SearchCosts& only) {
        std::vector<std::pair<double, double>> points;
        for (const std::size_t n : photons)
            points.emplace_back(static_cast<double>(n),
                                nanoseconds(n, trials, only, repeats) / static_cast<double>(trials));
        return line(points);
    };
    constexpr double least = 1e-4;
    const auto [matrix_trial, matrix_pair] = per_trial({10, 50, 100, 200}, matrix);
    const auto [nufft_trial, nufft_photon] = per_trial({50, 400, 1400}, nufft);
    costs.matrix_trial = std::max(least, matrix_trial);
    costs.matrix_pair = std::max(least, matrix_pair);
    costs.nufft_trial = std::max(least, nufft_trial);
    costs.nufft_photon = std::max(least, nufft_photon * static_cast<double>(group));
    constexpr std::size_t few = 20;
    constexpr std::int64_t some = 1000;
    costs.direct_pair = std::max(least, nanoseconds(few, some, direct, repeats) / static_cast<double>(few) /
                                            static_cast<double>(some));
    return costs;
}

std::string search_costs_json(const SearchCosts& costs) {
    nlohmann::ordered_json record = machine_record();
    for (const auto& [name, cost] : names) record["search_costs"][name] = costs.*cost;
    return record.dump(2) + "\n";
}

SearchCosts read_search_costs(const std::string& path) {
    std::ifstream file(path);
    const nlohmann::json record = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!file || !record.is_object() || !record.contains("search_costs") ||
        !record["search_costs"].is_object())
        throw unusable(path, file ? "it is not the JSON that the calibration writes" : "it cannot be read");
    SearchCosts costs;
    for (const auto& [name, cost] : names) {
        const auto found = record["search_costs"].find(name);
        if (found == record["search_costs"].end() || !found->is_number() || !(found->get<double>() > 0.0))
            throw unusable(path, std::string(name) + " is missing or not above 0");
        costs.*cost = found->get<double>();
    }
    return costs;
}

}  // namespace xsift::pipeline
