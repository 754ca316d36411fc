#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include <xsift/report/page.hpp>

namespace xsift::report {

namespace {

std::string superscript(int exponent) {
    static constexpr const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string out = exponent < 0 ? "⁻" : "";
    for (const char c : std::to_string(std::abs(exponent))) out += digits[c - '0'];
    return out;
}

/// With a typographic minus.
std::string fixed(double value, int decimals) {
    std::string out = fmt::format("{:.{}f}", value, std::max(decimals, 0));
    if (out[0] == '-') {
        const bool zero = out.find_first_not_of("-0.") == std::string::npos;
        out = (zero ? "" : "−") + out.substr(1);
    }
    return out;
}

int exponent_of(double value) {
    return value == 0.0 ? 0 : static_cast<int>(std::floor(std::log10(std::fabs(value)) + 1e-12));
}

bool needs_power(double value) {
    const int exponent = exponent_of(value);
    return exponent < -3 || exponent > 5;
}

/// 0.25 and not 0.2500, but 20 stays 20.
std::string trimmed(std::string text) {
    if (text.find('.') == std::string::npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

}  // namespace

Cell text_cell(std::string text) {
    Cell cell;
    cell.text = std::move(text);
    return cell;
}

Cell number_cell(double value, int digits) {
    Cell cell;
    cell.kind = Cell::Kind::number;
    cell.value = value;
    cell.digits = digits;
    return cell;
}

Cell error_cell(double value, double error) {
    Cell cell;
    cell.kind = Cell::Kind::error;
    cell.value = value;
    cell.error = error;
    return cell;
}

Cell interval_cell(const Estimate& estimate, int digits) {
    Cell cell;
    cell.kind = Cell::Kind::interval;
    cell.value = estimate.value;
    cell.lo = estimate.lo;
    cell.hi = estimate.hi;
    cell.digits = digits;
    return cell;
}

std::string power_of_ten(int exponent) {
    return "10" + superscript(exponent);
}

std::string pretty(double value, int digits) {
    if (std::isnan(value)) return "–";
    if (std::isinf(value)) return value > 0.0 ? "∞" : "−∞";
    const int exponent = exponent_of(value);
    if (!needs_power(value)) return trimmed(fixed(value, digits - 1 - exponent));
    const std::string mantissa = trimmed(fixed(value / std::pow(10.0, exponent), digits - 1));
    return fmt::format("{} × 10{}", mantissa, superscript(exponent));
}

std::string pretty(const Cell& cell) {
    if (cell.kind == Cell::Kind::text) return cell.text;
    if (std::isnan(cell.value)) return "–";
    if (cell.kind == Cell::Kind::error && std::isfinite(cell.error) && cell.error > 0.0) {
        const int exponent = needs_power(cell.value) ? exponent_of(cell.value) : 0;
        const double scale = std::pow(10.0, exponent);
        const int decimals = std::min(1 - exponent_of(cell.error / scale), 14);
        const std::string both =
            fmt::format("{} ± {}", fixed(cell.value / scale, decimals), fixed(cell.error / scale, decimals));
        return exponent == 0 ? both : fmt::format("({}) × 10{}", both, superscript(exponent));
    }
    if (cell.kind == Cell::Kind::interval && (std::isfinite(cell.lo) || std::isfinite(cell.hi))) {
        const int exponent = needs_power(cell.value) ? exponent_of(cell.value) : 0;
        const double scale = std::pow(10.0, exponent);
        // As many decimals as tell the ends from the value.
        const double width = std::max(std::isfinite(cell.hi) ? cell.hi - cell.value : 0.0,
                                      std::isfinite(cell.lo) ? cell.value - cell.lo : 0.0);
        const int decimals = std::clamp(std::max(cell.digits - 1 - exponent_of(cell.value / scale),
                                                 width > 0.0 ? 1 - exponent_of(width / scale) : 0),
                                        0, 10);
        const auto shown = [&](double v) {
            return std::isnan(v) ? "–" : v == 0.0 ? "0" : fixed(v / scale, decimals);
        };
        const std::string all = fmt::format("{} [{}, {}]", shown(cell.value), shown(cell.lo), shown(cell.hi));
        return exponent == 0 ? all : fmt::format("{} × 10{}", all, superscript(exponent));
    }
    return pretty(cell.value, cell.digits);
}

}  // namespace xsift::report
