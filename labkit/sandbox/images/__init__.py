"""The catalogue of images that the simulated kubelet can run: each is a small class that behaves like its namesake."""
