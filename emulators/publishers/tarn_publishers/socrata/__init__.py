"""New York's crashes as the city's open-data portal has them: Socrata's API and its CSV export, dataset h9gi-nx95."""
