#pragma once
/// @file
/// The parts of a page.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include <xsift/report/dossier.hpp>

namespace xsift::report {

/// The words of the bits that are set, joined by "; ".
std::string words_of(std::uint32_t flags, std::initializer_list<std::pair<std::uint32_t, const char*>> words);

/// What the offered period or fit is; null when there is none.
const PeriodCandidate* offered_period(const SourceResult& result);
const SpectralFit* offered_fit(const SourceResult& result);

/// Z²₁, H, LS, EF with the number of harmonics.
std::string statistic_name(const std::string& method, int harmonics);
/// Chances as people write them: 10⁻¹², 0.02.
std::string chance(double log10_p);
std::string veto_words(std::uint32_t veto);
std::string candidate_words(std::uint32_t flags);
std::string fit_words(std::uint32_t flags);
/// "a cataclysmic variable" of CV; a name that is not known stays as it is.
std::string class_words(const std::string& name);

/// A statistic this many standard deviations above its expectation is called a poor fit.
inline constexpr double poor_fit_sigma = 3.0;

Section sky_section(const DossierMaterial& material, const DossierContext& context);
Section timing_section(const DossierMaterial& material, const DossierContext& context);
Section spectral_section(const DossierMaterial& material, const DossierContext& context);
Section nature_section(const DossierMaterial& material, const DossierContext& context);
Section origin_section(const DossierMaterial& material, const DossierContext& context);

/// Figures that several sections' files make.
Figure light_curve_figure(const EventList& events, const DossierContext& context);
Figure light_curve_figure(const LightCurve& curve, const DossierContext& context);
Figure periodogram_figure(const Periodogram& periodogram, const SourceResult& result);
Figure profile_figure(const DossierMaterial& material, const PeriodCandidate& offered);
Figure spectrum_figure(const Spectrum& spectrum, const SourceResult& result, const DossierContext& context);
Figure contour_figure(const StatisticMap& map, double galactic_column);

}  // namespace xsift::report
