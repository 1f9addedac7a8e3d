# The program in containers. docker-compose.yml has them work together, and docs/deploy.md tells how.
#
# Targets: metacrawl (any `scrapy` command: the scheduler, a worker), scrapyd, browser (that with Chromium), look.

FROM python:3.11.15-slim-bookworm AS base
LABEL org.opencontainers.image.licenses=MIT
# The root is read-only, and the user may be one that the system does not know, without a home.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# --- What is installed, file by file as it was locked; pip installs from beside it, and stays behind

FROM base AS empty
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/pip && python -m venv --without-pip /opt/venv

FROM empty AS locked
COPY requirements.lock ./
RUN /opt/pip/bin/pip --python /opt/venv install --require-hashes --no-deps -r requirements.lock

# Scrapyd's environment has what builds the program, too.
FROM locked AS scrapyd-installed
COPY deploy/requirements.lock deploy/
RUN /opt/pip/bin/pip --python /opt/venv install --require-hashes --no-deps -r deploy/requirements.lock
COPY pyproject.toml requirements.txt README.md LICENSE ./
COPY metacrawl metacrawl
RUN /opt/pip/bin/pip --python /opt/venv wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/pip/bin/pip --python /opt/venv install --no-deps --no-index /wheel/*.whl

FROM locked AS metacrawl-installed
COPY --from=scrapyd-installed /wheel /wheel
RUN /opt/pip/bin/pip --python /opt/venv install --no-deps --no-index /wheel/*.whl

FROM empty AS look-installed
COPY deploy/look/requirements.lock ./
RUN /opt/pip/bin/pip --python /opt/venv install --require-hashes --no-deps -r requirements.lock

# --- What serves: as a user that is nobody, or as any other, whose group is root's

FROM base AS served
# A new volume has the owner of the folder that it is put over.
RUN install --directory --owner=10001 --group=0 --mode=0770 \
    /var/lib/metacrawl /var/lib/metacrawl/published /var/lib/metacrawl/runs /var/lib/scrapyd
ENV SCRAPY_SETTINGS_MODULE=metacrawl.settings \
    METACRAWL_RUNS=/var/lib/metacrawl/runs

FROM served AS look
COPY --from=look-installed /opt/venv /opt/venv
COPY --chmod=0444 deploy/look/serve.py deploy/look/metadata.json /opt/look/
USER 10001:0
ENTRYPOINT ["python", "/opt/look/serve.py", "/var/lib/metacrawl/published", "--host", "0.0.0.0"]

FROM served AS scrapyd
COPY --from=scrapyd-installed /opt/venv /opt/venv
COPY --chmod=0444 deploy/serve.py deploy/scrapyd.conf deploy/image/scrapyd-image.conf deploy/image/healthy.py /opt/deploy/
WORKDIR /var/lib/scrapyd
USER 10001:0
ENTRYPOINT ["python", "/opt/deploy/serve.py", "/var/lib/scrapyd", "--container", "--conf", "/opt/deploy/scrapyd-image.conf"]

FROM scrapyd AS browser
USER 0
# From the suite that has a browser's updates, and never an older version than its last.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium/bookworm-security \
    && rm -rf /var/lib/apt/lists/*
USER 10001:0

FROM served AS metacrawl
COPY --from=metacrawl-installed /opt/venv /opt/venv
WORKDIR /var/lib/metacrawl
USER 10001:0
ENTRYPOINT ["scrapy"]
CMD ["-h"]
