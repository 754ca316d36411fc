#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include <xsift/core/error.hpp>
#include <xsift/pipeline/review.hpp>
#include <xsift/refine/periods.hpp>

namespace xsift::pipeline {

namespace {

/// So many times as significant as the others, a source is where their photons come from.
constexpr double outstanding = 4.0;
/// Probability of a coincidence anywhere in an observation below which it is none.
constexpr double chance = 1e-3;

std::vector<std::string> observations_of(const PeriodCandidate& candidate) {
    std::vector<std::string> all;
    std::istringstream joined(candidate.obs_id);
    for (std::string one; std::getline(joined, one, '+');)
        if (!one.empty()) all.push_back(one);
    return all;
}

/// P(N >= n) of a Poisson variable.
double poisson_tail(int n, double mean) {
    double below = 0.0, term = std::exp(-mean);
    for (int k = 0; k < n; ++k) {
        below += term;
        term *= mean / (k + 1);
    }
    return std::max(0.0, 1.0 - below);
}

}  // namespace

void CatalogueReview::look(const SourceResult& result) {
    if (second_look_) {
        if (shared_.empty()) return;
        SourceResult revised = result;
        veto_shared_of(revised);
        if (!std::isnan(revised.log10_fap)) log10_fap_.push_back(revised.log10_fap);
        return;
    }
    if (!std::isnan(result.log10_fap)) log10_fap_.push_back(result.log10_fap);
    if (options_.shared_sources < 1) return;
    for (const PeriodCandidate& c : result.candidates) {
        if (c.veto != 0 || !(c.log10_fap <= options_.log10_fap) || !(c.span > 0.0)) continue;
        const std::vector<std::string> observations = observations_of(c);
        if (observations.size() != 1) continue;  // a joint row of several adds nothing to the rows of each
        sightings_[observations.front()].push_back(
            {result.source.id, c.frequency, 1.0 / c.span, c.log10_fap_white, c.pulsed_fraction});
    }
}

bool CatalogueReview::again() {
    if (!second_look_) {
        second_look_ = true;
        for (const auto& [observation, sightings] : sightings_) find_shared(observation, sightings);
        sightings_.clear();
        if (!shared_.empty()) {
            log10_fap_.clear();
            return true;
        }
    }
    rank();
    return false;
}

void CatalogueReview::find_shared(const std::string& observation, const std::vector<Sighting>& all) {
    std::vector<Sighting> sightings = all;
    std::sort(sightings.begin(), sightings.end(), [](const Sighting& a, const Sighting& b) {
        return a.frequency != b.frequency ? a.frequency < b.frequency : a.source < b.source;
    });
    const auto between = [&](double low, double high) {
        const auto below = [](const Sighting& s, double f) { return s.frequency < f; };
        const auto begin = std::lower_bound(sightings.begin(), sightings.end(), low, below);
        const auto end = std::lower_bound(begin, sightings.end(), std::nextafter(high, INFINITY), below);
        return std::pair(begin, end);
    };
    for (const Sighting& centre : sightings) {
        const double low = centre.frequency - centre.resolution, high = centre.frequency + centre.resolution;
        const auto [begin, end] = between(low, high);
        std::map<std::string, Sighting> best;  // of each source the most significant
        for (auto s = begin; s != end; ++s) {
            const auto [known, first] = best.emplace(s->source, *s);
            if (!first && s->log10_fap < known->second.log10_fap) known->second = *s;
        }
        const int n = static_cast<int>(best.size());
        if (n < options_.shared_sources) continue;
        // Candidates may thin out to one side: the denser side says how many meet by chance.
        double density = 0.0;  // per Hz
        for (const auto& [from, to] : {std::pair(0.5 * centre.frequency, std::nextafter(low, 0.0)),
                                       std::pair(std::nextafter(high, INFINITY), 2.0 * centre.frequency)}) {
            if (!(to > from)) continue;
            const auto [first, last] = between(from, to);
            density = std::max(density, static_cast<double>(last - first) / (to - from));
        }
        // As many windows are looked at as there are candidates.
        const double here = chance / static_cast<double>(sightings.size());
        if (poisson_tail(n, density * (high - low)) > here) continue;

        std::vector<Sighting> ranked;
        for (const auto& [source, sighting] : best) ranked.push_back(sighting);
        std::stable_sort(ranked.begin(), ranked.end(),
                         [](const Sighting& a, const Sighting& b) { return a.log10_fap < b.log10_fap; });
        const bool deepest = std::none_of(ranked.begin() + 1, ranked.end(), [&](const Sighting& s) {
            return s.pulsed_fraction > ranked[0].pulsed_fraction;
        });
        const bool is_origin = n > 1 && deepest && ranked[0].log10_fap < outstanding * ranked[1].log10_fap;
        shared_[observation].push_back(
            {centre.frequency, centre.resolution, is_origin ? ranked[0].source : ""});
    }
}

void CatalogueReview::veto_shared_of(SourceResult& result) const {
    bool changed = false;
    for (PeriodCandidate& c : result.candidates) {
        if (c.veto != 0) continue;
        for (const std::string& observation : observations_of(c)) {
            const auto found = shared_.find(observation);
            if (found == shared_.end()) continue;
            for (const Shared& s : found->second)
                if (s.origin != result.source.id &&
                    std::fabs(c.frequency - s.frequency) <= std::max(s.resolution, 1.0 / c.span))
                    c.veto |= veto_shared;
        }
        changed |= c.veto != 0;
    }
    if (!changed) return;
    const bool withdrawn = std::any_of(result.candidates.begin(), result.candidates.end(), [](const auto& c) {
        return (c.flags & candidate_offered) && (c.veto & veto_shared);
    });
    refine::conclude_period(result, options_);
    if (withdrawn) result.flags |= source_period_withdrawn;
}

/// q of the i-th smallest p of n is the least p_j n / j over j >= i.
void CatalogueReview::rank() {
    std::sort(log10_fap_.begin(), log10_fap_.end());
    const auto n = log10_fap_.size();
    log10_q_.assign(n, 0.0);
    double least = 0.0;
    for (std::size_t i = n; i-- > 0;) {
        least =
            std::min(least, log10_fap_[i] + std::log10(static_cast<double>(n) / static_cast<double>(i + 1)));
        log10_q_[i] = least;
    }
}

void CatalogueReview::revise(SourceResult& result) const {
    veto_shared_of(result);
    result.q_value = not_measured;
    if (std::isnan(result.log10_fap)) return;
    const auto at = std::lower_bound(log10_fap_.begin(), log10_fap_.end(), result.log10_fap);
    if (at == log10_fap_.end() || *at != result.log10_fap)
        throw Error(ErrorKind::internal, "RESULTS_CHANGED", "a probability that was not looked at");
    const double log10_q = log10_q_[static_cast<std::size_t>(at - log10_fap_.begin())];
    result.q_value = log10_q < -300.0 ? 0.0 : std::pow(10.0, log10_q);
}

}  // namespace xsift::pipeline
