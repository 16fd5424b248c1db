"""The compose file on a Docker engine, as a user runs it: `make compose-check`. It needs root or Docker.

Where a Docker engine answers and can have the images, they are used. Elsewhere, as root on Debian, an engine
is started in namespaces of its own, and images made of Debian's and PyPI's packages stand in: a Python 3.13
on Debian 13, and a mongod 6.0.5 with mongosh behind an entrypoint that does what the documents of MongoDB's
image say. Everything is bounded in time and gone at the end, but for the packages in `.compose-check/`.
"""
