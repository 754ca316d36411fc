#include "resources.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/spectral/plasma_table.hpp>
#include <xsift/spectral/table_model.hpp>

namespace xsift::spectral {

namespace {

[[noreturn]] void fail(const TableModel& table, const std::string& why) {
    throw Error(ErrorKind::input, "TABLE_MODEL", fmt::format("the table model {} cannot be used", table.name),
                why, "Give an OGIP table model (OGIP 92-009).");
}

bool ascending(const std::vector<double>& v) {
    return std::adjacent_find(v.begin(), v.end(), [](double a, double b) { return !(a < b); }) == v.end();
}

/// Position of a value on an axis: the interval and the fraction of it, and d fraction / d value.
struct Position {
    std::size_t left = 0;
    double fraction = 0.0, slope = 0.0;
};

Position locate(const TableAxis& axis, double value) {
    const std::vector<double>& v = axis.values;
    if (v.size() == 1) return {};
    const bool inside = value >= v.front() && value <= v.back();
    const double x = std::clamp(value, v.front(), v.back());
    const auto i = std::upper_bound(v.begin() + 1, v.end() - 1, x) - v.begin();
    const double width = axis.logarithmic ? std::log(v[i] / v[i - 1]) : v[i] - v[i - 1];
    const double done = axis.logarithmic ? std::log(x / v[i - 1]) : x - v[i - 1];
    const double slope = axis.logarithmic ? 1.0 / (x * width) : 1.0 / width;
    return {static_cast<std::size_t>(i - 1), done / width, inside ? slope : 0.0};
}

}  // namespace

void check_table(const TableModel& t) {
    if (t.edge.size() < 2 || !ascending(t.edge) || !(t.edge.front() >= 0.0))
        fail(t, "its energies do not ascend");
    if (t.axes.empty()) fail(t, "it has no parameters");
    std::size_t rows = 1;
    for (const TableAxis& axis : t.axes) {
        if (axis.values.empty() || !ascending(axis.values))
            fail(t, fmt::format("the values of its parameter {} do not ascend", axis.name));
        if (axis.logarithmic && !(axis.values.front() > 0.0))
            fail(t, fmt::format("its parameter {} is interpolated in the logarithm and not positive",
                                axis.name));
        rows *= axis.values.size();
    }
    if (t.spectra.size() != rows * t.n_bins())
        fail(t, fmt::format("{} values for {} spectra of {} bins", t.spectra.size(), rows, t.n_bins()));
    for (float x : t.spectra)
        if (!std::isfinite(x)) fail(t, "a spectrum holds a value that is not a number");
}

TableInterpolator::TableInterpolator(std::shared_ptr<const TableModel> table, const EnergyBins& bins,
                                     double redshift)
    : table_(std::move(table)),
      outside_(bins.size(), 0.0),
      rebinned_(table_->spectra.size() / table_->n_bins()) {
    const std::vector<double>& edge = table_->edge;
    const double stretch = 1.0 + redshift;
    for (std::size_t i = 0; i < bins.size(); ++i) {
        const double lo = bins.lo(i) * stretch, hi = bins.hi(i) * stretch, width = hi - lo;
        const double per_bin = table_->additive ? 1.0 / stretch : 1.0 / width;
        const double under = std::max(0.0, std::min(hi, edge.front()) - lo);
        const double over = std::max(0.0, hi - std::max(lo, edge.back()));
        outside_[i] = per_bin * (under * table_->below + over * table_->above);
        const auto after = std::upper_bound(edge.begin(), edge.end(), lo) - edge.begin();
        auto j = static_cast<std::int32_t>(std::max<std::ptrdiff_t>(after - 1, 0));
        first_.push_back(j);
        for (; j < static_cast<std::int32_t>(table_->n_bins()) && edge[j] < hi; ++j) {
            const double overlap = std::min(hi, edge[j + 1]) - std::max(lo, edge[j]);
            weight_.push_back(std::max(0.0, overlap) * per_bin /
                              (table_->additive ? edge[j + 1] - edge[j] : 1.0));
        }
        count_.push_back(j - first_.back());
    }
}

const std::vector<double>& TableInterpolator::rebinned(std::size_t row) {
    std::vector<double>& out = rebinned_[row];
    if (!out.empty()) return out;
    out.resize(outside_.size());
    const float* const spectrum = table_->spectra.data() + row * table_->n_bins();
    const double* weight = weight_.data();
    for (std::size_t i = 0; i < out.size(); ++i)
        for (std::int32_t j = 0; j < count_[i]; ++j)
            out[i] += *weight++ * static_cast<double>(spectrum[first_[i] + j]);
    return out;
}

void TableInterpolator::evaluate(std::span<const double> values, std::span<double> out,
                                 std::span<const std::span<double>> by) {
    const std::size_t n_axes = table_->axes.size();
    std::vector<Position> at(n_axes);
    std::vector<std::size_t> stride(n_axes);
    for (std::size_t a = n_axes, step = 1; a-- > 0;) {
        stride[a] = step;
        step *= table_->axes[a].values.size();
        at[a] = locate(table_->axes[a], values[a]);
    }
    // derivative_of n_axes: none, the value itself
    const auto combine = [&](std::size_t derivative_of, std::span<double> to) {
        for (std::size_t corner = 0; corner < (std::size_t{1} << n_axes); ++corner) {
            double weight = 1.0;
            std::size_t row = 0;
            for (std::size_t a = 0; a < n_axes && weight != 0.0; ++a) {
                const bool right = (corner >> a & 1) != 0;
                if (a == derivative_of)
                    weight *= right ? at[a].slope : -at[a].slope;
                else
                    weight *= right ? at[a].fraction : 1.0 - at[a].fraction;
                row += (at[a].left + (right ? 1 : 0)) * stride[a];
            }
            if (weight == 0.0) continue;
            const std::vector<double>& spectrum = rebinned(row);
            for (std::size_t i = 0; i < to.size(); ++i) to[i] += weight * spectrum[i];
        }
    };
    std::copy(outside_.begin(), outside_.end(), out.begin());
    combine(n_axes, out);
    for (std::size_t a = 0; a < by.size(); ++a) {
        if (by[a].empty()) continue;
        std::fill(by[a].begin(), by[a].end(), 0.0);
        combine(a, by[a]);
    }
}

namespace {

/// Reads the embedded table; layout: scripts/make-apec-table.py.
TableModel read_embedded(std::span<const unsigned char> bytes) {
    const std::string hash = content_hash(bytes.data(), bytes.size());
    const auto damaged = [] {
        throw Error(ErrorKind::internal, "APEC_TABLE", "the embedded plasma emission table is damaged",
                    "its length does not fit its header", "Run scripts/make-apec-table.py and rebuild.");
    };
    std::uint32_t n_temperatures = 0, n_abundances = 0, n_edges = 0, n_origin = 0;
    constexpr std::size_t header = 8 + 4 * sizeof(std::uint32_t);
    if (bytes.size() < header || std::memcmp(bytes.data(), "XSIFTTAB", 8) != 0) damaged();
    const unsigned char* at = bytes.data() + 8;
    const auto take = [&at](void* to, std::size_t size) {
        std::memcpy(to, at, size);
        at += size;
    };
    for (std::uint32_t* n : {&n_temperatures, &n_abundances, &n_edges, &n_origin}) take(n, sizeof *n);
    const std::size_t n_values = std::size_t{n_temperatures} * n_abundances * (n_edges > 0 ? n_edges - 1 : 0);
    if (bytes.size() != header + n_origin + sizeof(double) * (n_temperatures + n_abundances + n_edges) +
                            sizeof(float) * n_values)
        damaged();
    TableModel table;
    table.name = "apec";
    table.hash = hash;
    table.redshift = true;
    table.origin.assign(reinterpret_cast<const char*>(at), n_origin);
    at += n_origin;
    TableAxis temperature{"kT", "keV", 1.0, 0.0, 0.0, false, false, std::vector<double>(n_temperatures)};
    TableAxis abundance{"Abundanc", "", 1.0, 0.0, 0.0, true, false, std::vector<double>(n_abundances)};
    table.edge.resize(n_edges);
    take(temperature.values.data(), sizeof(double) * n_temperatures);
    take(abundance.values.data(), sizeof(double) * n_abundances);
    take(table.edge.data(), sizeof(double) * n_edges);
    for (TableAxis* axis : {&temperature, &abundance}) {
        axis->lo = axis->values.front();
        axis->hi = axis->values.back();
        table.axes.push_back(*axis);
    }
    table.spectra.resize(n_values);
    take(table.spectra.data(), sizeof(float) * n_values);
    check_table(table);
    return table;
}

}  // namespace

std::shared_ptr<const TableModel> embedded_apec() {
    static const auto table = std::make_shared<const TableModel>(with_hotter_plasma(read_embedded(apec_resource())));
    return table;
}

}  // namespace xsift::spectral
