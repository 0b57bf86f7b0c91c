"""What sandwiches of ops mean: one file a kind of sandwich.

Each Form here is one formula and the ops that stand in for its solutions. They are applied until nothing changes, so a
dilated, causal, grouped convolution along one axis takes four forms and no pattern of its own.
"""
