#include <cmath>
#include <memory>
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
        !optional(s.background_counts.size()) || !optional(s.grouping.size()) ||
        !optional(s.area_scales.size()) || s.area_scales.size() != s.background_scales.size() ||
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
           (s.area_scales.empty() || (s.area_scales[channel] > 0.0 && s.background_scales[channel] > 0.0)) &&
           s.response->channel_hi[channel] > options.energy_lo &&
           s.response->channel_lo[channel] < options.energy_hi;
}

double sum_of(const std::vector<double>& v, std::int32_t first, std::int32_t last) {
    return std::accumulate(v.begin() + first, v.begin() + last + 1, 0.0);
}

/// Seconds of the background, scaled to the source's region, in units of the source's rate per AREASCAL.
double scaled_background_exposure(const Spectrum& s, std::size_t channel) {
    if (s.area_scales.empty())
        return s.background_exposure * s.background_area_scale * s.background_back_scale / s.back_scale;
    return s.background_exposure * s.background_scales[channel] / s.area_scales[channel];
}

double source_exposure(const Spectrum& s) {
    return s.exposure.livetime * (s.area_scales.empty() ? s.area_scale : 1.0);
}

/// Widths of energy that channels first..last cover; channels may run up or down in energy (gratings).
double energy_width(const Response& r, std::int32_t first, std::int32_t last) {
    return std::max(r.channel_hi[first], r.channel_hi[last]) -
           std::min(r.channel_lo[first], r.channel_lo[last]);
}

/// Optimal bin widths after Kaastra & Bleeker (2016, A&A 587, A151), section 5.3 and eqs. 36, 37.
class OptimalWidth {
  public:
    OptimalWidth(const Spectrum& s, const FitOptions& options) : s_(s) {
        // R: how many resolution elements the band holds
        const Response& r = *s.response;
        for (std::int32_t c = 0; c < std::ssize(s.counts);) {
            if (!usable(s, options, static_cast<std::size_t>(c))) {
                ++c;
                continue;
            }
            const double fwhm = std::max(fwhm_at(c), energy_width(r, c, c));
            std::int32_t last = c;
            while (last + 1 < std::ssize(s.counts) && energy_width(r, c, last) < fwhm) ++last;
            elements_ += energy_width(r, c, last) / fwhm;
            c = last + 1;
        }
    }

    /// keV, of a bin that starts at a channel.
    double operator()(std::int32_t channel) const {
        const Response& r = *s_.response;
        const double fwhm = fwhm_at(channel);
        std::int32_t lo = channel, hi = channel;
        while (lo > 0 && energy_width(r, lo - 1, channel) <= 0.5 * fwhm) --lo;
        while (hi + 1 < std::ssize(s_.counts) && energy_width(r, channel, hi + 1) <= 0.5 * fwhm) ++hi;
        double net = sum_of(s_.counts, lo, hi);
        if (s_.has_background())
            net -= sum_of(s_.background_counts, lo, hi) * source_exposure(s_) /
                   scaled_background_exposure(s_, static_cast<std::size_t>(channel));
        constexpr double gaussian = 1.314;  // counts of a resolution element over those within its FWHM
        const double x =
            std::log(std::max(1.0, gaussian * net) * (1.0 + 0.20 * std::log(std::max(1.0, elements_))));
        if (x <= 2.119) return fwhm;
        return fwhm * (0.08 + 7.0 / x + 1.8 / (x * x)) / (1.0 + 5.9 / x);
    }

  private:
    double fwhm_at(std::int32_t c) const {
        return resolution_fwhm(*s_.response, 0.5 * (s_.response->channel_lo[c] + s_.response->channel_hi[c]));
    }
    const Spectrum& s_;
    double elements_ = 0.0;
};

/// Background counts that each bin of the default binning holds at least: 5 where the counts of the source
/// region are the source's, 20 where half of them are background, and no more than leaves about 70 bins.
double least_background_of_bin(const Spectrum& s, const FitOptions& options) {
    constexpr double least = 5.0, most = 20.0, share_of_most = 0.5, bins_left = 70.0;
    double counts = 0.0, background = 0.0, expected = 0.0;
    for (std::size_t c = 0; c < s.counts.size(); ++c) {
        if (!usable(s, options, c)) continue;
        counts += s.counts[c];
        background += s.background_counts[c];
        expected += s.background_counts[c] * source_exposure(s) / scaled_background_exposure(s, c);
    }
    if (!(expected > 0.0)) return least;
    const double share = expected / std::max(counts, expected);
    const double wanted = least + (most - least) * std::min(1.0, share / share_of_most);
    return std::max(least, std::floor(std::min(wanted, background / bins_left)));
}

/// Whether the channels first..last make a full bin.
class BinIsFull {
  public:
    BinIsFull(const Spectrum& s, const FitOptions& options) : s_(s), binning_(options.binning) {
        if (binning_.kind == Binning::Kind::resolution && s.has_background())
            least_background_ = least_background_of_bin(s, options);
        if (binning_.kind == Binning::Kind::optimal) optimal_ = std::make_unique<OptimalWidth>(s, options);
        if (binning_.kind == Binning::Kind::file && s.grouping.empty())
            fail(s, "NO_GROUPING", "it has no GROUPING and --binning file asks for it",
                 "Choose another --binning.");
    }

    bool operator()(std::int32_t first, std::int32_t last) {
        switch (binning_.kind) {
            case Binning::Kind::none:
                return true;
            case Binning::Kind::min_counts:
                return sum_of(s_.counts, first, last) >= binning_.minimum;
            case Binning::Kind::min_background:
                return !s_.has_background() || enough_background(first, last, binning_.minimum);
            case Binning::Kind::file:
                return last + 1 == std::ssize(s_.grouping) || s_.grouping[last + 1] >= 0;
            case Binning::Kind::optimal:
                return wide_enough(first, last, [&] { return (*optimal_)(first); });
            case Binning::Kind::resolution:
                break;
        }
        constexpr double widths_per_fwhm = 3.0;
        const Response& r = *s_.response;
        return wide_enough(first, last,
                           [&] {
                               const double energy = 0.5 * (r.channel_lo[first] + r.channel_hi[first]);
                               return resolution_fwhm(r, energy) / widths_per_fwhm;
                           }) &&
               (!s_.has_background() || enough_background(first, last, least_background_));
    }

  private:
    bool enough_background(std::int32_t first, std::int32_t last, double n) const {
        return sum_of(s_.background_counts, first, last) >= n;
    }
    /// Half a channel of tolerance: the nearest width, not the next above.
    template <typename Width>
    bool wide_enough(std::int32_t first, std::int32_t last, const Width& width) {
        if (first != width_of_) {
            width_of_ = first;
            width_ = width();
        }
        const Response& r = *s_.response;
        return energy_width(r, first, last) + 0.5 * energy_width(r, last, last) >= width_;
    }

    const Spectrum& s_;
    const Binning& binning_;
    std::unique_ptr<OptimalWidth> optimal_;
    double least_background_ = 0.0;  ///< of a bin by resolution
    std::int32_t width_of_ = -1;
    double width_ = 0.0;
};

void choose_bins(const Spectrum& s, const FitOptions& options, PreparedSpectrum& out) {
    const auto n = static_cast<std::int32_t>(s.counts.size());
    BinIsFull full(s, options);
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
        out.push_back(sum_of(counts, p.bin_first[b], p.bin_last[b]));
    return out;
}

/// Sum of n terms in four parts: with a single one each addition would wait for the one before.
template <typename Term>
double sum_over(std::int32_t n, const Term& term) {
    double part[4] = {};
    std::int32_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (std::int32_t k = 0; k < 4; ++k) part[k] += term(i + k);
    for (; i < n; ++i) part[0] += term(i);
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/// Rows of the response, times the effective area, summed over the channels of each bin.
class RowGrouper {
  public:
    /// @param bins chosen: bin_first and bin_last are read
    RowGrouper(const Spectrum& s, const PreparedSpectrum& bins)
        : s_(s),
          first_(bins.bin_first),
          last_(bins.bin_last),
          n_bins_(static_cast<std::int32_t>(first_.size())) {
        std::int32_t b = 0;
        for (std::int32_t c = 0; c < std::ssize(s.response->channel_lo); ++c) {
            while (b < n_bins_ && last_[b] < c) ++b;
            bin_from_.push_back(b);
        }
    }

    /// @param row n_bins zeros; @return first and one past the last bin reached (equal: none)
    std::pair<std::int32_t, std::int32_t> operator()(std::size_t energy, std::vector<double>& row) const {
        const Response& r = *s_.response;
        const double area = s_.effective_area.empty() ? 1.0 : s_.effective_area[energy];
        std::int32_t begin = n_bins_, end = 0;
        if (!(area > 0.0)) return {0, 0};
        for (std::int64_t g = r.row_group[energy]; g < r.row_group[energy + 1]; ++g) {
            const std::int32_t channel = r.group_first[g], past = channel + r.group_count[g];
            if (channel == past) continue;
            for (std::int32_t b = bin_from_[channel]; b < n_bins_ && first_[b] < past; ++b) {
                const std::int32_t lo = std::max(first_[b], channel), hi = std::min(last_[b] + 1, past);
                const double sum =
                    sum_of_channels(r.value.data() + r.group_value[g] + (lo - channel), lo, hi);
                if (sum == 0.0) continue;
                row[b] += area * sum;
                begin = std::min(begin, b);
                end = std::max(end, b + 1);
            }
        }
        return begin < end ? std::pair{begin, end} : std::pair{0, 0};
    }

    /// At most so many values the rows together have from their first to their last bin.
    std::size_t most_values() const {
        const Response& r = *s_.response;
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < r.n_energies(); ++i) {
            std::int32_t begin = n_bins_, end = 0;
            for (std::int64_t g = r.row_group[i]; g < r.row_group[i + 1]; ++g) {
                if (r.group_count[g] == 0) continue;
                begin = std::min(begin, bin_from_[r.group_first[g]]);
                end =
                    std::max(end, std::min(n_bins_, bin_from_[r.group_first[g] + r.group_count[g] - 1] + 1));
            }
            sum += std::max(0, end - begin);
        }
        return static_cast<std::size_t>(sum);
    }

  private:
    double sum_of_channels(const float* value, std::int32_t lo, std::int32_t hi) const {
        const auto value_of = [value](std::int32_t i) { return static_cast<double>(value[i]); };
        if (s_.area_scales.empty()) return sum_over(hi - lo, value_of);
        const double* const scale = s_.area_scales.data() + lo;
        return sum_over(hi - lo, [&](std::int32_t i) { return value_of(i) * scale[i]; });
    }

    const Spectrum& s_;
    const std::vector<std::int32_t>&first_, &last_;
    std::int32_t n_bins_;
    std::vector<std::int32_t> bin_from_;  ///< of each channel: its bin or the next above
};

/// Groups the response over the bins chosen, energies that reach none at both ends left out.
/// @return of each bin whether any energy reaches it
std::vector<bool> group_response(const Spectrum& s, PreparedSpectrum& out) {
    const Response& r = *s.response;
    for (auto* column : {&out.energy_lo, &out.energy_hi, &out.value}) column->clear();
    for (auto* column : {&out.row_first, &out.row_count}) column->clear();
    out.row_value.clear();
    const RowGrouper group_row(s, out);
    out.value.reserve(group_row.most_values());  // growing would cost a third of all
    std::vector<double> row(out.bin_first.size());
    std::vector<bool> reached(row.size(), false);
    for (std::size_t i = 0; i < r.n_energies(); ++i) {
        const auto [begin, end] = group_row(i, row);
        if (begin == end && out.energy_lo.empty()) continue;  // below the energies that reach the bins
        // A response may start at 0 keV, where models diverge: start at a tenth of the bin instead.
        out.energy_lo.push_back(r.energy_lo[i] > 0.0 ? r.energy_lo[i] : 0.1 * r.energy_hi[i]);
        out.energy_hi.push_back(r.energy_hi[i]);
        out.row_first.push_back(begin);
        out.row_count.push_back(end - begin);
        out.row_value.push_back(static_cast<std::int64_t>(out.value.size()));
        out.value.insert(out.value.end(), row.begin() + begin, row.begin() + end);
        for (std::int32_t b = begin; b < end; ++b) {
            if (row[b] > 0.0) reached[b] = true;
            row[b] = 0.0;
        }
    }
    while (!out.row_count.empty() && out.row_count.back() == 0) {
        out.energy_lo.pop_back();
        out.energy_hi.pop_back();
        out.row_first.pop_back();
        out.row_count.pop_back();
        out.row_value.pop_back();
    }
    return reached;
}

/// Takes out the bins that no energy reaches: they tell nothing of a source when they hold no counts, and no
/// model can explain counts there.
void drop_unreached_bins(const Spectrum& s, const std::vector<bool>& reached, PreparedSpectrum& out) {
    const Response& r = *s.response;
    if (std::find(reached.begin(), reached.end(), true) == reached.end())
        fail(s, "EMPTY_RESPONSE", "its response and effective area are zero in the fitted channels",
             "Check the ARF and RMF.");
    std::size_t kept = 0;
    for (std::size_t b = 0; b < out.bin_first.size(); ++b) {
        const std::int32_t first = out.bin_first[b], last = out.bin_last[b];
        if (reached[b]) {
            out.bin_first[kept] = first;
            out.bin_last[kept++] = last;
        } else if (sum_of(s.counts, first, last) > 0.0) {
            fail(s, "ZERO_AREA",
                 fmt::format(
                     "it holds counts in {:.4g}-{:.4g} keV, where its response and effective area are zero",
                     std::min(r.channel_lo[first], r.channel_lo[last]),
                     std::max(r.channel_hi[first], r.channel_hi[last])),
                 "Check the ARF and RMF, or choose an --energy range that they cover.");
        }
    }
    out.bin_first.resize(kept);
    out.bin_last.resize(kept);
}

/// Background exposure of each bin where the channels differ: that for which the bin's background counts
/// stand for as many counts in the source region as those of its channels do.
void scale_background_by_bin(const Spectrum& s, PreparedSpectrum& out) {
    double counts_of_band = 0.0, expected_of_band = 0.0, inverse_of_band = 0.0;
    for (std::size_t b = 0; b < out.bin_first.size(); ++b) {
        double counts = 0.0, expected = 0.0, inverse = 0.0;
        for (std::int32_t c = out.bin_first[b]; c <= out.bin_last[b]; ++c) {
            const double seconds = scaled_background_exposure(s, static_cast<std::size_t>(c));
            counts += s.background_counts[c];
            expected += s.background_counts[c] / seconds;
            inverse += 1.0 / seconds;
        }
        const double channels = out.bin_last[b] - out.bin_first[b] + 1;
        out.bin_background_exposure.push_back(counts > 0.0 ? counts / expected : channels / inverse);
        counts_of_band += counts;
        expected_of_band += expected;
        inverse_of_band += inverse / channels;
    }
    out.background_exposure = counts_of_band > 0.0
                                  ? counts_of_band / expected_of_band
                                  : static_cast<double>(out.bin_first.size()) / inverse_of_band;
}

}  // namespace

double resolution_fwhm(const Response& r, double energy) {
    const auto above = std::upper_bound(r.energy_hi.begin(), r.energy_hi.end(), energy);
    const auto i = std::min<std::ptrdiff_t>(above - r.energy_hi.begin(), std::ssize(r.energy_hi) - 1);
    const std::int64_t groups = r.row_group[i], groups_end = r.row_group[i + 1];
    float most = 0.0F;
    std::int32_t peak = -1;  // the first channel that holds the most
    for (std::int64_t g = groups; g < groups_end; ++g) {
        const float* const value = r.value.data() + r.group_value[g];
        const float* const at = std::max_element(value, value + r.group_count[g]);
        if (at == value + r.group_count[g] || !(*at > 0.0F)) continue;
        const auto channel = static_cast<std::int32_t>(r.group_first[g] + (at - value));
        if (*at > most || (*at == most && channel < peak)) {
            most = *at;
            peak = channel;
        }
    }
    const float half = 0.5F * most;
    if (!(half > 0.0F)) return 0.0;
    const auto reaches_half = [&](std::int32_t channel) {
        for (std::int64_t g = groups; g < groups_end; ++g) {
            const std::int32_t j = channel - r.group_first[g];
            if (j >= 0 && j < r.group_count[g]) return r.value[r.group_value[g] + j] >= half;
        }
        return false;
    };
    std::int32_t lo = peak, hi = peak;
    while (reaches_half(lo - 1)) --lo;
    while (reaches_half(hi + 1)) ++hi;
    return r.channel_hi[hi] - r.channel_lo[lo];
}

PreparedSpectrum prepare(const Spectrum& s, const FitOptions& options) {
    check(s);
    PreparedSpectrum out;
    out.exposure = s.exposure;
    out.flags = s.flags;
    out.response_hash = s.response->hash;
    choose_bins(s, options, out);
    const std::size_t chosen = out.bin_first.size();
    drop_unreached_bins(s, group_response(s, out), out);
    if (out.bin_first.size() < chosen) group_response(s, out);
    out.counts = sum_bins(out, s.counts);
    if (std::accumulate(out.counts.begin(), out.counts.end(), 0.0) == 0.0)
        fail(s, "NO_COUNTS",
             fmt::format("it holds no counts in {}-{} keV", options.energy_lo, options.energy_hi),
             "Choose another --energy range.");
    out.source_exposure = source_exposure(s);
    if (s.has_background()) {
        out.background_counts = sum_bins(out, s.background_counts);
        if (s.area_scales.empty())
            out.background_exposure = scaled_background_exposure(s, 0);
        else
            scale_background_by_bin(s, out);
        const auto empty = std::count(out.background_counts.begin(), out.background_counts.end(), 0.0);
        if (2 * empty > std::ssize(out.background_counts)) out.flags |= spectrum_background_mostly_empty;
    } else {
        out.flags |= spectrum_no_background;
    }
    return out;
}

}  // namespace xsift::spectral
