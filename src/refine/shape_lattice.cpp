#include "shape_lattice.hpp"

#include "descent.hpp"
#include "fold_products.hpp"
#include "posterior_axis.hpp"
#include "two_scales.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

namespace xsift::refine {

namespace {

using spectral::LatticePlace;
using spectral::ModelDefinition;
using spectral::NodeWeights;
using spectral::PreparedSpectrum;

constexpr double edge_rise = 20.0;     // of the statistic, at rows that end the lattice
constexpr double steps_a_sigma = 0.7;  // nodes a standard deviation
constexpr int fewest = 4, most_nodes = 1000, most_values = 200'000;
constexpr double least_significance = 2.0;         // of the norm, standard deviations
constexpr double wanted = 0.02, tolerated = 0.04;  // error of the statistic

/// The nodes around a place.
spectral::LatticeCell cell_at(const ShapeLattice& lattice, const LatticePlace& place) {
    return spectral::cell_at(lattice.rates(), place.row, place.column,
                             std::clamp(static_cast<int>(place.column), 0, std::max(0, lattice.columns - 2)));
}

/// One side of the ridge of lowest statistics along the first shape parameter.
struct Side {
    double end = 0.0;   ///< u
    double root = 0.0;  ///< of the rise there: its distance in standard deviations
    bool limit = false;
};

/// The extent of a row along the second shape parameter, u.
struct Row {
    Vector x{};
    double centre = 0.0, below = 0.0, above = 0.0;  ///< the latter: distances
    double rise = 0.0;                              ///< of the statistic at its lowest
};

class LatticeMaker {
  public:
    LatticeMaker(std::span<const PreparedSpectrum> mean, std::span<const std::vector<double>> source,
                 const std::shared_ptr<const ModelDefinition>& model, spectral::Abundance abundance)
        : mean_(mean),
          source_(source),
          data_(mean.begin(), mean.end()),
          scales_(pointers_to(data_), model, abundance),
          merged_(scales_.merged()),
          n_bins_(merged_.n_bins()),
          best_(merged_.make_point()),
          trial_(merged_.make_point()),
          spare_(merged_.make_point()) {}

    std::optional<ShapeLattice> make(const SpectralFit& fit) {
        const Coordinates& c = coordinates();
        if (c.n_norms != 1 || merged_.freedom().groups.size() != 1 || c.n_shape > 2 || !choose_axes())
            return std::nullopt;
        merged_.evaluate(merged_.start(fit), best_);
        scales_.settle(best_);
        const Expansion at = merged_.expand(best_);
        if (!(at.observed[c.first_norm()][c.first_norm()] > 2.0 * least_significance * least_significance))
            return std::nullopt;
        if (has_rows()) row_axis_ = axis_over(row_axis_.coordinate, at);
        if (has_columns()) column_axis_ = axis_over(column_axis_.coordinate, at);
        if (!plan()) return std::nullopt;
        constexpr int most_tries = 3;
        for (int attempt = 0; attempt < most_tries; ++attempt) {
            if (too_many()) return std::nullopt;
            ShapeLattice lattice = placed();
            lattice.log_counts = folded(lattice.nodes, lattice.log_scale, merged_);
            const double by_rows = error_between(lattice, true), by_columns = error_between(lattice, false);
            lattice.error = std::hypot(by_rows, by_columns);
            if (lattice.error <= tolerated) {
                lattice.log_counts = folded(lattice.nodes, lattice.log_scale, scales_.whole());
                return lattice;
            }
            finer(rows_, by_rows);
            if (tabulated() && by_columns > tolerated) return std::nullopt;
            if (!tabulated()) finer(columns_, by_columns);
        }
        return std::nullopt;
    }

  private:
    static std::vector<const FitData*> pointers_to(const std::deque<FitData>& data) {
        std::vector<const FitData*> out;
        for (const FitData& one : data) out.push_back(&one);
        return out;
    }
    const Coordinates& coordinates() const { return merged_.coordinates(); }
    bool has_rows() const { return row_axis_.coordinate >= 0; }
    bool has_columns() const { return column_axis_.coordinate >= 0; }
    bool kinked(int i) const { return i >= 0 && !coordinates().kinks[static_cast<std::size_t>(i)].empty(); }
    /// Whether columns are tabulated values.
    bool tabulated() const { return kinked(column_axis_.coordinate); }

    /// @return whether no rows have kinks
    bool choose_axes() {
        const int n = coordinates().n_shape;
        if (n > 0) row_axis_.coordinate = 0;
        if (n > 1) column_axis_.coordinate = 1;
        if (kinked(row_axis_.coordinate)) std::swap(row_axis_.coordinate, column_axis_.coordinate);
        return !kinked(row_axis_.coordinate);
    }

    /// An axis whose steps are equal where the statistic of most spectra rises equally.
    Axis axis_over(int i, const Expansion& at) const {
        const Coordinates& c = coordinates();
        const spectral::ModelParameter& of =
            merged_.model().parameters[static_cast<std::size_t>(c.parameter[i])];
        Mask all{};
        for (int j = 0; j < c.n; ++j) all[j] = true;
        const double range = c.hi[i] - c.lo[i];
        const double sigma =
            std::clamp(std::sqrt(2.0 * inverse_diagonal(at.expected, i, all, c.n).value_or(range * range)),
                       1e-6 * range, 0.1 * range);
        Axis axis;
        axis.coordinate = i;
        if (of.name == "nH" && !kinked(i) && !c.logarithmic[i] && c.lo[i] >= 0.0)
            axis.shift = std::max(spectral::nh_prior_scale, 0.5 * sigma);
        axis.origin = axis.to_u(best_.x[i]);
        axis.lo = axis.to_u(c.lo[i]);
        axis.hi = axis.to_u(c.hi[i]);
        axis.step = sigma * std::exp(-axis.log_stretch(axis.origin));
        return axis;
    }
    /// The longest step between nodes whatever the counts: shapes have to be followed.
    double longest_step(const Axis& axis) const {
        return axis.shift > 0.0 ? 0.7 : coordinates().logarithmic[axis.coordinate] ? 0.45 : 1.0;
    }

    /// The lowest statistic of a row. @param from a point near
    void settle_row(double u, const Vector& from, Point& p) {
        Vector x = from;
        row_axis_.put(x, u);
        merged_.evaluate(coordinates().clipped(x), p);
        if (!has_columns()) return;
        Mask held{};
        held[row_axis_.coordinate] = true;
        DescentEnd end;
        end.enough = 1e-5;  // rows have to follow each other smoothly
        descend_between_kinks(merged_, p, trial_, spare_, true, held, end);
    }

    /// Follows the ridge until the statistic has risen enough or a limit is met.
    std::optional<Side> follow(int sign) {
        constexpr int most_steps = 30;
        const Axis& axis = row_axis_;
        const double limit = sign > 0 ? axis.hi : axis.lo;
        double step = axis.step, u = axis.origin, root = 0.0;
        Vector x = best_.x;
        Point p = merged_.make_point();
        if (!((limit - u) * sign > 0.0)) return Side{u, 0.0, true};
        for (int taken = 0; taken < most_steps; ++taken) {
            const bool last = (u + sign * step - limit) * sign > -0.3 * step;
            const double next = last ? limit : u + sign * step;
            settle_row(next, x, p);
            const double there = std::sqrt(std::max(0.0, p.stat - best_.stat));
            if (there > 1.5 * std::sqrt(edge_rise)) {
                step *= 0.5;
                continue;
            }
            ridge_.push_back(p.x);
            if (there >= std::sqrt(edge_rise)) {
                if (last) return Side{limit, there, true};
                const double share = (std::sqrt(edge_rise) - root) / (there - root);
                return Side{u + share * (next - u), std::sqrt(edge_rise), false};
            }
            if (last) return Side{limit, there, true};
            if (there - root < 1.0) step *= 1.6;
            u = next;
            x = p.x;
            root = there;
        }
        return std::nullopt;
    }

    /// Where the nodes will be.
    bool plan() {
        ridge_.push_back(best_.x);
        if (has_rows()) {
            const auto below = follow(-1), above = follow(1);
            if (!below || !above || !(above->end > below->end)) return false;
            sides_[0] = *below;
            sides_[1] = *above;
            rows_ = std::max(
                {fewest, number(below->root + above->root),
                 static_cast<int>(std::ceil((above->end - below->end) / longest_step(row_axis_))) + 1});
        }
        place_rows();
        return !has_columns() || plan_columns();
    }
    bool too_many() const {
        const int nodes = rows_ * columns_;
        return nodes > most_nodes || nodes * static_cast<int>(n_bins_) > most_values;
    }
    static int number(double sigmas) { return static_cast<int>(std::ceil(steps_a_sigma * sigmas)) + 1; }

    void place_rows() {
        row_.clear();
        for (int i = 0; i < rows_; ++i) row_.push_back(row_at(i));
    }
    Row row_at(int i) {
        Point p = best_;
        if (has_rows()) {
            const double u = sides_[0].end + (sides_[1].end - sides_[0].end) * i / (rows_ - 1.0);
            const auto distance = [&](const Vector& x) {
                return std::fabs(row_axis_.to_u(x[row_axis_.coordinate]) - u);
            };
            const auto near =
                std::min_element(ridge_.begin(), ridge_.end(),
                                 [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
            settle_row(u, *near, p);
        }
        Row row{p.x};
        row.rise = std::max(0.0, p.stat - best_.stat);
        if (!has_columns()) return row;
        Axis across = column_axis_;
        across.origin = row.centre = across.to_u(p.x[across.coordinate]);
        row.below = reach(p, across, -1);
        row.above = reach(p, across, 1);
        return row;
    }
    /// conditional_reach, more exactly.
    double reach(const Point& centre, const Axis& axis, int sign) {
        constexpr int most_steps = 4;
        constexpr double exact = 0.02;  // of the rise
        double distance = conditional_reach(merged_, centre, axis, sign, axis.step, spare_);
        const double room = sign > 0 ? axis.hi - axis.origin : axis.origin - axis.lo;
        for (int step = 0; step < most_steps && distance < room; ++step) {
            Vector x = centre.x;
            axis.put(x, axis.origin + sign * distance);
            merged_.evaluate_linear(coordinates().clipped(x), spare_);
            const double rise = spare_.stat - centre.stat;
            if (!(rise > 0.0) || std::fabs(rise / matters - 1.0) < exact) break;
            distance = std::min(room, distance * std::sqrt(matters / rise));
        }
        return distance;
    }
    bool plan_columns() { return tabulated() ? take_tabulated_columns() : place_columns(); }

    /// The tabulated values around all that matters, and the limits.
    bool take_tabulated_columns() {
        double lo = column_axis_.hi, hi = column_axis_.lo;
        for (const Row& row : row_) {
            lo = std::min(lo, row.centre - row.below);
            hi = std::max(hi, row.centre + row.above);
        }
        if (!(hi > lo)) return false;
        std::vector<double> all{column_axis_.lo};
        const auto& kinks = coordinates().kinks[static_cast<std::size_t>(column_axis_.coordinate)];
        all.insert(all.end(), kinks.begin(), kinks.end());
        all.push_back(column_axis_.hi);
        const auto first = std::upper_bound(all.begin() + 1, all.end() - 1, lo) - 1,
                   last = std::lower_bound(first + 1, all.end() - 1, hi);
        column_value_.assign(first, last + 1);
        column_limit_[0] = first == all.begin();
        column_limit_[1] = last + 1 == all.end();
        columns_ = static_cast<int>(column_value_.size());
        return true;
    }
    /// An edge at which any row meets a limit is that limit in all rows: the lattice stays smooth.
    bool place_columns() {
        const Axis& axis = column_axis_;
        const double near = 1e-9 * (axis.hi - axis.lo);
        for (const Row& row : row_) {
            column_limit_[0] = column_limit_[0] || row.centre - row.below <= axis.lo + near;
            column_limit_[1] = column_limit_[1] || row.centre + row.above >= axis.hi - near;
        }
        double sigmas = 0.0, widest = 0.0;
        for (const Row& row : row_) {
            const auto [lo, hi] = ends_of(row);
            const auto side = [&](double width, double reach) {
                return std::sqrt(matters) * (reach > 0.0 ? std::max(1.0, width / reach) : 0.0);
            };
            sigmas = std::max(sigmas, side(row.centre - lo, row.below) + side(hi - row.centre, row.above));
            widest = std::max(widest, hi - lo);
        }
        if (!(widest > 0.0) || sigmas > most_nodes) return false;
        columns_ =
            std::max({fewest, number(sigmas), static_cast<int>(std::ceil(widest / longest_step(axis))) + 1});
        return true;
    }
    std::array<double, 2> ends_of(const Row& row) const {
        return {column_limit_[0] ? column_axis_.lo : row.centre - row.below,
                column_limit_[1] ? column_axis_.hi : row.centre + row.above};
    }

    /// The lattice without the counts at its nodes.
    ShapeLattice placed() {
        ShapeLattice out;
        out.coordinates = coordinates();
        out.rows = rows_;
        out.columns = columns_;
        for (int d = 0; d <= coordinates().n_factors; ++d)
            out.log_scale.push_back(best_.x[out.scale(static_cast<std::size_t>(d))]);
        if (has_rows())
            for (int side = 0; side < 2; ++side) out.limit[0][side] = sides_[side].limit;
        if (has_columns())
            for (int side = 0; side < 2; ++side) out.limit[1][side] = column_limit_[side];
        if (tabulated()) {
            out.tabulated = column_axis_.coordinate;
            out.by_logarithm =
                table_axis(merged_.model(), coordinates().parameter[out.tabulated])->logarithmic;
        }
        if (static_cast<int>(row_.size()) != rows_) place_rows();
        for (const Row& row : row_)
            for (int j = 0; j < columns_; ++j) {
                Vector& x = out.nodes.emplace_back(row.x);
                if (tabulated()) {
                    x[column_axis_.coordinate] = column_value_[static_cast<std::size_t>(j)];
                } else if (has_columns()) {
                    const auto [lo, hi] = ends_of(row);
                    column_axis_.put(x, lo + (hi - lo) * j / (columns_ - 1.0));
                    x = coordinates().clipped(x);
                }
            }
        return out;
    }

    /// ln of the counts expected at places.
    std::vector<double> folded(const std::vector<Vector>& places, std::span<const double> log_scale,
                               Objective& behind) {
        constexpr double least = 1e-30;
        std::vector<double> out(places.size() * n_bins_), rates;
        std::size_t first_bin = 0;
        for (std::size_t d = 0; d < mean_.size(); ++d) {
            const std::size_t own = mean_[d].n_bins();
            const double scale =
                std::exp(log_scale[0] + (d > 0 ? log_scale[d] : 0.0)) * mean_[d].source_exposure;
            for (std::size_t i = 0; i < places.size(); i += fold_wide_lanes) {
                const std::size_t n = std::min(fold_wide_lanes, places.size() - i);
                behind.fold_places(std::span(places).subspan(i, n), d, rates);
                for (std::size_t j = 0; j < n; ++j)
                    for (std::size_t k = 0; k < own; ++k)
                        out[(i + j) * n_bins_ + first_bin + k] =
                            std::log(std::max(scale * rates[j * own + k], least));
            }
            first_bin += own;
        }
        return out;
    }

    /// The error of the interpolation half-way between rows, or between columns.
    double error_between(const ShapeLattice& lattice, bool rows) {
        constexpr int most_places = 8;
        const int n = rows ? lattice.rows : lattice.columns, other = rows ? lattice.columns : lattice.rows;
        if (n < 2) return 0.0;
        const int count = std::min(most_places, n - 1);
        std::vector<LatticePlace> at;
        std::vector<Vector> places;
        for (int i = 0; i < count; ++i) {
            const double middle = (count == 1 ? 0 : i * (n - 2) / (count - 1)) + 0.5;
            const double across = std::round((other - 1) * (0.25 + 0.25 * (i % 3)));
            at.push_back(rows ? LatticePlace{middle, across, 0.0} : LatticePlace{across, middle, 0.0});
            places.push_back(lattice.coordinates_at(at.back()));
        }
        const std::vector<double> exact = folded(places, lattice.log_scale, merged_);
        double largest = 0.0;
        for (std::size_t i = 0; i < at.size(); ++i) {
            std::vector<double> off(n_bins_);
            const spectral::RateLattice rates = lattice.rates();
            const spectral::LatticeCell cell = cell_at(lattice, at[i]);
            for (std::size_t k = 0; k < n_bins_; ++k)
                off[k] = spectral::log_counts_at(rates, cell, static_cast<std::int64_t>(k)).value -
                         exact[i * n_bins_ + k];
            largest = std::max(largest, few_draws(at[i].row) *
                                            scatter_by(off, std::span(exact).subspan(i * n_bins_, n_bins_)));
        }
        return largest;
    }
    /// Less than 1 where the minima of few draws lie.
    double few_draws(double row) const {
        constexpr double usual = 4.0;
        const auto below = static_cast<std::size_t>(row), above = std::min(below + 1, row_.size() - 1);
        const double rise = 0.5 * (row_[below].rise + row_[above].rise);
        return std::exp(-0.25 * std::max(0.0, rise - usual));
    }
    /// How far the statistic of draws scatters when the logarithms of a model's counts are off. Its slope by
    /// them is 2 (mu - S mu / (mu + b)), S being drawn from the fit; norms take the means away.
    /// @param off a bin; @param log_counts of the model at the norms of the fit
    double scatter_by(const std::vector<double>& off, std::span<const double> log_counts) const {
        double variance = 0.0;
        std::size_t first_bin = 0;
        for (std::size_t d = 0; d < mean_.size(); ++d) {
            const std::vector<double>&counts = mean_[d].counts, &source = source_[d];
            double total = 0.0, here = 0.0;
            for (std::size_t k = 0; k < counts.size(); ++k) {
                total += source[k];
                here += std::exp(log_counts[first_bin + k]);
            }
            double sum = 0.0, weights = 0.0, square = 0.0;
            for (std::size_t k = 0; k < counts.size(); ++k) {
                const double mu = total / here * std::exp(log_counts[first_bin + k]),
                             background = counts[k] - source[k], share = mu / (mu + background),
                             w = counts[k] * share * share;
                weights += w;
                sum += w * off[first_bin + k];
                square += w * off[first_bin + k] * off[first_bin + k];
            }
            variance += std::max(0.0, square - sum * sum / weights);
            first_bin += counts.size();
        }
        return 2.0 * std::sqrt(variance);
    }
    /// As many nodes as an error of fourth order in their distance asks for.
    static void finer(int& n, double error) {
        const double factor = std::pow(error / wanted, 0.25);
        if (factor > 1.0) n = static_cast<int>(std::ceil((n - 1) * std::min(factor, 2.0))) + 1;
    }

    std::span<const PreparedSpectrum> mean_;
    std::span<const std::vector<double>> source_;
    std::deque<FitData> data_;
    TwoScales scales_;
    Objective& merged_;
    std::size_t n_bins_;  ///< of all spectra
    Point best_, trial_, spare_;
    Axis row_axis_, column_axis_;
    std::vector<Vector> ridge_;
    std::array<Side, 2> sides_;
    std::vector<Row> row_;
    std::vector<double> column_value_;  ///< coordinates of tabulated columns
    bool column_limit_[2] = {false, false};
    int rows_ = 1, columns_ = 1;
};

}  // namespace

Vector ShapeLattice::coordinates_at(const LatticePlace& place) const {
    const spectral::LatticeCell cell = cell_at(*this, place);
    const NodeWeights &row = cell.row, &column = cell.column;
    const auto node = [&](int i, int j) -> const Vector& {
        return nodes[static_cast<std::size_t>((row.first + i) * columns + column.first + j)];
    };
    Vector x{};
    for (int i = 0; i < row.n; ++i)
        for (int j = 0; j < column.n; ++j)
            for (int a = 0; a < coordinates.n_shape; ++a)
                x[a] += row.value[i] * column.value[j] * node(i, j)[a];
    if (tabulated >= 0 && column.n > 1) {  // the counts are linear in its value, or the logarithm of that
        const double lo = coordinates.value(node(0, 0), tabulated),
                     hi = coordinates.value(node(0, 1), tabulated), share = column.value[1];
        x[tabulated] = coordinates.coordinate(
            tabulated, by_logarithm ? lo * std::pow(hi / lo, share) : lo + (hi - lo) * share);
    }
    for (std::size_t d = 0; d < log_scale.size(); ++d) x[scale(d)] = place.log_scale[d] + log_scale[d];
    return coordinates.clipped(x);
}

bool ShapeLattice::holds(const LatticePlace& place) const {
    const auto open = [](const bool(&at_limit)[2], double at, int n) {
        return n > 1 && ((!at_limit[0] && at <= 0.0) || (!at_limit[1] && at >= n - 1.0));
    };
    return !open(limit[0], place.row, rows) && !open(limit[1], place.column, columns);
}

std::optional<ShapeLattice> make_shape_lattice(std::span<const PreparedSpectrum> mean,
                                               std::span<const std::vector<double>> source,
                                               const std::shared_ptr<const ModelDefinition>& model,
                                               spectral::Abundance abundance, const SpectralFit& fit) {
    return LatticeMaker(mean, source, model, abundance).make(fit);
}

}  // namespace xsift::refine
