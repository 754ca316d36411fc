#include "resources.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <tuple>
#include <utility>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/spectral/absorption.hpp>
#include <xsift/spectral/models.hpp>

namespace xsift::spectral {

namespace {

/// Remembers what was asked for last: thousands of spectra share a few energy grids. Safe for several
/// threads.
template <typename Key, typename Value>
class Memory {
  public:
    template <typename Make>
    Value get(const Key& key, const Make& make) {
        {
            const std::lock_guard lock(mutex_);
            for (const auto& [known, value] : entries_)
                if (known == key) return value;
        }
        Value value = make();
        const std::lock_guard lock(mutex_);
        if (entries_.size() < most) entries_.emplace_back();
        entries_[next_] = {key, value};
        next_ = (next_ + 1) % most;
        return value;
    }

  private:
    static constexpr std::size_t most = 16;
    std::mutex mutex_;
    std::vector<std::pair<Key, Value>> entries_;
    std::size_t next_ = 0;
};

/// Takes n numbers from the front of the bytes.
template <typename T>
std::vector<double> take(std::span<const unsigned char>& bytes, std::size_t n) {
    std::vector<double> out(n);
    for (double& x : out) {
        T value;
        std::memcpy(&value, bytes.data(), sizeof value);
        bytes = bytes.subspan(sizeof value);
        x = static_cast<double>(value);
    }
    return out;
}

}  // namespace

Absorption::Absorption(std::span<const unsigned char> resource) {
    constexpr std::size_t header = 24;
    std::uint64_t n = 0;
    if (resource.size() >= header && std::memcmp(resource.data(), "XSIFTABS", 8) == 0)
        std::memcpy(&n, resource.data() + 8, sizeof n);
    if (n < 2 || resource.size() != header + n * (sizeof(double) + 2 * sizeof(float)))
        throw Error(ErrorKind::internal, "ABSORPTION_TABLE", "an embedded absorption table is damaged",
                    "its length does not fit its header",
                    "Run scripts/make-absorption-tables.py and rebuild.");
    std::memcpy(&grain_depth_, resource.data() + 16, sizeof grain_depth_);
    auto rest = resource.subspan(header);
    log_energy_ = take<double>(rest, n);
    log_gas_ = take<float>(rest, n);
    log_dust_ = take<float>(rest, n);
}

const Absorption& Absorption::of(Abundance abundance) {
    static const Absorption wilm(absorption_resource(Abundance::wilm));
    static const Absorption angr(absorption_resource(Abundance::angr));
    static const Absorption aspl(absorption_resource(Abundance::aspl));
    if (abundance == Abundance::angr) return angr;
    return abundance == Abundance::aspl ? aspl : wilm;
}

std::string Absorption::checksum(Abundance abundance) {
    const auto resource = absorption_resource(abundance);
    return content_hash(resource.data(), resource.size());
}

Absorption::Components Absorption::components(double energy) const {
    const double x = std::log(energy);
    const double inside = std::clamp(x, log_energy_.front(), log_energy_.back());
    const auto above = std::upper_bound(log_energy_.begin() + 1, log_energy_.end() - 1, inside);
    const auto i = above - log_energy_.begin();
    const double t = (inside - log_energy_[i - 1]) / (log_energy_[i] - log_energy_[i - 1]);
    const double outside = -3.0 * (x - inside);
    return {std::exp(log_gas_[i - 1] + t * (log_gas_[i] - log_gas_[i - 1]) + outside),
            std::exp(log_dust_[i - 1] + t * (log_dust_[i] - log_dust_[i - 1]) + outside)};
}

double Absorption::cross_section(double energy) const {
    const Components c = components(energy);
    return c.gas + shielded_by_grains(c.dust, grain_depth_);
}

std::vector<double> Absorption::cross_sections(const EnergyBins& bins) const {
    static Memory<std::tuple<const Absorption*, std::vector<double>, std::vector<std::int32_t>>,
                  std::vector<double>>
        memory;
    return memory.get({this, bins.edge, bins.left}, [&] { return computed_cross_sections(bins); });
}

std::vector<double> Absorption::computed_cross_sections(const EnergyBins& bins) const {
    std::vector<Components> at_edge;
    at_edge.reserve(bins.edge.size());
    for (double e : bins.edge) at_edge.push_back(components(e));
    std::vector<double> out(bins.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Components &lo = at_edge[bins.left[i]], &hi = at_edge[bins.left[i] + 1];
        out[i] = 0.5 * (lo.gas + hi.gas) + shielded_by_grains(0.5 * (lo.dust + hi.dust), grain_depth_);
    }
    return out;
}

EnergyBins Absorption::resolving_bins(double lo, double hi, int bins_per_decade) const {
    static Memory<std::tuple<const Absorption*, double, double, int>, EnergyBins> memory;
    return memory.get({this, lo, hi, bins_per_decade},
                      [&] { return computed_resolving_bins(lo, hi, bins_per_decade); });
}

EnergyBins Absorption::computed_resolving_bins(double lo, double hi, int bins_per_decade) const {
    constexpr double tolerance = 2e-3, narrowest = 1e-5;
    const EnergyBins start = EnergyBins::logarithmic(lo, hi, bins_per_decade);
    std::vector<double> edge{lo};
    const auto halve = [&](auto&& self, double a, double at_a, double b, double at_b) -> void {
        const double middle = 0.5 * (a + b), at_middle = cross_section(middle), mean = 0.5 * (at_a + at_b);
        if (std::fabs(at_middle - mean) > tolerance * mean && b - a > narrowest * a) {
            self(self, a, at_a, middle, at_middle);
            self(self, middle, at_middle, b, at_b);
        } else {
            edge.push_back(b);
        }
    };
    double at_left = cross_section(lo);
    for (std::size_t i = 0; i < start.size(); ++i) {
        const double at_right = cross_section(start.hi(i));
        halve(halve, start.lo(i), at_left, start.hi(i), at_right);
        at_left = at_right;
    }
    return EnergyBins::from_bounds(std::span(edge).first(edge.size() - 1), std::span(edge).subspan(1));
}

}  // namespace xsift::spectral
