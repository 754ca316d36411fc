#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/core/random.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/simulate.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::pipeline {

namespace {

constexpr std::int64_t fewest_counts = 20;
constexpr double count_scatter = 0.8;      ///< of the logarithm of the counts
constexpr double lowest_frequency = 1e-4;  ///< Hz
constexpr double fewest_cycles = 4.0;      ///< of an injected period in the exposure
constexpr double nyquist_margin = 1.2;
constexpr double event_energy_lo = 0.3, event_energy_hi = 10.0;  ///< keV
constexpr double background_share = 0.1;       ///< of the source counts, in the source region
constexpr double background_area_ratio = 4.0;  ///< background region over source region

double uniform_in(RandomStream& random, double lo, double hi) {
    return lo + (hi - lo) * random.uniform();
}
double log_uniform_in(RandomStream& random, double lo, double hi) {
    return lo * std::exp(random.uniform() * std::log(hi / lo));
}

/// What is injected into a source. Everything is drawn whether it is used or not: an option changes nothing
/// else.
struct Injection {
    double frequency = 0.0, pulsed_fraction = 0.0,
           phase = 0.0;  ///< Hz; rate 1 + fraction sin(2 pi f t + phase)
    double expected_counts = 0.0;
    double index = 0.0, nh = 0.0;  ///< photon index; 1e22 cm^-2
};

Injection draw_injection(RandomStream& random, const SimulateOptions& options) {
    Injection injection;
    injection.expected_counts =
        options.mean_counts * std::exp(count_scatter * random.normal() - 0.5 * count_scatter * count_scatter);
    const double lo = std::max(lowest_frequency, fewest_cycles / options.exposure);
    const double hi = 0.5 / options.frame_time / nyquist_margin;
    const bool pulsed = random.uniform() < options.pulsed_share && lo < hi;
    const double frequency = log_uniform_in(random, lo, hi), fraction = uniform_in(random, 0.2, 0.9);
    injection.phase = uniform_in(random, 0.0, constants::two_pi);
    if (pulsed) {
        injection.frequency = frequency;
        injection.pulsed_fraction = fraction;
    }
    injection.index = uniform_in(random, 1.2, 3.0);
    injection.nh = log_uniform_in(random, 0.01, 1.0);
    return injection;
}

/// Good read-out frames [first, first + count) of an exposure.
struct FrameRange {
    std::int64_t first = 0, count = 0;
};

/// Good frames in all last options.exposure; up to three gaps of 0.5 to 5% of it lie between them.
std::vector<FrameRange> draw_good_frames(RandomStream& random, const SimulateOptions& options) {
    const auto good = std::max<std::int64_t>(1, std::llround(options.exposure / options.frame_time));
    const int gaps = static_cast<int>(4.0 * random.uniform());
    std::vector<std::int64_t> cuts;
    for (int i = 0; i < gaps; ++i)
        cuts.push_back(static_cast<std::int64_t>(static_cast<double>(good) * random.uniform()));
    cuts.push_back(good);
    std::sort(cuts.begin(), cuts.end());
    std::vector<FrameRange> ranges;
    std::int64_t begin = 0, gone = 0;
    for (const std::int64_t cut : cuts) {
        if (cut > begin) ranges.push_back({begin + gone, cut - begin});
        gone += 1 + static_cast<std::int64_t>(static_cast<double>(good) * uniform_in(random, 0.005, 0.05));
        begin = cut;
    }
    return ranges;
}

/// A time in good time, uniform: frames and fraction of a frame.
double draw_frame(RandomStream& random, const std::vector<FrameRange>& good, std::int64_t n_good) {
    double frame = static_cast<double>(n_good) * random.uniform();
    for (const FrameRange& range : good) {
        if (frame < static_cast<double>(range.count)) return static_cast<double>(range.first) + frame;
        frame -= static_cast<double>(range.count);
    }
    return static_cast<double>(good.back().first + good.back().count) - 0.5;
}

/// Inverse of the cumulative power law between the limits of the events' energies.
double draw_energy(RandomStream& random, double index) {
    const double a = 1.0 - index, lo = std::pow(event_energy_lo, a), hi = std::pow(event_energy_hi, a);
    return std::pow(lo + (hi - lo) * random.uniform(), 1.0 / a);
}

Exposure exposure_of(const std::string& id, const char* kind, const SimulateOptions& options) {
    Exposure exposure;
    exposure.file = fmt::format("{}_{}.fits", id, kind);
    exposure.mission = "SIMULATED";
    exposure.instrument = "EPN";
    exposure.obs_id = "0000000000";
    exposure.exposure_id = "S001";
    exposure.time_system = "TDB";
    exposure.time_reference = "SOLARSYSTEM";
    exposure.mjd_reference = 50814.0;
    exposure.frame_time = options.frame_time;
    exposure.livetime = options.exposure;
    return exposure;
}

/// Photons arrive at the modulated rate and are dated to the middle of the frame that reads them.
EventList draw_events(RandomStream& random, const Injection& injection, const std::string& id,
                      const SimulateOptions& options) {
    EventList events;
    events.exposure = exposure_of(id, "events", options);
    const std::vector<FrameRange> good = draw_good_frames(random, options);
    std::int64_t n_good = 0;
    for (const FrameRange& range : good) {
        events.gti.start.push_back(static_cast<double>(range.first) * options.frame_time);
        events.gti.stop.push_back(static_cast<double>(range.first + range.count) * options.frame_time);
        n_good += range.count;
    }
    const auto n =
        static_cast<std::size_t>(std::max(fewest_counts, random.poisson(injection.expected_counts)));
    while (events.time.size() < n) {
        const double frame = draw_frame(random, good, n_good);
        const double phase =
            constants::two_pi * injection.frequency * frame * options.frame_time + injection.phase;
        const double rate = 1.0 + injection.pulsed_fraction * std::sin(phase);
        if (random.uniform() * (1.0 + injection.pulsed_fraction) < rate)
            events.time.push_back((std::floor(frame) + 0.5) * options.frame_time);
    }
    std::sort(events.time.begin(), events.time.end());
    for (std::size_t i = 0; i < n; ++i)
        events.energy.push_back(static_cast<float>(draw_energy(random, injection.index)));
    return events;
}

/// A small response in the manner of EPIC-pn: 200 energies, 256 channels of 50 eV, Gaussian redistribution.
Response make_response() {
    constexpr int n_energies = 200, n_channels = 256;
    constexpr double energy_lo = 0.2, energy_hi = 12.0, channel_width = 0.05, negligible = 1e-7;
    Response response;
    response.name = "simulated.rmf";
    for (int c = 0; c < n_channels; ++c) {
        response.channel_lo.push_back(channel_width * c);
        response.channel_hi.push_back(channel_width * (c + 1));
    }
    const double step = std::log(energy_hi / energy_lo) / n_energies;
    response.row_group.push_back(0);
    for (int i = 0; i < n_energies; ++i) {
        response.energy_lo.push_back(energy_lo * std::exp(step * i));
        response.energy_hi.push_back(energy_lo * std::exp(step * (i + 1)));
        const double energy = std::sqrt(response.energy_lo.back() * response.energy_hi.back());
        const double fwhm = std::sqrt(0.07 * 0.07 + 0.0028 * energy), sigma = fwhm / 2.3548200450309493;
        const auto below = [&](double edge) {
            return 0.5 * std::erfc((energy - edge) / (sigma * std::sqrt(2.0)));
        };
        std::vector<double> row;
        int first = n_channels;
        for (int c = 0; c < n_channels; ++c) {
            const double p = below(response.channel_hi[c]) - below(response.channel_lo[c]);
            if (p < negligible) continue;
            first = std::min(first, c);
            row.push_back(p);
        }
        response.group_first.push_back(first);
        response.group_count.push_back(static_cast<std::int32_t>(row.size()));
        response.group_value.push_back(static_cast<std::int64_t>(response.value.size()));
        response.row_group.push_back(i + 1);
        for (const double p : row) response.value.push_back(static_cast<float>(p));
    }
    response.hash = content_hash(response.value.data(), response.value.size() * sizeof(float));
    return response;
}

constexpr const char* model_name = "tbabs*powerlaw";

/// Draws spectra of absorbed power laws folded through the response, with a background.
class SpectrumSimulator {
  public:
    SpectrumSimulator()
        : response_(std::make_shared<Response>(make_response())),
          model_(std::make_shared<const spectral::ModelDefinition>(spectral::define_model(model_name, {})),
                 spectral::Abundance::wilm,
                 spectral::EnergyBins::from_bounds(response_->energy_lo, response_->energy_hi)) {
        for (std::size_t i = 0; i < response_->n_energies(); ++i) {
            const double energy = std::sqrt(response_->energy_lo[i] * response_->energy_hi[i]);
            const double x = std::log(energy / 1.5) / 0.9;
            area_.push_back(1200.0 * std::exp(-0.5 * x * x));
        }
    }

    /// The spectrum, and the norm that gives the expected counts.
    std::pair<Spectrum, double> draw(RandomStream& random, const Injection& injection, const std::string& id,
                                     const SimulateOptions& options) {
        const std::vector<double> rate = folded(injection.nh, injection.index);
        double total = 0.0;
        for (const double r : rate) total += r;
        const double norm = injection.expected_counts / (total * options.exposure);

        Spectrum spectrum;
        spectrum.exposure = exposure_of(id, "spectrum", options);
        spectrum.back_scale = 1.0;
        spectrum.background_file = fmt::format("{}_background.fits", id);
        spectrum.background_exposure = options.exposure;
        spectrum.background_back_scale = background_area_ratio;
        spectrum.arf_file = "simulated.arf";
        spectrum.effective_area = area_;
        spectrum.response_wanted = response_->name;
        spectrum.response = response_;
        const double background =
            background_share * injection.expected_counts / static_cast<double>(rate.size());
        for (const double r : rate) {
            spectrum.counts.push_back(
                static_cast<double>(random.poisson(norm * r * options.exposure + background)));
            spectrum.background_counts.push_back(
                static_cast<double>(random.poisson(background_area_ratio * background)));
        }
        return {std::move(spectrum), norm};
    }

  private:
    /// count/s in each channel at norm 1.
    std::vector<double> folded(double nh, double index) {
        const std::vector<double> photons = model_.photons(std::array{nh, index, 1.0});
        const Response& r = *response_;
        std::vector<double> rate(r.n_channels(), 0.0);
        for (std::size_t i = 0; i < r.n_energies(); ++i)
            for (std::int64_t g = r.row_group[i]; g < r.row_group[i + 1]; ++g)
                for (std::int32_t c = 0; c < r.group_count[g]; ++c)
                    rate[r.group_first[g] + c] +=
                        photons[i] * area_[i] * static_cast<double>(r.value[r.group_value[g] + c]);
        return rate;
    }

    std::shared_ptr<const Response> response_;
    spectral::ModelEvaluator model_;
    std::vector<double> area_;
};

void check(const SimulateOptions& options) {
    const auto refuse = [](const char* what, const char* remedy) {
        throw Error(ErrorKind::usage, "SIMULATE_OPTIONS", what, "", remedy);
    };
    if (options.sources < 0) refuse("the number of sources is negative", "Ask for 0 or more");
    if (!(options.mean_counts > 0.0 && options.mean_counts < 1e9))
        refuse("the mean counts are unusable", "Use 1 to 1e9");
    if (!(options.frame_time > 0.0)) refuse("the frame time is not positive", "Give seconds, e.g. 0.073365");
    if (!(options.exposure >= options.frame_time && options.exposure / options.frame_time < 1e12))
        refuse("the exposure is unusable", "Give more than one frame and fewer than 1e12");
    if (!(options.pulsed_share >= 0.0 && options.pulsed_share <= 1.0))
        refuse("the pulsed share is not between 0 and 1", "Give a share");
}

void record(io::SurveyWriter& writer, const SimulateOptions& options) {
    const auto set = [&](const char* key, const auto& value) {
        writer.set_provenance(key, fmt::format("{}", value));
    };
    set("simulate.sources", options.sources);
    set("simulate.seed", options.seed);
    set("simulate.mean_counts", options.mean_counts);
    set("simulate.exposure", options.exposure);
    set("simulate.frame_time", options.frame_time);
    set("simulate.pulsed_share", options.pulsed_share);
    set("simulate.spectra", options.spectra);
}

}  // namespace

void simulate(const SimulateOptions& options) {
    check(options);
    io::SurveyWriter writer(options.output, {}, {options.compress});
    record(writer, options);
    SpectrumSimulator spectra;
    for (std::int64_t i = 0; i < options.sources; ++i) {
        RandomStream random(options.seed, static_cast<std::uint64_t>(i));
        SourceData data;
        data.source.id = fmt::format("SIM{:08d}", i);
        data.source.ra = uniform_in(random, 0.0, 360.0);
        data.source.dec = std::asin(uniform_in(random, -1.0, 1.0)) / constants::degree;
        data.source.position_error = log_uniform_in(random, 0.5, 3.0);
        const Injection injection = draw_injection(random, options);
        data.events.push_back(draw_events(random, injection, data.source.id, options));
        io::TruthRow truth;
        truth.source_id = data.source.id;
        truth.frequency = injection.frequency;
        truth.pulsed_fraction = injection.pulsed_fraction;
        if (options.spectra) {
            auto [spectrum, norm] = spectra.draw(random, injection, data.source.id, options);
            data.spectra.push_back(std::move(spectrum));
            truth.model = model_name;
            truth.nh = injection.nh;
            truth.parameter = injection.index;
            truth.norm = norm;
        }
        writer.add(data);
        writer.add_truth(truth);
    }
    writer.finish();
}

}  // namespace xsift::pipeline
