#include "machine_record.hpp"
#include "stopwatch.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <utility>
#include <vector>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/product_tile.hpp>
#include <xsift/pipeline/search_costs.hpp>

namespace xsift::pipeline {
namespace {

using engine::DeviceCosts;
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

/// The same of a device's, whichever of its tiles.
const std::vector<std::pair<const char*, double DeviceCosts::*>> device_names{
    {"product_tile_ns", &DeviceCosts::product_tile},
    {"product_photon_ns", &DeviceCosts::product_photon},
    {"transform_tile_ns", &DeviceCosts::transform_tile},
    {"transform_photon_ns", &DeviceCosts::transform_photon}};

/// A search of Z2_1 of `photons` photons.
struct Example {
    std::vector<double> time;
    engine::EventTask task;

    Example(std::size_t photons, std::int64_t trials) : time(photons) {
        RandomStream random(3, photons);
        for (double& t : time) t = span * (random.uniform() - 0.5);
        task.time = time;
        task.grid = {1.0 / (4.0 * span), 1, trials};
        task.statistics = {{timing::Statistic::Kind::z2, 1}};
        task.min_separation = 1.0 / span;
    }
    Example(const Example&) = delete;
    Example& operator=(const Example&) = delete;
};

/// Nanoseconds of processor time of one search, the fastest of several.
double nanoseconds(std::size_t photons, std::int64_t trials, const SearchCosts& only, int repeats) {
    const ThreadPool pool(1);
    const engine::Engines engines = engine::make_cpu_engines(pool, only);
    const Example example(photons, trials);
    double best = INFINITY;
    for (int i = 0; i <= repeats; ++i) {
        std::timespec from{}, to{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        engines.search->search(std::span<const engine::EventTask>(&example.task, 1));
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

/// Nanoseconds a tile of searches of so many photons each, the fastest of several.
double nanoseconds_a_tile(engine::PeriodSearch& search, std::size_t photons, std::int64_t trials,
                          std::int64_t sources, int repeats) {
    const Example example(photons, trials);
    const std::vector<engine::EventTask> tasks(static_cast<std::size_t>(sources), example.task);
    double best = INFINITY;
    for (int i = 0; i <= repeats; ++i) {
        const Stopwatch watch;
        search.search(std::span<const engine::EventTask>(tasks));
        best = std::min(best, watch.seconds());
    }
    const auto own = static_cast<double>(engine::tile_own(engine::product_task(example.task, 1.0, 1.0, 1.0)));
    return 1e9 * best / (std::ceil(static_cast<double>(trials) / own) * static_cast<double>(sources));
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

DeviceCosts measure_device_costs(engine::PeriodSearch& by_product, engine::PeriodSearch& by_transform,
                                 int repeats, double scale) {
    const std::int64_t trials = std::max<std::int64_t>(1000, std::llround(816'000 * scale));
    const auto of_tile = [&](engine::PeriodSearch& search, const std::vector<std::size_t>& photons) {
        std::vector<std::pair<double, double>> points;
        for (const std::size_t n : photons) {
            // As many sources as keep a device busy for some milliseconds.
            const std::int64_t sources =
                std::max<std::int64_t>(2, std::llround(scale * 2e5 / (static_cast<double>(n) + 1000.0)));
            points.emplace_back(static_cast<double>(n),
                                nanoseconds_a_tile(search, n, trials, sources, repeats));
        }
        return line(points);
    };
    constexpr double least = 1e-6;
    const auto [product_tile, product_photon] = of_tile(by_product, {50, 300, 1000, 3000});
    const auto [transform_tile, transform_photon] = of_tile(by_transform, {300, 3000, 30'000});
    return {std::max(least, product_tile), std::max(least, product_photon), std::max(least, transform_tile),
            std::max(least, transform_photon)};
}

std::optional<DeviceCosts> measure_device_costs(int repeats, double scale) {
    if (!cuda::availability().usable) return std::nullopt;
    cuda::DeviceOptions product, transform;
    product.costs = {0.0, 0.0, 1.0, 1.0};
    transform.costs = {1.0, 1.0, 0.0, 0.0};
    const engine::Engines by_product = cuda::make_engines(product),
                          by_transform = cuda::make_engines(transform);
    return measure_device_costs(*by_product.search, *by_transform.search, repeats, scale);
}

std::string search_costs_json(const MeasuredCosts& costs) {
    nlohmann::ordered_json record = machine_record();
    for (const auto& [name, cost] : names) record["search_costs"][name] = costs.cpu.*cost;
    if (costs.device) {
        record["device"] = cuda::availability().device;
        for (const auto& [name, cost] : device_names) record["device_costs"][name] = *costs.device.*cost;
    }
    return record.dump(2) + "\n";
}

MeasuredCosts read_search_costs(const std::string& path) {
    std::ifstream file(path);
    const nlohmann::json record = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!file || !record.is_object() || !record.contains("search_costs") ||
        !record["search_costs"].is_object())
        throw unusable(path, file ? "it is not the JSON that the calibration writes" : "it cannot be read");
    const auto take = [&](const nlohmann::json& from, const auto& all, auto& to) {
        for (const auto& [name, cost] : all) {
            const auto found = from.find(name);
            if (found == from.end() || !found->is_number() || !(found->template get<double>() > 0.0))
                throw unusable(path, std::string(name) + " is missing or not above 0");
            to.*cost = found->template get<double>();
        }
    };
    MeasuredCosts costs;
    take(record["search_costs"], names, costs.cpu);
    if (record.contains("device_costs")) {
        if (!record["device_costs"].is_object()) throw unusable(path, "device_costs is no object");
        take(record["device_costs"], device_names, costs.device.emplace());
    }
    return costs;
}

}  // namespace xsift::pipeline
