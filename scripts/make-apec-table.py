#!/usr/bin/env python3
"""Make the plasma emission table that the spectral room embeds: src/spectral/resources/apec.bin.

    make-apec-table.py TABLE.fits [OUTPUT]

TABLE is an OGIP additive table model (OGIP 92-009) with the parameters kT and Abundanc, both interpolated linearly, as
`xsift import-apec` writes it. The shipped table was made from AtomDB 2.0.2 (APEC; Smith et al. 2001, Foster et al. 2012)
with the abundances of Asplund et al. (2009); norm 1 is 1e-14/(4 pi (D_A (1+z))^2) integral n_e n_H dV.

Layout, little-endian: "XSIFTTAB"; uint32 temperatures, abundances, edges, bytes of origin; the origin as text; doubles: kT
(keV), abundances, edges (keV); floats: spectra (photon/cm2/s a bin at norm 1), temperatures x abundances x bins.
Standard library only.
"""
import os
import struct
import sys


def hdus(path):
    """Yields (keywords, comments, data) of each HDU."""
    with open(path, "rb") as file:
        content = file.read()
    position = 0
    while position < len(content):
        header, comments, ended = {}, [], False
        while not ended:
            block = content[position:position + 2880]
            position += 2880
            for start in range(0, 2880, 80):
                card = block[start:start + 80].decode("ascii")
                if card.rstrip() == "END":
                    ended = True
                    break
                if card.startswith("COMMENT"):
                    comments.append(card[8:])
                elif card[8:10] == "= ":
                    value = card[10:]
                    header[card[:8].strip()] = value.split("'")[1].strip() if value.lstrip().startswith("'") \
                        else value.split("/")[0].strip()
        size = abs(int(header["BITPIX"])) // 8 if int(header["NAXIS"]) else 0
        for axis in range(1, int(header["NAXIS"]) + 1):
            size *= int(header[f"NAXIS{axis}"])
        size += int(header.get("PCOUNT", 0))
        yield header, comments, content[position:position + size]
        position += (size + 2879) // 2880 * 2880


def column(header, data, name):
    """The rows of a column of numbers (E or J) as tuples."""
    offset = 0
    for i in range(1, int(header["TFIELDS"]) + 1):
        form = header[f"TFORM{i}"]
        count = int(form[:-1] or 1)
        width = {"E": 4, "J": 4, "A": 1}[form[-1]] * count
        if header[f"TTYPE{i}"] == name:
            code = ">%d%s" % (count, {"E": "f", "J": "i"}[form[-1]])
            row = int(header["NAXIS1"])
            return [struct.unpack_from(code, data, r * row + offset) for r in range(int(header["NAXIS2"]))]
        offset += width
    raise SystemExit(f"no column {name}")


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    output = sys.argv[2] if len(sys.argv) > 2 else os.path.join(here, "../src/spectral/resources/apec.bin")
    found = {header.get("EXTNAME", "PRIMARY"): (header, comments, data) for header, comments, data in hdus(sys.argv[1])}
    origin = "".join(found["PRIMARY"][1]).strip()
    parameters = found["PARAMETERS"]
    sizes = [n[0] for n in column(*parameters[::2], "NUMBVALS")]
    axes = [values[:n] for values, n in zip(column(*parameters[::2], "VALUE"), sizes)]
    if len(axes) != 2 or any(method[0] != 0 for method in column(*parameters[::2], "METHOD")):
        raise SystemExit("expected kT and Abundanc, interpolated linearly")
    energies = found["ENERGIES"]
    low, high = (column(*energies[::2], name) for name in ("ENERG_LO", "ENERG_HI"))
    edges = [e[0] for e in low] + [high[-1][0]]
    spectra = dict(zip(column(*found["SPECTRA"][::2], "PARAMVAL"), column(*found["SPECTRA"][::2], "INTPSPEC")))
    origin_bytes = origin.encode("ascii")
    with open(output, "wb") as out:
        out.write(b"XSIFTTAB" + struct.pack("<4I", *sizes, len(edges), len(origin_bytes)) + origin_bytes)
        for numbers in (*axes, edges):
            out.write(struct.pack(f"<{len(numbers)}d", *numbers))
        for kt in axes[0]:
            for abundance in axes[1]:
                out.write(struct.pack(f"<{len(edges) - 1}f", *spectra[kt, abundance]))


if __name__ == "__main__":
    main()
