"""How often NumPy's argpartition picks other cells than the first among equal sums; it depends on the processor.

Run it as it is, with NPY_DISABLE_CPU_FEATURES="X86_V4" and with "X86_V4 X86_V3" (NumPy 2.5 on x86-64). Half of the
vectors have ties, the others have none.
"""

import numpy as np

random = np.random.default_rng(0)
vectors = others = 0
for cells in [3, 4, 5, 8, 17, 33, 64, 129, 257, 1000, 5000]:
    for k in range(300):
        tied = random.integers(0, 8, size=cells).astype(np.float32)
        sums = tied if k % 2 else random.random(cells, dtype=np.float32)
        first, second = np.argpartition(sums, 2)[:2]
        vectors += 1
        others += [first, second] != list(np.argsort(sums, kind="stable")[:2])
print(f"{others} of {vectors} vectors: other cells than the first")
