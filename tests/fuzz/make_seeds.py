#!/usr/bin/python3
"""Cuts the seeds of tests/fuzz/corpus from the files of tests/data: the first rows of the tables that a reader looks at.

    make_seeds.py XSIFT REPOSITORY

XSIFT is the built program: it makes the survey, the catalogue, the journal and the settings.
"""

import gzip
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy
from astropy.io import fits

STRUCTURE = ("TELESCOP", "INSTRUME", "OBS_ID", "EXPIDSTR", "SUBMODE", "DATAMODE", "FILTER", "TIMESYS", "TIMEREF", "MJDREF",
             "MJDREFI", "MJDREFF", "TIMEZERO", "TIMEDEL", "TIMEPIXR", "TIMEUNIT", "FRMTIME", "LIVETIME", "EXPOSURE", "TSTART",
             "TSTOP", "HDUCLASS", "HDUCLAS1", "HDUCLAS2", "HDUCLAS3", "BACKFILE", "ANCRFILE", "RESPFILE", "DETCHANS",
             "AREASCAL", "BACKSCAL", "CORRSCAL", "POISSERR", "CHANTYPE", "LO_THRES", "OBJECT", "RA_OBJ", "DEC_OBJ",
             "DSTYP", "DSREF", "DSVAL", "DSFORM", "DSUNIT", "NINTPARM", "NADDPARM")


def cut(hdu, rows, columns=None):
    """A table of the first rows, with the keywords that readers ask for."""
    names = [name for name in hdu.columns.names if columns is None or name in columns]
    kept = [fits.Column(name=c.name, format=c.format, unit=c.unit, null=c.null, bscale=c.bscale, bzero=c.bzero,
                        array=hdu.data[c.name][:rows]) for c in hdu.columns if c.name in names]
    table = fits.BinTableHDU.from_columns(kept, name=hdu.name)
    for card in hdu.header.cards:
        numbered = card.keyword.rstrip("0123456789")
        if card.keyword in STRUCTURE or card.keyword[1:] in STRUCTURE or numbered in ("DSTYP", "DSREF", "DSVAL", "DSFORM"):
            table.header[card.keyword] = card.value
    for number, name in enumerate(names, 1):
        old = hdu.columns.names.index(name) + 1
        for key in ("TLMIN", "TLMAX", "TCDLT", "TCRVL", "TCRPX"):
            if f"{key}{old}" in hdu.header:
                table.header[f"{key}{number}"] = hdu.header[f"{key}{old}"]
    return table


def write(path, *tables):
    path.parent.mkdir(parents=True, exist_ok=True)
    primary = fits.PrimaryHDU()
    fits.HDUList([primary, *tables]).writeto(path, overwrite=True)


def from_archives(data, corpus):
    with fits.open(data / "events/xmm_pn_rxj0146.fits.gz") as f:
        write(corpus / "events/xmm", cut(f["EVENTS"], 40, ("TIME", "PI", "X", "Y", "CCDNR", "PATTERN")),
              cut(f["STDGTI04"], 9), cut(f["STDGTI10"], 9))
    with fits.open(data / "events/nicer_1e2259.fits.gz") as f:
        write(corpus / "events/nicer", cut(f["EVENTS"], 40, ("TIME", "PI", "DET_ID")), cut(f["GTI"], 35))
        kept = (corpus / "events/nicer").read_bytes()
        (corpus / "events/nicer_packed").write_bytes(gzip.compress(kept, mtime=0))
    with fits.open(data / "lightcurves/P0886090801PNS003SRCTSR8001.FTZ") as f:
        write(corpus / "light_curve/pn", cut(f["RATE"], 50))
    pps = data / "xmm-pps"
    with fits.open(pps / "P0760940101PNS003SRSPEC0001.FTZ") as f:
        spectrum = cut(f["SPECTRUM"], 64)
        spectrum.header["DETCHANS"] = 64
        write(corpus / "spectrum/pn", spectrum)
        rates = fits.BinTableHDU.from_columns([
            fits.Column("CHANNEL", "J", array=numpy.arange(1, 17)),
            fits.Column("RATE", "E", unit="count/s", array=numpy.arange(16) / 1000.0),
            fits.Column("AREASCAL", "E", array=numpy.full(16, 0.5)),
            fits.Column("BACKGROUND_UP", "J", array=numpy.arange(16)),
            fits.Column("BACKGROUND_DOWN", "J", array=numpy.arange(16))], name="SPECTRUM")
        for key, value in (("EXPOSURE", 1000.0), ("POISSERR", True), ("BACKSCAL", 1.0), ("BACKSCUP", 4.0),
                           ("BACKSCDN", 4.0), ("DETCHANS", 16), ("HDUCLAS1", "SPECTRUM"), ("TLMIN1", 1)):
            rates.header[key] = value
        write(corpus / "spectrum/rates", rates)
    with fits.open(data / "responses/epn_e3_ef20_sdY6_v19.0.rmf.gz") as f:
        matrix = f["MATRIX"]
        rows = 12
        values = numpy.empty(rows, dtype=object)
        for i in range(rows):
            values[i] = numpy.asarray(matrix.data["MATRIX"][i][:8], dtype=">f4")
        small = fits.BinTableHDU.from_columns([
            fits.Column("ENERG_LO", "E", unit="keV", array=matrix.data["ENERG_LO"][:rows]),
            fits.Column("ENERG_HI", "E", unit="keV", array=matrix.data["ENERG_HI"][:rows]),
            fits.Column("N_GRP", "I", array=numpy.ones(rows)), fits.Column("F_CHAN", "I", array=numpy.arange(rows)),
            fits.Column("N_CHAN", "I", array=[len(v) for v in values]),
            fits.Column("MATRIX", "PE()", array=values)], name="MATRIX")
        for key in ("HDUCLAS1", "HDUCLAS2", "HDUCLAS3", "LO_THRES"):
            if key in matrix.header:
                small.header[key] = matrix.header[key]
        small.header["TLMIN4"] = 0
        write(corpus / "response/pn", small, cut(f["EBOUNDS"], 32))
    with fits.open(pps / "P0760940101PNS003SRCARF0001.FTZ") as f:
        write(corpus / "area/pn", cut(f["SPECRESP"], 40))
    with fits.open(data / "matching/ngc3532_xray.fits") as f:
        write(corpus / "source_list/csc", cut(f[1], 12, ("NAME", "RA", "DEC", "POS_ERR", "SIGNIF", "F_S", "ID")))
    with fits.open(data / "matching/ngc3532_gaia.fits") as f:
        write(corpus / "sky_objects/gaia", cut(f[1], 12))
    with fits.open(data / "barycentre/orbit_low.fits") as f:
        write(corpus / "orbit/low", cut(f["ORBIT"], 20))


def made(data, corpus):
    """Formats of which no small real file is at hand."""
    column = fits.Column("PIXELS", "4E", array=numpy.arange(48, dtype="f4").reshape(12, 4))
    sky = fits.BinTableHDU.from_columns([column], name="MAP")
    for key, value in (("PIXTYPE", "HEALPIX"), ("NSIDE", 2), ("ORDERING", "RING"), ("COORDSYS", "G")):
        sky.header[key] = value
    write(corpus / "sky_map/nside2", sky)
    value = numpy.empty(2, dtype=object)
    value[0], value[1] = numpy.array([0, 1, 5], ">f4"), numpy.array([1, 4], ">f4")
    for name, column in (("fixed", fits.Column("VALUE", "3E", array=[[0, 1, 5], [1, 4, 0]])),
                         ("variable", fits.Column("VALUE", "PE()", array=value))):
        parameters = fits.BinTableHDU.from_columns([
            fits.Column("NAME", "12A", array=["kT", "Abund"]), fits.Column("METHOD", "J", array=[0, 1]),
            fits.Column("INITIAL", "E", array=[1, 1]), fits.Column("DELTA", "E", array=[0.1, -1]),
            fits.Column("MINIMUM", "E", array=[0, 1]), fits.Column("BOTTOM", "E", array=[0, 1]),
            fits.Column("TOP", "E", array=[5, 4]), fits.Column("MAXIMUM", "E", array=[5, 4]),
            fits.Column("NUMBVALS", "J", array=[3, 2]), column], name="PARAMETERS")
        parameters.header["NINTPARM"], parameters.header["NADDPARM"] = 2, 0
        energies = fits.BinTableHDU.from_columns([fits.Column("ENERG_LO", "E", array=[1, 2]),
                                                  fits.Column("ENERG_HI", "E", array=[2, 3])], name="ENERGIES")
        grid = [[a, b] for a in (0, 1, 5) for b in (1, 4)]
        spectra = fits.BinTableHDU.from_columns([fits.Column("PARAMVAL", "2E", array=grid),
                                                 fits.Column("INTPSPEC", "2E", array=numpy.ones((6, 2)))], name="SPECTRA")
        write(corpus / f"table_model/{name}", parameters, energies, spectra)
        with fits.open(corpus / f"table_model/{name}", mode="update") as hdus:
            hdus[0].header["MODLNAME"], hdus[0].header["ADDMODEL"], hdus[0].header["REDSHIFT"] = "made", True, False
    (corpus / "source_csv").mkdir(parents=True, exist_ok=True)
    (corpus / "source_csv/quoted").write_text(
        '# a list\nID,Name,RA,DEC,POS_ERR,note,n\ns1,"a, b",10.5,-3.25,1.5,"say ""x""",3\ns2,,359.9,89,,,\n')


def atomdb(corpus):
    """A pair of AtomDB's files in one: tables with the columns of both, arrays padded or of variable length."""
    temperatures = fits.BinTableHDU.from_columns([fits.Column("kT", "E", unit="keV", array=[0.5, 1.0])], name="PARAMETERS")
    for name, wide, padded in (("padded", "3E", True), ("variable", "PE()", False)):
        def column(key, rows):
            if padded:
                return fits.Column(key, wide, array=[list(row) + [0.0] * (3 - len(row)) for row in rows])
            values = numpy.empty(len(rows), dtype=object)
            for i, row in enumerate(rows):
                values[i] = numpy.array(row, ">f4")
            return fits.Column(key, wide, array=values)
        columns = [
            fits.Column("Lambda", "E", unit="A", array=[1.85, 12.13, 18.97]),
            fits.Column("Epsilon", "E", unit="photons cm^3 s^-1", array=[1e-17, 2e-17, 3e-17]),
            fits.Column("Element", "J", array=[26, 10, 8]), fits.Column("Z", "J", array=[1, 8, 8]),
            fits.Column("rmJ", "J", array=[0, 0, 8]), fits.Column("N_Cont", "J", array=[3, 2, 2]),
            column("E_Cont", [[0.1, 1.0, 10.0], [0.1, 10.0], [0.1, 10.0]]),
            column("Continuum", [[3e-17, 2e-17, 1e-18], [1e-18, 1e-19], [1e-18, 1e-19]]),
            fits.Column("N_Pseudo", "J", array=[2, 0, 0]), column("E_Pseudo", [[0.5, 0.6], [], []]),
            column("Pseudo", [[1e-19, 1e-19], [], []])]
        tables = [fits.BinTableHDU.from_columns(columns, name="EMISSIVITY") for _ in range(2)]
        write(corpus / f"atomdb/{name}", temperatures, *tables)


def texts(data, corpus):
    """Tables and expressions in text."""
    for name in ("sky_objects_csv", "class_table", "flux_history", "magnitude_prior", "model", "class_model"):
        (corpus / name).mkdir(parents=True, exist_ok=True)
    (corpus / "sky_objects_csv/made").write_text(
        "# epoch 2016\nsource_id,RA,DEC,pos_err,pmra,pmdec,parallax,parallax_error,Gmag,e_Gmag,BPmag,RPmag,W1mag\n"
        '12,10.5,-3.25,0.1,-3.5,2e1,1.25,0.03,15.5,0.01,16,15,12.1\n"13",359.9,89,,,,,,19.25,,,,\n')
    (corpus / "class_table/csc").write_text(
        "name,Class,RA,DEC,F_s,F_m,F_h,F_b,floor,P_inter,PL_gamma,e_PL_gamma,Gmag,e_Gmag,W1mag,parallax,parallax_error,pmra,pmdec\n"
        "2CXO J1,AGN,10.5,-3.25,1e-14,2e-14,3e-14,6e-14,0,0.5,1.7,0.2,19.5,0.01,15.2,0.1,0.2,-1,0.5\n"
        "2CXO J2,LM-STAR,200,45,1e-13,2e-14,,1.2e-13,4,0.99,,,12.5,0.01,9.2,10.1,0.02,-100,50\n")
    (corpus / "class_table/xmm").write_text(
        "srcid,sc_ep_2_flux,sc_ep_3_flux,sc_ep_4_flux,sc_ep_5_flux,sc_ep_8_fmin,sc_ep_8_fmax,chi2prob,bii\n"
        "1,1e-14,2e-14,1e-14,3e-14,5e-14,9e-14,0.03,-45\n")
    with open(data / "longterm/stonks_lightcurves.csv", encoding="utf-8") as lines:
        header = next(lines).replace("alert,", "srcid,")
        kept = [line for line in lines if line.split(",")[2] in ("XMM", "Chandra", "Swift", "eROSITA", "ROSAT")][:5]
    (corpus / "flux_history/stonks").write_text(header + "".join(kept))
    (corpus / "flux_history/made").write_text(
        "srcid,mission,flux_lo,flux_hi,flux,mjd\ns1,Chandra,1e-14,3e-14,2e-14,55000\ns1,ROSAT,,5e-13,,48000.5\n")
    (corpus / "magnitude_prior/nway").write_text("lo,hi,selected,others\n12,14.5,0.3,0.01\n14.5,16,0.2,0.1\n16,20,0.05,1\n")
    (corpus / "model/sum").write_text(
        "tbabs*(bbody+tbabs*powerlaw)+gaussian\ntbabs1.nH = 0.3 frozen\npowerlaw.PhoIndex in 1:3\ntbabs2.nH = tbabs1.nH\n")
    (corpus / "model/plasma").write_text("tbabs(apec+apec)*constant\napec1.Abundanc free\napec.Redshift = 0.05\n")
    nodes = " ".join(str(-1.0 + 0.25 * i) for i in range(9))
    (corpus / "class_model/made").write_text(
        "xsift class model 1\norigin made\nclasses AGN STAR\ncounts 10 20\noutlier -3.5\naxes 2\n"
        f"axis HR_MS 9\nnodes {nodes}\naxis HR_HM 9\nnodes {nodes}\nterms 2\nterm 3 0\nweights 1 0.5\ndensity -1 -2 -3\n"
        "density -3 -2 -1\nterm 2 0 1\nweights 0.5 0.5\ndensity -1 -2 -3 -4\ndensity -4 -3 -2 -1\nend\n")


def from_xsift(xsift, corpus, repository):
    """What the program writes itself."""
    def call(*arguments, codes=(0, 3)):
        done = subprocess.run([xsift, *map(str, arguments)], check=False, capture_output=True)
        assert done.returncode in codes, done.stderr.decode()
        return done.stdout
    for name in ("survey", "catalogue", "journal", "configuration"):
        (corpus / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        survey = pathlib.Path(folder, "survey.h5")
        call("simulate", "-o", survey, "--sources", 3, "--seed", 1, "--counts", 30, "--with-spectra", "--no-compress")
        (corpus / "survey/simulated").write_bytes(survey.read_bytes())
        catalogue = pathlib.Path(folder, "c.fits")
        quick = ("run", survey, "-o", catalogue, "--fmax", "0.01", "--models", "tbabs*powerlaw", "--batch-memory", "1K")
        call(*quick)
        (corpus / "catalogue/simulated").write_bytes(catalogue.read_bytes())
        # A journal is left by a run that is stopped.
        running = subprocess.Popen([xsift, *map(str, quick)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        journal = pathlib.Path(f"{catalogue}.journal")
        while running.poll() is None and not (journal.exists() and journal.stat().st_size > 500):
            time.sleep(0.001)
        running.send_signal(signal.SIGKILL)
        running.wait()
        (corpus / "journal/killed").write_bytes(journal.read_bytes())
    (corpus / "configuration/defaults").write_bytes(call("run", "--print-config"))
    (corpus / "configuration/file").write_bytes((repository / "configs/default.toml").read_bytes())
    (corpus / "configuration/short").write_text('[search]\nfmax = 1.0\nharmonics = [1, 2]\n[spectra]\nenergy = "0.5:10"\n')


def main():
    xsift, repository = sys.argv[1], pathlib.Path(sys.argv[2])
    corpus = repository / "tests/fuzz/corpus"
    from_archives(repository / "tests/data", corpus)
    made(repository / "tests/data", corpus)
    atomdb(corpus)
    texts(repository / "tests/data", corpus)
    from_xsift(xsift, corpus, repository)


if __name__ == "__main__":
    main()
