"""The version of this release of Parcours."""

VERSION = "0.1.0"
