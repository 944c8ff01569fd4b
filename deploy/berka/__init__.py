"""Imports the Berka data set: a Czech bank's accounts and bookings of the nineties, anonymous."""
