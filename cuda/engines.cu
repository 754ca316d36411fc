// engines
