"""Notebooks: templates and their parameters, kernels, execution, HTML."""
