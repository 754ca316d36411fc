// Properties, training, classification, model files.

#include <algorithm>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/characterise/class_model.hpp>
#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>

namespace xsift::characterise {
namespace {

using ::testing::HasSubstr;

Properties nothing() {
    Properties properties;
    properties.fill(not_measured);
    return properties;
}

double& at(Properties& properties, Property property) {
    return properties[static_cast<std::size_t>(property)];
}

double probability(const ClassModel& model, const Classification& found, const std::string& name) {
    for (std::size_t k = 0; k < model.classes.size(); ++k)
        if (model.classes[k] == name) return found.probability[k];
    return not_measured;
}

/// Two classes 2 sigma apart in two properties, and a third like A that never has a counterpart.
std::vector<LabelledSource> made_up() {
    RandomStream random(7, 0);
    std::vector<LabelledSource> sources;
    const auto add = [&](const char* label, int n, double hardness, double ratio, bool counterpart) {
        for (int i = 0; i < n; ++i) {
            LabelledSource& one = sources.emplace_back(LabelledSource{nothing(), label});
            at(one.properties, Property::hr_hm) = hardness + 0.2 * random.normal();
            at(one.properties, Property::log_b) = random.normal();
            if (!counterpart) continue;
            at(one.properties, Property::fx_g) = ratio + random.normal();
            at(one.properties, Property::bp_rp) = random.normal();
        }
    };
    add("A", 300, 0.2, 0.0, true);
    add("B", 300, -0.2, -2.0, true);
    add("N", 60, 0.2, 0.0, false);
    return sources;
}

const ClassModel& made_up_model() {
    static const ClassModel model = train_class_model(made_up(), {"made up"});
    return model;
}

/// The source of a published survey report: G 17.6, parallax 1.9836 mas, soft, 3.06e-14 erg/cm2/s in
/// 0.2-12 keV (bremsstrahlung of 1.1 keV), b = -54 deg.
Observables source_of_the_report() {
    Observables o;
    o.flux_soft = 1.38e-14;
    o.flux_medium = 6.6e-15;
    o.flux_hard = 4.6e-15;
    o.flux_broad = o.flux_soft + o.flux_medium + o.flux_hard;
    o.magnitude[0] = 17.598;
    o.parallax_over_error = 18.0;
    o.distance = 1000.0 / 1.9836;
    o.galactic_latitude = -54.4;
    return o;
}

TEST(Properties, FollowFromWhatWasMeasured) {
    Observables o;
    o.flux_soft = 1e-14, o.flux_medium = 3e-14, o.flux_hard = 6e-14, o.flux_broad = 1e-13;
    o.magnitude = {15.0, 15.6, 14.2, 13.0, 12.4, 12.2, 12.1, 12.0, 11.5};
    o.parallax_over_error = -9.0, o.distance = 100.0;
    o.gamma = 2.0, o.gamma_error = 0.3;
    Properties p = properties_of(o);
    EXPECT_DOUBLE_EQ(at(p, Property::hr_ms), 0.5);
    EXPECT_DOUBLE_EQ(at(p, Property::hr_hms), 0.2);
    EXPECT_NEAR(at(p, Property::fx_g), -13.0 - (std::log10(1.013e-5) - 6.0), 1e-12);
    EXPECT_NEAR(at(p, Property::fx_w1), -13.0 + 0.4 * 12.1, 1e-12);
    EXPECT_NEAR(at(p, Property::w1_w2), 0.1, 1e-12);
    EXPECT_DOUBLE_EQ(at(p, Property::parallax_sn), -1.0);
    EXPECT_DOUBLE_EQ(at(p, Property::gamma), 2.0);
    EXPECT_TRUE(std::isnan(at(p, Property::abs_g))) << "no distance without a parallax";
    EXPECT_TRUE(std::isnan(at(p, Property::p_intra)));
    o.parallax_over_error = 10.0, o.gamma_error = 0.7;
    p = properties_of(o);
    EXPECT_DOUBLE_EQ(at(p, Property::abs_g), 10.0);
    EXPECT_NEAR(at(p, Property::log_lx),
                std::log10(4 * constants::pi * std::pow(3.0856775814913673e20, 2) * 1e-13), 1e-9);
    EXPECT_TRUE(std::isnan(at(p, Property::gamma))) << "an index with such an error says nothing";
}

TEST(Properties, AMagnitudeNotSeenBoundsTheFluxRatio) {
    Observables o;
    o.flux_broad = 1e-13;
    o.fainter_than = {20.7, 20.5, 20.0, 16.0, 15.5, 14.7, 17.0, 16.0, 12.0};
    Properties p = properties_of(o);
    EXPECT_NEAR(at(p, Property::fx_g_above), -13.0 - std::log10(1.013e-5) + 0.4 * 20.7, 1e-12);
    EXPECT_NEAR(at(p, Property::fx_j_above), -13.0 + 0.4 * 16.0, 1e-12);
    EXPECT_NEAR(at(p, Property::fx_k_above), -13.0 + 0.4 * 14.7, 1e-12);
    EXPECT_NEAR(at(p, Property::fx_w1_above), -13.0 + 0.4 * 17.0, 1e-12);
    EXPECT_TRUE(std::isnan(at(p, Property::fx_g)));
    o.magnitude[0] = 18.0;
    p = properties_of(o);
    EXPECT_TRUE(std::isnan(at(p, Property::fx_g_above))) << "it was seen";
    EXPECT_TRUE(std::isfinite(at(p, Property::fx_g)));
    EXPECT_EQ(bounded_by(Property::fx_w1_above), Property::fx_w1);
    EXPECT_FALSE(bounded_by(Property::fx_w1).has_value());
}

TEST(Properties, BandsOfAPowerLawAreConvertedExactly) {
    for (const double index : {0.5, 1.7, 2.0, 3.5}) {
        const auto share = [&](double a, double b) { return power_law_share(index, 0.5, 12.0, a, b); };
        Observables o;
        set_bands_from_xmm({share(0.5, 1), share(1, 2), share(2, 4.5), share(4.5, 12)}, o);
        EXPECT_NEAR(o.flux_soft / share(0.5, 1.2), 1.0, 1e-6) << index;
        EXPECT_NEAR(o.flux_medium / share(1.2, 2), 1.0, 1e-6) << index;
        EXPECT_NEAR(o.flux_hard / share(2, 7), 1.0, 1e-6) << index;
    }
    Observables o;
    set_bands_from_xmm({1e-14, not_measured, not_measured, not_measured}, o);
    EXPECT_TRUE(std::isnan(o.flux_soft)) << "part of the band is not measured";
}

TEST(ClassModel, ProbabilitiesAreThoseOfTheTruth) {
    // Halfway in the flux ratio and at the middle hardness nothing speaks for A over B.
    const ClassModel& model = made_up_model();
    const std::vector<double> priors = log_priors(model, "A=0.5;B=0.5");
    Properties middle = nothing();
    at(middle, Property::hr_hm) = 0.0;
    at(middle, Property::fx_g) = -1.0;
    Classification found = classify(model, middle, priors);
    EXPECT_NEAR(probability(model, found, "A"), 0.5, 0.15);
    EXPECT_EQ(found.n_properties, 2);
    // ln odds of unit normals at 0.5 sigma from A: (2.25 - 0.25) / 2 + (9 - 1) / 8.
    at(middle, Property::hr_hm) = 0.1;
    at(middle, Property::fx_g) = -0.5;
    found = classify(model, middle, priors);
    const double odds = std::log(probability(model, found, "A") / probability(model, found, "B"));
    EXPECT_NEAR(odds, 0.5 * (0.09 - 0.01) / 0.04 + 0.5 * (2.25 - 0.25), 0.8);
}

TEST(ClassModel, WhatIsMissingSaysNothing) {
    const ClassModel& model = made_up_model();
    const std::vector<double> priors = log_priors(model, "power:1");
    const Classification none = classify(model, nothing(), priors);
    EXPECT_EQ(none.best, -1);
    for (std::size_t k = 0; k < priors.size(); ++k)
        EXPECT_NEAR(none.probability[k], std::exp(priors[k]), 1e-12);
    Properties latitude = nothing();
    at(latitude, Property::log_b) = 0.3;
    EXPECT_EQ(classify(model, latitude, priors).best, -1) << "the position alone makes no class";
    Properties colour = latitude;
    at(colour, Property::bp_rp) = 0.1;  // the same in all classes
    EXPECT_EQ(classify(model, colour, priors).best, -1) << "nor with what says next to nothing";
    at(colour, Property::fx_g) = -3.0;
    EXPECT_GE(classify(model, colour, priors).best, 0);
}

TEST(ClassModel, NoCounterpartIsNoSignOfAClassThatHasNone) {
    const ClassModel& model = made_up_model();
    Properties source = nothing();
    at(source, Property::hr_hm) = 0.2;
    const Classification found = classify(model, source, log_priors(model, "A=0.5;N=0.5"));
    EXPECT_NEAR(probability(model, found, "N"), 0.5, 0.2);
    EXPECT_GT(probability(model, classify(model, source, log_priors(model, "power:1")), "A"), 0.5);
}

TEST(ClassModel, ReasonsAddUpToTheOdds) {
    const ClassModel& model = embedded_class_model();
    const std::vector<double> priors = log_priors(model, "power:0.25");
    const Classification found = classify(model, properties_of(source_of_the_report()), priors);
    const std::vector<ClassProbability> rows = class_rows(model, found, priors);
    ASSERT_EQ(rows.size(), model.classes.size());
    double total = 0.0;
    for (const ClassProbability& row : rows) {
        total += row.probability;
        const double rival = probability(model, found, row.rival);
        EXPECT_NEAR(row.log_odds, std::log(row.probability / rival), 1e-6);
        double sum = 0.0;
        for (const std::string& list : {row.reasons_for, row.reasons_against})
            for (std::size_t begin = 0; begin < list.size();) {
                const std::size_t end = std::min(list.find("; ", begin), list.size());
                sum += std::stod(list.substr(list.rfind(' ', end - 1) + 1, end));
                begin = end + 2;
            }
        EXPECT_NEAR(sum, row.log_odds, 0.08)
            << row.name << ": " << row.reasons_for << " | " << row.reasons_against;
    }
    EXPECT_NEAR(total, 1.0, 1e-12);
    EXPECT_EQ(rows[0].rival, rows[1].name);
    EXPECT_EQ(rows[3].rival, rows[0].name);
}

TEST(ClassModel, TheSourceOfTheReportIsAStarOrACataclysmicVariable) {
    const ClassModel& model = embedded_class_model();
    for (const char* text : {"power:0", "power:0.25", "power:1"}) {
        const std::vector<double> priors = log_priors(model, text);
        const Classification found = classify(model, properties_of(source_of_the_report()), priors);
        const auto p = [&](const char* name) { return probability(model, found, name); };
        const double galactic = std::min(p("LM-STAR"), p("CV"));
        EXPECT_GT(galactic, p("AGN")) << text << ' ' << p("LM-STAR") << ' ' << p("CV");
        EXPECT_GT(galactic, p("NS")) << text;
        EXPECT_FALSE(found.unlike_training);
        for (const ClassProbability& row : class_rows(model, found, priors))
            if (row.name == "AGN") {
                EXPECT_THAT(row.reasons_against, HasSubstr("PARALLAX_SN"));
                EXPECT_THAT(reasons_in_words(row.reasons_against), HasSubstr("significance of the parallax"));
            }
    }
}

TEST(ClassModel, ASourceWithoutItsCounterpartIsNoNeutronStar) {
    const ClassModel& model = embedded_class_model();
    Observables o = source_of_the_report();
    o.magnitude.fill(not_measured);
    o.parallax_over_error = o.distance = not_measured;
    const Classification found = classify(model, properties_of(o), log_priors(model, "power:0.25"));
    EXPECT_LT(probability(model, found, "NS"), 0.2);
}

/// As made_up(), and sources of A and N that were looked for: A is a little, N far below the catalogue.
std::vector<LabelledSource> made_up_with_limits() {
    std::vector<LabelledSource> sources = made_up();
    RandomStream random(8, 0);
    for (LabelledSource& one : sources)
        if (one.label == "N") at(one.properties, Property::fx_g_above) = 1.0 + random.normal();
    for (int i = 0; i < 60; ++i) {
        LabelledSource& one = sources.emplace_back(LabelledSource{nothing(), "A"});
        at(one.properties, Property::hr_hm) = 0.2 + 0.2 * random.normal();
        at(one.properties, Property::fx_g_above) = -0.5 + random.normal();
    }
    return sources;
}

TEST(ClassModel, ALimitCountsAsTheShareOfSourcesAboveIt) {
    const ClassModel model = train_class_model(made_up_with_limits(), {"made up"});
    const auto term = std::find_if(model.terms.begin(), model.terms.end(), [&](const ClassTerm& one) {
        return model.axes[static_cast<std::size_t>(one.axis[0])].property == Property::fx_g_above;
    });
    ASSERT_NE(term, model.terms.end());
    const PropertyAxis& axis = model.axes[static_cast<std::size_t>(term->axis[0])];
    for (const std::size_t node : {10u, 20u, 30u}) {
        double above = 0.0, all = 0.0;
        for (const LabelledSource& one : made_up_with_limits()) {
            const double ratio = one.properties[static_cast<std::size_t>(Property::fx_g)];
            if (one.label != "A" || !std::isfinite(ratio)) continue;
            all += 1.0;
            above += ratio > axis.node[node] ? 1.0 : 0.0;
        }
        EXPECT_NEAR(std::exp(term->density[0][node]), above / all, 0.05) << axis.node[node];
    }
    // A limit below all ratios is no news; one above most of them speaks for the class that may lie there.
    const std::vector<double> priors = log_priors(model, "A=0.5;N=0.5");
    const auto p_n = [&](double limit) {
        Properties source = nothing();
        at(source, Property::hr_hm) = 0.2;
        at(source, Property::fx_g_above) = limit;
        return probability(model, classify(model, source, priors), "N");
    };
    EXPECT_NEAR(p_n(-9.0), p_n(not_measured), 0.03);
    EXPECT_GT(p_n(2.5), p_n(0.5) + 0.1);
    EXPECT_GT(p_n(2.5), 0.8);
}

TEST(ClassModel, APeriodSpeaksForClassesThatHaveSuchPeriods) {
    const ClassModel& model = embedded_class_model();
    const std::vector<double> priors = log_priors(model, "power:0.25");
    const auto judged = [&](double period, double latitude, double p_intra = 1.0) {
        Observables o;
        o.period = period;
        o.p_intra = p_intra;
        o.galactic_latitude = latitude;
        return classify(model, properties_of(o), priors);
    };
    const auto p = [&](const Classification& found, const char* name) {
        return probability(model, found, name);
    };
    // 1E 2259+586, a magnetar: 6.979 s at b = -1.0 deg.
    const Classification magnetar = judged(6.979, -1.0);
    EXPECT_EQ(model.classes[static_cast<std::size_t>(magnetar.best)], "NS");
    EXPECT_GT(p(magnetar, "NS") + p(magnetar, "HMXB"), 0.9);
    // RX J0146.9+6121, a Be/X-ray binary: 1396.55 s at b = -0.9 deg; an intermediate polar would have it too.
    const Classification binary = judged(1396.55, -0.9);
    EXPECT_EQ(model.classes[static_cast<std::size_t>(binary.best)], "HMXB");
    EXPECT_GT(p(binary, "HMXB") + p(binary, "CV"), 0.9);
    // 80 min to 4 h are orbits of polars.
    const Classification polar = judged(6830.0, 60.0);
    EXPECT_EQ(model.classes[static_cast<std::size_t>(polar.best)], "CV");
    // The pulse is the variability within the observation: it is not counted again.
    EXPECT_EQ(judged(6.979, -1.0, 0.1).probability, magnetar.probability);
    // A period that no class is known for says nothing, and what a period claims is bounded.
    const Classification strange = judged(0.02, -1.0);
    EXPECT_NEAR(p(strange, "AGN") / p(strange, "HM-STAR"),
                p(judged(not_measured, -1.0, not_measured), "AGN") /
                    p(judged(not_measured, -1.0, not_measured), "HM-STAR"),
                1e-3);
    for (const TermEvidence& term : magnetar.evidence) {
        if (term.properties != "LOG_PERIOD") continue;
        const auto [least, most] = std::minmax_element(term.log_odds.begin(), term.log_odds.end());
        EXPECT_GT(*most - *least, 4.0);
        EXPECT_LT(*most - *least, 6.0);
    }
    // Of classes of other names nothing is known.
    for (const PropertyAxis& axis : made_up_model().axes) EXPECT_NE(axis.property, Property::log_period);
}

TEST(ClassModel, AFaintSourceThatWasLookedForInVainIsStillAnActiveGalaxy) {
    // 2e-15 erg/cm2/s and G > 20.7: log Fx/Fopt > -1.4, which most active galaxies exceed. 1e-12: > 1.3, none
    // does.
    const ClassModel& model = embedded_class_model();
    const std::vector<double> priors = log_priors(model, "power:0.25");
    const auto p = [&](double flux, const char* name) {
        Observables o;
        o.flux_soft = 0.3 * flux, o.flux_medium = 0.2 * flux, o.flux_hard = 0.5 * flux, o.flux_broad = flux;
        o.galactic_latitude = 50.0;
        o.fainter_than[0] = 20.7;
        return probability(model, classify(model, properties_of(o), priors), name);
    };
    EXPECT_GT(p(2e-15, "AGN"), 0.7);
    EXPECT_LT(p(2e-15, "NS"), 0.1);
    EXPECT_GT(p(1e-12, "NS"), 3.0 * p(2e-15, "NS"));
}

TEST(ClassModel, SaysWhenASourceIsUnlikeAllItKnows) {
    const ClassModel& model = embedded_class_model();
    const std::vector<double> priors = log_priors(model, "power:0.25");
    Properties strange = properties_of(source_of_the_report());
    EXPECT_FALSE(classify(model, strange, priors).unlike_training);
    at(strange, Property::fx_g) = 9.0;
    at(strange, Property::bp_rp) = 12.0;
    EXPECT_TRUE(classify(model, strange, priors).unlike_training);
}

TEST(ClassModel, PriorsByOption) {
    const ClassModel& model = made_up_model();
    EXPECT_NEAR(log_priors(model, "power:0")[0], std::log(1.0 / 3.0), 1e-12);
    EXPECT_NEAR(log_priors(model, "power:1")[0], std::log(300.0 / 660.0), 1e-12);
    const std::vector<double> named = log_priors(model, "B=0.2");
    EXPECT_NEAR(std::exp(named[0]), 0.4, 1e-12);
    EXPECT_NEAR(std::exp(named[1]), 0.2, 1e-12);
    for (const char* bad : {"equal", "power:2", "power:x", "C=1", "A=-1", "A=0;B=0;N=0", "A"})
        EXPECT_THROW(log_priors(model, bad), Error) << bad;
    EXPECT_EQ(named.size(), 3u);
}

TEST(ClassModel, TextHoldsAllOfIt) {
    const ClassModel& model = made_up_model();
    const std::string text = to_text(model);
    const ClassModel read = parse_class_model(text, "again");
    EXPECT_EQ(to_text(read), text);
    Properties source = nothing();
    at(source, Property::hr_hm) = 0.1;
    at(source, Property::fx_g) = -0.5;
    const std::vector<double> priors = log_priors(model, "power:1");
    EXPECT_EQ(classify(read, source, priors).probability, classify(model, source, priors).probability);
    EXPECT_EQ(train_class_model(made_up(), {"made up"}).terms.front().weight, model.terms.front().weight);
    EXPECT_LT(embedded_class_model_text().size(), 300u * 1024u);
}

TEST(ClassModel, RefusesDamagedAndHostileFiles) {
    const std::string text = to_text(made_up_model());
    const auto refused = [](const std::string& bad) {
        try {
            parse_class_model(bad, "bad.txt");
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "BAD_CLASS_MODEL");
            EXPECT_THAT(error.what(), HasSubstr("bad.txt"));
            return true;
        }
        return false;
    };
    for (std::size_t length = 0; length < text.size() - 1; length += 97)
        EXPECT_TRUE(refused(text.substr(0, length))) << length;
    EXPECT_TRUE(refused(text + "x"));
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string changed = text;
        changed.replace(changed.find(from), from.size(), to);
        return changed;
    };
    EXPECT_TRUE(refused(with("model 1", "model 2")));
    EXPECT_TRUE(refused(with("classes A B", "classes A A")));
    EXPECT_TRUE(refused(with("counts 300", "counts nan")));
    EXPECT_TRUE(refused(with("weights ", "weights -")));
    EXPECT_TRUE(refused(with("axes 4", "axes 4000000000")));
    EXPECT_TRUE(refused(with("terms ", "terms 9999999")));
    EXPECT_TRUE(refused(with("nodes ", "nodes 1e300 ")));
    EXPECT_TRUE(refused(with("axis HR_HM", "axis HR_XX")));
    EXPECT_TRUE(refused(with("term 41 0", "term 41 9")));
    EXPECT_TRUE(refused(std::string(1000, '\0')));
}

TEST(ClassModel, TrainingNeedsLabels) {
    std::vector<LabelledSource> sources = made_up();
    for (LabelledSource& source : sources) source.label = source.label == "A" ? "A" : "";
    EXPECT_THROW(train_class_model(sources, {}), Error);
    for (LabelledSource& source : sources) source.label = &source - sources.data() < 300 ? "A" : "B";
    for (LabelledSource& source : sources) source.properties = nothing();
    EXPECT_THROW(train_class_model(sources, {}), Error);
}

TEST(ClassModel, ReasonsInWords) {
    EXPECT_EQ(
        reasons_in_words("FX_G=-3.2 +2.10; HR_MS&HR_HM=-0.5&0.1 -0.69; prior +0.50"),
        "log X-ray to optical flux ratio -3.2 (odds times 8.17), hardness (M-S)/(M+S) -0.5 with hardness "
        "(H-M)/(H+M) 0.1 (odds divided by 1.99), how common the classes are taken to be (odds times 1.65)");
    EXPECT_EQ(reasons_in_words(""), "");
}

}  // namespace
}  // namespace xsift::characterise
