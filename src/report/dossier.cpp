#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/characterise/variability.hpp>
#include <xsift/core/error.hpp>
#include <xsift/report/dossier.hpp>
#include <xsift/report/svg_plot.hpp>
#include <xsift/spectral/prepared.hpp>
#include <xsift/timing/fold.hpp>

namespace xsift::report {

namespace {

constexpr const char* style = R"(<style>
:root{color-scheme:light dark;--ink:#1b2733;--faint:#5c6b7a;--rule:#d5dce3;--paper:#fff;--data:#0b6cb0;--line:#c2410c}
@media(prefers-color-scheme:dark){:root{--ink:#e4eaf0;--faint:#9aa8b5;--rule:#37424d;--paper:#12181e;--data:#6cb8f0;--line:#fb923c}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:80rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid var(--rule)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.82rem}
th,td{text-align:left;padding:.2rem .7rem .2rem 0;border-bottom:1px solid var(--rule);white-space:nowrap}
td.wrap{white-space:normal;min-width:20rem}th{color:var(--faint);font-weight:600}.faint,figcaption{color:var(--faint)}
.offered{font-weight:600}figure{margin:1rem 0}svg{width:100%;max-width:48rem;height:auto;display:block}
svg text{font:12px system-ui,sans-serif;fill:var(--ink)}.frame{fill:none;stroke:var(--faint)}.grid{stroke:var(--rule);stroke-width:.6}
.data{fill:none;stroke:var(--data);stroke-width:1.4}.line{fill:none;stroke:var(--line);stroke-width:1.6}
</style>)";

std::string number(double value, int digits = 5) {
    return std::isnan(value) ? std::string("&ndash;") : fmt::format("{:.{}g}", value, digits);
}

std::string interval(const Estimate& estimate) {
    if (std::isnan(estimate.value)) return "&ndash;";
    return fmt::format("{} <span class=\"faint\">[{}, {}]</span>", number(estimate.value, 4),
                       number(estimate.lo, 3), number(estimate.hi, 3));
}

std::string row(const std::vector<std::string>& cells, const char* tag, const char* css = "") {
    std::string html = fmt::format("<tr class=\"{}\">", css);
    for (const std::string& cell : cells) html += fmt::format("<{0}>{1}</{0}>", tag, cell);
    return html + "</tr>\n";
}

std::string table(const std::vector<std::string>& header, const std::string& rows) {
    return "<div class=\"scroll\"><table>\n" + row(header, "th") + rows + "</table></div>\n";
}

std::string figure(const std::string& svg, const std::string& caption) {
    return svg.empty() ? std::string()
                       : fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg, caption);
}

/// Seconds of good time in [begin, end).
double good_time(const GoodTimeIntervals& gti, double begin, double end) {
    double sum = 0.0;
    for (std::size_t i = 0; i < gti.size(); ++i)
        sum += std::max(0.0, std::min(end, gti.stop[i]) - std::max(begin, gti.start[i]));
    return sum;
}

std::string light_curve_of(const EventList& events) {
    constexpr int bins = 80;
    if (events.gti.size() == 0 || events.time.empty()) return {};
    const double begin = events.gti.start.front(), width = (events.gti.stop.back() - begin) / bins;
    std::vector<double> counts(bins, 0.0), x, y, error;
    for (const double t : events.time)
        counts[static_cast<std::size_t>(std::clamp(static_cast<int>((t - begin) / width), 0, bins - 1))] +=
            1.0;
    for (int b = 0; b < bins; ++b) {
        const double exposed = good_time(events.gti, begin + b * width, begin + (b + 1) * width);
        // A bin with little good time has an error larger than the plot.
        if (exposed < 0.1 * width) continue;
        const double n = counts[static_cast<std::size_t>(b)];
        x.push_back((b + 0.5) * width / 1000.0);
        y.push_back(n / exposed);
        error.push_back(std::sqrt(std::max(n, 1.0)) / exposed);
    }
    SvgPlot plot("Time since the first good time, ks", "Rate, count/s");
    plot.points(x, y, error, std::vector<double>(x.size(), 0.5 * width / 1000.0));
    const double block_p0 = characterise::VariabilityOptions{}.block_p0;
    std::vector<double> block_time, block_rate;
    for (const characterise::RateBlock& block : characterise::rate_blocks(events, block_p0))
        for (const double t : {block.start, block.stop}) {
            block_time.push_back((t - begin) / 1000.0);
            block_rate.push_back(block.rate);
        }
    const std::size_t n_blocks = block_time.size() / 2;
    if (n_blocks > 0) plot.line(std::move(block_time), std::move(block_rate));
    plot.from_zero();
    return figure(
        plot.render("Light curve"),
        fmt::format("Light curve of {}: {} events in {:.0f} s of good time, bins of {:.4g} s; the line is {} "
                    "Bayesian block{} (p0 = {}).",
                    escaped(events.exposure.file), events.size(), events.gti.exposure(), width, n_blocks,
                    n_blocks == 1 ? "" : "s", block_p0));
}

/// Two cycles of the folded profile, each bin divided by its good time; faint sources get wider bins.
std::string folded_profile_of(const EventList& events, const PeriodCandidate& candidate) {
    constexpr double counts_for_all_bins = 1000.0;
    const PhaseProfile profile = timing::fold(events, candidate.frequency);
    const std::size_t merged = static_cast<double>(events.size()) < counts_for_all_bins ? 2 : 1,
                      bins = profile_bins / merged;
    std::vector<double> x, y, error;
    for (std::size_t b = 0; b < 2 * bins; ++b) {
        double counts = 0.0, exposed = 0.0;
        for (std::size_t i = 0; i < merged; ++i) {
            counts += profile.counts[(b % bins) * merged + i];
            exposed += profile.exposure_time[(b % bins) * merged + i];
        }
        if (exposed <= 0.0) continue;
        x.push_back((static_cast<double>(b) + 0.5) / static_cast<double>(bins));
        y.push_back(counts / exposed);
        error.push_back(std::sqrt(std::max(counts, 1.0)) / exposed);
    }
    SvgPlot plot("Phase, cycles", "Rate, count/s");
    plot.points(x, y, error, std::vector<double>(x.size(), 0.5 / static_cast<double>(bins)));
    return figure(plot.render("Folded profile"),
                  fmt::format("{} folded at {} s; two cycles of {} bins, each divided by its own good time.",
                              escaped(events.exposure.file), number(candidate.period, 9), bins));
}

std::string spectrum_of(const Spectrum& spectrum, const spectral::FitOptions& options) {
    spectral::PreparedSpectrum prepared;
    try {
        prepared = spectral::prepare(spectrum, options);
    } catch (const Error& error) {
        return fmt::format("<p>{}: {}</p>\n", escaped(spectrum.exposure.file), escaped(error.what()));
    }
    std::vector<double> x, y, y_error, x_half_width;
    for (std::size_t b = 0; b < prepared.n_bins(); ++b) {
        const double lo = spectrum.response->channel_lo[static_cast<std::size_t>(prepared.bin_first[b])];
        const double hi = spectrum.response->channel_hi[static_cast<std::size_t>(prepared.bin_last[b])];
        const double n = prepared.counts[b];
        const double back = prepared.has_background() ? prepared.background_counts[b] : 0.0;
        const double scale =
            prepared.has_background() ? prepared.source_exposure / prepared.background_exposure : 0.0;
        const double to_rate = 1.0 / (prepared.source_exposure * (hi - lo));
        x.push_back(0.5 * (lo + hi));
        x_half_width.push_back(0.5 * (hi - lo));
        y.push_back((n - back * scale) * to_rate);
        y_error.push_back(std::sqrt(std::max(n, 1.0) + back * scale * scale) * to_rate);
    }
    SvgPlot plot("Energy, keV", "Net rate, count/s/keV");
    plot.logarithmic_x();
    plot.points(x, y, y_error, x_half_width);
    return figure(plot.render("Spectrum"),
                  fmt::format("{}: {:.0f} counts in {:.0f} s, background subtracted, {} bins as fitted.",
                              escaped(spectrum.exposure.file), spectrum.total_counts(),
                              prepared.source_exposure, prepared.n_bins()));
}

std::string candidates_of(const SourceResult& result) {
    if (result.candidates.empty()) return "<p>No period candidate.</p>\n";
    std::string rows;
    for (std::size_t i = 0; i < result.candidates.size(); ++i) {
        const PeriodCandidate& c = result.candidates[i];
        const bool offered = static_cast<int>(i) == result.best_period;
        rows += row({std::to_string(c.rank), escaped(c.exposure),
                     fmt::format("{}<sub>{}</sub>", c.method, c.n_harmonics),
                     fmt::format("{} &plusmn; {}", number(c.period, 9), number(c.period_error, 2)),
                     number(c.frequency, 9), number(c.statistic, 6), number(c.log10_fap, 4),
                     fmt::format("{} <span class=\"faint\">[{}, {}]</span>", number(c.pulsed_fraction, 3),
                                 number(c.pf_lo, 3), number(c.pf_hi, 3)),
                     offered ? std::string("offered") : escaped(veto_names(c.veto))},
                    "td", offered ? "offered" : "");
    }
    return table({"Rank", "Exposure", "Statistic", "Period, s", "Frequency, Hz", "Value",
                  "log<sub>10</sub> FAP", "Pulsed fraction", "Veto"},
                 rows);
}

/// Why a fit is offered or not.
std::string choice_in_words(const std::string& choice) {
    for (const auto& [code, words] :
         {std::pair{"SELECTED", "preferred"}, std::pair{"HIGHER_AICC", "another model has a lower AICc"},
          std::pair{"HIGHER_BIC", "another model has a lower BIC"},
          std::pair{"LOWER_EVIDENCE", "another model has a higher evidence"},
          std::pair{"NO_EVIDENCE", "its evidence is not known"},
          std::pair{"OTHER_SPECTRUM", "another spectrum has more bins"},
          std::pair{"NO_DOF", "no degrees of freedom"}, std::pair{"NOT_CONVERGED", "did not converge"},
          std::pair{"PARAMETER_UNCONSTRAINED", "a parameter is unconstrained"},
          std::pair{"NORM_UNCONSTRAINED", "a norm is unconstrained"},
          std::pair{"NO_AICC", "too few bins for AICc"}})
        if (choice == code) return words;
    return choice;
}

std::string fits_of(const SourceResult& result) {
    std::string rows;
    for (std::size_t i = 0; i < result.fits.size(); ++i) {
        const SpectralFit& f = result.fits[i];
        const bool offered = static_cast<int>(i) == result.best_fit;
        rows += row({escaped(f.spectrum), escaped(f.model),
                     fmt::format("{} {}/{}", escaped(f.statistic), number(f.stat, 6), f.dof), interval(f.nh),
                     interval(std::isnan(f.kt.value) ? f.gamma : f.kt), interval(f.norm), interval(f.flux),
                     interval(f.flux_unabsorbed), number(f.gof_sigma, 3), number(f.aicc, 6),
                     choice_in_words(f.choice)},
                    "td", offered ? "offered" : "");
    }
    if (rows.empty()) return {};
    return "<h2>Spectral fits</h2>\n" +
           table({"Spectrum", "Model", "Statistic/dof", "nH, 10<sup>22</sup> cm<sup>-2</sup>",
                  "kT, keV, or &Gamma;", "Norm", "Flux, erg/cm<sup>2</sup>/s", "Unabsorbed",
                  "Above expectation, &sigma;", "AICc", ""},
                 rows);
}

std::string quarantine_of(const SourceResult& result) {
    std::string rows;
    for (const QuarantineRow& q : result.quarantine)
        rows += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"wrap\">{}</td></tr>\n", escaped(q.input),
                            escaped(q.code), escaped(q.message));
    return rows.empty() ? std::string() : "<h2>Not used</h2>\n" + table({"Input", "Code", "Why"}, rows);
}

/// A statistic this many standard deviations above its expectation is called a poor fit.
constexpr double poor_fit_sigma = 3.0;

std::string summary_of(const SourceResult& result) {
    std::string html;
    if (result.best_period >= 0) {
        const PeriodCandidate& c = result.candidates[static_cast<std::size_t>(result.best_period)];
        html +=
            fmt::format("<p>Period {} &plusmn; {} s (log<sub>10</sub> of the false-alarm probability {}).",
                        number(c.period, 9), number(c.period_error, 2), number(result.log10_fap, 4));
        if (result.flags & source_vetoed_stronger) html += " A stronger candidate was vetoed: see the table.";
        if (result.flags & source_not_barycentred) html += " The times are not barycentred.";
        html += "</p>\n";
    } else if (result.n_exposures > 0) {
        html += "<p>No significant period.";
        if (const PulsedFractionLimit* limit = source_limit(result))
            html += fmt::format(" A sinusoid between {} and {} Hz has a pulsed fraction below {}{}.",
                                number(limit->frequency_lo, 3), number(limit->frequency_hi, 3),
                                number(limit->pf_ul, 3),
                                limit->flags & limit_of_all ? " (of all photons, background included)" : "");
        html += "</p>\n";
    }
    if (result.best_fit >= 0) {
        const SpectralFit& f = result.fits[static_cast<std::size_t>(result.best_fit)];
        html +=
            fmt::format("<p>Preferred of the models fitted: {} ({} {}/{}), flux {} erg/cm<sup>2</sup>/s.",
                        escaped(f.model), escaped(f.statistic), number(f.stat, 6), f.dof, interval(f.flux));
        if (f.gof_sigma > poor_fit_sigma)
            html += fmt::format(
                " <strong>It is a poor fit</strong>: the statistic is {} standard deviations above the {} "
                "expected of a right model. None of its parameters can be trusted.",
                number(f.gof_sigma, 3), number(f.gof_expected, 6));
        html += "</p>\n";
    } else if (!result.fits.empty()) {
        html += "<p>No model is constrained by the spectrum.</p>\n";
    }
    return html;
}

}  // namespace

std::string dossier(const SourceData& data, const SourceResult& result, const spectral::FitOptions& options) {
    const Source& source = result.source;
    const std::string title = escaped(source.name.empty() ? source.id : source.name);
    std::string html =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">";
    html += fmt::format(
        "<title>{}</title>{}</head><body>\n<h1>{}</h1>\n<p class=\"faint\">{} &middot; RA {} Dec {} deg "
        "&middot; {} exposures, {} spectra &middot; {}</p>\n",
        title, style, title, escaped(source.id), number(source.ra, 9), number(source.dec, 9),
        result.n_exposures, result.n_spectra, escaped(result.status));
    html += summary_of(result);
    if (result.n_exposures > 0) html += "<h2>Periods</h2>\n" + candidates_of(result);
    if (result.best_period >= 0) {
        const PeriodCandidate& offered = result.candidates[static_cast<std::size_t>(result.best_period)];
        for (const EventList& events : data.events)
            if (events.exposure.file == offered.exposure) html += folded_profile_of(events, offered);
    }
    for (const EventList& events : data.events) html += light_curve_of(events);
    html += fits_of(result);
    for (const Spectrum& spectrum : data.spectra) html += spectrum_of(spectrum, options);
    return html + quarantine_of(result) + "</body></html>\n";
}

}  // namespace xsift::report
