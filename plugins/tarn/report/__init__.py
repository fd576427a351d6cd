"""The results page: one static HTML file with charts that are drawn from the marts."""
