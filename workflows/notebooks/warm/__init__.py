"""Kernels by fork: a parent process that has imported what templates import, and the provisioner that asks it for kernels."""
