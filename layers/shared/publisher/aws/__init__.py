"""AWS as the ports need it: one adapter a port."""
