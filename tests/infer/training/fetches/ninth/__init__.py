"""A ninth set: thirty repositories that no other set contains; every second graph is kept aside, for one look at the end."""
