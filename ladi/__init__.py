"""LaDI-VTON: photos of a person and of a garment in, a photo of the person in the garment out."""

__version__ = "0.1.0"
