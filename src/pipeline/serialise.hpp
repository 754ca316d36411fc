#pragma once
/// @file
/// Binary form of results for the journal. One `fields` function a type lists its members; writing and
/// reading share it.

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <xsift/data/results.hpp>

namespace xsift::pipeline {

/// Appends values to a byte string.
class Encoder {
  public:
    std::string bytes;

    template <typename... Fields>
    void operator()(const Fields&... field) {
        (put(field), ...);
    }

  private:
    template <typename T>
    void put(const T& value) {
        if constexpr (std::is_arithmetic_v<T>)
            bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        else
            fields(*this, value);
    }
    void put(const std::string& text) {
        put(static_cast<std::uint64_t>(text.size()));
        bytes += text;
    }
    template <typename T>
    void put(const std::vector<T>& values) {
        put(static_cast<std::uint64_t>(values.size()));
        for (const T& value : values) put(value);
    }
};

/// Reads values back in the same order. @throws std::runtime_error when the bytes end early.
class Decoder {
  public:
    Decoder(const char* begin, std::size_t size) : at_(begin), end_(begin + size) {}

    template <typename... Fields>
    void operator()(Fields&... field) {
        (get(field), ...);
    }
    bool done() const { return at_ == end_; }

  private:
    const char *at_, *end_;

    const char* take(std::size_t size) {
        if (size > static_cast<std::size_t>(end_ - at_)) throw std::runtime_error("record ends early");
        const char* taken = at_;
        at_ += size;
        return taken;
    }
    template <typename T>
    void get(T& value) {
        if constexpr (std::is_arithmetic_v<T>)
            std::memcpy(&value, take(sizeof value), sizeof value);
        else
            fields(*this, value);
    }
    std::uint64_t length() {
        std::uint64_t size = 0;
        get(size);
        if (size > static_cast<std::uint64_t>(end_ - at_)) throw std::runtime_error("record ends early");
        return size;
    }
    void get(std::string& text) {
        const std::uint64_t size = length();
        text.assign(take(size), size);
    }
    template <typename T>
    void get(std::vector<T>& values) {
        // Grows as elements are read: a length that the bytes do not hold shall not allocate for it.
        values.clear();
        for (std::uint64_t left = length(); left > 0; --left) get(values.emplace_back());
    }
};

template <typename Archive, typename Type, typename Wanted>
concept FieldsOf = std::is_same_v<std::remove_const_t<Type>, Wanted>;

template <typename Archive, typename T>
requires FieldsOf<Archive, T, ExtraValue>
void fields(Archive& archive, T& v) {
    archive(v.text, v.real, v.integer, v.null);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Source>
void fields(Archive& archive, T& v) {
    archive(v.id, v.name, v.ra, v.dec, v.position_error, v.extra);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, PeriodCandidate>
void fields(Archive& archive, T& v) {
    archive(v.exposure, v.instrument, v.obs_id, v.span, v.rank, v.method, v.n_harmonics, v.frequency,
            v.frequency_error, v.fdot, v.fdot_error, v.epoch, v.period, v.period_error, v.statistic,
            v.log10_p_single, v.n_trials, v.log10_fap, v.log10_fap_white, v.log10_fap_local, v.noise_level,
            v.pulsed_fraction, v.pf_lo, v.pf_hi, v.veto, v.flags);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Estimate>
void fields(Archive& archive, T& v) {
    archive(v.value, v.lo, v.hi);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Posterior>
void fields(Archive& archive, T& v) {
    archive(v.mean, v.median, v.lo68, v.hi68, v.lo90, v.hi90);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Bootstrap>
void fields(Archive& archive, T& v) {
    archive(v.median, v.lo, v.hi);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, FittedParameter>
void fields(Archive& archive, T& v) {
    archive(v.component, v.name, v.unit, v.estimate, v.error, v.posterior, v.flags, v.bootstrap, v.unbiased);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, FluxEstimate>
void fields(Archive& archive, T& v) {
    archive(v.band_lo, v.band_hi, v.absorbed, v.unabsorbed, v.absorbed_error, v.unabsorbed_error, v.flags);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, SpectralFit>
void fields(Archive& archive, T& v) {
    archive(v.spectrum, v.n_spectra, v.instrument, v.model, v.statistic, v.statistic_rule, v.stat, v.n_bins,
            v.dof, v.reduced, v.gof_expected, v.gof_sigma, v.gof_probability, v.gof_rough, v.null_prob,
            v.gof_pvalue, v.aicc, v.bic, v.log_evidence, v.model_probability, v.choice, v.nh, v.kt, v.gamma,
            v.kt2, v.abundance, v.norm, v.norm2, v.flux, v.flux_unabsorbed, v.selected, v.flags, v.parameters,
            v.fluxes);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, QuarantineRow>
void fields(Archive& archive, T& v) {
    archive(v.source_id, v.input, v.stage, v.code, v.message);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Variability>
void fields(Archive& archive, T& v) {
    archive(v.exposure, v.instrument, v.counts, v.good_time, v.rate, v.ks, v.log10_p_ks, v.chi2, v.chi2_dof,
            v.bin_width, v.log10_p_chi2, v.excess_variance, v.excess_variance_error, v.fvar, v.fvar_error,
            v.n_blocks, v.rate_lo, v.rate_hi, v.n_flares, v.flags);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Flare>
void fields(Archive& archive, T& v) {
    archive(v.exposure, v.instrument, v.start, v.peak, v.stop, v.rise, v.duration, v.peak_rate,
            v.peak_rate_error, v.quiescent_rate, v.excess_counts, v.flags);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Counterpart>
void fields(Archive& archive, T& v) {
    archive(v.catalogue, v.id, v.ra, v.dec, v.position_error, v.separation, v.p_any, v.p_i, v.match_flag,
            v.parallax, v.parallax_error, v.pm_ra, v.pm_dec);
    for (auto& magnitude : v.magnitude) archive(magnitude);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, ClassProbability>
void fields(Archive& archive, T& v) {
    archive(v.name, v.probability, v.rival, v.log_odds, v.reasons_for, v.reasons_against);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, Characterisation>
void fields(Archive& archive, T& v) {
    archive(v.nh_galactic, v.nh_origin, v.gaia_g, v.distance, v.luminosity, v.optical_zero, v.log_fx_fopt,
            v.log_fx_fv, v.history_ratio, v.alert, v.class_name, v.class_probability, v.flags, v.counterparts,
            v.classes);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, PulsedFractionLimit>
void fields(Archive& archive, T& v) {
    archive(v.exposure, v.instrument, v.method, v.n_harmonics, v.frequency_lo, v.frequency_hi, v.frequency,
            v.statistic, v.n_photons, v.pf_ul, v.flags);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, ProfileBins>
void fields(Archive& archive, T& v) {
    for (auto& bin : v) archive(bin);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, PhaseProfile>
void fields(Archive& archive, T& v) {
    archive(v.exposure, v.instrument, v.frequency, v.epoch, v.counts, v.exposure_time, v.rate, v.rate_error);
}
template <typename Archive, typename T>
requires FieldsOf<Archive, T, SourceResult>
void fields(Archive& archive, T& v) {
    archive(v.source, v.n_exposures, v.n_spectra, v.status, v.best_period, v.best_fit, v.flags, v.n_searches,
            v.log10_fap, v.q_value, v.st_log10_p, v.candidates, v.limits, v.profiles, v.fits, v.variability,
            v.flares, v.quarantine, v.character);
}

}  // namespace xsift::pipeline
