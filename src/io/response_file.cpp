#include "fits_handle.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/response_file.hpp>

namespace xsift::io {
namespace {

constexpr double edge_tolerance = 1e-4;  // relative

[[noreturn]] void throw_bad(const FitsHandle& fits, const std::string& why) {
    throw Error(ErrorKind::input, "BAD_RESPONSE", fits.path() + ": not a usable response", why,
                "Make it again or give another one.");
}

/// The column of a name, which must exist.
int need(const FitsHandle& fits, std::string_view name) {
    const int column = fits.column(name);
    if (column == 0) throw_bad(fits, fmt::format("no column {} in {}", name, fits.current().name));
    return column;
}

bool is_matrix(const HduInfo& hdu) {
    return same_word(hdu.class2, "RSP_MATRIX") || same_word(hdu.name, "MATRIX") ||
           same_word(hdu.name, "SPECRESP MATRIX");
}
bool is_bounds(const HduInfo& hdu) {
    return same_word(hdu.class2, "EBOUNDS") || same_word(hdu.name, "EBOUNDS");
}

void require_bins(const FitsHandle& fits, const std::vector<double>& lo, const std::vector<double>& hi) {
    if (lo.empty()) throw_bad(fits, "no energies in " + fits.current().name);
    for (std::size_t i = 0; i < lo.size(); ++i)
        if (!std::isfinite(lo[i]) || !std::isfinite(hi[i]) || lo[i] < 0.0)
            throw_bad(fits, fmt::format("row {} of {} has no sound energies", i + 1, fits.current().name));
}

/// Reads EBOUNDS; returns the number of its first channel.
int read_bounds(FitsHandle& fits, Response& response) {
    const HduInfo* hdu = fits.find_table(is_bounds);
    if (hdu == nullptr) throw_bad(fits, "no EBOUNDS extension");
    fits.select(*hdu);
    const std::vector<double> channel = fits.numbers(need(fits, "CHANNEL"));
    response.channel_lo = fits.numbers(need(fits, "E_MIN"));
    response.channel_hi = fits.numbers(need(fits, "E_MAX"));
    require_bins(fits, response.channel_lo, response.channel_hi);
    if (channel.size() > static_cast<std::size_t>(max_channels))
        throw_bad(fits, "more than a million channels");
    for (std::size_t i = 0; i < channel.size(); ++i)
        if (channel[i] != channel[0] + static_cast<double>(i))
            throw_bad(fits, "channels of EBOUNDS are not in sequence");
    return fits.whole_number("the first channel", channel[0], -max_channels, max_channels);
}

/// Groups of a row that share a channel contradict each other: which value holds there is anybody's guess.
void require_separate_groups(const FitsHandle& fits, const Response& response, std::int64_t row) {
    std::vector<std::pair<std::int32_t, std::int32_t>> groups;  // first channel, number
    for (auto g = static_cast<std::size_t>(response.row_group.back()); g < response.group_first.size(); ++g)
        groups.emplace_back(response.group_first[g], response.group_count[g]);
    std::sort(groups.begin(), groups.end());
    for (std::size_t g = 1; g < groups.size(); ++g)
        if (groups[g].first < groups[g - 1].first + groups[g - 1].second)
            throw Error(ErrorKind::input, "OVERLAPPING_GROUPS",
                        fmt::format("{}: row {}: channel groups overlap", fits.path(), row + 1),
                        fmt::format("two groups hold channel {}", groups[g].first + response.first_channel),
                        "Make the response again.");
}

/// Appends the groups of one row of the matrix.
void append_row(FitsHandle& fits, Response& response, std::int64_t row, std::int64_t groups, int first_column,
                int count_column, int value_column) {
    const std::vector<double> first = fits.row_numbers(first_column, row);
    const std::vector<double> count = fits.row_numbers(count_column, row);
    const std::vector<float> values = fits.row_floats(value_column, row);
    const auto n = static_cast<std::size_t>(groups);
    if (groups < 0 || n > first.size() || n > count.size())
        throw_bad(fits, fmt::format("row {}: N_GRP", row + 1));
    std::size_t used = 0;
    for (std::size_t g = 0; g < n; ++g) {
        const double begin = first[g] - response.first_channel;
        if (count[g] == 0.0) continue;
        if (!(count[g] > 0.0) || !(begin >= 0.0) ||
            begin + count[g] > static_cast<double>(response.n_channels()) ||
            used + static_cast<std::size_t>(count[g]) > values.size())
            throw_bad(fits, fmt::format("row {}: group {} lies outside the channels or the matrix", row + 1,
                                        g + 1));
        response.group_first.push_back(static_cast<std::int32_t>(begin));
        response.group_count.push_back(static_cast<std::int32_t>(count[g]));
        response.group_value.push_back(static_cast<std::int64_t>(response.value.size()));
        for (auto k = static_cast<std::size_t>(count[g]); k > 0; --k, ++used) {
            if (!std::isfinite(values[used]))
                throw_bad(fits, fmt::format("row {}: values that are no numbers", row + 1));
            response.value.push_back(values[used]);
        }
    }
    require_separate_groups(fits, response, row);
    response.row_group.push_back(static_cast<std::int64_t>(response.group_first.size()));
}

std::string response_hash(const Response& r) {
    ContentHash hash;
    const auto add = [&](const auto& values) {
        const std::uint64_t size = values.size();
        hash.update(&size, sizeof size);
        hash.update(values.data(), values.size() * sizeof(values[0]));
    };
    hash.update(&r.first_channel, sizeof r.first_channel);
    add(r.energy_lo), add(r.energy_hi), add(r.channel_lo), add(r.channel_hi);
    add(r.row_group), add(r.group_first), add(r.group_count), add(r.group_value), add(r.value);
    return hash.digest();
}

double centre(double lo, double hi) {
    return 0.5 * (lo + hi);
}

}  // namespace

ResponseFile read_response(const std::string& path) {
    FitsHandle fits(path);
    auto response = std::make_shared<Response>();
    response->name = fits.base_name();
    const int first_bound = read_bounds(fits, *response);
    const HduInfo* matrix = fits.find_table(is_matrix);
    if (matrix == nullptr) throw_bad(fits, "no MATRIX extension");
    fits.select(*matrix);
    response->energy_lo = fits.numbers(need(fits, "ENERG_LO"));
    response->energy_hi = fits.numbers(need(fits, "ENERG_HI"));
    require_bins(fits, response->energy_lo, response->energy_hi);
    for (std::size_t i = 0; i < response->n_energies(); ++i)
        if (!(response->energy_hi[i] > response->energy_lo[i]))
            throw_bad(fits, fmt::format("row {}: an energy bin of no width", i + 1));
    const int first = need(fits, "F_CHAN"), count = need(fits, "N_CHAN"), value = need(fits, "MATRIX");
    const auto groups = fits.integers(need(fits, "N_GRP"));
    response->first_channel = fits.whole_number(
        "TLMIN of F_CHAN", fits.own_number(fmt::format("TLMIN{}", first)).value_or(first_bound),
        -max_channels, max_channels);
    response->row_group.push_back(0);
    for (std::int64_t row = 0; row < matrix->rows; ++row)
        append_row(fits, *response, row, groups[static_cast<std::size_t>(row)], first, count, value);
    response->hash = response_hash(*response);
    // DETECTOR: the efficiency of the detector is in it, the mirrors are not
    return {response, same_word(matrix->class3, "REDIST") || same_word(matrix->class3, "DETECTOR")};
}

EffectiveArea read_effective_area(const std::string& path) {
    FitsHandle fits(path);
    const auto bad = [&](const std::string& why) {
        return Error(ErrorKind::input, "BAD_ARF", path + ": not a usable effective area file", why,
                     "Make it again or give another one.");
    };
    const HduInfo* hdu = fits.find_table(
        [](const HduInfo& h) { return same_word(h.name, "SPECRESP") || same_word(h.class2, "SPECRESP"); });
    if (hdu == nullptr) throw bad("no SPECRESP extension");
    fits.select(*hdu);
    const int lo = fits.column("ENERG_LO"), hi = fits.column("ENERG_HI"), area = fits.column("SPECRESP");
    if (lo == 0 || hi == 0 || area == 0) throw bad("ENERG_LO, ENERG_HI or SPECRESP is missing");
    EffectiveArea arf{fits.base_name(), fits.numbers(lo), fits.numbers(hi), fits.numbers(area)};
    if (arf.area.empty()) throw bad("no rows");
    for (std::size_t i = 0; i < arf.area.size(); ++i)
        if (!std::isfinite(arf.area[i]) || arf.area[i] < 0.0 || !(arf.energy_hi[i] > arf.energy_lo[i]))
            throw bad(fmt::format("row {} has no sound energies or area", i + 1));
    return arf;
}

std::vector<double> area_on_response(const EffectiveArea& arf, const Response& response, bool& interpolated) {
    const auto close = [](double a, double b) { return std::abs(a - b) <= edge_tolerance * std::max(a, b); };
    const std::size_t n = response.n_energies();
    bool same = arf.area.size() == n;
    for (std::size_t i = 0; same && i < n; ++i)
        same =
            close(arf.energy_lo[i], response.energy_lo[i]) && close(arf.energy_hi[i], response.energy_hi[i]);
    interpolated = !same;
    if (same) return arf.area;
    const std::size_t last = arf.area.size() - 1;
    std::vector<double> area(n);
    for (std::size_t i = 0, j = 0; i < n; ++i) {
        const double energy = centre(response.energy_lo[i], response.energy_hi[i]);
        if (energy < arf.energy_lo.front() || energy > arf.energy_hi.back())
            throw Error(ErrorKind::input, "ARF_MISMATCH",
                        arf.file + ": does not cover the energies of the response",
                        fmt::format("{:.5g} keV lies outside {:.5g} to {:.5g} keV", energy,
                                    arf.energy_lo.front(), arf.energy_hi.back()),
                        "Make the effective area file for " + response.name + ".");
        while (j < last && centre(arf.energy_lo[j + 1], arf.energy_hi[j + 1]) <= energy) ++j;
        const std::size_t k = std::min(j + 1, last);
        const double a = centre(arf.energy_lo[j], arf.energy_hi[j]),
                     b = centre(arf.energy_lo[k], arf.energy_hi[k]);
        const double t = k == j ? 0.0 : std::clamp((energy - a) / (b - a), 0.0, 1.0);
        area[i] = (1.0 - t) * arf.area[j] + t * arf.area[k];
    }
    return area;
}

}  // namespace xsift::io
