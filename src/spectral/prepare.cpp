#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::spectral {

namespace {

[[noreturn]] void fail(const Spectrum& s, const char* code, const std::string& why, const char* remedy) {
    throw Error(ErrorKind::input, code, "the spectrum " + s.exposure.file + " cannot be fitted", why, remedy);
}

void check_counts(const Spectrum& s, const std::vector<double>& counts, const std::string& of) {
    for (double c : counts)
        if (!(c >= 0.0) || std::isinf(c))
            fail(s, "NEGATIVE_COUNTS", of + " holds counts that are negative or not a number",
                 "Give Poisson counts, not background-subtracted rates.");
}

void check(const Spectrum& s) {
    if (!s.response)
        fail(s, "NO_RESPONSE", "its response " + s.response_wanted + " was not found",
             "Add the folder with --response-path or name a substitute with --response-substitute.");
    const std::size_t n = s.response->n_channels();
    const auto fits_response = [n](std::size_t size) { return size == n; };
    const auto optional = [&](std::size_t size) { return size == 0 || fits_response(size); };
    if (!fits_response(s.counts.size()) || !optional(s.quality.size()) ||
        !optional(s.background_counts.size()) ||
        !(s.effective_area.empty() || s.effective_area.size() == s.response->n_energies()))
        fail(s, "CHANNEL_MISMATCH",
             fmt::format("it has {} channels and its response {} has {}", s.counts.size(), s.response->name,
                         n),
             "Use the response that belongs to this spectrum.");
    if (!(s.exposure.livetime > 0.0) || (s.has_background() && !(s.background_exposure > 0.0)))
        fail(s, "ZERO_EXPOSURE", "its EXPOSURE or that of its background is not positive",
             "Correct the header.");
    const bool scaled = s.area_scale > 0.0 && s.back_scale > 0.0;
    if (!scaled || (s.has_background() && !(s.background_area_scale > 0.0 && s.background_back_scale > 0.0)))
        fail(s, "BAD_SCALING", "AREASCAL or BACKSCAL is not positive", "Correct the header.");
    check_counts(s, s.counts, "it");
    check_counts(s, s.background_counts, "its background");
}

bool usable(const Spectrum& s, const FitOptions& options, std::size_t channel) {
    return (s.quality.empty() || s.quality[channel] == 0) &&
           s.response->channel_hi[channel] > options.energy_lo &&
           s.response->channel_lo[channel] < options.energy_hi;
}

/// Whether the channels first..last make a full bin.
class BinIsFull {
  public:
    BinIsFull(const Spectrum& s, const Binning& binning) : s_(s), binning_(binning) {}

    bool operator()(std::int32_t first, std::int32_t last) {
        if (binning_.kind == Binning::Kind::none) return true;
        if (binning_.kind == Binning::Kind::min_counts)
            return sum(s_.counts, first, last) >= binning_.minimum;
        const Response& r = *s_.response;
        if (first != fwhm_of_) {
            fwhm_of_ = first;
            fwhm_ = resolution_fwhm(r, 0.5 * (r.channel_lo[first] + r.channel_hi[first]));
        }
        constexpr double least_background = 5.0, widths_per_fwhm = 3.0;
        // half a channel of tolerance: the nearest width, not the next above
        const double width = r.channel_hi[last] - r.channel_lo[first];
        const double half_channel = 0.5 * (r.channel_hi[last] - r.channel_lo[last]);
        return width + half_channel >= fwhm_ / widths_per_fwhm &&
               (!s_.has_background() || sum(s_.background_counts, first, last) >= least_background);
    }

  private:
    static double sum(const std::vector<double>& v, std::int32_t first, std::int32_t last) {
        return std::accumulate(v.begin() + first, v.begin() + last + 1, 0.0);
    }
    const Spectrum& s_;
    const Binning& binning_;
    std::int32_t fwhm_of_ = -1;
    double fwhm_ = 0.0;
};

void choose_bins(const Spectrum& s, const FitOptions& options, PreparedSpectrum& out) {
    const auto n = static_cast<std::int32_t>(s.counts.size());
    BinIsFull full(s, options.binning);
    for (std::int32_t c = 0; c < n;) {
        if (!usable(s, options, c)) {
            ++c;
            continue;
        }
        const std::size_t bins_before = out.bin_first.size();
        std::int32_t first = c;
        for (; c < n && usable(s, options, c); ++c) {
            if (!full(first, c)) continue;
            out.bin_first.push_back(first);
            out.bin_last.push_back(c);
            first = c + 1;
        }
        if (first == c) continue;
        if (out.bin_first.size() > bins_before) {
            out.bin_last.back() = c - 1;
        } else {
            out.bin_first.push_back(first);
            out.bin_last.push_back(c - 1);
        }
    }
    if (out.bin_first.empty())
        fail(
            s, "NO_GOOD_CHANNELS",
            fmt::format("no channel of good QUALITY lies in {}-{} keV", options.energy_lo, options.energy_hi),
            "Choose another --energy range.");
}

std::vector<double> sum_bins(const PreparedSpectrum& p, const std::vector<double>& counts) {
    std::vector<double> out;
    out.reserve(p.bin_first.size());
    for (std::size_t b = 0; b < p.bin_first.size(); ++b)
        out.push_back(
            std::accumulate(counts.begin() + p.bin_first[b], counts.begin() + p.bin_last[b] + 1, 0.0));
    return out;
}

/// One row of the response, times the effective area, summed over the channels of each bin.
/// @param row n_bins zeros; @return first and one past the last bin reached (equal: none)
std::pair<std::int32_t, std::int32_t> group_row(const Spectrum& s, const std::vector<std::int32_t>& bin_of,
                                                std::size_t energy, std::vector<double>& row) {
    const Response& r = *s.response;
    const double area = s.effective_area.empty() ? 1.0 : s.effective_area[energy];
    std::int32_t begin = static_cast<std::int32_t>(row.size()), end = 0;
    if (!(area > 0.0)) return {0, 0};
    for (std::int64_t g = r.row_group[energy]; g < r.row_group[energy + 1]; ++g)
        for (std::int32_t j = 0; j < r.group_count[g]; ++j) {
            const std::int32_t bin = bin_of[r.group_first[g] + j];
            const double value = static_cast<double>(r.value[r.group_value[g] + j]);
            if (bin < 0 || value == 0.0) continue;
            row[bin] += area * value;
            begin = std::min(begin, bin);
            end = std::max(end, bin + 1);
        }
    return begin < end ? std::pair{begin, end} : std::pair{0, 0};
}

void group_response(const Spectrum& s, PreparedSpectrum& out) {
    const Response& r = *s.response;
    std::vector<std::int32_t> bin_of(r.n_channels(), -1);
    for (std::size_t b = 0; b < out.n_bins(); ++b)
        std::fill(bin_of.begin() + out.bin_first[b], bin_of.begin() + out.bin_last[b] + 1,
                  static_cast<std::int32_t>(b));
    std::vector<double> row(out.n_bins());
    for (std::size_t i = 0; i < r.n_energies(); ++i) {
        const auto [begin, end] = group_row(s, bin_of, i, row);
        if (begin == end && out.energy_lo.empty()) continue;  // below the energies that reach the bins
        // A response may start at 0 keV, where models diverge: start at a tenth of the bin instead.
        out.energy_lo.push_back(r.energy_lo[i] > 0.0 ? r.energy_lo[i] : 0.1 * r.energy_hi[i]);
        out.energy_hi.push_back(r.energy_hi[i]);
        out.row_first.push_back(begin);
        out.row_count.push_back(end - begin);
        out.row_value.push_back(static_cast<std::int64_t>(out.value.size()));
        out.value.insert(out.value.end(), row.begin() + begin, row.begin() + end);
        std::fill(row.begin() + begin, row.begin() + end, 0.0);
    }
    while (!out.row_count.empty() && out.row_count.back() == 0) {
        out.energy_lo.pop_back();
        out.energy_hi.pop_back();
        out.row_first.pop_back();
        out.row_count.pop_back();
        out.row_value.pop_back();
    }
    if (out.energy_lo.empty())
        fail(s, "EMPTY_RESPONSE", "its response and effective area are zero in the fitted channels",
             "Check the ARF and RMF.");
}

}  // namespace

double resolution_fwhm(const Response& r, double energy) {
    const auto above = std::upper_bound(r.energy_hi.begin(), r.energy_hi.end(), energy);
    const auto i = std::min<std::ptrdiff_t>(above - r.energy_hi.begin(), std::ssize(r.energy_hi) - 1);
    std::vector<float> row(r.n_channels(), 0.0F);
    for (std::int64_t g = r.row_group[i]; g < r.row_group[i + 1]; ++g)
        std::copy_n(r.value.begin() + r.group_value[g], r.group_count[g], row.begin() + r.group_first[g]);
    const auto peak = std::max_element(row.begin(), row.end()) - row.begin();
    const float half = 0.5F * row[peak];
    if (!(half > 0.0F)) return 0.0;
    auto lo = peak, hi = peak;
    while (lo > 0 && row[lo - 1] >= half) --lo;
    while (hi + 1 < std::ssize(row) && row[hi + 1] >= half) ++hi;
    return r.channel_hi[hi] - r.channel_lo[lo];
}

PreparedSpectrum prepare(const Spectrum& s, const FitOptions& options) {
    check(s);
    PreparedSpectrum out;
    out.exposure = s.exposure;
    out.flags = s.flags;
    out.response_hash = s.response->hash;
    choose_bins(s, options, out);
    out.counts = sum_bins(out, s.counts);
    if (std::accumulate(out.counts.begin(), out.counts.end(), 0.0) == 0.0)
        fail(s, "NO_COUNTS",
             fmt::format("it holds no counts in {}-{} keV", options.energy_lo, options.energy_hi),
             "Choose another --energy range.");
    out.source_exposure = s.exposure.livetime * s.area_scale;
    if (s.has_background()) {
        out.background_counts = sum_bins(out, s.background_counts);
        out.background_exposure =
            s.background_exposure * s.background_area_scale * s.background_back_scale / s.back_scale;
        const auto empty = std::count(out.background_counts.begin(), out.background_counts.end(), 0.0);
        if (2 * empty > std::ssize(out.background_counts)) out.flags |= spectrum_background_mostly_empty;
    } else {
        out.flags |= spectrum_no_background;
    }
    group_response(s, out);
    return out;
}

}  // namespace xsift::spectral
