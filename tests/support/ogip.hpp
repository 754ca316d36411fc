#pragma once
/// @file
/// A minimal reader of the OGIP files in tests/data, so that tests of the lower rooms need no io room.

#include "test_files.hpp"

#include <memory>
#include <string>
#include <vector>

#include <fitsio.h>

#include <xsift/data/spectrum.hpp>

namespace xsift::test {

/// A FITS file at one extension. Throws on any error.
class FitsTable {
  public:
    FitsTable(const std::string& path, const char* extension) {
        call(fits_open_diskfile(&file_, path.c_str(), READONLY, &status_));
        call(fits_movnam_hdu(file_, ANY_HDU, const_cast<char*>(extension), 0, &status_));
        call(fits_get_num_rows(file_, &rows_, &status_));
    }
    ~FitsTable() {
        int ignored = 0;
        if (file_ != nullptr) fits_close_file(file_, &ignored);
    }
    FitsTable(const FitsTable&) = delete;
    FitsTable& operator=(const FitsTable&) = delete;

    long rows() const { return rows_; }
    double key(const char* name) {
        double value = 0.0;
        call(fits_read_key(file_, TDOUBLE, name, &value, nullptr, &status_));
        return value;
    }
    std::vector<double> column(const char* name) { return cells(name, 1, rows_); }
    /// count elements of one row.
    std::vector<double> cells(const char* name, long row, long count) {
        int number = 0;
        std::vector<double> out(static_cast<std::size_t>(count));
        call(fits_get_colnum(file_, CASEINSEN, const_cast<char*>(name), &number, &status_));
        call(fits_read_col(file_, TDOUBLE, number, row, 1, count, nullptr, out.data(), nullptr, &status_));
        return out;
    }

  private:
    void call(int status) {
        if (status != 0) throw std::runtime_error("cfitsio status " + std::to_string(status));
    }
    fitsfile* file_ = nullptr;
    long rows_ = 0;
    int status_ = 0;
};

inline std::shared_ptr<const Response> read_response(const std::string& path) {
    auto r = std::make_shared<Response>();
    FitsTable bounds(path, "EBOUNDS"), matrix(path, "MATRIX");
    r->name = r->hash = path.substr(path.rfind('/') + 1);
    r->channel_lo = bounds.column("E_MIN");
    r->channel_hi = bounds.column("E_MAX");
    r->energy_lo = matrix.column("ENERG_LO");
    r->energy_hi = matrix.column("ENERG_HI");
    const auto groups = matrix.column("N_GRP");
    r->row_group.push_back(0);
    for (long row = 1; row <= matrix.rows(); ++row) {
        const auto n = static_cast<long>(groups[row - 1]);
        const auto first = matrix.cells("F_CHAN", row, n), count = matrix.cells("N_CHAN", row, n);
        long total = 0;
        for (long g = 0; g < n; ++g) {
            r->group_first.push_back(
                static_cast<std::int32_t>(first[g]));  // these files count channels from 0
            r->group_count.push_back(static_cast<std::int32_t>(count[g]));
            r->group_value.push_back(static_cast<std::int64_t>(r->value.size()) + total);
            total += static_cast<long>(count[g]);
        }
        for (double v : matrix.cells("MATRIX", row, total)) r->value.push_back(static_cast<float>(v));
        r->row_group.push_back(static_cast<std::int64_t>(r->group_first.size()));
    }
    return r;
}

/// The pn response of tests/data, read once.
inline std::shared_ptr<const Response> pn_response() {
    static const auto response = read_response(data_path("responses/epn_e3_ef20_sdY6_v19.0.rmf.gz"));
    return response;
}

/// A pn source spectrum of a folder with its background, effective area and the pn response of tests/data.
inline Spectrum read_pn_spectrum(const std::string& folder, const std::string& name) {
    const auto other = [&](const char* kind) {
        std::string path = folder + "/" + name;
        return path.replace(path.find("SRSPEC"), 6, kind);
    };
    Spectrum s;
    FitsTable source(folder + "/" + name, "SPECTRUM"), background(other("BGSPEC"), "SPECTRUM");
    s.exposure.file = name;
    s.exposure.instrument = "EPN";
    s.exposure.livetime = source.key("EXPOSURE");
    s.counts = source.column("COUNTS");
    for (double q : source.column("QUALITY")) s.quality.push_back(static_cast<std::int16_t>(q));
    for (double g : source.column("GROUPING")) s.grouping.push_back(static_cast<std::int16_t>(g));
    s.area_scale = source.key("AREASCAL");
    s.back_scale = source.key("BACKSCAL");
    s.background_file = "background";
    s.background_counts = background.column("COUNTS");
    s.background_exposure = background.key("EXPOSURE");
    s.background_area_scale = background.key("AREASCAL");
    s.background_back_scale = background.key("BACKSCAL");
    s.effective_area = FitsTable(other("SRCARF"), "SPECRESP").column("SPECRESP");
    s.response = pn_response();
    return s;
}

inline Spectrum pn_spectrum(const std::string& number) {
    return read_pn_spectrum(data_path("xmm-pps"), "P0760940101PNS003SRSPEC" + number + ".FTZ");
}

}  // namespace xsift::test
