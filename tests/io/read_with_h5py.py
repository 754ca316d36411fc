"""Reads the sample survey with nothing but h5py: values, texts, storage; types and units as docs/schema.md says."""
import math
import subprocess
import sys
import tempfile

import h5py
import numpy as np


def documented(path):
    """Type and unit of every dataset in the tables of docs/schema.md."""
    rows = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if len(cells) == 4 and cells[0].startswith("`") and "…" not in cells[0]:
                rows[cells[0].strip("`")] = (cells[1], cells[2])
    for group in ("/exposures", "/light_curves", "/spectra"):
        rows.update({group + name[1:]: row for name, row in rows.items() if name.startswith("*")})
    return {name: row for name, row in rows.items() if not name.startswith("*")}


def same(found, expected):
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def check(survey, tables):
    assert survey.attrs["format"] == b"xsift-survey"
    assert survey.attrs["schema_version"] == 2
    assert survey["provenance"].attrs["version"] == b"0.1.0"
    assert len(survey["provenance"].attrs["options"]) == 100000

    same(survey["sources/id"].asstr()[()], ["SRC1", "2", "étoile"])
    same(survey["sources/name"].asstr()[()], ["4XMM J0146 α", "", ""])
    same(survey["sources/ra"], [26.5, math.nan, 0.0])
    same(survey["sources/exposure_offset"], [0, 1, 1, 4])
    same(survey["sources/light_curve_offset"], [0, 1, 1, 2])
    same(survey["sources/spectrum_offset"], [0, 1, 1, 4])
    same(survey["sources/extra/flux"], [1.5e-14, math.nan, math.nan])
    same(survey["sources/extra_null/n_obs"], [0, 1, 0])
    assert survey["sources/extra/flux"].attrs["units"] == b"erg/cm2/s"
    assert survey["sources/extra/comment_by hand"].attrs["name"] == b"comment/by hand"
    assert survey["sources/extra/comment_by hand_2"].attrs["index"] == 3

    # The events of source 2 by the offsets alone: a list without energies, an empty one, a full one.
    lists = survey["sources/exposure_offset"]
    events = survey["exposures/event_offset"]
    first, last = events[lists[2]], events[lists[3]]
    same(survey["events/time"][first:last], [-1.0, 2.0, 0.5, 1.25, 100.0])
    same(survey["events/energy"][first:last], np.float32([math.nan, math.nan, 0.3, 1.5, 9.75]))
    same(survey["events/weight"][first:last], [1, 1, 1, 0.5, 0.25])
    same(survey["exposures/has_energy"], [1, 0, 0, 1])
    same(survey["gti/stop"], [20, 200, 20, 200])
    same(survey["exposures/frame_time"], [0.0733650, math.nan, math.nan, 0.0733650])
    same(survey["exposures/file"].asstr()[()], ["pn.fits", "bare.fits", "", "pn.fits"])
    same(survey["bins/rate"], [0.25, math.nan, 0.25, math.nan])
    same(survey["channels/quality"], [0, 0, 5, 2, 0, 0, 0, 0, 0, 0, 5, 2])
    same(survey["areas/effective_area"], [0.0, 512.5, 1024.25] * 2)
    same(survey["scalings/background_scale"], [3.0, 3.5, 0.0, 4.0] * 2)
    same(survey["spectra/response"], [0, 0, 0, -1])
    same(survey["responses/values/value"], [0.25, 0.75, 0.5, 0.125])
    same(survey["quarantine/code"].asstr()[()], ["NO_RESPONSE", "EMPTY"])
    same(survey["inputs/bytes"], [5000000000])
    same(survey["truth/frequency"], [0.5, 0.0])

    found = {}

    def check_dataset(name, item):
        if not isinstance(item, h5py.Dataset):
            return
        assert item.attrs["checksum"].startswith(b"xxh128:"), name
        assert item.chunks is not None and item.compression == "gzip" and item.shuffle, name
        if not name.startswith("sources/extra"):
            kind = "text" if item.dtype.kind == "S" else item.dtype.name
            found["/" + name] = (kind, item.attrs["units"].decode())

    survey.visititems(check_dataset)
    assert found == tables, sorted(set(found.items()) ^ set(tables.items()))


with tempfile.TemporaryDirectory() as folder:
    path = folder + "/survey.h5"
    subprocess.run([sys.argv[1], path], check=True)
    with h5py.File(path, "r") as opened:
        check(opened, documented(sys.argv[2]))
