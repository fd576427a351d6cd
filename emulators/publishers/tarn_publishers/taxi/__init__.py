"""NYC taxi and for-hire trips, as the Taxi and Limousine Commission and its CSV mirror publish them."""
