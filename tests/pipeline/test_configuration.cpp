// Settings: every one prints, reads back what it printed, and refuses nonsense; shards cover a survey exactly
// once.

#include <algorithm>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/pipeline/configuration.hpp>
#include <xsift/pipeline/run.hpp>

namespace {

using namespace xsift;
using namespace xsift::pipeline;

const Setting& find(const std::vector<Setting>& settings, const std::string& flag) {
    return *std::find_if(settings.begin(), settings.end(), [&](const Setting& s) { return s.flag == flag; });
}

TEST(Configuration, ReadsBackWhatItPrints) {
    RunConfiguration changed;
    const auto settings = settings_of(changed);
    find(settings, "--fmax").set({"12.5"});
    find(settings, "--harmonics").set({"4,1,1"});
    find(settings, "--models").set({"tbabs*powerlaw"});
    find(settings, "--energy").set({"0.5:8"});
    find(settings, "--binning").set({"min:20"});
    find(settings, "--abund").set({"angr"});
    find(settings, "--spectra").set({"false"});
    const std::string text = to_toml(changed);
    EXPECT_NE(text.find("fmax = 12.5\n"), std::string::npos) << text;
    EXPECT_NE(text.find("harmonics = [1, 4]\n"), std::string::npos) << text;
    EXPECT_NE(text.find("models = [\"tbabs*powerlaw\"]\n"), std::string::npos) << text;
    EXPECT_NE(text.find("energy = \"0.5:8\"\n"), std::string::npos) << text;

    RunConfiguration again;
    for (const Setting& setting : settings_of(again)) {
        std::string literal = find(settings, setting.flag).toml();
        std::erase_if(literal, [](char c) { return c == '"' || c == '[' || c == ']'; });
        setting.set({literal});
    }
    EXPECT_EQ(to_toml(again), text);
}

TEST(Configuration, RefusesNonsense) {
    RunConfiguration configuration;
    const auto settings = settings_of(configuration);
    const std::string before = to_toml(configuration);
    const std::pair<const char*, const char*> nonsense[] = {
        {"--fmax", "fast"},        {"--fmax", "-1"},
        {"--oversampling", "nan"}, {"--harmonics", "21"},
        {"--harmonics", ""},       {"--energy", "5"},
        {"--energy", "5:2"},       {"--models", "tbabs*nonsense"},
        {"--binning", "min:0"},    {"--abund", "lodd"},
        {"--search", "maybe"},     {"--log10-fap", "1"},
        {"--min-events", "1"},     {"--min-events", "x"},
    };
    for (const auto& [flag, value] : nonsense) {
        try {
            find(settings, flag).set({value});
            ADD_FAILURE() << flag << " took " << value;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage) << flag << " " << value;
        }
    }
    EXPECT_EQ(to_toml(configuration), before);
}

}  // namespace
