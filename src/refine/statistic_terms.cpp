#include "statistic_terms.hpp"

#include <algorithm>

#include <xsift/spectral/chi2.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

using spectral::FitStatistic;

StatisticTerms::StatisticTerms(std::span<const FitData* const> spectra) {
    for (const FitData* d : spectra) {
        first_bin_.push_back(n_);
        n_ += d->n_bins();
        source_exposure_.insert(source_exposure_.end(), d->n_bins(), d->source_exposure);
        const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
            to.insert(to.end(), from.begin(), from.end());
        };
        append(background_exposure_, d->background_exposure);
        append(counts_, d->counts);
        append(background_, d->background);
    }
    first_bin_.push_back(n_);
    for (std::size_t k = 0; k < n_; ++k) {
        source_scale_.push_back(bin_scale(source_exposure_[k], counts_[k]));
        background_scale_.push_back(bin_scale(background_exposure_[k], background_[k]));
    }
    for (std::vector<double>* column : {&source_exposure_, &background_exposure_, &counts_, &background_,
                                        &source_scale_, &background_scale_})
        column->resize(padded_bins(n_), 0.0);
    value_.resize(n_);
}

void StatisticTerms::set_statistic(FitStatistic statistic) {
    statistic_ = statistic;
    variance_.clear();
    if (statistic == FitStatistic::poisson) return;
    const auto variance_of = [&](double counts) {
        return statistic == FitStatistic::chi2_gehrels ? spectral::gehrels_variance(counts) : counts;
    };
    for (std::size_t d = 0; d + 1 < first_bin_.size(); ++d)
        for (std::size_t k = first_bin_[d]; k < first_bin_[d + 1]; ++k) {
            /// Counts of a bin, or smoothed over it and its neighbours.
            const auto counts_of = [&](const std::vector<double>& counts) {
                if (statistic != FitStatistic::chi2_churazov) return counts[k];
                const std::size_t first = k == first_bin_[d] ? k : k - 1,
                                  last = std::min(k + 1, first_bin_[d + 1] - 1);
                double sum = 0.0;
                for (std::size_t j = first; j <= last; ++j) sum += counts[j];
                return sum / static_cast<double>(last - first + 1);
            };
            const double ts = source_exposure_[k], tb = background_exposure_[k];
            // the model's variance: what the background adds, expected in the source region and subtracted
            const double source = statistic == FitStatistic::chi2_model
                                      ? (tb > 0.0 ? background_[k] * ts / tb : 0.0)
                                      : variance_of(counts_of(counts_));
            variance_.push_back(spectral::net_variance(source, variance_of(counts_of(background_)), ts, tb));
        }
}

spectral::StatTerm StatisticTerms::chi2_term(std::size_t k, double rate) const {
    const double ts = source_exposure_[k],
                 net = spectral::net_counts(counts_[k], background_[k], ts, background_exposure_[k]);
    return statistic_ == FitStatistic::chi2_model ? spectral::chi2_model_variance(net, variance_[k], ts, rate)
                                                  : spectral::chi2(net, variance_[k], ts, rate);
}

namespace {

/// @param slopes null: the value alone
template <typename Term>
double chi2_of(std::span<const double> rates, StatisticTerms::Slopes* slopes, const Term& term) {
    double sum = 0.0;
    for (std::size_t k = 0; k < rates.size(); ++k) {
        const spectral::StatTerm at = term(k, std::max(rates[k], spectral::lowest_rate));
        sum += at.value;
        if (slopes == nullptr) continue;
        slopes->first[k] = at.first;
        slopes->second[k] = at.second;
    }
    return sum;
}

}  // namespace

double StatisticTerms::value(std::span<const double> rates) const {
    if (is_chi2())
        return chi2_of(rates, nullptr, [&](std::size_t k, double rate) { return chi2_term(k, rate); });
    const StatisticLanes& lanes = best_statistic_lanes();
    lanes.terms(table(), rates.data(), n_, {value_.data(), nullptr, nullptr, nullptr});
    return lanes.sum(value_.data(), n_);
}

void StatisticTerms::slopes(std::span<const double> rates, bool expected, Slopes& out) const {
    out.first.resize(n_);
    out.second.resize(n_);
    if (expected) out.expected.resize(n_);
    if (!is_chi2()) {
        best_statistic_lanes().terms(
            table(), rates.data(), n_,
            {nullptr, out.first.data(), out.second.data(), expected ? out.expected.data() : nullptr});
        return;
    }
    chi2_of(rates, &out, [&](std::size_t k, double rate) { return chi2_term(k, rate); });
    if (expected) out.expected = out.second;
}

double StatisticTerms::value_and_slopes(std::span<const double> rates, Slopes& out) const {
    out.first.resize(n_);
    out.second.resize(n_);
    if (is_chi2())
        return chi2_of(rates, &out, [&](std::size_t k, double rate) { return chi2_term(k, rate); });
    const StatisticLanes& lanes = best_statistic_lanes();
    lanes.terms(table(), rates.data(), n_, {value_.data(), out.first.data(), out.second.data(), nullptr});
    return lanes.sum(value_.data(), n_);
}

double StatisticTerms::dot(std::span<const double> a, std::span<const double> b) {
    return best_statistic_lanes().dot(a.data(), b.data(), a.size());
}

double StatisticTerms::triple(std::span<const double> a, std::span<const double> b,
                              std::span<const double> c) {
    return best_statistic_lanes().triple(a.data(), b.data(), c.data(), a.size());
}

}  // namespace xsift::refine
