-- Lmod module of an installed xsift: put this file into MODULEPATH as xsift/0.1.0.lua and set the prefix.
-- Then: slurm/submit ... --module xsift/0.1.0
help([[xsift: periods, spectra and a catalogue for every source of an X-ray survey]])
whatis("Name: xsift")
whatis("Version: 0.1.0")
local prefix = "/opt/xsift/0.1.0"
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
