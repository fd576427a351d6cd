"""Tarn's library: the steps of the lake, their settings, and the local cloud they run against."""
