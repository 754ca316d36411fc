#include "period_term.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <xsift/core/constants.hpp>

namespace xsift::characterise {

namespace {

/// A kind of periods: the share of the class that shows one, and their log10(P/s) as a normal.
struct Periods {
    const char* class_name;
    double share, centre, width;
};
constexpr std::array periods{
    // Magnetars 0.3 to 12 s, X-ray dim isolated neutron stars 3 to 13 s (Eksi 2026, arXiv 2603.09608, table
    // 1);
    // rotation-powered pulsars seen in X-rays 0.02 to 1 s.
    Periods{"NS", 0.3, 0.8, 0.25},
    Periods{"NS", 0.1, -0.8, 0.5},
    // Two groups, near 10 s and 250 s (Knigge et al. 2011, Nature 479, 372), up to 1e4 s.
    Periods{"HMXB", 0.15, 1.0, 0.4},
    Periods{"HMXB", 0.35, 2.4, 0.6},
    // Milliseconds, few slow pulsars (5 to 9 s: Mereghetti et al. 1995, ApJ 442, L17), orbital dips and
    // eclipses.
    Periods{"LMXB", 0.03, -2.5, 0.2},
    Periods{"LMXB", 0.03, 0.8, 0.5},
    Periods{"LMXB", 0.1, 4.1, 0.4},
    // Spins of intermediate polars, orbits of polars (80 min to 4 h).
    Periods{"CV", 0.15, 3.0, 0.4},
    Periods{"CV", 0.15, 3.9, 0.2},
    // Rotation within days: mostly longer than an observation.
    Periods{"LM-STAR", 0.02, 5.3, 0.5},
    Periods{"YSO", 0.02, 5.5, 0.4},
    Periods{"HM-STAR", 0.02, 5.3, 0.5},
};
constexpr std::array known_classes{"AGN", "CV", "HM-STAR", "HMXB", "LM-STAR", "LMXB", "NS", "YSO"};
/// Of every class a dex: periods of the instrument, of a neighbour, by chance. Bounds what a period can
/// claim.
constexpr double spurious = 0.002;
constexpr double shortest = -3.0, longest = 6.0;  // log10 s
constexpr int nodes = 46;                         // 0.2 dex

}  // namespace

void add_period_term(ClassModel& model) {
    for (const std::string& name : model.classes)
        if (std::find(known_classes.begin(), known_classes.end(), name) == known_classes.end()) return;
    PropertyAxis axis{Property::log_period, {}};
    for (int i = 0; i < nodes; ++i) axis.node.push_back(shortest + (longest - shortest) * i / (nodes - 1));
    ClassTerm term;
    term.axis = {static_cast<int>(model.axes.size())};
    term.nodes = nodes;
    term.weight.assign(model.classes.size(), 1.0);
    for (const std::string& name : model.classes) {
        std::vector<double>& density = term.density.emplace_back();
        for (const double at : axis.node) {
            double sum = spurious;
            for (const Periods& kind : periods)
                if (name == kind.class_name) {
                    const double away = (at - kind.centre) / kind.width;
                    sum += kind.share * std::exp(-0.5 * away * away) /
                           (kind.width * std::sqrt(constants::two_pi));
                }
            density.push_back(std::log(sum));
        }
    }
    model.axes.push_back(std::move(axis));
    model.terms.push_back(std::move(term));
}

}  // namespace xsift::characterise
