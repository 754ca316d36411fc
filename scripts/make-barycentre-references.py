#!/usr/bin/env python3
"""Make the reference values of the barycentring tests: tests/data/barycentre/*.

Roemer from astropy's light_travel_time, Einstein from astropy's TDB - TT with the location of the observer, Shapiro from the
formula with astropy's Sun and observer. Ephemeris: astropy's built-in one (ERFA's, as in xsift, by other code of the
frames around it). The column roemer_jpl is that of JPL's DE421 (Python packages jplephem and de421).
Nothing of xsift is used.

    scripts/make-barycentre-references.py [FOLDER]
"""
import csv
import pathlib
import sys

import astropy.units as u
import de421
import numpy as np
from astropy.coordinates import (EarthLocation, SkyCoord, get_body_barycentric, get_body_barycentric_posvel,
                                 solar_system_ephemeris)
from astropy.io import fits
from astropy.time import Time
from astropy.utils import iers
from jplephem.ephem import Ephemeris

iers.conf.auto_download = False
OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1] / "tests/data/barycentre")
MJDREF = 50814
AU, C, DAY = 149597870.7, 299792.458, 86400.0
SUN = 1.97412574336e-8 * AU / C


def dot(n, r):
    return np.dot(n, r)


def terms(ra, dec, seconds, craft):
    """Einstein, Roemer, Shapiro (s) of a TT time and a geocentric position (km)."""
    time = Time(MJDREF, seconds / DAY, format="mjd", scale="tt")
    n = SkyCoord(ra, dec, unit="deg").cartesian.xyz.value
    earth, velocity = get_body_barycentric_posvel("earth", time)
    earth, velocity = earth.xyz.to_value(u.km), velocity.xyz.to_value(u.km / u.s)
    sun = get_body_barycentric("sun", time).xyz.to_value(u.km)
    einstein = ((time.tdb.jd1 - time.jd1) + (time.tdb.jd2 - time.jd2)) * DAY + dot(velocity, craft) / C**2
    away = earth + craft - sun
    shapiro = SUN * np.log(1 + dot(n, away) / np.linalg.norm(away))
    return einstein, dot(n, earth + craft) / C, shapiro, earth, time, n


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    solar_system_ephemeris.set("builtin")
    jpl_ephemeris = Ephemeris(de421)
    random = np.random.default_rng(2)
    rows = []
    sources = [(26.7, 61.35), (345.28, 58.88), (83.633, 22.0145), (270.0, 66.56), (266.4, -29.0), (53.37, -27.24),
               (180.0, 0.0), (10.0, 85.0)]
    for ra, dec in sources:
        for seconds in random.uniform(-2e8, 8.5e8, 12):
            einstein, roemer, shapiro, _, time, n = terms(ra, dec, seconds, np.zeros(3))
            # The same through the public function, for an observer at the Earth's centre.
            centre = EarthLocation.from_geocentric(0, 0, 0, unit=u.m)
            public = time.light_travel_time(SkyCoord(ra, dec, unit="deg"), "barycentric", location=centre)
            tdb = time.tdb.jd1, time.tdb.jd2
            both, moon = (np.ravel(jpl_ephemeris.position(body, *tdb)) for body in ("earthmoon", "moon"))
            jpl = dot(n, both - moon * jpl_ephemeris.earth_share) / C
            rows.append((ra, dec, seconds, einstein, roemer, public.to_value(u.s), shapiro, jpl))
    with open(OUT / "geocentre.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ra", "dec", "tt", "einstein", "roemer", "light_travel_time", "shapiro", "roemer_jpl"])
        writer.writerows([[format(float(x), ".17g") for x in row] for row in rows])

    # Two orbits: low and circular, and of 48 h with an eccentricity of 0.6, as X-ray observatories have.
    for name, a, e, step, span, unit in (("low", 6878.0, 0.001, 30.0, 20000.0, "m"),
                                         ("high", 67000.0, 0.6, 300.0, 180000.0, "km")):
        t0 = 3.1e8
        time = t0 + np.arange(0.0, span, step)

        def position(seconds):
            mean = np.sqrt(398600.4418 / a**3) * (np.asarray(seconds) - t0) + 1.0
            eccentric = mean.copy()
            for _ in range(60):
                eccentric = eccentric - (eccentric - e * np.sin(eccentric) - mean) / (1 - e * np.cos(eccentric))
            x, y = a * (np.cos(eccentric) - e), a * np.sqrt(1 - e * e) * np.sin(eccentric)
            i, node = 0.6, 1.2
            return np.array([x * np.cos(node) - y * np.cos(i) * np.sin(node),
                             x * np.sin(node) + y * np.cos(i) * np.cos(node), y * np.sin(i)])

        xyz = position(time) * (1000.0 if unit == "m" else 1.0)
        cards = [("TELESCOP", "TEST"), ("TIMESYS", "TT"), ("MJDREFI", MJDREF), ("MJDREFF", 0.0)]
        columns = [fits.Column("TIME", "D", "s", array=time)]
        if unit == "m":
            columns += [fits.Column(k, "D", "m", array=v) for k, v in zip("XYZ", xyz)]
        else:
            columns += [fits.Column("POSITION", "3D", "km", array=xyz.T)]
        table = fits.BinTableHDU.from_columns(columns, name="ORBIT")
        table.header.extend(cards)
        table.writeto(OUT / f"orbit_{name}.fits", overwrite=True)
        with open(OUT / f"orbit_{name}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["ra", "dec", "tt", "einstein", "roemer", "shapiro"])
            for ra, dec in sources:
                for seconds in random.uniform(time[1], time[-2], 6):
                    found = terms(ra, dec, seconds, position(seconds))[:3]
                    writer.writerow([format(float(x), ".17g") for x in (ra, dec, seconds, *found)])


if __name__ == "__main__":
    main()
