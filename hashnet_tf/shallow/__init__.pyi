from .bre import BRE as BRE
from .itq import ITQ as ITQ
from .itq_cca import ITQCCA as ITQCCA
from .ksh import KSH as KSH
from .lsh import LSH as LSH
from .pca_hash import PCAHash as PCAHash
from .sdh import SDH as SDH
from .sign_ranking import SignRanking as SignRanking
from .spectral_hashing import SpectralHashing as SpectralHashing
from .vectors import FloatRanking as FloatRanking
from .vectors import PQRanking as PQRanking
from .vectors import RaBitQRanking as RaBitQRanking
from .vectors import VectorRanking as VectorRanking

__all__ = [
    "BRE",
    "FloatRanking",
    "ITQ",
    "ITQCCA",
    "KSH",
    "LSH",
    "PCAHash",
    "PQRanking",
    "RaBitQRanking",
    "SDH",
    "SignRanking",
    "SpectralHashing",
    "VectorRanking",
]
