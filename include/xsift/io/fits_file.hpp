#pragma once
/// @file
/// What a file is and whose: decided by its headers, without reading its data.

#include <string>
#include <string_view>

#include <xsift/data/source.hpp>

namespace xsift::io {

enum class FileKind { events, light_curve, spectrum, background, arf, rmf, source_list, unknown };

/// "events", "light curve", "spectrum", "background", "arf", "rmf", "source list", "unknown".
std::string_view kind_name(FileKind kind);

/// What the headers of a file say.
struct FileSummary {
    FileKind kind = FileKind::unknown;
    std::string object;                            ///< OBJECT
    double ra = not_measured, dec = not_measured;  ///< deg, of the source itself (SRC_CRA or SRC_RA)
    double target_ra = not_measured, target_dec = not_measured;  ///< deg, of the pointing's target (RA_OBJ)
    std::string background_file, arf_file, response_file;        ///< of a spectrum; empty: none
};

/// Opens a file and tells what it is. Unknown when it holds nothing that is understood.
/// @throws Error (input): NO_SUCH_FILE, UNREADABLE, EMPTY_FILE, NOT_FITS, TRUNCATED, UNSUPPORTED, BAD_TABLE.
/// Every reader of a FITS file may throw these.
FileSummary summarise_fits(const std::string& path);

/// True when the name of a file is one of a FITS file (.fits, .fit, .FTZ, .evt, .pha, .lc, .arf, .rmf, ...,
/// with or without .gz).
bool has_fits_name(std::string_view file);

/// What the name of an XMM-Newton pipeline product says:
/// P<observation><instrument><exposure><product><number>.FTZ
struct PpsName {
    std::string obs_id;      ///< ten digits
    std::string instrument;  ///< PN, M1, M2, ...
    std::string exposure;    ///< S003
    std::string product;     ///< SRSPEC, BGSPEC, SRCARF, SRCTSR, ...
    std::string source;      ///< four hexadecimal digits, upper case; empty for products of the whole field
    FileKind kind = FileKind::unknown;

    bool valid() const { return !obs_id.empty(); }
    /// "<observation>:<source>", or empty.
    std::string source_id() const { return source.empty() ? std::string() : obs_id + ":" + source; }
};
/// Not valid when the name is another one.
PpsName parse_pps_name(std::string_view file);

/// The name of a file without its folder and without .gz, .FTZ, .fits and the like.
std::string file_stem(std::string_view file);

}  // namespace xsift::io
