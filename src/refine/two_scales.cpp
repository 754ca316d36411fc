#include "two_scales.hpp"

#include "descent.hpp"

#include <cmath>
#include <utility>

namespace xsift::refine {

namespace {

std::vector<const FitData*> coarse(std::span<const FitData* const> spectra) {
    std::vector<const FitData*> out;
    for (const FitData* s : spectra) out.push_back(&s->coarse());
    return out;
}

}  // namespace

TwoScales::TwoScales(std::span<const FitData* const> spectra,
                     std::shared_ptr<const spectral::ModelDefinition> model, spectral::Abundance abundance,
                     spectral::FitStatistic statistic)
    : spectra_(spectra.begin(), spectra.end()),
      whole_(spectra, model, abundance),
      merged_(coarse(spectra), std::move(model), abundance),
      at_(whole_.make_point()),
      trial_(whole_.make_point()),
      spare_(whole_.make_point()) {
    whole_.set_statistic(statistic);
    merged_.set_statistic(statistic);
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        differ_ = differ_ || spectra_[d]->has_coarse();
        average_cross_section(d, {});
    }
}

void TwoScales::average_cross_section(std::size_t spectrum, std::span<const double> photons) {
    const auto whole = whole_.evaluator(spectrum).cross_section();
    if (!spectra_[spectrum]->has_coarse() || whole.empty()) return;
    merged_.evaluator(spectrum).set_cross_section(spectra_[spectrum]->averaged(whole, photons));
}

bool TwoScales::disagree(const Vector& x, double stat, double delta, Point& scratch) {
    constexpr double matters = 0.02;  // of delta: one per cent of the half-width
    return differ_ && std::fabs(whole_.statistic_at(x, scratch) - stat) > matters * delta;
}

bool TwoScales::settle(Point& best) {
    if (!differ_) {
        at_ = merged_.make_point();
        return descend_between_kinks(merged_, best, at_, spare_, true);
    }
    whole_.evaluate(best.x, at_);
    // it is near already: one step behind the whole response is worth its time, a second hardly ever
    DescentEnd end;
    end.enough = 1e-5;
    const bool converged = descend_between_kinks(whole_, at_, trial_, spare_, true, {}, end);
    std::deque<FitData> weighted;
    std::vector<const FitData*> all;
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        if (!spectra_[d]->has_coarse()) {
            all.push_back(spectra_[d]);
            continue;
        }
        const std::vector<double> photons = whole_.photons(at_.x, d);
        average_cross_section(d, photons);
        all.push_back(&weighted.emplace_back(spectra_[d]->weighted(photons, merged_.photons(at_.x, d))));
    }
    merged_.set_spectra(all);
    weighted_ = std::move(weighted);  // a deque's elements stay where they are
    merged_.evaluate(at_.x, best);
    return converged;
}

}  // namespace xsift::refine
