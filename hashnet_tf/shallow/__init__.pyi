from .bre import BRE as BRE
from .itq import ITQ as ITQ
from .itq_cca import ITQCCA as ITQCCA
from .ksh import KSH as KSH
from .lsh import LSH as LSH
from .pca_hash import PCAHash as PCAHash
from .sdh import SDH as SDH
from .spectral_hashing import SpectralHashing as SpectralHashing

__all__ = [
    "BRE",
    "ITQ",
    "ITQCCA",
    "KSH",
    "LSH",
    "PCAHash",
    "SDH",
    "SpectralHashing",
]
