"""What exists: datasets, tables, views, routines, as the REST resources that clients see."""
