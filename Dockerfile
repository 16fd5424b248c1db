# Python 3.13 on Debian 13. The digest keeps two builds equal; Dependabot proposes newer ones.
ARG PYTHON_IMAGE=python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285

FROM ${PYTHON_IMAGE} AS packages

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SERVER_ADDRESS=0.0.0.0

WORKDIR /app

RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin service

# Before the code: a change of code does not install the packages again.
COPY requirements.txt requirements-extended.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    -r requirements.txt -r requirements-extended.txt

# The suite, for `docker compose --profile test run --rm test`.
FROM packages AS test

# Tests of crashes start a mongod of their own, which links this library; others call make.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libcurl4 make && rm -rf /var/lib/apt/lists/*
COPY requirements-*.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore -r requirements-dev.txt
COPY . .
RUN chown -R service:service /app

USER 10001:10001
CMD ["python", "-m", "pytest"]

# What runs: the last stage, so the one that a build without a target makes.
FROM packages AS service

COPY docker/healthcheck.py docker/
COPY backend/ backend/
# The modes of the files are the image's own, whatever umask the checkout was made under.
RUN chmod -R a+rX /app

USER 10001:10001

EXPOSE 8888
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "/app/docker/healthcheck.py"]

CMD ["python", "-m", "backend", "serve"]
