#include "sections.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <tuple>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::report {

namespace {

/// Models that are drawn over a spectrum.
constexpr std::size_t most_models = 3;

/// Bins of the fit joined for the eye.
struct DrawnBin {
    std::size_t first = 0, end = 0;
    double lo = 0.0, hi = 0.0;       ///< keV
    double rate = 0.0, error = 0.0;  ///< count/s/keV, background subtracted
};

double background_scale(const spectral::PreparedSpectrum& s, std::size_t bin) {
    return s.has_background() ? s.source_exposure / s.background_exposure_of(bin) : 0.0;
}

/// Joins neighbours until the net rate is 3 sigma or ten are joined.
std::vector<DrawnBin> drawn_bins(const spectral::PreparedSpectrum& s, const Response& response) {
    constexpr double enough = 3.0;
    constexpr std::size_t most = 10;
    std::vector<DrawnBin> all;
    double net = 0.0, variance = 0.0;
    DrawnBin bin;
    for (std::size_t b = 0; b < s.n_bins(); ++b) {
        const double lo = response.channel_lo[static_cast<std::size_t>(s.bin_first[b])],
                     hi = response.channel_hi[static_cast<std::size_t>(s.bin_last[b])];
        if (bin.end == bin.first) {
            bin.first = b;
            bin.lo = lo;
        }
        const double scale = background_scale(s, b), back = s.has_background() ? s.background_counts[b] : 0.0;
        net += s.counts[b] - back * scale;
        variance += std::max(s.counts[b], 1.0) + back * scale * scale;
        bin.end = b + 1;
        bin.hi = hi;
        // Never across channels that the fit leaves out.
        const bool gap = b + 1 < s.n_bins() && s.bin_first[b + 1] != s.bin_last[b] + 1;
        if (net < enough * std::sqrt(variance) && bin.end - bin.first < most && !gap && b + 1 < s.n_bins())
            continue;
        const double unit = s.source_exposure * (bin.hi - bin.lo);
        bin.rate = net / unit;
        bin.error = std::sqrt(variance) / unit;
        all.push_back(bin);
        bin = {};
        net = variance = 0.0;
    }
    return all;
}

/// A model folded into the fit's bins, count/s.
std::vector<double> folded(const SpectralFit& fit, const spectral::PreparedSpectrum& s,
                           const spectral::FitOptions& options) {
    const auto model =
        std::make_shared<const spectral::ModelDefinition>(spectral::define_model(fit.model, options));
    if (fit.parameters.size() < model->parameters.size()) return {};
    std::vector<double> values = model->initial_values();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = fit.parameters[i].estimate.value;
    spectral::ModelEvaluator evaluator(model, options.abundance,
                                       spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    const std::vector<double> photons = evaluator.photons(values);
    std::vector<double> rate(s.n_bins());
    spectral::fold<1>(s, {photons.data()}, {rate.data()});
    // Factors of the second and further spectra of a joint fit follow the parameters of the model.
    std::size_t position = 0, at = 0;
    for (std::size_t begin = 0; begin <= fit.spectrum.size(); ++position) {
        const std::size_t end = std::min(fit.spectrum.find('+', begin), fit.spectrum.size());
        if (fit.spectrum.substr(begin, end - begin) == s.exposure.file) at = position;
        begin = end + 1;
    }
    if (at > 0 && values.size() + at - 1 < fit.parameters.size())
        for (double& r : rate) r *= fit.parameters[values.size() + at - 1].estimate.value;
    return rate;
}

/// The fits of a spectrum to draw: the preferred one, then those of lowest AICc.
std::vector<const SpectralFit*> fits_to_draw(const Spectrum& spectrum, const SourceResult& result) {
    std::vector<const SpectralFit*> fits;
    const SpectralFit* const best = offered_fit(result);
    for (const SpectralFit& fit : result.fits)
        if (('+' + fit.spectrum + '+').find('+' + spectrum.exposure.file + '+') != std::string::npos &&
            std::isfinite(fit.stat) && !fit.parameters.empty())
            fits.push_back(&fit);
    const auto order = [&](const SpectralFit* f) {
        const bool qualifies = f->choice == "HIGHER_AICC" || f->choice == "HIGHER_BIC" ||
                               f->choice == "LOWER_EVIDENCE" || f->choice == "OTHER_SPECTRUM";
        return std::tuple(f != best, !qualifies, std::isfinite(f->aicc) ? f->aicc : f->stat + 1e6);
    };
    std::stable_sort(fits.begin(), fits.end(),
                     [&](const SpectralFit* a, const SpectralFit* b) { return order(a) < order(b); });
    if (fits.size() > most_models) fits.resize(most_models);
    return fits;
}

/// A step line over the drawn bins.
Series steps(const std::vector<DrawnBin>& bins, const std::vector<double>& value) {
    Series s;
    s.kind = Series::Kind::line;
    for (std::size_t i = 0; i < bins.size(); ++i) {
        if (i > 0 && bins[i].lo > bins[i - 1].hi) {
            s.x.push_back(not_measured);
            s.y.push_back(not_measured);
        }
        for (const double x : {bins[i].lo, bins[i].hi}) {
            s.x.push_back(x);
            s.y.push_back(value[i]);
        }
    }
    return s;
}

}  // namespace

Figure spectrum_figure(const Spectrum& spectrum, const SourceResult& result, const DossierContext& context) {
    Figure figure;
    spectral::PreparedSpectrum s;
    try {
        s = spectral::prepare(spectrum, context.spectra);
    } catch (const Error& error) {
        figure.caption = fmt::format("{} is not drawn: {}", spectrum.exposure.file, error.what());
        return figure;
    }
    const std::vector<DrawnBin> bins = drawn_bins(s, *spectrum.response);
    figure.title = "Spectrum, " + (spectrum.exposure.instrument.empty() ? spectrum.exposure.file
                                                                        : spectrum.exposure.instrument);
    figure.x.label = "Energy, keV";
    figure.x.logarithmic = true;
    Panel rates, residuals;
    rates.height = 170.0;
    rates.y.label = "count s⁻¹ keV⁻¹";
    rates.y.logarithmic = true;
    residuals.height = 70.0;
    residuals.y.label = "Δ/σ";
    Series data;
    double highest = 0.0, lowest = INFINITY;
    for (const DrawnBin& bin : bins) {
        data.x.push_back(0.5 * (bin.lo + bin.hi));
        data.x_lo.push_back(bin.lo);
        data.x_hi.push_back(bin.hi);
        data.y.push_back(bin.rate);
        data.y_lo.push_back(bin.rate - bin.error);
        data.y_hi.push_back(bin.rate + bin.error);
        highest = std::max(highest, bin.rate + bin.error);
        if (bin.rate > 0.0) lowest = std::min(lowest, bin.rate);
    }
    if (!(highest > 0.0)) {
        figure.caption = spectrum.exposure.file + " is not drawn: no bin holds more than the background.";
        return figure;
    }
    rates.y.hi = 1.4 * highest;
    rates.y.lo = std::max(0.5 * std::min(lowest, highest), highest / 3000.0);
    data.label = "data";

    const std::vector<const SpectralFit*> fits = fits_to_draw(spectrum, result);
    std::string trouble;
    rates.series.push_back(data);
    constexpr std::array<int, most_models> tones{1, 2, 3};
    for (std::size_t m = 0; m < fits.size(); ++m) {
        std::vector<double> rate;
        try {
            rate = folded(*fits[m], s, context.spectra);
        } catch (const Error& error) {
            trouble = fmt::format(" {} is not drawn: {}", fits[m]->model, error.what());
        }
        if (rate.empty()) continue;
        std::vector<double> level;
        Series off;
        off.tone = tones[m];
        for (const DrawnBin& bin : bins) {
            double sum = 0.0;
            for (std::size_t b = bin.first; b < bin.end; ++b) sum += rate[b];
            level.push_back(sum / (bin.hi - bin.lo));
            const double residual = (bin.rate - level.back()) / bin.error;
            off.x.push_back(0.5 * (bin.lo + bin.hi));
            off.x_lo.push_back(bin.lo);
            off.x_hi.push_back(bin.hi);
            off.y.push_back(residual);
            off.y_lo.push_back(residual - 1.0);
            off.y_hi.push_back(residual + 1.0);
        }
        Series line = steps(bins, level);
        line.tone = tones[m];
        line.dashed = m > 0;
        line.label = fits[m]->model;
        rates.series.push_back(std::move(line));
        if (residuals.series.empty()) {
            residuals.rules.push_back({false, 0.0, "", 4, false});
            residuals.series.push_back(std::move(off));
        }
    }
    figure.panels = {std::move(rates)};
    if (!residuals.series.empty()) figure.panels.push_back(std::move(residuals));
    figure.caption = fmt::format(
        "{}: {} counts in {} s, background {}; {} bins as fitted, joined for the eye to 3 σ or ten.{}{}",
        spectrum.exposure.file, pretty(spectrum.total_counts(), 7), pretty(s.source_exposure, 6),
        s.has_background() ? "subtracted" : "not known", s.n_bins(),
        fits.empty() ? " No model was fitted." : fmt::format(" Residuals of {}.", fits.front()->model),
        trouble);
    return figure;
}

namespace {

/// Values between the cells of a map: Catmull-Rom in both directions, `factor` times as fine.
struct FineMap {
    std::size_t nx = 0, ny = 0;
    std::vector<double> value;
};

double catmull_rom(double a, double b, double c, double d, double t) {
    return b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
}

std::vector<double> refined(const std::vector<double>& v, int factor) {
    std::vector<double> out;
    const auto n = static_cast<std::ptrdiff_t>(v.size());
    const auto at = [&](std::ptrdiff_t i) {
        // Beyond the ends: straight on.
        if (i < 0) return 2.0 * v[0] - v[1];
        if (i >= n) return 2.0 * v[static_cast<std::size_t>(n - 1)] - v[static_cast<std::size_t>(n - 2)];
        return v[static_cast<std::size_t>(i)];
    };
    for (std::ptrdiff_t i = 0; i + 1 < n; ++i)
        for (int k = 0; k < factor; ++k)
            out.push_back(
                catmull_rom(at(i - 1), at(i), at(i + 1), at(i + 2), static_cast<double>(k) / factor));
    out.push_back(v.back());
    return out;
}

FineMap refined(const StatisticMap& map, int factor) {
    const std::size_t nx = map.x.value.size(), ny = map.y.value.size();
    FineMap fine{
        (nx - 1) * static_cast<std::size_t>(factor) + 1, (ny - 1) * static_cast<std::size_t>(factor) + 1, {}};
    std::vector<std::vector<double>> rows;
    for (std::size_t j = 0; j < ny; ++j) {
        // The root is nearly linear away from the minimum, where contours lie.
        std::vector<double> row;
        for (std::size_t i = 0; i < nx; ++i) row.push_back(std::sqrt(std::max(map.rise[j * nx + i], 0.0)));
        rows.push_back(refined(row, factor));
    }
    fine.value.resize(fine.nx * fine.ny);
    for (std::size_t i = 0; i < fine.nx; ++i) {
        std::vector<double> column;
        for (std::size_t j = 0; j < ny; ++j) column.push_back(rows[j][i]);
        const std::vector<double> down = refined(column, factor);
        for (std::size_t j = 0; j < fine.ny; ++j) fine.value[j * fine.nx + i] = down[j];
    }
    return fine;
}

/// A value of an axis at a fractional index of the fine map.
double axis_value(const StatisticMap::Axis& axis, double index, int factor) {
    const double at = index / factor;
    const auto i = std::min(static_cast<std::size_t>(at), axis.value.size() - 2);
    const double t = at - static_cast<double>(i), a = axis.value[i], b = axis.value[i + 1];
    return axis.logarithmic && a > 0.0 ? a * std::pow(b / a, t) : a + t * (b - a);
}

/// Where the map crosses a level: marching squares, a piece of line a cell.
Series contour(const StatisticMap& map, const FineMap& fine, double level, int factor) {
    Series line;
    line.kind = Series::Kind::line;
    const double root = std::sqrt(level);
    const auto add = [&](double i, double j) {
        line.x.push_back(axis_value(map.x, i, factor));
        line.y.push_back(axis_value(map.y, j, factor));
    };
    for (std::size_t j = 0; j + 1 < fine.ny; ++j)
        for (std::size_t i = 0; i + 1 < fine.nx; ++i) {
            struct Corner {
                double i, j, value;
            };
            const auto corner = [&](std::size_t a, std::size_t b) {
                return Corner{static_cast<double>(a), static_cast<double>(b),
                              fine.value[b * fine.nx + a] - root};
            };
            const std::array<Corner, 4> c{corner(i, j), corner(i + 1, j), corner(i + 1, j + 1),
                                          corner(i, j + 1)};
            int crossings = 0;
            for (std::size_t k = 0; k < 4; ++k) {
                const Corner &a = c[k], &b = c[(k + 1) % 4];
                if ((a.value < 0.0) == (b.value < 0.0)) continue;
                const double t = a.value / (a.value - b.value);
                add(a.i + t * (b.i - a.i), a.j + t * (b.j - a.j));
                if (++crossings % 2 == 0) {
                    line.x.push_back(not_measured);
                    line.y.push_back(not_measured);
                }
            }
        }
    return line;
}

}  // namespace

Figure contour_figure(const StatisticMap& map, double galactic_column) {
    const int factor = map.posterior ? 1 : 4;  // a posterior's points are near already
    constexpr std::array labels{"68 %", "90 %", "99 %"};
    Figure figure{map.posterior ? "posterior" : "contours",
                  (map.posterior ? "Posterior, " : "Contours, ") + map.model,
                  "",
                  {},
                  {},
                  false};
    const auto label = [](const StatisticMap::Axis& axis) {
        std::string name = axis.name == "PhoIndex" ? "Photon index Γ" : axis.name;
        if (axis.unit == "10^22" || axis.name == "nH") return name + ", 10²² cm⁻²";
        return axis.unit.empty() ? name : name + ", " + axis.unit;
    };
    figure.x.label = label(map.x);
    figure.x.logarithmic = map.x.logarithmic && map.x.value.back() > 3.0 * map.x.value.front();
    figure.x.lo = map.x.value.front();
    figure.x.hi = map.x.value.back();
    Panel panel;
    panel.height = 220.0;
    panel.y.label = label(map.y);
    // A best fit at a limit shall not lie on the frame.
    panel.y.lo = map.y.value.front() - 0.03 * (map.y.value.back() - map.y.value.front());
    panel.y.hi = map.y.value.back();
    const FineMap fine = refined(map, factor);
    for (std::size_t l = 0; l < std::min(map.levels.size(), labels.size()); ++l) {
        Series line = contour(map, fine, map.levels[l], factor);
        line.tone = 2 * static_cast<int>(l);
        line.label = labels[l];
        if (!line.x.empty()) panel.series.push_back(std::move(line));
    }
    Series best;
    best.tone = 1;
    best.label = "best fit";
    best.x = {map.x.best};
    best.y = {map.y.best};
    panel.series.push_back(std::move(best));
    if (std::isfinite(galactic_column) && galactic_column <= map.y.value.back())
        panel.rules.push_back({false, galactic_column, "Galactic column", 3, true});
    figure.panels = {std::move(panel)};
    figure.caption =
        map.posterior
            ? map.spectrum +
                  ": the smallest regions that hold 68% and 90% of the posterior, norms integrated."
            : fmt::format(
                  "{}: where the statistic has risen by 2.30, 4.61, 9.21 (two parameters of "
                  "interest), all other "
                  "parameters "
                  "fitted anew at each of {} points. A line that ends at the frame goes on beyond it, unless "
                  "that is the parameter's limit.",
                  map.spectrum, map.rise.size());
    return figure;
}

}  // namespace xsift::report
