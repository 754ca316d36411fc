#pragma once
/// @file
/// Good time intervals of an event list: which tables apply, their soundness, their union.

#include "fits_handle.hpp"

#include <set>

#include <xsift/data/events.hpp>

namespace xsift::io {

/// One table as it stands in the file: times are START + offset, STOP + offset (s).
struct GtiTable {
    std::string name;
    std::vector<double> start, stop;  ///< s
    double offset = 0.0;              ///< TIMEZERO, and the difference to the reference date of the events
};

struct GoodTimes {
    GoodTimeIntervals intervals;  ///< relative to zero
    bool repaired = false;
};

/// The tables that apply to events of some detectors (numbers in the column detector_column, empty when there
/// is none). The current HDU must be that of the events.
std::vector<const HduInfo*> applicable_gti_tables(FitsHandle& fits, const std::string& detector_column,
                                                  const std::set<int>& detectors);

GtiTable read_gti_table(FitsHandle& fits, const HduInfo& hdu, double mjd_reference, double default_offset);

/// The union of some tables, (time - zero) + offset. Each must be finite, not reversed, and disjoint (1
/// microsecond is forgiven); with repair, intervals that are not finite are dropped, reversed ones turned,
/// overlapping ones merged.
/// @throws Error (input, "GTI_NOT_FINITE", "GTI_REVERSED", "GTI_OVERLAP").
GoodTimes unite_good_times(const std::string& path, const std::vector<GtiTable>& tables, double zero,
                           bool repair);

}  // namespace xsift::io
