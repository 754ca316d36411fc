#include <algorithm>
#include <cmath>
#include <limits>

#include <xsift/characterise/bayesian_blocks.hpp>
#include <xsift/core/step_limit.hpp>

namespace xsift::characterise {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// ln likelihood of a rate m: a ln m - b m. Its maximum is a ln(a/b) - a: the -a is the same for every
/// division of the whole and left out of fitness.
struct EventsFamily {
    static constexpr double lowest = 0.0;
    static double value(double a, double b, double m) {
        return (a > 0.0 ? (m > 0.0 ? a * std::log(m) : -infinity) : 0.0) - (b > 0.0 ? b * m : 0.0);
    }
    static double best_at(double a, double b) { return a / b; }
    static double fitness(double a, double b) { return a > 0.0 ? a * std::log(a / b) : 0.0; }
    static double constant(double a) { return a; }
    /// The two m at which a ln m - b m = c, c below the maximum. Newton in u = ln m: a u - b exp(u), concave,
    /// from outside the roots it goes to them without crossing.
    static void roots(double a, double b, double c, double& lo, double& hi) {
        const double peak = std::log(a / b), drop = std::max(0.0, peak - 1.0 - c / a);
        // In v = u - peak: v - (exp(v) - 1) + drop = 0.
        auto newton = [&](double v) {
            for (int i = 0; i < 60; ++i) {
                const double slope = -std::expm1(v);
                if (slope == 0.0) break;
                const double step = (v + slope + drop) / slope;
                v -= step;
                if (std::fabs(step) <= 1e-14 * (1.0 + std::fabs(v))) break;
            }
            return v;
        };
        const double log_drop = std::log1p(drop);
        lo = std::exp(peak + newton(-1.0 - drop));
        hi = std::exp(peak + newton(drop < 1.0 ? std::sqrt(2.0 * drop) : log_drop + std::log1p(log_drop)));
    }
};

/// -b/2 (m - a/b)^2 + a^2/(2b).
struct RatesFamily {
    static constexpr double lowest = -infinity;
    static double value(double a, double b, double m) {
        return b > 0.0 ? (std::isinf(m) ? -infinity : a * m - 0.5 * b * m * m) : 0.0;
    }
    static double best_at(double a, double b) { return a / b; }
    static double fitness(double a, double b) { return 0.5 * a * a / b; }
    static double constant(double) { return 0.0; }
    static void roots(double a, double b, double c, double& lo, double& hi) {
        const double half = std::sqrt(std::max(0.0, a * a - 2.0 * b * c)) / b;
        lo = a / b - half;
        hi = a / b + half;
    }
};

std::vector<std::size_t> trace_back(const std::vector<std::size_t>& last) {
    std::vector<std::size_t> starts;
    for (std::size_t end = last.size(); end > 0; end = starts.back()) starts.push_back(last[end - 1]);
    std::reverse(starts.begin(), starts.end());
    return starts;
}

template <typename Family>
std::vector<std::size_t> direct(const BlockCells& cells, double penalty) {
    const std::size_t n = cells.size();
    std::vector<double> best(n + 1, 0.0);
    std::vector<std::size_t> last(n, 0);
    for (std::size_t end = 1; end <= n; ++end) {
        require_time_left();
        double a = 0.0, b = 0.0, top = -infinity;
        for (std::size_t start = end; start-- > 0;) {
            a += cells.a[start];
            b += cells.b[start];
            const double value = best[start] + Family::fitness(a, b) - penalty;
            if (value >= top) {
                top = value;
                last[end - 1] = start;
            }
        }
        best[end] = top;
    }
    return trace_back(last);
}

/// Where, in rates, a last change is the best one so far.
struct Piece {
    double lo, hi;
    std::size_t start;
};

template <typename Family>
std::vector<std::size_t> pruned(const BlockCells& cells, double penalty) {
    const std::size_t n = cells.size();
    std::vector<double> best(n + 1, 0.0), sum_a(n + 1, 0.0), sum_b(n + 1, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        sum_a[i + 1] = sum_a[i] + cells.a[i];
        sum_b[i + 1] = sum_b[i] + cells.b[i];
    }
    std::vector<std::size_t> last(n, 0);
    std::vector<Piece> pieces{{Family::lowest, infinity, 0}}, next;
    auto append = [&](double lo, double hi, std::size_t start) {
        if (!(lo < hi)) return;
        if (!next.empty() && next.back().start == start)
            next.back().hi = hi;
        else
            next.push_back({lo, hi, start});
    };
    for (std::size_t end = 1; end <= n; ++end) {
        // Likelihoods are of all cells before `end`; best[] is fitness, which lacks the constant.
        double top = -infinity;
        for (const Piece& piece : pieces) {
            const double a = sum_a[end] - sum_a[piece.start], b = sum_b[end] - sum_b[piece.start];
            const double at = std::clamp(Family::best_at(a, b), piece.lo, piece.hi);
            const double value = best[piece.start] + Family::value(a, b, at) + Family::constant(a) - penalty;
            if (value > top || (value == top && piece.start < last[end - 1])) {
                top = value;
                last[end - 1] = piece.start;
            }
        }
        const double a = sum_a[end] - sum_a[last[end - 1]], b = sum_b[end] - sum_b[last[end - 1]];
        best[end] = best[last[end - 1]] + Family::fitness(a, b) - penalty;
        // A change at `end` beats a piece wherever the piece is below best[end] - penalty.
        next.clear();
        for (const Piece& piece : pieces) {
            const double pa = sum_a[end] - sum_a[piece.start], pb = sum_b[end] - sum_b[piece.start];
            const double level = best[end] - best[piece.start] - Family::constant(pa);
            const double peak = Family::value(pa, pb, Family::best_at(pa, pb));
            double lo = piece.lo, hi = piece.lo;
            if (peak > level) {
                Family::roots(pa, pb, level, lo, hi);
                lo = std::clamp(lo, piece.lo, piece.hi);
                hi = std::clamp(hi, piece.lo, piece.hi);
            }
            append(piece.lo, lo, end);
            append(lo, hi, piece.start);
            append(hi, piece.hi, end);
        }
        pieces.swap(next);
    }
    return trace_back(last);
}

}  // namespace

double block_penalty(std::size_t n_cells, double p0) {
    return 4.0 - std::log(73.53 * p0 * std::pow(static_cast<double>(n_cells), -0.478));
}

std::vector<std::size_t> bayesian_blocks(const BlockCells& cells, double penalty) {
    return cells.kind == BlockCells::Kind::events ? pruned<EventsFamily>(cells, penalty)
                                                  : pruned<RatesFamily>(cells, penalty);
}

std::vector<std::size_t> bayesian_blocks_direct(const BlockCells& cells, double penalty) {
    return cells.kind == BlockCells::Kind::events ? direct<EventsFamily>(cells, penalty)
                                                  : direct<RatesFamily>(cells, penalty);
}

}  // namespace xsift::characterise
