#include <algorithm>

#include <xsift/core/step_limit.hpp>
#include <xsift/timing/trigonometric_sums.hpp>

namespace xsift::timing {
namespace {

/// Photons a pass: their phasors stay in the nearest cache for all harmonics.
constexpr std::size_t pass_photons = 256;
/// Frequencies of a part with equal steps.
constexpr std::size_t most_steps = 512;

/// @param add adds a pass to the lanes of `count` frequencies
template <std::size_t rows>
std::vector<PhotonLanes<rows>> accumulate(const Photons& photons, double first, double step, int count,
                                          void (*add)(const MomentPass&, int, double*)) {
    std::vector<PhotonLanes<rows>> lanes(static_cast<std::size_t>(count));
    static const MomentKernels& kernels = best_moments();
    for (std::size_t from = 0; from < photons.time.size(); from += pass_photons) {
        alignas(64) double t[pass_photons], turn_re[pass_photons], turn_im[pass_photons], re[pass_photons],
            im[pass_photons];
        if (from % (16 * pass_photons) == 0) require_time_left();
        const std::size_t n = std::min(pass_photons, photons.time.size() - from);
        const std::size_t padded = (n + moment_lanes - 1) / moment_lanes * moment_lanes;
        for (std::size_t l = 0; l < n; ++l) t[l] = photons.time[from + l] - photons.origin;
        std::fill(t + n, t + padded, 0.0);
        kernels.phasors(first, t, re, im, padded);
        if (step == first) {
            std::copy_n(re, padded, turn_re);
            std::copy_n(im, padded, turn_im);
        } else {
            kernels.phasors(step, t, turn_re, turn_im, padded);
        }
        for (std::size_t l = 0; l < n && !photons.weight.empty(); ++l) {
            re[l] *= static_cast<double>(photons.weight[from + l]);
            im[l] *= static_cast<double>(photons.weight[from + l]);
        }
        for (double* array : {re, im}) std::fill(array + n, array + padded, 0.0);
        add({t, turn_re, turn_im, re, im, padded}, count, &lanes.data()->value[0][0]);
    }
    return lanes;
}

}  // namespace

std::vector<PhotonLanes<moment_rows>> photon_moments(const Photons& photons, double first, double step,
                                                     int count) {
    return accumulate<moment_rows>(photons, first, step, count, best_moments().add);
}

std::vector<Complex> progression(const Photons& photons, double first, double step, int count) {
    std::vector<Complex> sums;
    for (const auto& lanes : accumulate<sum_rows>(photons, first, step, count, best_moments().add_sums))
        sums.push_back(lanes.total());
    return sums;
}

std::vector<Complex> sums_of(const SumTask& task) {
    std::vector<Complex> sums;
    for (const SumTask& part : equal_steps(task)) {
        const auto some = sums_of_equal_steps(part);
        sums.insert(sums.end(), some.begin(), some.end());
    }
    return sums;
}

std::vector<SumTask> equal_steps(const SumTask& task) {
    const std::span<const std::int64_t> indices = task.indices;
    std::vector<SumTask> parts;
    for (std::size_t i = 0; i < indices.size();) {
        std::size_t end = std::min(i + 2, indices.size());
        while (end < indices.size() && end - i < most_steps &&
               indices[end] - indices[end - 1] == indices[i + 1] - indices[i])
            ++end;
        parts.push_back({task.photons, task.df, indices.subspan(i, end - i)});
        i = end;
    }
    return parts;
}

std::vector<Complex> sums_of_equal_steps(const SumTask& part) {
    const std::span<const std::int64_t> indices = part.indices;
    if (indices.empty()) return {};
    const std::int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
    return progression(part.photons, static_cast<double>(indices[0]) * part.df,
                       static_cast<double>(step) * part.df, static_cast<int>(indices.size()));
}

}  // namespace xsift::timing
