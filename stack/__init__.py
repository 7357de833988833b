"""The real collector, Prometheus, Jaeger and Loki, built from committed recipes: no registry of images is needed.

Standard library only: this runs on the system's Python, without a virtual environment. See README.md.
"""
