"""Effects that another system keeps: wanted in a step, carried out under a lease, answered."""
