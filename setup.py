"""What ``pyproject.toml`` cannot say: the embedded model lies beside the package, and travels inside it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["ladi", "ladi.*"]), "ladi.assets.mini"],
    package_dir={"ladi.assets.mini": "assets/mini"},
    package_data={"ladi": ["**/*.json", "**/*.j2", "**/*.safetensors"], "ladi.assets.mini": ["**/*"]},
)
