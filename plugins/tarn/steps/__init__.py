"""The steps of the lake: each a function of (dataset, partition, settings) that leaves a receipt."""
