"""The hot loops: a readable definition each, and compiled bodies that must agree with it.

A kernel is called with data, and the data chooses the body: CuPy arrays run the CUDA body, large work on NumPy float64
runs the compiled CPU body, and everything else (small work, exact numbers, balls, any other array namespace, no
Numba at hand) runs the definition.  The choice looks at shapes and step counts only, never at a clock, so that the same
input gives the same bytes.
"""
